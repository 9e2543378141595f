"""RFC 9116: whom to tell of a hole."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from tests.config.test_settings import load

ADDRESS = "/.well-known/security.txt"


def test_it_names_the_contact_and_holds_for_less_than_a_year(settings: Any) -> None:
    settings.SECURITY_CONTACT = "mailto:security@example.com"
    answer = Client().get(ADDRESS)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    fields = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert fields["Contact"] == "mailto:security@example.com"
    assert fields["Canonical"].endswith(ADDRESS)
    expires = datetime.fromisoformat(fields["Expires"])
    assert datetime.now(UTC) + timedelta(days=30) < expires < datetime.now(UTC) + timedelta(days=365)
    assert Client().post(ADDRESS).status_code in {403, 405}


def test_without_a_contact_there_is_none(settings: Any) -> None:
    settings.SECURITY_CONTACT = ""
    assert Client().get(ADDRESS).status_code == 404


def test_a_contact_that_is_no_address_stops_the_start() -> None:
    done = load({"SECURITY_CONTACT": "security@example.com"})
    assert done.returncode != 0
    assert "SECURITY_CONTACT=mailto:" in done.stderr
