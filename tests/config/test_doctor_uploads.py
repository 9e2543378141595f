"""Whether pages may send large files to the bucket is asked of the bucket as a browser asks it."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from config.doctor.uploads import uploads
from config.local.home import free_port

SITE = "https://data.example.org"


@pytest.fixture
def bucket(settings: Any) -> Iterator[Callable[..., None]]:
    """A store at a port of its own; called with the origins whose pages may send to it."""
    allowed: list[str] = []

    class Store(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            origin = self.headers["Origin"]
            fits = self.headers["Access-Control-Request-Method"] == "PUT" and (
                self.headers["Access-Control-Request-Headers"] == "x-amz-checksum-sha256"
            )
            may = fits and bool({origin, "*"} & set(allowed))
            self.send_response(200 if may else 403)
            if may:
                self.send_header("Access-Control-Allow-Origin", "*" if "*" in allowed else origin)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    Thread(target=server.serve_forever, daemon=True).start()
    where = f"http://127.0.0.1:{server.server_port}"
    settings.DIRECT_UPLOAD, settings.DIRECT_UPLOAD_ENDPOINT, settings.DIRECT_UPLOAD_ORIGIN = True, where, where
    settings.SECURE, settings.CSRF_TRUSTED_ORIGINS = True, [SITE]
    yield lambda *origins: allowed.extend(origins)
    server.shutdown()
    server.server_close()


def found() -> tuple[str, str]:
    (finding,) = uploads()
    return finding.standing.value, f"{finding.detail} {finding.fix}".strip()


@pytest.mark.parametrize("origin", [SITE, "*"])
def test_a_bucket_that_takes_them_is_well(bucket: Callable[..., None], settings: Any, origin: str) -> None:
    bucket(origin)
    assert found() == ("ok", f"pages of {SITE} may send large files to {settings.DIRECT_UPLOAD_ORIGIN}")


def test_without_a_rule_for_the_site_it_says_what_to_do(bucket: Callable[..., None], settings: Any) -> None:
    bucket("https://another.example.org")
    standing, says = found()
    assert standing == "warn"
    assert says.startswith(f"The bucket refuses large files that pages of {SITE} send to it")
    assert "the CORS rule of docs/operations.md, or set DIRECT_UPLOAD=false" in says


def test_each_of_the_sites_names_is_asked_for(bucket: Callable[..., None], settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS, settings.ALLOWED_HOSTS = [], ["data.example.org", "www.example.org", ".example.org"]
    bucket(SITE)
    standing, says = found()
    assert standing == "warn"
    assert "pages of https://www.example.org" in says


def test_a_store_that_this_machine_does_not_reach_is_named(settings: Any) -> None:
    where = f"http://127.0.0.1:{free_port()}"
    settings.DIRECT_UPLOAD, settings.DIRECT_UPLOAD_ENDPOINT, settings.DIRECT_UPLOAD_ORIGIN = True, where, where
    settings.CSRF_TRUSTED_ORIGINS = [SITE]
    standing, says = found()
    assert standing == "warn"
    assert f"does not reach where browsers send large files ({where})" in says
    assert "Check DIRECT_UPLOAD_ENDPOINT" in says


def test_where_nothing_goes_past_the_gateway_nobody_is_asked(settings: Any) -> None:
    settings.DIRECT_UPLOAD = False
    assert found() == ("ok", "files pass through the web server")


def test_on_somebodys_own_machine_no_site_is_known(bucket: Callable[..., None], settings: Any) -> None:
    settings.SECURE, settings.CSRF_TRUSTED_ORIGINS = False, []
    standing, says = found()
    assert standing == "ok"
    assert "CSRF_TRUSTED_ORIGINS" in says
