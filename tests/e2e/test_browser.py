"""A department's person at the page, in a real browser, through the whole line."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from aetherflow.registry import departments
from tests.e2e.people import Person, log_in
from tests.support.stack import Stack

WORKED = 60_000


def upload(page: Page, path: Path) -> None:
    page.get_by_role("link", name="Upload").first.click()
    page.locator('input[type="file"]').set_input_files(path)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("The file is here.")).to_be_visible()


@pytest.mark.parametrize("slug", sorted(departments()))
def test_from_log_in_over_an_upload_to_the_insight(stack: Stack, page: Page, slug: str, tmp_path: Path) -> None:
    person = Person(stack.url, department=slug)
    log_in(page, person)
    upload(page, departments()[slug].samples.good)
    see = page.get_by_role("link", name="See the dashboard")
    expect(see).to_be_visible(timeout=WORKED)
    see.click()
    insight = person.get(f"/dashboards/{slug}").json()["insights"][0]
    expect(page.get_by_text(insight["summary"])).to_be_visible()


def test_a_file_that_does_not_fit_says_what_to_do(stack: Stack, page: Page, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong columns.csv"
    wrong.write_text("date;amount\n2026-01-01;5\n")
    person = Person(stack.url, department="sales")
    log_in(page, person)
    upload(page, wrong)
    job = person.get("/jobs").json()["results"][0]
    error = person.watch(job["id"])["stages"][0]["error"]
    expect(page.get_by_text(error["message"]).first).to_be_visible(timeout=WORKED)
    expect(page.get_by_text(error["hint"]).first).to_be_visible()


def test_a_reload_keeps_the_session_and_a_log_out_ends_it(stack: Stack, page: Page) -> None:
    person = Person(stack.url, department="finance")
    log_in(page, person)
    page.reload()
    expect(page).to_have_url(re.compile("/dashboard/finance$"))
    page.get_by_role("button", name=re.compile("Kim of finance")).click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.goto(f"{stack.url}/jobs")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
