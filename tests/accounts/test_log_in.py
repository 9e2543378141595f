"""Logging in: what is answered, what is kept, and what is given away to a stranger (nothing)."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, identify_hasher
from rest_framework.test import APIClient

from apps.accounts.choices import Approval
from apps.accounts.models import Session
from apps.accounts.tokens import read_access
from tests.accounts.factories import PASSWORD, AdminFactory, UserFactory

pytestmark = pytest.mark.django_db
LOGIN = "/api/v1/auth/login"
Problem = Callable[..., dict[str, Any]]


def test_a_member_logs_in(api: APIClient) -> None:
    user = UserFactory(email="ada@example.com", department="finance")
    answer = api.post(
        LOGIN,
        {"email": " Ada@Example.COM ", "password": PASSWORD},
        headers={"User-Agent": "Firefox " + "x" * 999},
    )
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access", "expires_in", "user"}
    assert body["user"] == {
        "id": str(user.pk),
        "email": "ada@example.com",
        "full_name": "Ada Novak",
        "department": "finance",
        "departments": ["finance"],
        "role": "member",
        "approval": "approved",
        "created_at": "2026-01-05T08:00:00Z",
    }
    assert answer["Cache-Control"] == "no-store"
    session = Session.objects.get()
    claims = read_access(body["access"])
    assert (claims.user_id, claims.session_id) == (user.pk, session.pk)
    assert (claims.department, claims.role) == ("finance", "member")
    assert session.user_agent.startswith("Firefox ")
    user.refresh_from_db()
    assert user.last_login == session.created_at


def test_the_refresh_token_is_kept_from_scripts_and_from_other_routes(api: APIClient) -> None:
    UserFactory(email="ada@example.com")
    cookie = api.post(LOGIN, {"email": "ada@example.com", "password": PASSWORD}).cookies["aetherflow_refresh"]
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"]) == ("Strict", "/api/v1/auth")
    assert cookie["max-age"] == 14 * 24 * 3600
    assert not cookie["secure"]


def test_a_script_gets_the_refresh_token_in_the_body_when_it_asks(api: APIClient) -> None:
    UserFactory(email="ada@example.com")
    answer = api.post(LOGIN, {"email": "ada@example.com", "password": PASSWORD}, headers={"X-Auth-Mode": "token"})
    assert answer.json()["refresh"] == answer.cookies["aetherflow_refresh"].value


def test_an_admin_sees_all_departments(api: APIClient) -> None:
    AdminFactory(email="root@example.com")
    user = api.post(LOGIN, {"email": "root@example.com", "password": PASSWORD}).json()["user"]
    assert (user["role"], user["department"]) == ("admin", None)
    assert {"sales", "supply_chain", "finance"} <= set(user["departments"])


def test_a_stranger_learns_nothing_from_a_refusal(api: APIClient, problem: Problem) -> None:
    UserFactory(email="ada@example.com")
    UserFactory(email="gone@example.com", is_active=False)
    UserFactory(email="new@example.com", approval=Approval.PENDING)
    refusals = [
        problem(api.post(LOGIN, {"email": email, "password": password}), 401, "invalid-credentials")
        for email, password in [
            ("ada@example.com", "not-the-password"),
            ("nobody@example.com", PASSWORD),
            ("gone@example.com", PASSWORD),
            ("new@example.com", "not-the-password"),
            ("not an address", PASSWORD),
        ]
    ]
    for refusal in refusals:
        refusal.pop("request_id")
    assert all(refusal == refusals[0] for refusal in refusals)
    assert not Session.objects.exists()
    assert "aetherflow_refresh" not in api.cookies


def test_an_unknown_address_costs_as_much_work_as_a_wrong_password(api: APIClient) -> None:
    UserFactory(email="ada@example.com")
    with (
        patch.object(Argon2PasswordHasher, "encode", autospec=True, side_effect=Argon2PasswordHasher.encode) as hashed,
        patch.object(
            Argon2PasswordHasher, "verify", autospec=True, side_effect=Argon2PasswordHasher.verify
        ) as verified,
    ):
        api.post(LOGIN, {"email": "ada@example.com", "password": "not-the-password"})
        assert (hashed.call_count, verified.call_count) == (0, 1)
        api.post(LOGIN, {"email": "nobody@example.com", "password": "not-the-password"})
        assert (hashed.call_count, verified.call_count) == (1, 1)


def test_the_challenge_is_bearer(api: APIClient) -> None:
    answer = api.post(LOGIN, {"email": "nobody@example.com", "password": PASSWORD})
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_only_who_knows_the_password_is_told_of_the_approval(api: APIClient, problem: Problem) -> None:
    UserFactory(email="new@example.com", approval=Approval.PENDING)
    refusal = problem(api.post(LOGIN, {"email": "new@example.com", "password": PASSWORD}), 403, "approval-pending")
    assert "admin" in refusal["hint"]


def test_missing_values_are_pointed_at(api: APIClient, problem: Problem) -> None:
    errors = problem(api.post(LOGIN, {}), 400, "invalid-request")["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [("/email", "required"), ("/password", "required")]


def test_a_body_that_is_no_json_is_a_problem_document(api: APIClient, problem: Problem) -> None:
    problem(api.post(LOGIN, b"{", content_type="application/json"), 400, "parse-error")
    problem(api.get(LOGIN), 405, "method-not-allowed")


def test_a_stale_token_in_the_header_does_not_keep_one_from_logging_in(api: APIClient) -> None:
    UserFactory(email="ada@example.com")
    answer = api.post(
        LOGIN, {"email": "ada@example.com", "password": PASSWORD}, headers={"Authorization": "Bearer stale"}
    )
    assert answer.status_code == 200


def test_passwords_are_kept_as_argon2() -> None:
    assert identify_hasher(UserFactory().password).algorithm == "argon2"


@pytest.mark.parametrize("path", ["/api/v1/auth/login", "/api/v1/auth/login/"])
def test_the_trailing_slash_is_optional(api: APIClient, path: str) -> None:
    UserFactory(email="ada@example.com")
    assert api.post(path, {"email": "ada@example.com", "password": PASSWORD}).status_code == 200
