"""No page asks for what its content security policy forbids: each of the console's in a real browser. The dashboard's
screens are opened by tests/e2e, and `page` fails there too at whatever a policy refuses."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from tests.accounts.factories import AdminFactory
from tests.console_samples import SAMPLES
from tests.support.browser import open_page
from tests.test_console_matrix import Who, addresses, expected, filled, model_of

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]
ENDS_THE_SESSION = "logout"


@pytest.fixture
def errors(page: Page) -> list[str]:
    """What the page's console tells as an error."""
    told: list[str] = []
    page.on("console", lambda said: told.append(f"{said.text} ({page.url})") if said.type == "error" else None)
    return told


@pytest.fixture
def inside(page: Page, live_server: Any) -> Page:
    """The page of a superuser who is logged in to the console."""
    client = Client()
    client.force_login(AdminFactory())
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    page.context.add_cookies([cookie | {"url": live_server.url}])
    return page


@pytest.mark.parametrize("model", ["", *sorted(SAMPLES)])
def test_a_page_of_the_console_keeps_to_it(model: str, inside: Page, live_server: Any, errors: list[str]) -> None:
    rows, sample = expected(), SAMPLES[model]() if model else None
    opened = 0
    for address in addresses():
        if model_of(address) != model or address.key == ENDS_THE_SESSION:
            continue
        if rows[address.key, "GET"][Who.SUPERUSER] == "ok":
            inside.goto(live_server.url + filled(address.path, sample))
            opened += 1
    assert opened
    assert not errors


def test_the_console_s_door_and_the_pages_beside_it_do(page: Page, live_server: Any, errors: list[str]) -> None:
    page.goto(f"{live_server.url}/admin/login/")
    page.get_by_label("E-mail").fill("somebody@example.com")
    page.get_by_label("Password").fill("not-theirs")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Please enter the correct")).to_be_visible()
    assert not errors
    page.context.clear_cookies()
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading")).to_be_visible()
    assert [each for each in errors if "403" not in each] == []


def test_the_api_s_page_does(page: Page, live_server: Any, errors: list[str]) -> None:
    page.goto(f"{live_server.url}/api/v1/docs")
    page.get_by_role("button", name="POST /api/v1/datasets/upload").first.click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
    assert not errors


@pytest.mark.parametrize(
    "deed",
    [
        "document.body.setAttribute('style', 'color: red')",
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = true'}))",
        "document.body.insertAdjacentHTML('beforeend', '<style>p { color: red }</style>')",
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"https://elsewhere.invalid/a.png\">')",
        "document.body.append(Object.assign(document.createElement('iframe'), {src: '/admin/'}))",
    ],
    ids=["style attribute", "script", "style", "picture from elsewhere", "frame"],
)
def test_what_a_policy_refuses_fails_the_test(deed: str, live_server: Any) -> None:
    with pytest.raises(AssertionError, match="refused by the content security policy"):
        do(deed, f"{live_server.url}/admin/login/")


def do(deed: str, at: str) -> None:
    with open_page() as page:
        page.goto(at)
        page.evaluate(f"() => {{ {deed} }}")
        page.wait_for_load_state("networkidle")
        assert (page.url, page.evaluate("window.ran")) == (at, None), "this is no refusal"
