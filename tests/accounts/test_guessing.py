"""Guessing at a password: slowed down where it comes from; the account's owner gets in all the same."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from apps.accounts.choices import Approval, AuditAction
from apps.accounts.models import AuditEntry, Session, User
from tests.accounts.factories import PASSWORD, SessionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
LOGIN, LOGOUT, REGISTER = (f"/api/v1/auth/{name}" for name in ("login", "logout", "register"))
HOME, CAFE, BOTNET = "192.0.2.7", "198.51.100.1", "203.0.113.{}"
Problem = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def rates(settings: Any) -> None:
    settings.RATE_LOGIN_PLACE = (3, timedelta(hours=1))
    settings.RATE_LOGIN_ACCOUNT = (6, timedelta(hours=1))


@pytest.fixture
def ada() -> User:
    return person("ada@example.com")


def person(email: str, **columns: Any) -> User:
    user: User = UserFactory(email=email, password=make_password(PASSWORD), **columns)
    return user


def log_in(email: str = "ada@example.com", password: str = PASSWORD, *, at: str, by: APIClient | None = None) -> Any:
    return (by or APIClient()).post(LOGIN, {"email": email, "password": password}, REMOTE_ADDR=at)


def guess(count: int, email: str = "ada@example.com", *, at: str) -> list[int]:
    return [log_in(email, "a-guess", at=at).status_code for _ in range(count)]


def guess_from_everywhere(email: str = "ada@example.com") -> None:
    """Until strangers are not let through any more."""
    for machine in range(6):
        assert guess(1, email, at=BOTNET.format(machine)) == [401]
    assert guess(1, email, at=BOTNET.format(99)) == [429]


# --- Who guesses is stopped ---


def test_one_place_has_a_few_guesses_at_an_account(ada: User, problem: Problem) -> None:
    assert guess(5, at=CAFE) == [401, 401, 401, 429, 429]
    answer = log_in(at=CAFE)
    document = problem(answer, 429, "too-many-log-ins")
    assert int(answer["Retry-After"]) <= 1200
    assert "minutes" in document["hint"]


def test_the_place_may_log_in_to_other_accounts(ada: User) -> None:
    person("bob@example.com")
    guess(4, at=CAFE)
    assert log_in("bob@example.com", at=CAFE).status_code == 200


def test_guesses_from_many_places_are_slowed_down_together(ada: User, problem: Problem) -> None:
    guess_from_everywhere()
    document = problem(log_in(at=CAFE), 429, "too-many-log-ins")
    assert "lately you get in as ever" in document["detail"]


def test_the_case_of_the_address_makes_no_other_account(ada: User) -> None:
    assert guess(2, " Ada@Example.com ", at=CAFE) + guess(2, at=CAFE) == [401, 401, 401, 429]


def test_who_logs_in_often_and_well_is_never_stopped(ada: User) -> None:
    assert [log_in(at=CAFE).status_code for _ in range(8)] == [200] * 8


def test_a_right_password_of_an_account_that_is_shut_counts_as_a_guess() -> None:
    person("gone@example.com", is_active=False)
    assert [log_in("gone@example.com", at=CAFE).status_code for _ in range(4)] == [401, 401, 401, 429]


# --- The owner gets in ---


def test_the_owner_gets_in_with_a_device_that_has_logged_in_before(ada: User) -> None:
    laptop = APIClient()
    log_in(at=HOME, by=laptop)
    assert laptop.post(LOGOUT, headers={"X-Requested-With": "AetherFlow"}).status_code == 204
    Session.objects.all().delete()  # So that the address is not what is known.
    guess_from_everywhere()
    assert log_in(at=CAFE).status_code == 429
    assert log_in(at=CAFE, by=laptop).status_code == 200


def test_the_owner_gets_in_from_the_address_they_logged_in_from_lately(ada: User) -> None:
    SessionFactory(user=ada, ip=HOME, created_at=timezone.now() - timedelta(days=29))
    guess_from_everywhere()
    assert log_in(at=HOME).status_code == 200


@pytest.mark.parametrize("days", [31])
def test_an_address_of_long_ago_is_a_strangers(ada: User, days: int) -> None:
    SessionFactory(user=ada, ip=HOME, created_at=timezone.now() - timedelta(days=days))
    guess_from_everywhere()
    assert log_in(at=HOME).status_code == 429


def test_a_colleague_at_the_same_address_does_not_lock_the_owners_device_out(ada: User) -> None:
    laptop = APIClient()
    log_in(at=HOME, by=laptop)
    assert guess(4, at=HOME)[-1] == 429
    assert log_in(at=HOME, by=laptop).status_code == 200


def test_a_flood_from_the_office_does_not_lock_its_known_devices_out(ada: User, settings: Any) -> None:
    laptop = APIClient()
    log_in(at=HOME, by=laptop)
    settings.RATE_LOGIN_ADDRESS = (2, timedelta(hours=1))
    assert [log_in(f"{n}@example.com", "x", at=HOME).status_code for n in range(4)][-1] == 429
    assert log_in(at=HOME, by=laptop).status_code == 200


# --- And a device is no way around it ---


def test_a_stolen_device_has_a_few_guesses_too(ada: User) -> None:
    laptop = APIClient()
    log_in(at=HOME, by=laptop)
    tries = [log_in(password="a-guess", at=BOTNET.format(n), by=laptop).status_code for n in range(5)]
    assert tries == [401, 401, 401, 429, 429]


def test_a_device_is_known_to_the_account_it_has_logged_in_to_and_to_no_other(ada: User) -> None:
    person("eve@example.com")
    eves = APIClient()
    log_in("eve@example.com", at=CAFE, by=eves)
    guess_from_everywhere()
    assert log_in(at=CAFE, by=eves).status_code == 429


def test_a_made_up_device_is_not_known(ada: User) -> None:
    forged = APIClient()
    forged.cookies["aetherflow_device"] = "abc:1vPz:made-up"
    guess_from_everywhere()
    assert log_in(at=CAFE, by=forged).status_code == 429


def test_the_devices_cookie_is_kept_from_scripts_and_names_nobody(ada: User) -> None:
    cookie = log_in(at=HOME).cookies["aetherflow_device"]
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"]) == ("Strict", "/api/v1/auth")
    assert cookie["max-age"] == 180 * 24 * 3600
    assert "ada" not in cookie.value


def test_a_device_keeps_its_name(ada: User) -> None:
    laptop = APIClient()
    names = {log_in(at=HOME, by=laptop).cookies["aetherflow_device"].value.split(":")[0] for _ in range(2)}
    assert len(names) == 1


# --- Nobody learns which accounts there are ---


@pytest.fixture
def people(ada: User) -> None:
    person("gone@example.com", is_active=False)
    person("new@example.com", approval=Approval.PENDING)


REFUSED = [
    ("nobody@example.com", PASSWORD),
    ("ada@example.com", "a-guess"),
    ("new@example.com", "a-guess"),
    ("gone@example.com", "a-guess"),
    ("gone@example.com", PASSWORD),
]


@contextmanager
def work() -> Iterator[Callable[[], tuple[int, list[str]]]]:
    """The work that a request makes: how often a password is hashed, and the statements without their values."""
    with ExitStack() as stack:
        spies = []
        for name in ("encode", "decode"):
            original = getattr(Argon2PasswordHasher, name)
            spies.append(
                stack.enter_context(patch.object(Argon2PasswordHasher, name, autospec=True, side_effect=original))
            )
        verified = stack.enter_context(
            patch.object(Argon2PasswordHasher, "verify", autospec=True, side_effect=Argon2PasswordHasher.verify)
        )
        queries = stack.enter_context(CaptureQueriesContext(connection))
        yield lambda: (
            spies[0].call_count + verified.call_count,
            [query["sql"].split(" FROM ")[0].split(" ")[0] for query in queries],
        )


def test_whatever_the_refusal_the_answer_and_the_work_are_the_same(people: None, problem: Problem) -> None:
    answers, works = [], []
    for number, (email, password) in enumerate(REFUSED):
        with work() as done:
            answer = problem(log_in(email, password, at=BOTNET.format(number)), 401, "invalid-credentials")
        answer.pop("request_id")
        answers.append(answer)
        works.append(done())
    assert all(answer == answers[0] for answer in answers)
    assert works[0][0] == 1
    assert all(each == works[0] for each in works), works


def test_once_slowed_down_the_answer_and_the_work_are_the_same(people: None, problem: Problem) -> None:
    answers, works = [], []
    for email in ("nobody@example.com", "ada@example.com", "new@example.com", "gone@example.com"):
        guess(3, email, at=CAFE)
        with work() as done:
            answer = problem(log_in(email, at=CAFE), 429, "too-many-log-ins")
        answer.pop("request_id")
        answers.append({**answer, "hint": ""})
        works.append(done())
    assert all(answer == answers[0] for answer in answers)
    assert works[0][0] == 0
    assert all(each == works[0] for each in works), works


def test_a_taken_address_is_registered_for_approval_with_the_same_hashing(ada: User, settings: Any) -> None:
    settings.REGISTRATION_POLICY = "approval"
    hashed = []
    for email in ("ada@example.com", "free@example.com"):
        known = {"password": "seven-blue-teapots", "full_name": "A", "department": "sales"}
        with work() as done:
            assert APIClient().post(REGISTER, {"email": email, **known}).status_code == 201
        hashed.append(done()[0])
    assert hashed == [1, 1]


# --- It is told ---


def test_that_an_account_is_guessed_at_is_in_the_audit_and_the_log_once_a_day(ada: User) -> None:
    with capture_logs() as lines:
        guess(4, at=CAFE)
        guess(4, at=HOME)
    entry = AuditEntry.objects.get(action=AuditAction.GUESSING_SLOWED)
    assert (entry.actor, entry.target_id, entry.department) == (None, str(ada.pk), "sales")
    assert entry.address == CAFE
    assert str(entry) == "Somebody who is not logged in guessed at an account's password, and was slowed down"
    told = [line for line in lines if line["event"] == "log_in.slowed"]
    assert [line["user_id"] for line in told] == [str(ada.pk)]


def test_strangers_cannot_fill_the_audit_with_accounts_that_are_not_there() -> None:
    with capture_logs() as lines:
        guess(4, "nobody@example.com", at=CAFE)
    assert not AuditEntry.objects.exists()
    assert [line["user_id"] for line in lines if line["event"] == "log_in.slowed"] == [None]


def test_a_last_try_that_is_right_is_no_guessing(ada: User) -> None:
    guess(2, at=CAFE)
    assert log_in(at=CAFE).status_code == 200
    assert not AuditEntry.objects.filter(action=AuditAction.GUESSING_SLOWED).exists()
