"""Where the reader is, and what they have before them, stays when the page's own work comes to its end."""

import csv
import io
import re
from contextlib import suppress

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from aetherflow.registry import departments
from tests.e2e.people import PASSWORD, Person, enter
from tests.e2e.test_screens import worked
from tests.support.stack import Stack

ALL_ITEMS = "/dashboard/supply_chain?stockout_risk.show=all"
SETTLED = 1_000  # ms; what comes late has come by then


def stock(stack: Stack, page: Page) -> Locator:
    """A long table, as soon as it stands: nothing that scrolls it has been asked for."""
    person = Person(stack.url, department="supply_chain")
    job = person.upload(many_items(), filename="many.csv")["job"]["id"]
    assert person.watch(job)["status"] == "succeeded"
    enter(page, person, ALL_ITEMS)
    frame = page.get_by_role("region", name="risk of running out")
    expect(frame.get_by_role("row").nth(20)).to_be_attached()
    assert int(frame.get_by_role("table").get_attribute("aria-rowcount") or 0) > 100
    frame.scroll_into_view_if_needed()
    return frame


def many_items() -> bytes:
    """The sample's, as they are in a dozen warehouses."""
    sample = departments()["supply_chain"].samples.good.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(sample)))
    text = io.StringIO()
    out = csv.DictWriter(text, rows[0].keys())
    out.writeheader()
    out.writerows(row | {"warehouse_id": f"WH-{number}"} for number in range(12) for row in rows)
    return text.getvalue().encode()


@pytest.mark.parametrize(
    ("act", "least"),
    [
        ("wheel", "600"),
        ("PageDown", "frame.clientHeight * 0.7"),
        ("End", "frame.scrollHeight * 0.9 - frame.clientHeight"),
    ],
)
def test_a_long_table_stays_where_it_is_first_scrolled_to(stack: Stack, page: Page, act: str, least: str) -> None:
    frame = stock(stack, page)
    # Of the table as it is now: at its end more rows come.
    wanted = frame.evaluate(f"frame => {least}")
    if act == "wheel":
        frame.hover()
        page.mouse.wheel(0, 600)
    else:
        frame.focus()
        page.keyboard.press(act)
    # A browser takes some pictures to get there, and a busy machine takes long for each.
    with suppress(PlaywrightTimeout):
        reached = "([frame, wanted]) => frame.scrollTop >= wanted - 1"
        page.wait_for_function(reached, arg=[frame.element_handle(), wanted])
    page.wait_for_timeout(SETTLED)
    place = frame.evaluate("frame => frame.scrollTop")
    assert place >= wanted - 1
    if act == "wheel":
        assert place == pytest.approx(600, abs=5)
    # There are rows where one looks.
    seen = """frame => { const {left, top, height} = frame.getBoundingClientRect();
      return document.elementFromPoint(left + 40, top + height / 2)?.closest('tr[data-index]') !== null; }"""
    assert frame.evaluate(seen)


def test_without_the_code_that_scrolls_it_a_long_table_shows_all_it_has(stack: Stack, page: Page) -> None:
    page.route(re.compile(r"/assets/InSight-.*\.js$"), lambda route: route.abort())
    frame = stock(stack, page)
    frame.focus()
    page.keyboard.press("End")
    expect(frame.locator("tr[data-index='90']")).to_be_attached()


def test_nothing_can_be_read_above_the_log_in_of_an_ended_session_and_what_was_typed_stays(
    stack: Stack, page: Page
) -> None:
    person, _, _ = worked(stack, "finance")
    enter(page, person)
    page.get_by_role("button", name=re.compile("^Snooze: ")).first.click()
    form = page.get_by_role("dialog", name=re.compile("^Snooze "))
    form.get_by_label("Note").fill("Asked the vendor")
    other = page.context.new_page()
    other.goto(f"{person.url}/jobs")
    other.get_by_role("button", name=re.compile("^Account of")).click()
    other.get_by_role("button", name="Log out").click()
    over = page.get_by_role("dialog", name="Your session has ended")
    expect(over).to_be_visible()
    expect(form).to_be_hidden()
    over.get_by_label("Password", exact=True).click()
    over.get_by_label("Password", exact=True).fill(PASSWORD)
    over.get_by_role("button", name="Log in").click()
    expect(over).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Snooze: ")).first.click()
    expect(form.get_by_label("Note")).to_have_value("Asked the vendor")


def test_the_way_back_leads_to_the_place_one_came_from(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "sales")
    enter(page, person)
    expect(page.get_by_role("region", name="Revenue forecast")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 500)")
    page.wait_for_timeout(SETTLED)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("table", name="Jobs")).to_be_visible()
    page.go_back()
    page.wait_for_function("scrollY === 500")


def test_what_waits_for_the_reader_is_printed_as_a_table(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "sales")
    page.set_viewport_size({"width": 1280, "height": 300})
    enter(page, person)
    card = page.get_by_role("region", name="Revenue forecast")
    expect(card.get_by_text("Largest next week")).to_be_visible()
    assert card.locator("canvas").count() == 0
    page.evaluate(
        """() => addEventListener('beforeprint', () => {
          const table = [...document.querySelectorAll('#revenue_forecast table')]
            .find(each => each.caption?.textContent.startsWith('Weekly revenue'));
          window.printed = table?.tBodies[0].rows.length ?? 0; })"""
    )
    page.pdf()
    assert page.evaluate("window.printed") > 20
    expect(card.get_by_role("table", name=re.compile("^Weekly revenue"))).to_have_count(0)


def test_what_a_button_opens_is_closed_by_it_and_by_the_keyboard_that_leaves_it(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "finance")
    enter(page, person)
    button = page.get_by_role("button", name=re.compile("^Account of"))
    opened = page.get_by_role("dialog", name="Your account")
    button.click()
    expect(opened).to_be_visible()
    button.click()
    expect(opened).to_be_hidden()
    button.click()
    expect(opened).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(opened).to_be_hidden()
