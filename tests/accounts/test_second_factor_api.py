"""The second factor at the API's door: whoever has set one up for the console is asked for it there too."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import services
from apps.accounts.choices import AuditAction, ConsoleRole
from apps.accounts.models import AuditEntry, Session, User
from tests.accounts.conftest import LOGIN
from tests.accounts.factories import PASSWORD, AdminFactory, SessionFactory
from tests.accounts.second_factor import KEY, enrolled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords", "no_wait")]
Problem = Callable[..., dict[str, Any]]


@pytest.fixture
def admin() -> User:
    made: User = AdminFactory(email="root@example.com")
    return made


def ask(api: APIClient, password: str = PASSWORD, **more: str) -> Any:
    return api.post(LOGIN, {"email": "root@example.com", "password": password} | more)


def test_the_password_alone_opens_no_session(api: APIClient, admin: User, problem: Problem) -> None:
    phone, codes = enrolled(admin)
    answer = ask(api)
    assert "app" in problem(answer, 401, "second-factor-needed")["hint"]
    assert not answer.cookies
    assert not Session.objects.exists()
    assert ask(api, code=phone.code()).status_code == 200
    assert ask(api, code=codes[0]).status_code == 200
    problem(ask(api, code=codes[0]), 401, "wrong-code")
    assert Session.objects.count() == 2


def test_a_code_is_good_at_one_door(api: APIClient, admin: User, problem: Problem) -> None:
    phone, _ = enrolled(admin)
    code = phone.code()
    services.prove(user=admin, code=code, at=timezone.now())
    problem(ask(api, code=code), 401, "wrong-code")


def test_whoever_does_not_know_the_password_learns_nothing_of_it(api: APIClient, admin: User, problem: Problem) -> None:
    phone, _ = enrolled(admin)
    problem(ask(api, "a-wrong-password"), 401, "invalid-credentials")
    code = phone.code()
    problem(ask(api, "a-wrong-password", code=code), 401, "invalid-credentials")
    assert ask(api, code=code).status_code == 200, "it was not looked at"


def test_wrong_codes_are_limited_like_wrong_passwords(
    api: APIClient, admin: User, problem: Problem, settings: Any
) -> None:
    settings.RATE_LOGIN_PLACE = (3, timedelta(hours=1))
    phone, _ = enrolled(admin)
    for _ in range(5):
        problem(ask(api), 401, "second-factor-needed")  # the password was right
    for _ in range(3):
        problem(ask(api, code=phone.wrong()), 401, "wrong-code")
    problem(ask(api, code=phone.code()), 429, "too-many-log-ins")


def test_after_a_wrong_code_the_next_one_waits(api: APIClient, admin: User, problem: Problem, settings: Any) -> None:
    settings.OTP_TOTP_THROTTLE_FACTOR = 30
    phone, _ = enrolled(admin)
    problem(ask(api, code=phone.wrong()), 401, "wrong-code")
    answer = ask(api, code=phone.code())
    problem(answer, 429, "too-many-codes")
    assert 1 <= int(answer["Retry-After"]) <= 30


@pytest.mark.parametrize("code", ["", "123456"])
def test_whoever_has_none_is_not_asked(api: APIClient, admin: User, code: str) -> None:
    assert ask(api, code=code).status_code == 200


def test_nobody_is_asked_where_it_is_off(api: APIClient, admin: User, settings: Any) -> None:
    enrolled(admin)
    settings.CONSOLE_TOTP = "off"
    assert ask(api).status_code == 200


def test_it_is_an_operators(api: APIClient, admin: User) -> None:
    enrolled(admin)
    AdminFactory()
    services.set_console_role(user=admin, console_role=ConsoleRole.NONE, by=None, at=timezone.now())
    assert ask(api).status_code == 200


def test_to_set_it_up_or_lose_it_ends_what_was_opened_before(admin: User) -> None:
    SessionFactory(user=admin)
    enrolled(admin)
    ended = Session.objects.get()
    assert (ended.ended_reason, ended.ended_at is None) == ("second-factor", False)
    assert AuditEntry.objects.get(action=AuditAction.SECOND_FACTOR_SET_UP).details == {"sessions_ended": 1}
    SessionFactory(user=admin)
    services.reset_second_factor(user=admin, by=None, at=timezone.now(), reason="lost phone")
    assert not Session.objects.filter(ended_at=None).exists()


def test_no_code_is_in_the_log(api: APIClient, admin: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    phone, codes = enrolled(admin)
    given = [phone.code(), phone.wrong(), codes[0]]
    for code in given:
        ask(api, code=code)
    assert "session.refused" in caplog.text
    assert not [secret for secret in (*given, KEY) if secret in caplog.text]
