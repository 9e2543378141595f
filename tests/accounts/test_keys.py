"""Changing the key that signs tokens: nobody is logged out, and what an unknown key signed is not looked at."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.tokens import key_id, mint_access
from tests.accounts.factories import SessionFactory, UserFactory
from tests.accounts.test_refresh import signed_in

pytestmark = pytest.mark.django_db
ME, REFRESH = "/api/v1/auth/me", "/api/v1/auth/refresh"
OLD, NEW, FOREIGN = "o" * 50, "n" * 50, "f" * 50
Problem = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def old_key(settings: Any) -> None:
    settings.JWT_KEYS = [OLD]


def me(token: str) -> Any:
    return APIClient().get(ME, headers={"Authorization": f"Bearer {token}"})


def kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_a_token_names_the_key_that_signed_it() -> None:
    first = signed_in()
    assert kid(first.access) == kid(first.refresh) == key_id(OLD)
    assert key_id(OLD) != key_id(NEW)
    assert OLD not in key_id(OLD)


def test_a_key_is_changed_without_logging_anybody_out(settings: Any) -> None:
    """Each step as the operators go it, with a session from before the first one."""
    first = signed_in()
    settings.JWT_KEYS = [OLD, NEW]
    ahead = mint_access(user=first.user, session=first.session, at=timezone.now())
    assert kid(ahead) == key_id(OLD)
    settings.JWT_KEYS = [NEW, OLD]
    assert me(first.access).status_code == 200
    renewed = APIClient().post(REFRESH, {"refresh": first.refresh}).json()
    assert kid(renewed["access"]) == kid(renewed["refresh"]) == key_id(NEW)
    settings.JWT_KEYS = [NEW]
    assert me(renewed["access"]).status_code == 200
    assert APIClient().post(REFRESH, {"refresh": renewed["refresh"]}).status_code == 200


def test_processes_that_know_the_new_key_and_do_not_use_it_yet_take_its_tokens(settings: Any) -> None:
    """Of a rolling deploy some processes sign with the new key while others still sign with the old one."""
    settings.JWT_KEYS = [NEW, OLD]
    token = signed_in().access
    settings.JWT_KEYS = [OLD, NEW]
    assert me(token).status_code == 200


def test_a_key_that_was_taken_out_is_good_for_nothing_any_more(settings: Any, problem: Problem) -> None:
    first = signed_in()
    settings.JWT_KEYS = [NEW]
    problem(me(first.access), 401, "token-invalid")
    problem(APIClient().post(REFRESH, {"refresh": first.refresh}), 401, "token-invalid")


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"kid": key_id(FOREIGN)}, id="unknown"),
        pytest.param({"kid": key_id(NEW)}, id="another of ours"),
        pytest.param({"kid": ""}, id="empty"),
        pytest.param({"kid": "../../dev/null"}, id="path"),
        pytest.param({}, id="none"),
    ],
)
def test_a_signature_is_good_with_the_key_it_names_and_no_other(
    settings: Any, problem: Problem, header: dict[str, str]
) -> None:
    settings.JWT_KEYS = [OLD, NEW]
    user = UserFactory()
    token = mint_access(user=user, session=SessionFactory(user=user), at=timezone.now())
    claims = jwt.decode(token, options={"verify_signature": False})
    forged = jwt.encode(claims, OLD, algorithm="HS256", headers=header)
    problem(me(forged), 401, "token-invalid")
    assert me(token).status_code == 200


def test_a_header_that_brings_its_own_key_is_not_listened_to(problem: Problem) -> None:
    user = UserFactory()
    claims = jwt.decode(
        mint_access(user=user, session=SessionFactory(user=user), at=timezone.now()),
        options={"verify_signature": False},
    )
    own = {"kid": key_id(FOREIGN), "jwk": {"kty": "oct", "k": "ZmZm"}, "jku": "https://example.com/keys"}
    problem(me(jwt.encode(claims, FOREIGN, algorithm="HS256", headers=own)), 401, "token-invalid")
