"""What every kind of answer tells the browser: pages, data, downloads, static files, refusals, failures."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as configured
from django.http import HttpResponseBase
from django.test import Client

from apps.accounts.models import User
from tests.accounts.factories import AdminFactory, bearer
from tests.datasets.factories import DatasetFactory
from tests.jobs.conftest import seller, sqs  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.django_db(databases=["default", "loader"]), pytest.mark.usefixtures("plain_static_files")]
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Address → status, and of which kind its policy is.
ANSWERS = {
    "/": (200, "dashboard"),
    "/dashboard/sales": (200, "dashboard"),
    "/index.html": (200, "dashboard"),
    "/favicon.svg": (200, "data"),
    "/assets/gone.js": (404, "data"),
    "/api/v1/health": (200, "data"),
    "/api/v1/auth/me": (401, "data"),
    "/api/v1/nothing": (404, "data"),
    "/api/v1/schema": (200, "data"),
    "/api/v1/docs": (200, "docs"),
    "/metrics": (401, "data"),
    "/admin/login/": (200, "console"),
    "/admin/": (302, "console"),
}


@pytest.fixture
def client(settings: Any, tmp_path: Path) -> Client:
    """A built dashboard before it; a crash is answered by a 500 as in production."""
    (tmp_path / "index.html").write_text('<meta property="csp-nonce" nonce="made-for-each-answer">')
    (tmp_path / "favicon.svg").write_text("<svg/>")
    settings.WHITENOISE_ROOT = settings.DASHBOARD_DIST = tmp_path
    return Client(raise_request_exception=False)


def policy(answer: HttpResponseBase) -> dict[str, set[str]]:
    """Directive → what it allows."""
    parts = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {name: set(allowed) for name, *allowed in parts}


def kind(answer: HttpResponseBase) -> str:
    said = policy(answer)
    assert said["default-src"] == {"'none'"}
    assert said["frame-ancestors"] == said["base-uri"] == {"'none'"}
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]
    if "sandbox" in said:
        assert not said["sandbox"]
        assert said.keys() == {"default-src", "frame-ancestors", "base-uri", "form-action", "sandbox"}
        return "data"
    assert said["object-src"] == {"'none'"}
    assert said["form-action"] == {"'self'"}
    is_dashboard = any(each.startswith("'nonce-") for each in said["style-src"])
    assert said["connect-src"] == {"'self'", *([configured.DIRECT_UPLOAD_ORIGIN] if is_dashboard else [])}
    if "'unsafe-eval'" in said["script-src"]:
        assert said["script-src"] == {"'self'", "'unsafe-eval'"}
        return "console"
    assert said["script-src"] == {"'self'"}
    return "dashboard" if is_dashboard else "docs"


@pytest.mark.parametrize("path", ANSWERS)
def test_every_kind_of_answer_has_its_headers(path: str, client: Client) -> None:
    answer = client.get(path)
    assert (answer.status_code, kind(answer)) == ANSWERS[path]
    assert {name: answer.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert "geolocation=()" in answer["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize("redirects", [False, True])
def test_what_is_refused_before_any_view_has_them_too(client: Client, settings: Any, *, redirects: bool) -> None:
    settings.SECURE_SSL_REDIRECT = redirects
    answer = client.get("/api/v1/config", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, kind(answer)) == (400, "data")
    assert {name: answer.get(name) for name in EVERYWHERE} == EVERYWHERE


def test_a_crash_has_them_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("apps.accounts.site.ConsoleSite.each_context", broken)
    monkeypatch.setattr("apps.accounts.authentication.SessionJWTAuthentication.authenticate", broken)
    for path, of in (("/admin/login/", "console"), ("/api/v1/auth/me", "data")):
        answer = client.get(path)
        assert (answer.status_code, kind(answer)) == (500, of)
        assert {name: answer.get(name) for name in EVERYWHERE} == EVERYWHERE


def test_downloads_and_data_of_people_are_kept_by_nobody(client: Client, seller: User, sqs: Any) -> None:  # noqa: F811
    dataset = f"/api/v1/datasets/{DatasetFactory(uploaded_by=seller).pk}"
    for path in ("/api/v1/auth/me", "/api/v1/datasets", dataset, f"{dataset}/rejects.csv", f"/api/v1/jobs/{uuid4()}"):
        answer = client.get(path, **bearer(seller))
        assert answer["Cache-Control"] == "no-store", path
        assert kind(answer) == "data"


def test_the_console_s_pages_are_not_kept_and_its_exports_may_run_nothing(client: Client) -> None:
    client.force_login(AdminFactory())
    page = client.get("/admin/accounts/user/")
    assert kind(page) == "console"
    assert "no-store" in page["Cache-Control"]
    export = client.post("/admin/accounts/auditentry/export/")
    assert export["Content-Disposition"].startswith("attachment")
    assert kind(export) == "data"


def test_each_page_of_the_dashboard_has_a_nonce_of_its_own(client: Client) -> None:
    nonces = set()
    for _ in range(2):
        answer = client.get("/")
        (said,) = (each for each in policy(answer)["style-src"] if each.startswith("'nonce-"))
        assert f'nonce="{said.removeprefix(chr(39) + "nonce-").rstrip(chr(39))}"' in answer.content.decode()
        nonces.add(said)
    assert len(nonces) == 2


@pytest.mark.parametrize("path", ANSWERS)
def test_with_tls_every_answer_asks_for_it_from_then_on(path: str, client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    answer = client.get(path, secure=True)
    assert answer["Strict-Transport-Security"].startswith("max-age=31536000")
