"""Everything that can go wrong between the page and the platform: each is said in words, with a way on, and nothing
that was typed or chosen is lost. Where the real platform can be made to fail it is; elsewhere its answers are replaced.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from aetherflow.registry import departments
from tests.e2e.people import PASSWORD, Person, enter
from tests.e2e.test_screens import check, worked
from tests.support.stack import Stack

API = "**/api/v1"
Answer = Callable[[Route], None]


def replies(status: int, body: str, *, content_type: str = "application/json", **headers: str) -> Answer:
    return lambda route: route.fulfill(status=status, body=body, content_type=content_type, headers=headers)


def problem(status: int, code: str, detail: str) -> Answer:
    return replies(status, f'{{"code": "{code}", "detail": "{detail}", "errors": [], "request_id": "req-4711"}}')


HTML = {"body": "<html><h1>Oh no</h1></html>", "content_type": "text/html"}
#: By name: the answer, what is said of it, and whether asking again can help.
FAILURES: dict[str, tuple[Answer, str, bool]] = {
    "no answer": (lambda route: route.abort("connectionrefused"), "could not be reached. Check your connection", True),
    "403": (problem(403, "foreign-department", "It is not yours."), "It is not yours.", False),
    "404": (problem(404, "not-found", "It is not there."), "It is not there.", False),
    "409": (problem(409, "job-active", "A job is under way."), "A job is under way.", True),
    "429": (replies(429, "", **{"Retry-After": "6"}), "too many requests in a short time.", True),
    "500": (problem(500, "server-error", "Something broke on our side."), "request req-4711", True),
    "a bare 500": (replies(500, **HTML), "Something broke on the platform\u2019s side.", True),
    "503": (replies(503, **HTML), "not answering. Try again in a minute", True),
    "HTML for JSON": (replies(200, **HTML), "does not understand. Try again.", True),
    "truncated JSON": (replies(200, '{"count": 3, "resul'), "does not understand. Try again.", True),
}


def words(text: str) -> re.Pattern[str]:
    """In this order, whatever elements they are spread over."""
    return re.compile(r"\s*".join(re.escape(part) for part in re.split(r"(?<=\.) ", text)))


def alert(page: Page) -> Locator:
    return page.get_by_role("alert").first


@pytest.mark.parametrize("name", FAILURES)
def test_each_screen_says_what_happened_and_offers_a_way_on(stack: Stack, page: Page, name: str) -> None:
    answer, said, again = FAILURES[name]
    person, job, dataset = worked(stack, "finance")
    enter(page, person, "/upload")
    page.wait_for_load_state("networkidle")
    screens = {
        "/dashboard/finance": ("/dashboards/finance?*", page.get_by_role("heading", name="Spending worth a look")),
        "/jobs": ("/jobs?*", page.get_by_role("table", name="Jobs")),
        f"/jobs/{job}": (f"/jobs/{job}", page.get_by_role("heading", level=1, name="sample.csv")),
        "/data": ("/datasets?*", page.get_by_role("table", name="Datasets")),
        f"/data/{dataset}": (f"/datasets/{dataset}", page.get_by_role("heading", level=1, name="sample.csv")),
        "/upload": ("/schemas/finance", page.get_by_text("cost_center", exact=True)),
    }
    # Each failure on two of the screens, so that each screen meets some of every sort.
    first = list(FAILURES).index(name) % len(screens)
    for path in [*screens, *screens][first :: len(screens) // 2][: 1 if name == "429" else 2]:
        asked, there = screens[path]
        page.route(f"{API}{asked}", answer)
        page.goto(f"{stack.url}{path}")
        expect(alert(page), f"{name} at {path}").to_contain_text(words(said))
        check(page, name="failed", look="light", picture=False)
        page.unroute(f"{API}{asked}")
        if not again:
            expect(alert(page).get_by_role("link", name="To the dashboard")).to_have_attribute("href", "/")
            continue
        button = alert(page).get_by_role("button", name="Try again")
        if name == "429":
            expect(alert(page)).to_contain_text(re.compile(r"Wait \d seconds?, then try again"))
            expect(button).to_be_disabled()
        button.click()
        expect(there, f"{name} at {path}").to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)


def fill_log_in(page: Page, person: Person, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password", exact=True).fill(password)


def test_the_doors_keep_what_was_typed(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "sales")
    page.goto(f"{stack.url}/login?next=/jobs")
    fill_log_in(page, person, "not-my-password")
    button = page.get_by_role("button", name="Log in")
    button.click()
    expect(alert(page)).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(person.email)
    for answer, said, _ in FAILURES.values():
        page.route(f"{API}/auth/login", answer)
        fill_log_in(page, person)
        button.click()
        expect(alert(page)).to_contain_text(words(said))
        expect(page.get_by_label("Password", exact=True)).to_have_value(PASSWORD)
        page.unroute(f"{API}/auth/login")
    page.context.set_offline(True)
    button.click()
    expect(alert(page)).to_contain_text("not connected to a network")
    expect(page.get_by_text("This device is offline")).to_be_visible()
    check(page, name="login-offline", look="light", picture=False)
    page.context.set_offline(False)
    expect(page.get_by_text("This device is offline")).to_have_count(0)
    button.click()
    expect(page).to_have_url(re.compile("/jobs$"))


def test_a_new_account_is_not_typed_twice(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/register")
    typed = {"Name": "Kim", "E-mail": "kim@example.com", "Password": PASSWORD}
    for label, text in typed.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("combobox", name="Department").click()
    page.get_by_role("option", name="Finance").click()
    for name in ("no answer", "429", "a bare 500", "truncated JSON"):
        answer, said, _ = FAILURES[name]
        page.route(f"{API}/auth/register", answer)
        page.get_by_role("button", name="Make the account").click()
        expect(alert(page)).to_contain_text(words(said))
        page.unroute(f"{API}/auth/register")
        for label, text in typed.items():
            expect(page.get_by_label(label, exact=True)).to_have_value(text)


def choose(page: Page, person: Person) -> None:
    page.locator('input[type="file"]').set_input_files(departments()[person.department].samples.good)
    page.get_by_label("Name", exact=True).fill(person.email)


def uploads(person: Person) -> int:
    """How many of those named as `choose` names them have arrived."""
    found: int = person.get(f"/datasets?search={person.email}").json()["count"]
    return found


def test_an_upload_that_fails_keeps_its_file_until_it_is_taken(stack: Stack, page: Page) -> None:
    person = Person(stack.url, department="supply_chain")
    enter(page, person, "/upload")
    choose(page, person)
    # Below it, a notice may name the same file of somebody else.
    chosen = page.get_by_text(departments()["supply_chain"].samples.good.name, exact=True).first
    said = {name: FAILURES[name][:2] for name in ("no answer", "409", "429", "500", "503", "HTML for JSON")}
    said["413"] = (replies(413, **HTML), "larger than the platform takes. Split the file")
    for answer, expected in said.values():
        page.route(f"{API}/datasets/upload", answer)
        page.get_by_role("button", name=re.compile("^Upload( again)?$")).click()
        expect(alert(page)).to_contain_text(words(expected))
        expect(chosen).to_be_visible()
        expect(page.get_by_label("Name", exact=True)).to_have_value(person.email)
        page.unroute(f"{API}/datasets/upload")
    # Looked up elsewhere, and back.
    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Data")).to_be_visible()
    page.get_by_role("link", name="Upload", exact=True).first.click()
    expect(chosen).to_be_visible()
    page.get_by_role("button", name="Upload again").click()
    expect(page.get_by_text("The file is here.")).to_be_visible()
    assert uploads(person) == 1


def test_a_token_that_runs_out_in_mid_work_is_not_noticed(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "finance")
    enter(page, person)
    expect(page.get_by_role("heading", name="Spending worth a look")).to_be_visible()
    refreshed: list[str] = []
    page.on("request", lambda request: refreshed.append(request.url) if "/auth/refresh" in request.url else None)
    expired = problem(401, "token-expired", "The token has expired.")
    page.route(f"{API}/jobs?*", expired, times=1)
    page.get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("table", name="Jobs")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert len(refreshed) == 1


def test_a_session_that_ends_while_a_file_is_sent_goes_on_after_the_log_in(stack: Stack, page: Page) -> None:
    person = Person(stack.url, department="supply_chain")
    enter(page, person, "/upload")
    choose(page, person)
    # Ended on the server, as an operator or another device ends it; this page knows nothing of it yet.
    ended = page.request.post(f"{stack.url}/api/v1/auth/logout", headers={"X-Requested-With": "AetherFlow"})
    assert ended.status == 204
    page.get_by_role("button", name="Upload", exact=True).click()
    over = page.get_by_role("dialog", name="Your session has ended")
    expect(over).to_be_visible()
    check(page, name="session-ended", look="light", picture=False)
    page.keyboard.press("Escape")
    over.get_by_label("Password", exact=True).fill(PASSWORD)
    over.get_by_role("button", name="Log in").click()
    expect(over).to_have_count(0)
    expect(alert(page)).to_contain_text("You are logged in again, and nothing you typed is lost")
    expect(page.get_by_label("Name", exact=True)).to_have_value(person.email)
    page.get_by_role("button", name="Upload again").click()
    expect(page.get_by_text("The file is here.")).to_be_visible()
    assert uploads(person) == 1


def test_the_platform_goes_away_and_comes_back(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "sales")
    enter(page, person, "/upload")
    choose(page, person)
    expect(page.get_by_text("discount_pct").first).to_be_visible()
    stack.kill("web", signal.SIGTERM)
    stack.wait("web")
    try:
        page.get_by_role("button", name="Upload", exact=True).click()
        expect(alert(page)).to_contain_text(words("could not be reached. Check your connection"))
        page.get_by_role("navigation").get_by_role("link", name="Jobs", exact=True).click()
        # Not even the code of that page can be had; a new document would be the browser's own error page.
        expect(page.get_by_role("heading", level=1, name="This page could not be loaded")).to_be_visible()
        page.get_by_role("button", name="Load the page again").click()
        expect(page.get_by_text("the page stays as it is")).to_be_visible()
        page.get_by_role("navigation").get_by_role("link", name="Upload", exact=True).click()
        expect(page.get_by_label("Name", exact=True)).to_have_value(person.email)
    finally:
        stack.start("web")
        stack.await_ready()
    page.get_by_role("button", name="Upload again").click()
    expect(page.get_by_text("The file is here.")).to_be_visible()


def test_code_that_a_release_has_replaced_is_asked_for_again(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "sales")
    gone = replies(404, "not here", content_type="text/plain")
    page.route("**/assets/EChart-*.js", gone)
    enter(page, person)
    card = page.get_by_role("region", name="Revenue forecast")
    expect(card.get_by_role("alert")).to_contain_text("A part of this page could not be loaded.")
    # The numbers do not hang on the drawing.
    card.get_by_role("radiogroup").last.get_by_text("Table").click()
    expect(card.get_by_role("table").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.route("**/assets/*.js", gone)
    for link in ("Upload", "Jobs", "Data"):
        page.get_by_role("navigation").get_by_role("link", name=link, exact=True).click()
        expect(page).to_have_url(re.compile(f"/{link.lower()}$"))
        expect(alert(page), link).to_contain_text(words("could not be loaded. There was no connection, or"))
    check(page, name="code-missing", look="light", picture=False)
    page.unroute("**/assets/*.js")
    page.get_by_role("button", name="Load the page again").click()
    expect(page.get_by_role("table", name="Datasets")).to_be_visible()


def test_a_slow_network_is_called_slow(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "finance")
    enter(page, person, "/upload")
    held: list[Route] = []
    page.route(f"{API}/jobs?*", lambda route: held.append(route))  # noqa: PLW0108 (Playwright looks into it)
    page.goto(f"{stack.url}/jobs")
    expect(page.get_by_text("This takes longer than usual")).to_be_visible()
    held.pop().continue_()
    expect(page.get_by_role("table", name="Jobs")).to_be_visible()
    expect(page.get_by_text("This takes longer than usual")).to_have_count(0)


def test_without_a_network_the_page_stays_and_goes_on_by_itself(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "finance")
    enter(page, person, "/jobs")
    table = page.get_by_role("table", name="Jobs")
    expect(table).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("This device is offline")).to_be_visible()
    page.get_by_role("group", name="Status").get_by_text("Succeeded").click()
    expect(alert(page)).to_contain_text("not connected to a network")
    page.context.set_offline(False)
    expect(page.get_by_text("This device is offline")).to_have_count(0)
    expect(table.get_by_role("row")).not_to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_dialogs_and_buttons_keep_what_was_typed_and_say_why(stack: Stack, page: Page) -> None:
    person, job, _ = worked(stack, "finance")
    enter(page, person)
    broken = FAILURES["500"][0]

    page.get_by_role("button", name="Evidence and review").first.click()
    review = page.get_by_role("form", name=re.compile("^Review of"))
    review.get_by_role("radio").first.check()
    review.get_by_label("Note").fill("Asked Kim")
    page.route(f"{API}/insights/**", broken)
    review.get_by_role("button", name="Save review").click()
    expect(review.get_by_role("alert")).to_contain_text("Something broke")
    expect(review.get_by_label("Note")).to_have_value("Asked Kim")
    page.unroute(f"{API}/insights/**")

    page.goto(f"{stack.url}/jobs/{job}")
    page.get_by_role("button", name="Undo upload").click()
    # What would go is asked for first.
    expect(page.get_by_role("button", name="Undo the upload")).to_be_enabled()
    page.route(f"{API}/datasets/*", FAILURES["409"][0])
    page.get_by_role("button", name="Undo the upload").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("A job is under way.")
    page.unroute(f"{API}/datasets/*")


def test_a_file_that_cannot_be_saved_is_told_until_it_is_read(stack: Stack, page: Page, tmp_path: Path) -> None:
    person, _, dataset = worked(stack, "finance")
    enter(page, person, f"/data/{dataset}")
    download = page.get_by_role("button", name="File as uploaded")
    page.route(f"{API}/datasets/*/raw", FAILURES["500"][0])
    download.click()
    expect(alert(page)).to_contain_text("(request req-4711)")
    page.get_by_role("button", name="Close the message").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.unroute(f"{API}/datasets/*/raw")
    with page.expect_download() as saved:
        download.click()
    saved.value.save_as(tmp_path / "sample.csv")
    assert (tmp_path / "sample.csv").read_bytes() == departments()["finance"].samples.good.read_bytes()

    page.goto(stack.url)
    page.wait_for_load_state("networkidle")
    page.route("**/assets/*.js", replies(404, "", content_type="text/plain"))
    page.get_by_role("button", name="Workbook").click()
    expect(alert(page)).to_contain_text("A part of this page could not be loaded.")


def test_the_settings_drawer_keeps_what_was_typed_below_the_log_in_too(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "supply_chain")
    enter(page, person)
    page.get_by_role("button", name="Settings").click()
    drawer = page.get_by_role("dialog", name="What the insights are computed with")
    field = drawer.get_by_role("textbox").first
    field.fill("0.9")
    page.route(f"{API}/dashboards/supply_chain/settings", FAILURES["500"][0])
    save = drawer.get_by_role("button", name="Save and compute anew")
    save.click()
    expect(drawer.get_by_role("alert")).to_contain_text("Something broke")
    page.unroute(f"{API}/dashboards/supply_chain/settings")
    page.request.post(f"{stack.url}/api/v1/auth/logout", headers={"X-Requested-With": "AetherFlow"})
    save.click()
    over = page.get_by_role("dialog", name="Your session has ended")
    over.get_by_label("Password", exact=True).fill(PASSWORD)
    over.get_by_role("button", name="Log in").click()
    expect(over).to_have_count(0)
    expect(field).to_have_value("0.9")
    expect(drawer.get_by_role("alert")).to_contain_text("You are logged in again")
