"""Every screen of every department, wide and light, narrow and dark: nothing axe objects to, nothing wider than the
screen. `make screens` keeps the pictures in docs/screens."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from python_calamine import CalamineWorkbook

from aetherflow.registry import departments
from config.local import ROOT
from tests.e2e.people import Person, enter, log_in
from tests.support.stack import Stack

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = {"light": (1280, 900), "dark": (360, 800)}


@cache
def worked(stack: Stack, slug: str) -> tuple[Person, str, str]:
    """Somebody of the department with a sample worked through: the person, the job, the dataset."""
    person = Person(stack.url, department=slug)
    answer = person.upload(departments()[slug].samples.good, filename="sample.csv")
    job = answer["job"]["id"]
    assert person.watch(job)["status"] == "succeeded"
    return person, job, answer["dataset"]["id"]


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest, page: Page) -> str:
    width, height = LOOKS[request.param]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=request.param, reduced_motion="reduce")
    return str(request.param)


# What waits until the reader is near is looked at too.
SEEN_WHOLE = """async () => {
  for (let top = 0; top < document.documentElement.scrollHeight; top += innerHeight) {
    scrollTo(0, top);
    await new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)));
  }
  scrollTo(0, 0);
}"""


def check(page: Page, *, name: str, look: str, picture: bool = True) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate(SEEN_WHOLE)
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-loading], .mantine-Skeleton-root")).to_have_count(0)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("standards => axe.run({runOnly: standards})", STANDARDS)
    assert found["passes"], "axe had nothing to look at"
    if picture and (folder := os.environ.get("SCREENS")):
        page.screenshot(path=Path(folder) / f"{name}-{look}.png", full_page=True)
    objections = [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
    assert not objections, "\n".join(objections)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.evaluate("window.innerWidth"), f"{wide} px wide"


def test_the_doors(stack: Stack, page: Page, look: str) -> None:
    page.goto(f"{stack.url}/login")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    check(page, name="login", look=look)
    page.goto(f"{stack.url}/register")
    expect(page.get_by_label("E-mail")).to_be_visible()
    check(page, name="register", look=look)


@pytest.mark.parametrize("slug", sorted(departments()))
def test_the_dashboard(stack: Stack, page: Page, look: str, slug: str) -> None:
    person, _, _ = worked(stack, slug)
    log_in(page, person)
    insight = person.get(f"/dashboards/{slug}").json()["insights"][0]
    expect(page.get_by_text(insight["summary"])).to_be_visible()
    check(page, name=f"dashboard-{slug}", look=look)


def test_the_dashboard_behind_a_newer_upload(stack: Stack, page: Page, look: str) -> None:
    """An upload is worked on, or has failed: what is shown is from before it, and every card says so."""
    person, _, _ = worked(stack, "finance")

    def altered(status: str) -> Callable[[Route], None]:
        def answer(route: Route) -> None:
            jobs = route.fetch().json()
            for newest in jobs["results"][:1]:
                newest.update(status=status, dataset_name="Newer payments")
            route.fulfill(json=jobs)

        return answer

    enter(page, person)
    card = page.get_by_role("region", name="Spending worth a look")
    for name, status, said in (
        ("stale", "processing", "which is being worked on"),
        ("failed", "failed", "which could not be worked through"),
    ):
        page.route("**/api/v1/jobs?*", altered(status))
        page.reload()
        expect(card.get_by_text(f"From before \u201cNewer payments\u201d, {said}")).to_be_visible()
        # While it is answered so: a request that is under way when the route ends may get no answer at all.
        check(page, name=f"dashboard-{name}", look=look)
        page.unroute_all(behavior="ignoreErrors")


def test_the_broken_page(stack: Stack, page: Page, look: str) -> None:
    """The platform is down at the first load."""
    page.route("**/api/v1/**", lambda route: route.abort())
    page.goto(f"{stack.url}/login")
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    check(page, name="platform-down", look=look)


def test_the_upload_before_and_after_a_file_is_chosen(stack: Stack, page: Page, look: str) -> None:
    person, _, _ = worked(stack, "sales")
    log_in(page, person)
    page.goto(f"{stack.url}/upload")
    expect(page.get_by_text("What the file must hold")).to_be_visible()
    check(page, name="upload", look=look)
    page.locator('input[type="file"]').set_input_files(departments()["sales"].samples.good)
    expect(page.get_by_role("table").first).to_be_visible()
    check(page, name="upload-preflight", look=look)


def test_jobs_and_data(stack: Stack, page: Page, look: str) -> None:
    person, job, dataset = worked(stack, "sales")
    log_in(page, person)
    # The lists show the newest, which may be other tests' files.
    listed, named = page.locator("main").get_by_role("table").get_by_role("link"), page.get_by_text("sample.csv")
    for name, path, seen in (
        ("jobs", "/jobs", listed),
        ("job", f"/jobs/{job}", named),
        ("data", "/data", listed),
        ("dataset", f"/data/{dataset}", named),
    ):
        page.goto(f"{stack.url}{path}")
        expect(seen.first).to_be_visible()
        check(page, name=name, look=look)


def test_the_numbers_at_a_glance_are_those_of_the_api(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "supply_chain")
    log_in(page, person)
    board = person.get("/dashboards/supply_chain").json()
    figures, latest = board["insights"][0]["figures"], board["datasets"]["latest"]
    glance = page.get_by_role("region", name="At a glance")
    shown = {
        "At risk": f"{figures['at_risk']:,.0f}",
        "Critical": f"{figures['critical']:,.0f}",
        "Rejected rows": f"{latest['rejected']:,}",
    }
    for label, number in shown.items():
        card = glance.locator("dl > div").filter(has=page.locator("dt", has_text=re.compile(f"^{label}$")))
        expect(card.locator("dd").first).to_have_text(number)
    glance.get_by_role("link", name="See the items").click()
    expect(page).to_have_url(re.compile("#stockout_risk$"))


def test_the_workbook_of_a_dashboard_holds_what_it_shows(stack: Stack, page: Page, tmp_path: Path) -> None:
    person, _, _ = worked(stack, "supply_chain")
    log_in(page, person)
    with page.expect_download() as download:
        page.get_by_role("button", name="Workbook").click()
    assert re.fullmatch(r"supply_chain-dashboard-\d{4}-\d\d-\d\d\.xlsx", download.value.suggested_filename)
    download.value.save_as(tmp_path / "dashboard.xlsx")
    book = CalamineWorkbook.from_path(tmp_path / "dashboard.xlsx")
    about, items, *_ = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
    insight = person.get("/dashboards/supply_chain").json()["insights"][0]
    assert insight["summary"] in about[1]
    assert len(items) == insight["items_total"] + 1
    place = items[0].index("Sku")
    assert [row[place] for row in items[1:]] == [item["sku"] for item in insight["data"]["items"]]
