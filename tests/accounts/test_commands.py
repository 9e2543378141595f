"""`create_user` and `invite_user`: safe to run twice, honest in their exit code."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry, Invitation, User
from tests.accounts.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW_PASSWORD", PASSWORD)


def run(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue()


def create(*args: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("create_user", "--password-env", "NEW_PASSWORD", "--json", *args))
    return answer


def test_a_member_is_created_and_may_log_in() -> None:
    answer = create("--email", "Ada@Example.com", "--department", "sales", "--full-name", "Ada Novak")
    assert answer == {
        "result": "created",
        "email": "ada@example.com",
        "department": "sales",
        "role": "member",
        "console_role": None,
    }
    user = User.objects.get()
    assert user.check_password(PASSWORD)
    assert user.may_enter


def test_an_admin_is_created_with_the_console() -> None:
    assert create("--email", "root@example.com", "--role", "admin")["department"] is None
    user = User.objects.get()
    assert (user.console_role, user.is_staff, user.is_superuser) == ("admin", True, False)


def test_a_second_run_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    args = ("--email", "ada@example.com", "--department", "sales")
    create(*args)
    before = User.objects.values().get()
    monkeypatch.setenv("NEW_PASSWORD", "another-password")
    assert create(*args)["result"] == "unchanged"
    assert User.objects.values().get() == before


@pytest.mark.parametrize(
    ("role", "said", "console_role"),
    [("member", "operator", "operator"), ("admin", "none", None), ("admin", "viewer", "viewer")],
)
def test_the_role_in_the_console_is_said_apart(role: str, said: str, console_role: str | None) -> None:
    given = ("--email", "ada@example.com", "--department", "sales", "--role", role, "--console-role", said)
    answer = create(*given, "--reason", "on call")
    assert (answer["role"], answer["console_role"]) == (role, console_role)
    user = User.objects.get()
    assert (user.console_role, user.is_staff) == (console_role or "", console_role is not None)
    assert AuditEntry.objects.get().reason == "on call"
    assert create(*given)["result"] == "unchanged"
    with pytest.raises(CommandError, match="in the console"):
        create(*given[:-1], "admin")


def test_an_account_of_another_department_is_an_error() -> None:
    UserFactory(email="ada@example.com", department="finance")
    with pytest.raises(CommandError, match="member of finance"):
        create("--email", "ada@example.com", "--department", "sales")


def test_a_dry_run_checks_everything_and_writes_nothing() -> None:
    assert create("--email", "ada@example.com", "--department", "sales", "--dry-run")["result"] == ("would-be-created")
    assert not User.objects.exists()
    with pytest.raises(CommandError, match="no department 'marketing'"):
        create("--email", "ada@example.com", "--department", "marketing", "--dry-run")


def test_the_password_comes_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\nrest\n"))
    said = run("create_user", "--email", "ada@example.com", "--department", "sales", "--password-stdin")
    assert said == "ada@example.com: created (member, sales)\n"
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--email", "ada@example.com"), "no department"),
        (("--email", "nonsense", "--department", "sales"), "not an e-mail address"),
    ],
)
def test_a_refusal_is_a_failure_with_a_reason(args: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        create(*args)
    assert not User.objects.exists()


def test_a_weak_or_missing_password_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    args = ("--email", "ada@example.com", "--department", "sales")
    monkeypatch.setenv("NEW_PASSWORD", "short")
    with pytest.raises(CommandError, match="too short"):
        create(*args)
    monkeypatch.delenv("NEW_PASSWORD")
    with pytest.raises(CommandError, match="no password in NEW_PASSWORD"):
        create(*args)


def test_a_second_invitation_replaces_the_first() -> None:
    args = ("invite_user", "--email", "ada@example.com", "--department", "sales", "--json")
    first, second = json.loads(run(*args)), json.loads(run(*args))
    assert first["result"] == second["result"] == "invited"
    assert first["token"] != second["token"]
    assert Invitation.objects.count() == 1


def test_an_invitation_brings_a_role_in_the_console() -> None:
    answer = json.loads(run("invite_user", "--department", "sales", "--console-role", "viewer", "--json"))
    assert (answer["role"], answer["console_role"]) == ("member", "viewer")
    assert Invitation.objects.get().console_role == "viewer"


def test_an_invitation_by_dry_run_shows_no_token() -> None:
    answer = json.loads(run("invite_user", "--department", "sales", "--dry-run", "--json"))
    assert (answer["result"], answer["token"]) == ("would-be-invited", None)
    assert not Invitation.objects.exists()


def test_an_invitation_says_its_token_once_in_words() -> None:
    token, summary = run("invite_user", "--department", "sales").splitlines()
    assert len(token) == 43
    assert summary.startswith("anybody is invited until")


def test_an_invitation_that_is_refused_is_a_failure() -> None:
    UserFactory(email="ada@example.com")
    with pytest.raises(CommandError, match="There is an account"):
        run("invite_user", "--email", "ada@example.com", "--department", "sales")
    with pytest.raises(CommandError, match="no department"):
        run("invite_user", "--email", "bob@example.com")
