"""What one planner says of an item the others see: it waits for all of them, and is back when the next file says that
it cannot wait any more. Lists are filtered on the server, also where an item stands beyond what a page has loaded."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, log_in
from tests.support.stack import Stack

HEADER = (
    "snapshot_date,warehouse_id,sku,product_category,current_stock,daily_demand_avg,lead_time_days,reorder_point,"
    "min_order_qty,supplier_id"
)
ITEMS = 320


def snapshot(day: str, *, stock: dict[str, int], items: int = ITEMS) -> bytes:
    """Items that last for ever, in a warehouse of their own, but for those whose stock is given."""
    names = [f"W-{n:03}" for n in range(items)]
    lines = [f"{day},WH-R,{sku},Waiting,{stock.get(sku, 9_000)},2,7,20,1,SUP-R" for sku in names]
    return "\n".join([HEADER, *lines, ""]).encode()


def upload(person: Person, content: bytes, name: str) -> dict[str, Any]:
    """The department's insight once the file is worked through."""
    job = person.upload(content, filename=name)["job"]["id"]
    assert person.watch(job)["status"] == "succeeded"
    (insight,) = person.get("/dashboards/supply_chain").json()["insights"]
    found: dict[str, Any] = insight
    return found


def look(page: Page, stack: Stack, **state: str) -> None:
    asked = "&".join(f"stockout_risk.{key}={value}" for key, value in {"show": "all", "warehouse": "WH-R"}.items())
    more = "".join(f"&stockout_risk.{key}={value}" for key, value in state.items())
    page.goto(f"{stack.url}/dashboard/supply_chain?{asked}{more}")


def row(page: Page, sku: str) -> Any:
    return page.get_by_role("row", name=re.compile(f"^{sku}"))


def test_an_item_waits_for_the_whole_department_until_it_gets_worse(stack: Stack, page: Page) -> None:
    planner, colleague = (Person(stack.url, department="supply_chain") for _ in range(2))
    # Far enough ahead that other files of the department are older.
    insight = upload(planner, snapshot("2026-10-20", stock={"W-007": 60}), "first.csv")
    log_in(page, planner)
    look(page, stack, q="W-007")
    row(page, "W-007").get_by_role("button", name="Snooze: W-007, WH-R").click()
    form = page.get_by_role("form", name="Snooze")
    form.get_by_label("Note").fill("The lorry is on its way")
    form.get_by_role("button", name="Snooze", exact=True).click()
    expect(page.get_by_text("W-007, WH-R: snoozed until")).to_be_visible()

    # Items far down the ranking, beyond what a page holds at first.
    until = str(timezone.localdate() + timedelta(days=9))
    last = [["WH-R", f"W-{n:03}"] for n in (318, 319)]
    planner.put(f"/insights/{insight['id']}/snoozes", {"subjects": last, "until": until, "note": ""})

    browser = page.context.browser
    assert browser
    other = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB").new_page()
    log_in(other, colleague)
    look(other, stack)
    expect(other.get_by_text(re.compile(rf"^250 of {ITEMS - 3} items are here"))).to_be_visible()
    look(other, stack, state="snoozed")
    expect(other.get_by_text("3 items", exact=True)).to_be_visible()
    expect(row(other, "W-319")).to_be_visible()
    expect(row(other, "W-007")).to_contain_text("by Kim of supply_chain: “The lorry is on its way”")
    expect(other.get_by_text(f"Open ({ITEMS - 3})")).to_be_visible()
    other.get_by_role("button", name="Wake up: W-318, WH-R").click()
    expect(other.get_by_text("W-318, WH-R: woken")).to_be_visible()

    upload(colleague, snapshot("2026-10-27", stock={"W-007": 0}, items=8), "second.csv")
    look(page, stack, state="reopened")
    expect(row(page, "W-007")).to_contain_text("The shelf is empty; 60 were in stock.")
    expect(page.locator("#stockout_risk").get_by_text("1 item", exact=True)).to_be_visible()
    look(page, stack, state="snoozed")
    expect(row(page, "W-319")).to_be_visible()
    expect(page.locator("#stockout_risk").get_by_text("1 item", exact=True)).to_be_visible()
