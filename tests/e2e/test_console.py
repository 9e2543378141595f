"""The operators' console in a real browser: home, list and page of a job, in both colours, wide and narrow; nothing axe
objects to. `make screens` keeps pictures of them."""

from __future__ import annotations

import re
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from aetherflow.registry import departments
from tests.e2e.people import PASSWORD, Person
from tests.e2e.test_screens import check
from tests.support.stack import Stack

OPERATOR = "operator@example.com"
WIDTHS = {"wide": (1280, 900), "narrow": (360, 800)}


@cache
def operator_of(stack: Stack) -> str:
    stack.env["ADMIN_PASSWORD"] = PASSWORD
    stack.manage("create_user", "--email", OPERATOR, "--role", "admin", "--password-env", "ADMIN_PASSWORD")
    return OPERATOR


@cache
def jobs_of(stack: Stack) -> tuple[str, str]:
    """A job that went through and one that never will: their ids."""
    person = Person(stack.url, department="finance")
    good = person.upload(departments()["finance"].samples.good, filename="march.csv")["job"]["id"]
    bad = person.upload(b"date;amount\n2026-01-01;5\n", filename="wrong.csv")["job"]["id"]
    assert person.watch(good)["status"] == "succeeded"
    person.watch(bad, until=lambda job: job["stages"][0]["dead_lettered"])
    return good, bad


def enter_console(page: Page, stack: Stack) -> None:
    email = operator_of(stack)
    page.goto(f"{stack.url}/admin/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Queues and outbox")).to_be_visible()


@pytest.fixture(params=["light", "dark"])
def colours(request: pytest.FixtureRequest, page: Page) -> str:
    page.emulate_media(color_scheme=request.param, reduced_motion="reduce")
    return str(request.param)


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest, page: Page) -> str:
    width, height = WIDTHS[request.param]
    page.set_viewport_size({"width": width, "height": height})
    return str(request.param)


def test_the_screens_of_the_console(stack: Stack, page: Page, colours: str, width: str) -> None:
    good, bad = jobs_of(stack)
    # Pictures are kept as of the dashboard's screens: light and wide, dark and narrow.
    kept = (colours, width) in {("light", "wide"), ("dark", "narrow")}
    page.goto(f"{stack.url}/admin/login/")
    check(page, name="console-login", look=colours, picture=kept)
    enter_console(page, stack)
    expect(page.locator("html")).to_have_class(re.compile("dark") if colours == "dark" else re.compile("^$"))
    check(page, name="console-home", look=colours, picture=kept)
    page.goto(f"{stack.url}/admin/jobs/job/?status=failed")
    expect(page.get_by_role("link", name="wrong.csv").first).to_be_visible()
    check(page, name="console-jobs", look=colours, picture=kept)
    for name, job in (("console-job-done", good), ("console-job-failed", bad)):
        page.goto(f"{stack.url}/admin/jobs/job/{job}/change/")
        expect(page.get_by_role("heading", name="Attempts")).to_be_visible()
        check(page, name=name, look=colours, picture=kept)
        for more in page.locator("#job details").all():
            more.locator("summary").click()
        check(page, name=name, look=colours, picture=False)


def test_an_operator_goes_from_a_number_to_the_job_that_failed_and_keeps_the_view(stack: Stack, page: Page) -> None:
    _, bad = jobs_of(stack)
    enter_console(page, stack)
    row = page.get_by_role("region", name="What failed in the last 24 hours").get_by_role("row", name="missing-label")
    row.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"error=missing-label.*ended=24h"))
    expect(page.get_by_label("Error code")).to_have_value("missing-label")
    page.get_by_text("Keep this view").click()
    page.get_by_label("Name").fill("Wrong labels")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("link", name="All jobs").click()
    expect(page.get_by_role("link", name="march.csv").first).to_be_visible()
    page.get_by_role("link", name="Wrong labels").click()
    expect(page.get_by_role("link", name="march.csv")).to_have_count(0)
    page.get_by_label("Search jobs").fill(bad)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=bad[:8]).click()
    expect(page.get_by_role("img", name="ETL is failed.")).to_be_visible()
    expect(page.get_by_text("dead-lettered")).to_be_visible()
    page.get_by_text("Traceback (for operators)").click()
    expect(page.get_by_label("Traceback", exact=True)).to_contain_text("FileRefused")
    page.get_by_role("link", name="what was done to it").click()
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()


def test_the_console_is_worked_by_the_keyboard(stack: Stack, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    enter_console(page, stack)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.get_by_role("button", name="Menu").press("Enter")
    page.get_by_role("link", name="Jobs", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    page.get_by_label("Department").focus()
    page.keyboard.press("F")
    page.get_by_role("button", name="Show").press("Enter")
    expect(page).to_have_url(re.compile(r"\?department=finance$"))
