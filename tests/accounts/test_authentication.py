"""The bearer token is a claim; the database decides, at each request."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import services
from apps.accounts.choices import Approval, SessionEnd
from apps.accounts.models import User
from apps.accounts.tokens import key_id, mint_access, mint_refresh
from tests.accounts.factories import AdminFactory, SessionFactory, UserFactory, bearer

pytestmark = pytest.mark.django_db
ME = "/api/v1/auth/me"
Problem = Callable[..., dict[str, Any]]


def token_of(user: User) -> str:
    return mint_access(user=user, session=SessionFactory(user=user), at=timezone.now())


def signing_key() -> str:
    return str(settings.JWT_KEYS[0])


def named(key: str) -> dict[str, str]:
    """The header that names a key, so that nothing but what a test is about is wrong with its token."""
    return {"kid": key_id(key)}


def me(api: APIClient, token: str) -> Any:
    return api.get(ME, headers={"Authorization": f"Bearer {token}"})


def test_one_query_tells_who_is_asking(api: APIClient) -> None:
    token = token_of(UserFactory(email="ada@example.com"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = me(api, token)
    assert answer.json()["email"] == "ada@example.com"
    assert len(queries) == 1


def test_nobody_is_told_to_log_in(api: APIClient, problem: Problem) -> None:
    answer = api.get(ME)
    problem(answer, 401, "not-authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    problem(api.get(ME, headers={"Authorization": "Basic YTpi"}), 401, "not-authenticated")


@pytest.mark.parametrize("garbage", ["", "x", "a.b.c", "été", "a b", "\x00", "." * 5000])
def test_garbage_is_not_a_token(api: APIClient, problem: Problem, garbage: str) -> None:
    problem(me(api, garbage), 401, "token-invalid")


def test_a_token_signed_by_somebody_else_is_refused(api: APIClient, problem: Problem) -> None:
    claims = jwt.decode(token_of(AdminFactory()), options={"verify_signature": False})
    token = jwt.encode(claims, "k" * 64, algorithm="HS256", headers=named(signing_key()))
    problem(me(api, token), 401, "token-invalid")


@pytest.mark.parametrize("alg", ["none", "None", "HS384", "HS512", "RS256", "ES256", "PS256", "", None])
def test_the_algorithm_is_ours_to_say(api: APIClient, problem: Problem, alg: str | None) -> None:
    """Signed with the right key, by the right algorithm, or not at all: only what the header says is wrong."""
    claims = jwt.decode(token_of(AdminFactory()), options={"verify_signature": False})
    signing = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": alg, "typ": "JWT", **named(signing_key())}, claims)
    )
    digest = hmac.digest(signing_key().encode(), signing.encode(), "sha256")
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    for end in ("", signature):
        problem(me(api, f"{signing}.{end}"), 401, "token-invalid")


def test_the_same_token_with_our_algorithm_is_good(api: APIClient) -> None:
    """So that the one above cannot pass for another reason."""
    claims = jwt.decode(token_of(AdminFactory()), options={"verify_signature": False})
    token = jwt.encode(claims, signing_key(), algorithm="HS256", headers=named(signing_key()))
    assert me(api, token).status_code == 200


@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_another_algorithm_with_the_right_key_is_refused(api: APIClient, problem: Problem, alg: str) -> None:
    claims = jwt.decode(token_of(AdminFactory()), options={"verify_signature": False})
    token = jwt.encode(claims, signing_key(), algorithm=alg, headers=named(signing_key()))
    problem(me(api, token), 401, "token-invalid")


@pytest.mark.parametrize("change", [{"sid": None}, {"sid": "1"}, {"sub": 7}, {"department": None}])
def test_a_token_of_ours_with_other_claims_is_refused(api: APIClient, problem: Problem, change: dict[str, Any]) -> None:
    claims = jwt.decode(token_of(UserFactory()), options={"verify_signature": False}) | change
    claims = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode(claims, signing_key(), algorithm="HS256", headers=named(signing_key()))
    problem(me(api, token), 401, "token-invalid")


def test_an_expired_token_is_called_expired(api: APIClient, problem: Problem) -> None:
    user = UserFactory()
    session = SessionFactory(user=user)
    token = mint_access(user=user, session=session, at=timezone.now() - timedelta(hours=1))
    problem(me(api, token), 401, "token-expired")


def test_a_refresh_token_opens_no_route(api: APIClient, problem: Problem) -> None:
    problem(me(api, mint_refresh(session=SessionFactory(), at=timezone.now())), 401, "token-invalid")


def test_the_session_of_one_user_does_not_speak_for_another(api: APIClient, problem: Problem) -> None:
    token = mint_access(user=UserFactory(), session=SessionFactory(), at=timezone.now())
    problem(me(api, token), 401, "session-ended")


def test_a_moved_member_must_log_in_again(api: APIClient, problem: Problem) -> None:
    user = UserFactory(department="sales")
    token = token_of(user)
    User.objects.filter(pk=user.pk).update(department="finance")
    problem(me(api, token), 401, "department-changed")


def test_a_demoted_admin_must_log_in_again(api: APIClient, problem: Problem) -> None:
    user = AdminFactory(department="sales")
    token = token_of(user)
    User.objects.filter(pk=user.pk).update(role="member")
    problem(me(api, token), 401, "department-changed")


def test_a_deactivated_account_is_out_at_once(api: APIClient, problem: Problem) -> None:
    user = UserFactory()
    token = token_of(user)
    assert me(api, token).status_code == 200
    services.deactivate(user=user, by=AdminFactory(), at=timezone.now())
    problem(me(api, token), 401, "account-inactive")


def test_an_unapproved_account_is_out(api: APIClient, problem: Problem) -> None:
    token = token_of(UserFactory(approval=Approval.PENDING))
    problem(me(api, token), 401, "account-inactive")


@pytest.mark.parametrize("reason", SessionEnd)
def test_an_ended_session_is_out_at_once(api: APIClient, problem: Problem, reason: SessionEnd) -> None:
    user = UserFactory()
    token = token_of(user)
    services.end_session(session_id=user.sessions.get().pk, reason=reason, at=timezone.now())
    problem(me(api, token), 401, "session-ended")


def test_a_session_past_its_time_is_out(api: APIClient, problem: Problem) -> None:
    user = UserFactory()
    token = token_of(user)
    user.sessions.update(created_at=timezone.now() - timedelta(days=15), expires_at=timezone.now())
    problem(me(api, token), 401, "session-ended")


def test_the_word_bearer_may_be_written_in_any_case(api: APIClient) -> None:
    headers = bearer(UserFactory())["headers"]
    lower = headers["Authorization"].replace("Bearer", "bearer")
    assert api.get(ME, headers={"Authorization": lower}).status_code == 200
