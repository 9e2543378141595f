"""A large file past the gateway, from a real browser: left in the middle, and on from where it was."""

import itertools
import time
from pathlib import Path

from playwright.sync_api import Page, Request, Route, expect

from tests.e2e.people import Person, log_in
from tests.jobs.files import row, sales
from tests.support.stack import Stack

MIB = 1024 * 1024
ROWS = 2_000
WORKED = 120_000


def begin(page: Page, path: Path) -> None:
    page.get_by_role("link", name="Upload").first.click()
    page.locator('input[type="file"]').set_input_files(path)
    page.get_by_role("button", name="Upload", exact=True).click()


def test_a_page_that_is_left_goes_on_where_it_was(stack: Stack, page: Page, tmp_path: Path) -> None:
    person = Person(stack.url, department="sales")
    large = tmp_path / "large.csv"
    lines = sales(*(row(number) for number in range(1, ROWS + 1)))
    large.write_bytes(lines + b"\n" * (40 * MIB - len(lines)))
    log_in(page, person)
    sent: list[str] = []
    through_the_gateway: list[str] = []

    def watch(request: Request) -> None:
        if request.method == "PUT":
            sent.append(request.url)
        if request.url.endswith("/datasets/upload"):
            through_the_gateway.append(request.url)

    page.on("requestfinished", watch)
    count = itertools.count(1)

    def two_and_no_more(route: Route) -> None:
        if next(count) > 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/*partNumber=*", two_and_no_more)
    begin(page, large)
    expect(page.get_by_text("choose the same file again")).to_be_visible()
    deadline = time.monotonic() + 20
    while len(sent) < 2 and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert len(sent) == 2, "the line has broken"
    page.reload()
    page.unroute("**/*partNumber=*")
    begin(page, large)
    expect(page.get_by_text("The file is here.")).to_be_visible(timeout=WORKED)
    assert len(sent) == 5, "each of the five parts once"
    assert not through_the_gateway
    job = person.watch(person.get("/jobs").json()["results"][0]["id"])
    assert job["stages"][0]["rows"]["loaded"] == ROWS
