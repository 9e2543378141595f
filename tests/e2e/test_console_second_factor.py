"""An operator's second factor in a real browser: set up, asked for, a recovery code in the phone's place; and the pages
in both colours, wide and narrow."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.people import PASSWORD
from tests.e2e.test_console import WIDTHS
from tests.e2e.test_screens import check
from tests.support.phone import Phone
from tests.support.stack import Stack


def operator(stack: Stack) -> str:
    email = f"{uuid.uuid4().hex[:8]}@example.com"
    stack.env["OPERATOR_PASSWORD"] = PASSWORD
    whose = ("--department", "sales", "--console-role", "operator")
    stack.manage("create_user", "--email", email, *whose, "--password-env", "OPERATOR_PASSWORD")
    return email


def give_password(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/admin/login/?next=/admin/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def give_code(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Log in").click()


def log_out(page: Page) -> None:
    page.get_by_role("button", name=re.compile("@example.com")).click()
    page.get_by_role("button", name="Log out").click()


def home(page: Page) -> None:
    expect(page.get_by_role("heading", name="Queues and outbox")).to_be_visible()


def phone_from(page: Page) -> Phone:
    expect(page.get_by_role("img", name="QR code of the key below")).to_be_visible()
    return Phone(page.locator(".totp-key").inner_text())


def test_it_is_set_up_asked_for_and_a_recovery_code_stands_in(stack: Stack, page: Page) -> None:
    email = operator(stack)
    give_password(page, stack.url, email)
    home(page)
    page.get_by_role("button", name=re.compile(email)).click()
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("link", name="Set it up").click()
    phone = phone_from(page)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("The code that the app shows").fill(phone.wrong())
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_text("This code is not good")).to_be_visible()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("The code that the app shows").fill(phone.code())
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    codes = page.locator(".recovery-codes li").all_inner_texts()
    with page.expect_download() as kept:
        page.get_by_role("link", name="Keep as a file").click()
    assert kept.value.suggested_filename == "aetherflow-recovery-codes.txt"
    assert Path(kept.value.path()).read_text().split() == codes
    page.get_by_role("link", name="I have kept them").click()
    home(page)

    for code in (phone.code(), codes[0]):
        log_out(page)
        give_password(page, stack.url, email)
        page.goto(f"{stack.url}/admin/jobs/job/")
        expect(page).to_have_url(re.compile("/admin/login/"))  # the password alone opens nothing
        page.goto(f"{stack.url}/admin/login/code/")
        give_code(page, code)
        home(page)
    page.goto(f"{stack.url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Code")).to_be_focused()
    check(page, name="login-code", look="light")
    page.get_by_label("Code").fill(codes[1])
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile("/dashboard/sales$"))
    page.goto(f"{stack.url}/admin/second-factor/")
    expect(page.get_by_text("8 of 10")).to_be_visible()


def test_the_pages_of_it(stack: Stack, page: Page) -> None:
    with stack.another_web(CONSOLE_TOTP="required") as url:
        email = operator(stack)
        give_password(page, url, email)
        phone = phone_from(page)
        every_look(page, "console-second-factor-required")
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_label("The code that the app shows").fill(phone.code())
        page.get_by_role("button", name="Set it up").click()
        expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        every_look(page, "console-second-factor-codes-required")
        page.get_by_role("link", name="I have kept them").click()
        home(page)
        log_out(page)
    give_password(page, stack.url, email)
    expect(page.get_by_label("Code")).to_be_visible()
    every_look(page, "console-second-factor-code")
    give_code(page, phone.wrong())
    expect(page.get_by_text("This code is not good")).to_be_visible()
    every_look(page, "console-second-factor-wrong")
    give_code(page, phone.code())
    home(page)
    page.goto(f"{stack.url}/admin/second-factor/")
    every_look(page, "console-second-factor-on")
    page.get_by_role("link", name="Remove").click()
    expect(page.get_by_role("button", name="Remove it")).to_be_visible()
    every_look(page, "console-second-factor-remove")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code").fill(phone.code())
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Your second factor was removed.")).to_be_visible()
    every_look(page, "console-second-factor-off")
    page.get_by_role("link", name="Set it up").click()
    phone_from(page)
    every_look(page, "console-second-factor-enrol")


def every_look(page: Page, name: str) -> None:
    """Of the page that is there: whoever came by a click has waited for something of it."""
    page.emulate_media(reduced_motion="reduce")
    for colours in ("light", "dark"):
        # By hand: a page looks at the system's colours when it is loaded, and some of these cannot be loaded again.
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", colours == "dark")
        for width, (across, down) in WIDTHS.items():
            page.set_viewport_size({"width": across, "height": down})
            check(page, name=name, look=f"{colours}-{width}")
    page.set_viewport_size({"width": 1280, "height": 900})
