"""One's own account at the page: sessions seen and ended, the password changed; and what admins see beyond members."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import PASSWORD, Person, log_in
from tests.e2e.test_screens import check, look, worked  # noqa: F401  (`look` is a fixture)
from tests.support.stack import Stack

NEW_PASSWORD = "seven-blue-teapots"


class Admin:
    """Sees all departments; made by an operator, as one cannot register as one."""

    department = "finance"  # where the page begins: the first of all

    def __init__(self, stack: Stack) -> None:
        self.url = stack.url
        self.email = f"admin-{uuid.uuid4().hex[:8]}@example.com"
        stack.env["ADMIN_PASSWORD"] = PASSWORD
        stack.manage("create_user", "--email", self.email, "--role", "admin", "--password-env", "ADMIN_PASSWORD")


@cache
def admin(stack: Stack) -> Admin:
    """One for all tests: the command takes seconds, and none of them changes the account."""
    return Admin(stack)


@contextmanager
def another_browser(page: Page) -> Iterator[Page]:
    """With no cookie of the first one's."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    try:
        yield opened
    finally:
        context.close()


def test_a_session_is_ended_from_another_browser_and_so_are_all_by_a_new_password(stack: Stack, page: Page) -> None:
    person = Person(stack.url, department="sales")
    log_in(page, person)
    with another_browser(page) as other:
        log_in(other, person)
        page.get_by_role("button", name=re.compile("^Account of")).click()
        page.get_by_role("link", name="Your account").click()
        sessions = page.get_by_role("region", name="Where you are logged in")
        # Two browsers, and the program that registered.
        expect(sessions.get_by_role("listitem")).to_have_count(3)
        expect(sessions.get_by_role("listitem").first).to_contain_text("This one")
        sessions.get_by_role("button", name=re.compile("^End the session of Chrom")).click()
        expect(sessions.get_by_role("listitem")).to_have_count(2)
        other.get_by_role("link", name="Jobs").click()
        ended = other.get_by_role("dialog", name="Your session has ended")
        expect(ended).to_be_visible()
        ended.get_by_label("Password", exact=True).fill(PASSWORD)
        ended.get_by_role("button", name="Log in").click()
        expect(ended).to_have_count(0)
        expect(other.get_by_role("heading", level=1, name="Jobs")).to_be_visible()

        change(page, PASSWORD, "password123")
        expect(page.get_by_text("This password is too common.")).to_be_visible()
        page.get_by_label("New password").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Change the password").click()
        expect(page.get_by_text("All other sessions have ended. You stay logged in here.")).to_be_visible()
        expect(sessions.get_by_role("listitem")).to_have_count(1)
        other.get_by_role("link", name="Data").click()
        expect(ended).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=1, name="Your account")).to_be_visible()


def change(page: Page, present: str, new: str) -> None:
    page.get_by_label("Present password").fill(present)
    page.get_by_label("New password").fill(new)
    page.get_by_role("button", name="Change the password").click()


def test_all_other_sessions_are_ended_at_once(stack: Stack, page: Page) -> None:
    person = Person(stack.url, department="finance")
    log_in(page, person)
    page.get_by_role("button", name=re.compile("^Account of")).click()
    page.get_by_role("link", name="Change password").click()
    expect(page.get_by_label("Present password")).to_be_in_viewport()
    assert person.get("/auth/me").status_code == 200
    page.get_by_role("button", name="End all others").click()
    expect(page.get_by_text("1 other session has ended")).to_be_visible()
    assert person.get("/auth/me").json()["code"] == "session-ended"


def test_an_admin_switches_the_department_and_it_goes_along(stack: Stack, page: Page) -> None:
    summaries = {}
    for slug in ("sales", "supply_chain"):
        person, _, _ = worked(stack, slug)
        summaries[slug] = person.get(f"/dashboards/{slug}").json()["insights"][0]["summary"]
    log_in(page, admin(stack))
    choose(page, "Supply chain")
    expect(page.get_by_text(summaries["supply_chain"])).to_be_visible()
    choose(page, "Sales")
    expect(page.get_by_text(summaries["sales"])).to_be_visible()
    page.reload()
    expect(page.get_by_text(summaries["sales"])).to_be_visible()
    main = page.get_by_role("navigation", name="Main")
    main.get_by_role("link", name="Upload").click()
    expect(page).to_have_url(re.compile(r"/upload\?department=sales$"))
    for name in ("Data", "Jobs"):
        main.get_by_role("link", name=name).click()
        expect(page).to_have_url(re.compile(rf"/{name.lower()}\?department=sales$"))
        expect(page.get_by_role("table").get_by_text(re.compile("^Sales")).first).to_be_visible()
        expect(page.get_by_role("table").get_by_text(re.compile("^Supply chain"))).to_have_count(0)
    choose(page, "All departments")
    expect(page.get_by_role("table").get_by_text(re.compile("^Supply chain")).first).to_be_visible()


def choose(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Department").click()
    page.get_by_role("option", name=name).click()


def test_an_admin_sees_how_the_system_does_and_it_stays_live(stack: Stack, page: Page) -> None:
    page.clock.install()
    log_in(page, admin(stack))
    page.get_by_role("link", name="System").click()
    services = page.get_by_role("region", name="Services").get_by_role("listitem")
    expect(services).to_have_count(6)
    expect(services.get_by_text("Down")).to_have_count(0)
    for worker in ("etl@", "ml@", "relay@"):
        expect(page.get_by_role("row", name=re.compile(f"^{worker}")).get_by_text("Up")).to_be_visible()
    with page.expect_response("**/api/v1/system/status"):
        page.clock.fast_forward(11_000)
    expect(page.get_by_text(re.compile(r"^Read at .*; anew every 10 seconds"))).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Operators. console"))).to_have_attribute("href", "/admin/")


def test_a_member_has_no_switcher_and_the_system_is_not_theirs(stack: Stack, page: Page) -> None:
    person = Person(stack.url, department="finance")
    log_in(page, person)
    expect(page.get_by_title("Your department")).to_have_text("Finance")
    expect(page.get_by_role("combobox", name="Department")).to_have_count(0)
    expect(page.get_by_role("link", name="System")).to_have_count(0)
    page.goto(f"{stack.url}/system")
    expect(page.get_by_role("heading", name="This page is not yours")).to_be_visible()
    assert person.get("/system/status").json()["code"] == "admins-only"


@pytest.mark.parametrize("who", ["member", "admin"])
def test_the_screens_of_the_account_and_the_system(stack: Stack, page: Page, look: str, who: str) -> None:  # noqa: F811
    log_in(page, admin(stack) if who == "admin" else Person(stack.url, department="sales"))
    page.goto(f"{stack.url}/account")
    expect(page.get_by_text("This one")).to_be_visible()
    check(page, name=f"account-{who}", look=look)
    page.goto(f"{stack.url}/system")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check(page, name="system" if who == "admin" else "system-not-yours", look=look)
