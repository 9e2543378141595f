from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from rest_framework.test import APIClient

from apps.accounts.models import User
from tests.accounts.factories import hashed_password
from tests.accounts.second_factor import enrolled
from tests.support.phone import Phone

LOGIN = "/api/v1/auth/login"


@pytest.fixture
def api() -> APIClient:
    """A browser: it keeps cookies."""
    return APIClient()


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that are hashed from now on cost next to nothing: for tests that log in again and again.
    Not the factories' one, which is kept for all tests: those that come after would find it outdated, and a check of it
    would write it anew and end the session."""
    hashed_password()
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)
    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 64)


@pytest.fixture
def no_wait(settings: Any) -> None:
    """After a wrong code; the tests of it put it back."""
    settings.OTP_TOTP_THROTTLE_FACTOR = 0


@pytest.fixture
def phone(operator: User) -> Phone:
    """That of the `operator` of the module, who has a second factor now."""
    return enrolled(operator)[0]


@pytest.fixture
def problem() -> Callable[..., dict[str, Any]]:
    """Checks that an answer is the problem document of that status and code, and gives the document."""

    def check(response: Any, status: int, code: str) -> dict[str, Any]:
        assert response["Content-Type"] == "application/problem+json", response.content
        document: dict[str, Any] = response.json()
        assert (response.status_code, document["status"], document["code"]) == (status, status, code), document
        assert document["request_id"] == response["X-Request-ID"]
        assert document["title"]
        assert document["detail"]
        return document

    return check
