"""The console lies where ADMIN_PATH says, and nothing else knows its address."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from config.local import ROOT
from tests.accounts.factories import AdminFactory
from tests.config.test_headers import kind
from tests.config.test_settings import load

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]


def test_no_code_and_no_template_has_its_address() -> None:
    ours = [
        path
        for folder in ("apps", "config")
        for end in ("py", "html", "js")
        for path in (ROOT / folder).rglob(f"*.{end}")
    ]
    assert len(ours) > 100
    named = [str(path) for path in ours if re.search(r"""["'(=]/admin/""", path.read_text())]
    assert not named


@pytest.mark.parametrize(
    ("path", "starts"),
    [
        ("operators", True),
        ("/a/b-c/", True),
        ("", False),
        ("api/admin/", False),
        ("static/", False),
        ("a b/", False),
        ("../", False),
    ],
)
def test_what_can_be_its_address(path: str, starts: bool) -> None:
    done = load({"ADMIN_PATH": path})
    assert (done.returncode == 0) == starts
    assert starts or "cannot be an address here" in done.stderr


@pytest.mark.parametrize("path", ["nothing/", "nothing", "accounts/nothing/"])
def test_a_wrong_address_below_it_is_answered_by_a_page(path: str) -> None:
    client = Client()
    client.force_login(AdminFactory())
    answer = client.get(reverse("admin:index") + path)
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
    assert kind(answer) == "console"
    assert "There is nothing at this address" in answer.content.decode()


def test_a_program_s_wrong_address_is_answered_by_a_problem() -> None:
    assert Client().get("/api/v1/nothing")["Content-Type"] == "application/problem+json"
