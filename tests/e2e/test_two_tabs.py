"""Two tabs of one browser share a session whose refresh token is good for one use."""

import re

from playwright.sync_api import Page, Response, Route, expect

from tests.e2e.people import PASSWORD, Person, enter, log_in
from tests.e2e.test_screens import worked
from tests.support.stack import Stack

ENDED = "Your session has ended"
JOBS = "**/api/v1/jobs?*"


def two(page: Page, person: Person) -> tuple[Page, Page]:
    enter(page, person, "/jobs")
    other = page.context.new_page()
    other.goto(f"{person.url}/jobs")
    for tab in (page, other):
        expect(tab.get_by_role("table", name="Jobs")).to_be_visible()
    return page, other


def is_answered(got: Response) -> bool:
    return "/api/v1/jobs?" in got.url and got.status == 200


def test_both_survive_when_they_refresh_at_the_same_time_again_and_again(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "sales")
    tabs = two(page, person)
    answers: list[int] = []
    for tab in tabs:
        tab.on("response", lambda got: answers.append(got.status) if "/auth/refresh" in got.url else None)
    seen: set[str] = set()
    expired: set[str] = set()

    def guarded(route: Route) -> None:
        token = route.request.headers.get("authorization", "")
        seen.add(token)
        if token in expired:
            route.fulfill(status=401, json={"code": "token-expired", "detail": "It has expired."})
        else:
            route.continue_()

    # One handler each that stays: what a page asks for in the moment a handler is taken away can get lost.
    for tab in tabs:
        tab.route(JOBS, guarded)
        tab.reload()
        expect(tab.get_by_role("table", name="Jobs")).to_be_visible()
    answers.clear()
    # Each time another set of filters, so that nothing is answered from memory.
    for status in ("queued", "processing", "queued", "succeeded", "queued", "processing", "queued", "failed"):
        # The access tokens of both run out at once; what the filter asks for meets that.
        expired |= seen
        here, there = tabs
        with here.expect_response(is_answered), there.expect_response(is_answered):
            for tab in tabs:
                tab.evaluate("status => document.querySelector(`input[value=${status}]`).click()", status)
    assert len(answers) >= 16
    assert set(answers) == {200}
    for tab in tabs:
        expect(tab.get_by_role("dialog", name=ENDED)).to_have_count(0)
        tab.reload()
        expect(tab.get_by_role("heading", level=1, name="Jobs")).to_be_visible()


def test_the_access_token_is_in_memory_alone(stack: Stack, page: Page) -> None:
    tokens: list[str] = []
    page.on(
        "request",
        lambda sent: tokens.append(sent.headers.get("authorization", "")) if "/api/v1/jobs" in sent.url else None,
    )
    person, _, _ = worked(stack, "sales")
    log_in(page, person)
    page.goto(f"{stack.url}/jobs")
    expect(page.get_by_role("table", name="Jobs")).to_be_visible()
    token = tokens[-1].removeprefix("Bearer ")
    assert token.count(".") == 2
    kept = page.evaluate(
        """async () => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie,
        await indexedDB.databases(), await caches.keys(), history.state, window.name, location.href])"""
    )
    assert token not in kept
    assert "eyJ" not in kept
    cookies = page.context.cookies()
    assert not any(token in cookie["value"] for cookie in cookies)
    assert cookies
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies), cookies


def test_a_log_out_and_a_log_in_are_those_of_both(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "sales")
    here, there = two(page, person)
    here.get_by_role("button", name=re.compile("Kim of sales")).click()
    here.get_by_role("button", name="Log out").click()
    expect(here.get_by_role("button", name="Log in")).to_be_visible()
    over = there.get_by_role("dialog", name=ENDED)
    expect(over).to_be_visible()
    here.get_by_label("E-mail").fill(person.email)
    here.get_by_label("Password", exact=True).fill(PASSWORD)
    here.get_by_role("button", name="Log in").click()
    expect(here).to_have_url(re.compile("/dashboard/sales$"))
    expect(over).to_have_count(0)
    there.get_by_role("link", name="Data", exact=True).click()
    expect(there.get_by_role("table", name="Datasets")).to_be_visible()


def test_somebody_else_finds_nothing_of_the_one_before(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "sales")
    somebody, _, _ = worked(stack, "finance")
    here, there = two(page, person)
    here.get_by_role("button", name=re.compile("Kim of sales")).click()
    here.get_by_role("button", name="Log out").click()
    expect(there.get_by_role("dialog", name=ENDED)).to_be_visible()
    here.get_by_label("E-mail").fill(somebody.email)
    here.get_by_label("Password", exact=True).fill(PASSWORD)
    here.get_by_role("button", name="Log in").click()
    for tab in (here, there):
        expect(tab).to_have_url(re.compile("/dashboard/finance$"))
        expect(tab.get_by_role("heading", level=1, name="Finance")).to_be_visible()
