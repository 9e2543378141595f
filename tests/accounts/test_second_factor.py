"""The second factor of the console: nobody is logged in before the code, and each code is good once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts import services
from apps.accounts.choices import AuditAction, ConsoleRole
from apps.accounts.models import AuditEntry, ConsoleSession, RecoveryCode, User
from apps.accounts.services.second_factor import enrol
from tests.accounts.factories import PASSWORD, OperatorFactory
from tests.accounts.second_factor import CODE, JOBS, LOGIN, enrolled, give, is_in, password, told
from tests.support.phone import Phone

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("plain_static_files", "quick_passwords", "no_wait"),
]


@pytest.fixture
def operator() -> User:
    made: User = OperatorFactory(email="ada@example.com")
    return made


# --- At the door ---


def test_the_password_alone_opens_nothing(operator: User, phone: Phone) -> None:
    client = Client()
    answer = password(client, operator)
    assert (answer.status_code, answer["Location"]) == (302, CODE)
    assert not is_in(client)
    assert "_auth_user_id" not in client.session
    assert not AuditEntry.objects.filter(action=AuditAction.CONSOLE_ENTERED).exists()
    assert ConsoleSession.objects.filter(user=operator).count() == 0
    assert "no-store" in client.get(CODE)["Cache-Control"]


def test_the_code_opens_it_and_leads_to_where_one_wanted(operator: User, phone: Phone) -> None:
    client = Client()
    password(client, operator)
    before = client.session.session_key
    answer = give(client, phone.code())
    assert (answer.status_code, answer["Location"]) == (302, JOBS)
    assert is_in(client)
    assert client.session.session_key != before
    assert told(AuditAction.CONSOLE_ENTERED).actor_id == operator.pk
    assert client.get(LOGIN).status_code == 302
    # As long as any other log-in: the five minutes were those of the code.
    assert ConsoleSession.objects.get(user=operator).expire_date > timezone.now() + timedelta(hours=11)


def test_it_leads_to_no_other_site(operator: User, phone: Phone) -> None:
    client = Client()
    password(client, operator, then="https://example.org/")
    assert give(client, phone.code())["Location"] == "/admin/"


def test_a_code_is_good_once(operator: User, phone: Phone) -> None:
    code = phone.code()
    first, second = Client(), Client()
    password(first, operator)
    assert give(first, code).status_code == 302
    password(second, operator)
    answer = give(second, code)
    assert answer.status_code == 200
    assert "was used already" in answer.content.decode()
    assert not is_in(second)


def test_whoever_has_none_is_not_asked(operator: User) -> None:
    client = Client()
    assert password(client, operator)["Location"] == JOBS
    assert is_in(client)


def test_the_page_of_the_code_leads_to_the_log_in_without_a_password() -> None:
    assert Client().get(CODE)["Location"] == LOGIN
    assert give(Client(), "123456")["Location"] == LOGIN


def expired(user: User, client: Client) -> None:
    session = client.session
    session["second_factor_pending"] = session["second_factor_pending"] | {
        "at": (timezone.now() - timedelta(minutes=5, seconds=1)).timestamp()
    }
    session.save()


def other_password(user: User, client: Client) -> None:
    services.reset_password(user=user, password="another-long-sentence", by=None, at=timezone.now())


def deactivated(user: User, client: Client) -> None:
    services.deactivate(user=user, by=None, at=timezone.now())


def no_role(user: User, client: Client) -> None:
    services.set_console_role(user=user, console_role=ConsoleRole.NONE, by=None, at=timezone.now())


@pytest.mark.parametrize("happens", [expired, other_password, deactivated, no_role])
def test_a_log_in_that_waits_for_its_code_is_void(
    operator: User, phone: Phone, happens: Callable[[User, Client], None]
) -> None:
    client = Client()
    password(client, operator)
    happens(operator, client)
    answer = client.post(CODE, {"code": phone.code()}, follow=True)
    assert answer.redirect_chain == [(LOGIN, 302)]
    assert "This log-in is void" in answer.content.decode()
    assert not is_in(client)


def test_a_code_of_another_account_is_no_good(operator: User, phone: Phone) -> None:
    other: User = OperatorFactory()
    at, theirs = timezone.now(), Phone("32" * 20)
    enrol(user=other, key="32" * 20, password=PASSWORD, code=theirs.code(), besides=None, at=at)
    client = Client()
    password(client, operator)
    assert give(client, theirs.code()).status_code == 200
    assert not is_in(client)


def test_a_form_of_another_site_gives_no_code(operator: User, phone: Phone) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(LOGIN)
    token = client.cookies["csrftoken"].value
    client.post(LOGIN, {"username": operator.email, "password": PASSWORD, "csrfmiddlewaretoken": token})
    assert give(client, phone.code()).status_code == 403


# --- Guessing ---


def test_a_wrong_code_makes_the_next_wait_from_wherever_it_comes(operator: User, phone: Phone, settings: Any) -> None:
    settings.OTP_TOTP_THROTTLE_FACTOR = 30
    here, there = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")
    password(here, operator)
    assert give(here, phone.wrong()).status_code == 200
    password(there, operator)
    answer = give(there, phone.code())
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 30
    assert re.search(r"Try again in \d+ seconds, or use a recovery code", answer.content.decode())
    assert not is_in(there)


def test_a_recovery_code_waits_for_nobody_elses_guesses(operator: User, settings: Any) -> None:
    phone, codes = enrolled(operator)
    settings.OTP_TOTP_THROTTLE_FACTOR = 3600
    guesses, owner = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")
    password(guesses, operator)
    give(guesses, phone.wrong())
    password(owner, operator)
    assert give(owner, codes[0]).status_code == 302
    assert TOTPDevice.objects.get().throttling_failure_count == 0


def test_the_fifth_wrong_code_shuts_the_door_for_that_address_alone(operator: User, phone: Phone) -> None:
    here, there = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")
    password(here, operator)
    answers = [give(here, phone.wrong()) for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 200, 429]
    assert answers[-1]["Retry-After"] == "900"
    assert "Too many wrong codes" in answers[-1].content.decode()
    assert password(here, operator).status_code == 429, "the right password neither"
    assert told(AuditAction.CONSOLE_LOCKED).target_id == str(operator.pk)
    password(there, operator)
    assert give(there, phone.code()).status_code == 302


def test_the_password_between_two_codes_forgets_no_wrong_one(operator: User, phone: Phone) -> None:
    for _ in range(4):
        client = Client()
        password(client, operator)
        give(client, phone.wrong())
    client, waiting = Client(), Client()
    password(waiting, operator)
    password(client, operator)
    assert give(client, phone.wrong()).status_code == 429
    assert give(waiting, phone.code()).status_code == 429, "nor one that waits already"


def test_a_right_code_forgets_the_wrong_ones(operator: User, phone: Phone) -> None:
    client = Client()
    password(client, operator)
    give(client, phone.wrong())
    give(client, phone.code())
    assert not AccessAttempt.objects.exists()


def test_nothing_that_was_typed_is_kept(operator: User, phone: Phone) -> None:
    client = Client()
    password(client, operator)
    give(client, "a-code-that-is-mistyped")
    assert "mistyped" not in str(AccessAttempt.objects.values().get())


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "+12345", "1_2345", "abcdef", "x" * 41])
def test_what_is_no_code_is_refused(operator: User, phone: Phone, code: str) -> None:
    client = Client()
    password(client, operator)
    assert give(client, code).status_code == 200
    assert not is_in(client)


# --- Recovery codes ---


def test_a_recovery_code_opens_it_once_however_it_is_typed(operator: User) -> None:
    _, codes = enrolled(operator)
    typed = codes[3].upper().replace("-", " ")
    first, second = Client(), Client()
    password(first, operator)
    assert give(first, f" {typed} ").status_code == 302
    assert is_in(first)
    password(second, operator)
    assert give(second, codes[3]).status_code == 200
    assert told(AuditAction.RECOVERY_CODE_USED).details == {"left": 9}


def test_neither_they_nor_new_ones_are_kept_in_clear(operator: User) -> None:
    phone, codes = enrolled(operator)
    assert len(set(codes)) == 10
    new = services.renew_recovery_codes(user=operator, password=PASSWORD, code=phone.code(), at=timezone.now())
    kept = str([*RecoveryCode.objects.values()])
    assert RecoveryCode.objects.count() == 10
    assert not [code for code in (*codes, *new) if code in kept or code.replace("-", "") in kept]
    client = Client()
    password(client, operator)
    assert give(client, codes[0]).status_code == 200, "the old ones are void"
    assert give(client, new[0]).status_code == 302
