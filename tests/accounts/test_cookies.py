"""The cookies: to whom a browser sends them, and which pages may use them. No other site may read an answer."""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.accounts.models import Session
from config.local import ROOT
from tests.accounts.factories import PASSWORD, UserFactory, bearer
from tests.test_repository import api_routes

pytestmark = pytest.mark.django_db
LOGIN, REFRESH, LOGOUT, ME = (f"/api/v1/auth/{name}" for name in ("login", "refresh", "logout", "me"))
OURS = {"X-Requested-With": "AetherFlow"}
EVE = "https://evil.example"
Problem = Callable[..., dict[str, Any]]


@pytest.fixture
def ada() -> dict[str, str]:
    UserFactory(email="ada@example.com")
    return {"email": "ada@example.com", "password": PASSWORD}


# --- Over TLS they belong to this host alone ---


def cookie_settings(https: str) -> dict[str, Any]:
    script = (
        "import json; from config import settings as s; print(json.dumps({n: str(v) for n, v in vars(s).items() "
        "if 'COOKIE' in n}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"HTTPS": https, "SECRET_KEY": secrets.token_urlsafe(50)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_over_tls_every_cookie_is_this_hosts_alone() -> None:
    found = cookie_settings("true")
    names = {name: value for name, value in found.items() if name.endswith("_COOKIE_NAME")}
    assert set(names) == {
        "REFRESH_COOKIE_NAME",
        "DEVICE_COOKIE_NAME",
        "SESSION_COOKIE_NAME",
        "CSRF_COOKIE_NAME",
    }
    assert all(value.startswith("__Host-") for value in names.values())
    assert found["API_COOKIES_PATH"] == "/"
    assert (found["SESSION_COOKIE_SECURE"], found["CSRF_COOKIE_SECURE"]) == ("True", "True")


def test_over_plain_http_no_browser_would_take_such_a_name() -> None:
    found = cookie_settings("false")
    assert not any("__" in value for name, value in found.items() if name.endswith("_COOKIE_NAME"))
    assert found["API_COOKIES_PATH"] == "/api/v1/auth"


def test_what_is_set_over_tls_is_as_a_browser_wants_it(api: APIClient, ada: dict[str, str], settings: Any) -> None:
    """RFC 6265bis, 4.1.3.2: Secure, the path /, no Domain."""
    settings.SECURE, settings.API_COOKIES_PATH = True, "/"
    settings.REFRESH_COOKIE_NAME, settings.DEVICE_COOKIE_NAME = "__Host-refresh", "__Host-device"
    answer = api.post(LOGIN, ada, secure=True)
    assert set(answer.cookies) == {"__Host-refresh", "__Host-device"}
    answer_out = api.post(LOGOUT, headers=OURS, secure=True)
    for cookie in (*answer.cookies.values(), *answer_out.cookies.values()):
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert answer_out.cookies["__Host-refresh"]["max-age"] == 0


# --- Another site's page can do nothing with them ---

FOREIGN = [
    pytest.param({"Origin": EVE}, id="origin"),
    pytest.param({"Origin": "null"}, id="sandboxed frame"),
    pytest.param({"Origin": "http://testserver.evil.example"}, id="origin that begins like ours"),
    pytest.param({"Origin": "http://testserver:8001"}, id="another port"),
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
    pytest.param({"Sec-Fetch-Site": "same-site"}, id="sibling domain"),
    pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, id="both, of which one is forged"),
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", [LOGIN, REFRESH, LOGOUT])
def test_a_foreign_page_cannot_log_in_refresh_or_log_out(
    api: APIClient, ada: dict[str, str], problem: Problem, path: str, headers: dict[str, str]
) -> None:
    """Even if it could set the header that its preflight would ask for."""
    token = api.post(LOGIN, ada).cookies["aetherflow_refresh"].value
    answer = api.post(path, ada if path == LOGIN else {}, headers={**OURS, **headers})
    problem(answer, 403, "foreign-page")
    assert not answer.cookies
    assert Session.objects.get().ended_at is None
    assert api.post(REFRESH, {"refresh": token}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "http://testserver"}, id="origin"),
        pytest.param({"Origin": "https://testserver"}, id="behind a proxy that ends TLS"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, id="same-origin"),
        pytest.param(
            {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:5173"}, id="behind a proxy that names us anew"
        ),
        pytest.param({"Sec-Fetch-Site": "none"}, id="no page"),
        pytest.param({"Sec-Fetch-Site": "same-site", "Origin": "https://data.example.org"}, id="trusted"),
        pytest.param({"Origin": "https://data.example.org"}, id="trusted, old browser"),
        pytest.param({}, id="a program"),
    ],
)
def test_our_own_page_can(api: APIClient, ada: dict[str, str], settings: Any, headers: dict[str, str]) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://data.example.org"]
    assert api.post(LOGIN, ada, headers=headers).status_code == 200
    assert api.post(REFRESH, headers={**OURS, **headers}).status_code == 200
    assert api.post(LOGOUT, headers={**OURS, **headers}).status_code == 204


def test_a_form_on_a_foreign_page_cannot_log_somebody_in(api: APIClient, ada: dict[str, str], problem: Problem) -> None:
    """What a page can send without asking first is no JSON."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        problem(api.post(LOGIN, json.dumps(ada), content_type=kind), 415, "unsupported-media-type")


# --- No other site reads an answer ---

AT = re.compile(r"<(\w+):\w+>")
OTHERS = ["/", "/admin/login/", "/metrics", "/static/none.js", "/api/v1/none"]


@pytest.mark.parametrize("path", [*(f"/api/v1/{route}" for route in api_routes()), *OTHERS])
@pytest.mark.usefixtures("plain_static_files")
def test_no_answer_is_shared_with_another_site(path: str) -> None:
    asked = AT.sub(lambda m: "5a4a0d52-6a9c-5a55-9b43-6a7f0f5e2f10" if m[1] == "uuid" else "sales", path)
    who = bearer(UserFactory())["headers"]
    preflight = {
        "Origin": EVE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    for method, headers in (("options", preflight), ("get", {"Origin": EVE, **who}), ("get", {"Origin": "null"})):
        answer = getattr(Client(), method)(asked, headers=headers)
        shared = [name for name in answer.headers if name.lower().startswith("access-control-")]
        assert shared == [], (method, asked)
