"""People in the operators' console: who registered is approved, and shut out again, and the audit tells of both."""

from __future__ import annotations

import re
import uuid

from playwright.sync_api import Page, expect

from tests.e2e.people import PASSWORD
from tests.e2e.test_console import OPERATOR, enter_console
from tests.support.stack import Stack


def register(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/register")
    for label, text in {"Name": "Nora New", "E-mail": email, "Password": PASSWORD}.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("combobox", name="Department").click()
    page.get_by_role("option", name="Finance").click()
    page.get_by_role("button", name="Make the account").click()


def log_in(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def in_the_audit(page: Page, action: str) -> str:
    """What the audit says of the account whose page this is, in the row of that action."""
    page.get_by_role("link", name="what was done to it").click()
    return page.get_by_role("row").filter(has_text=action).inner_text()


def test_who_registered_is_approved_and_shut_out_again(stack: Stack, page: Page) -> None:
    email = f"nora-{uuid.uuid4().hex[:8]}@example.com"
    browser = page.context.browser
    assert browser is not None
    nora = browser.new_context(locale="en-GB").new_page()
    with stack.another_web(REGISTRATION_POLICY="approval") as url:
        register(nora, url, email)
        expect(nora.get_by_text("Your account waits for approval")).to_be_visible()
    log_in(nora, stack.url, email)
    expect(nora.get_by_role("alert")).to_contain_text("approv")

    enter_console(page, stack)
    page.goto(f"{stack.url}/admin/accounts/user/?approval__exact=pending")
    page.get_by_role("link", name=email).click()
    page.get_by_role("link", name="Approve", exact=True).click()
    expect(page.get_by_text("They can log in from now on")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was done yet")
    page.get_by_label("Reason").fill("Starts on Monday, says Finn")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text(f"Approved: {email}")).to_be_visible()
    row = in_the_audit(page, "approved an account")
    assert "Starts on Monday, says Finn" in row
    assert OPERATOR in row
    assert "127.0.0.1" in row

    log_in(nora, stack.url, email)
    expect(nora).to_have_url(re.compile("/dashboard/finance$"))

    page.goto(f"{stack.url}/admin/accounts/user/?q={email}")
    page.get_by_role("checkbox", name="Select record").check()
    page.locator("select[name=action]").select_option("Deactivate")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("This ends 1 session of the dashboard")).to_be_visible()
    page.get_by_label("Reason").fill("Was never hired")
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text(f"Deactivated: {email}")).to_be_visible()
    nora.reload()
    expect(nora).to_have_url(re.compile("/login"))
    page.get_by_role("link", name=email).click()
    assert "Was never hired" in in_the_audit(page, "shut an account")
