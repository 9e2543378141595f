"""Guessing passwords at the console's door: kept out by address and e-mail together, so nobody locks others out."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.accounts.models import AuditEntry, User
from tests.accounts.factories import PASSWORD, AdminFactory
from tests.support.roles import as_owner
from tests.test_console_matrix import Who, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def admin() -> User:
    user: User = AdminFactory(email="ada@example.com")
    return user


def attempt(password: str, *, email: str = "ada@example.com", address: str = HERE, agent: str = "Firefox") -> Any:
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": agent})
    return client.post(reverse("admin:login"), {"username": email, "password": password})


def guess(**who: str) -> list[int]:
    return [attempt(f"guess {n}", **who).status_code for n in range(5)]


def is_in(answer: HttpResponse) -> bool:
    return answer.status_code == 302


def test_the_fifth_wrong_password_shuts_the_door_for_that_address_and_says_until_when(admin: User) -> None:
    assert guess() == [200, 200, 200, 200, 429]
    answer = attempt(PASSWORD)
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert "Try again in 15 min" in answer.content.decode()


def test_whoever_guesses_locks_nobody_else_out(admin: User) -> None:
    guess(address=THERE)
    assert is_in(attempt(PASSWORD, address=HERE))
    AdminFactory(email="bo@example.com")
    assert is_in(attempt(PASSWORD, email="bo@example.com", address=THERE))


def test_neither_another_browser_nor_another_spelling_opens_it(admin: User) -> None:
    guess()
    assert attempt(PASSWORD, agent="curl", email=" Ada@Example.com").status_code == 429


def test_proxies_of_ours_tell_the_address_and_others_do_not(admin: User, settings: Any) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    login, given = reverse("admin:login"), {"username": "ada@example.com"}
    for n in range(5):
        forged = {"X-Forwarded-For": f"198.51.100.{n}, {THERE}"}
        Client(REMOTE_ADDR=HERE).post(login, given | {"password": "guess"}, headers=forged)
    assert {each.ip_address for each in AccessAttempt.objects.all()} == {THERE}


def test_no_account_is_told_from_one(admin: User) -> None:
    assert guess(email="nobody@example.com") == guess()
    there, none = attempt(PASSWORD).content.decode(), attempt(PASSWORD, email="nobody@example.com").content.decode()
    assert "Too many wrong passwords" in there
    assert "Too many wrong passwords" in none


def test_it_is_kept_in_the_audit_once_and_only_of_accounts(admin: User) -> None:
    guess(email="my-password-in-the-wrong-field")
    guess()
    attempt("once more")
    entry = AuditEntry.objects.get(action="console-locked")
    assert (entry.target_id, entry.address) == (str(admin.pk), HERE)


def test_a_right_password_forgets_the_wrong_ones(admin: User) -> None:
    for _ in range(2):
        assert [attempt("guess").status_code for _ in range(4)] == [200] * 4
        assert is_in(attempt(PASSWORD))
    assert not AccessAttempt.objects.exists()


def test_an_operator_lets_somebody_in_sooner(admin: User) -> None:
    guess()
    call_command("axes_reset_ip_username", HERE, "ada@example.com", verbosity=0)
    assert is_in(attempt(PASSWORD))


def test_no_password_is_kept(admin: User) -> None:
    attempt("my-own-but-for-a-letter")
    kept = AccessAttempt.objects.get()
    assert "letter" not in f"{kept.post_data} {kept.get_data} {kept.path_info}"
    assert "csrfmiddlewaretoken=*" in kept.post_data or "csrf" not in kept.post_data


def test_without_its_tables_the_door_opens_and_closes_as_before(admin: User) -> None:
    with as_owner() as cursor:
        cursor.execute("ALTER TABLE axes_accessattempt RENAME TO away")
    assert guess() == [200] * 5
    assert is_in(attempt(PASSWORD))


@pytest.mark.parametrize("who", [Who.MEMBER, Who.SUPERUSER])
def test_its_tables_are_shown_to_nobody(who: Who) -> None:
    client, user = Client(), person(who)
    assert user
    client.force_login(user)
    assert client.get(reverse("admin:index") + "axes/accessattempt/").status_code in {302, 404}
