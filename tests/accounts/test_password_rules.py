"""However a password is chosen, the same rules hold, and a refused one changes nothing."""

import os
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import services
from apps.accounts.choices import Role
from apps.accounts.models import User
from tests.accounts.factories import PASSWORD, AdminFactory, UserFactory, bearer
from tests.accounts.test_admin import add, step

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]
EMAIL = "ada.novak@example.com"
WEAK = [
    pytest.param("a-bit-few", "too short", id="short"),
    pytest.param("basketball", "too common", id="common"),
    pytest.param("5829104736", "entirely numeric", id="digits"),
    pytest.param("ada.novak@example", "too similar to the e-mail", id="the address"),
    pytest.param("Ada.Novak-1", "too similar to the full name", id="the name"),
]


def console() -> Client:
    client = Client()
    client.force_login(AdminFactory())
    return client


def refused(answer: Any) -> str:
    assert answer.status_code == 422, answer.content
    assert [each["code"] for each in answer.json()["errors"]] == ["weak-password"]
    detail: str = answer.json()["errors"][0]["detail"]
    return detail


def registering(password: str, **more: str) -> str:
    known = {"email": EMAIL, "full_name": "Ada Novak", "password": password, **more}
    said = refused(APIClient().post("/api/v1/auth/register", known))
    assert not User.objects.filter(email=EMAIL).exists()
    return said


def by_registration(password: str, settings: Any) -> str:
    settings.REGISTRATION_POLICY = "open"
    return registering(password, department="sales")


def by_registration_for_approval(password: str, settings: Any) -> str:
    settings.REGISTRATION_POLICY = "approval"
    return registering(password, department="sales")


def by_invitation(password: str, settings: Any) -> str:
    issued = services.invite(email=EMAIL, department="sales", role=Role.MEMBER, by=None, at=timezone.now())
    said = registering(password, invitation=issued.token)
    issued.invitation.refresh_from_db()
    assert issued.invitation.used_at is None
    return said


def by_a_change_of_ones_own(password: str, settings: Any) -> str:
    ada = UserFactory(email=EMAIL)
    asked = {"current_password": PASSWORD, "new_password": password}
    said = refused(APIClient().post("/api/v1/auth/password", asked, **bearer(ada)))
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    return said


def by_a_change_of_ones_own_in_the_console(password: str, settings: Any) -> str:
    ada, client = AdminFactory(email=EMAIL), Client()
    client.force_login(ada)
    asked = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    said = client.post(reverse("admin:password_change"), asked).content.decode()
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    return said


def by_an_admin_who_adds_an_account(password: str, settings: Any) -> str:
    said = add(console(), email=EMAIL, full_name="Ada Novak", password1=password, password2=password)
    assert not User.objects.filter(email=EMAIL).exists()
    return said


def by_an_admin_who_gives_another(password: str, settings: Any) -> str:
    ada = UserFactory(email=EMAIL)
    said = step(console(), ada, "password", password1=password, password2=password).said
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    return said


def by_command(password: str, settings: Any) -> str:
    with patch.dict(os.environ, NEW_PASSWORD=password), pytest.raises(CommandError) as refusal:
        call_command(
            "create_user",
            "--email",
            EMAIL,
            "--full-name",
            "Ada Novak",
            "--department",
            "sales",
            "--password-env",
            "NEW_PASSWORD",
        )
    assert not User.objects.filter(email=EMAIL).exists()
    return str(refusal.value)


WAYS = [
    by_registration,
    by_registration_for_approval,
    by_invitation,
    by_a_change_of_ones_own,
    by_a_change_of_ones_own_in_the_console,
    by_an_admin_who_adds_an_account,
    by_an_admin_who_gives_another,
    by_command,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("password", "says"), WEAK)
def test_a_weak_password_is_refused_and_told_why(
    settings: Any, way: Callable[[str, Any], str], password: str, says: str
) -> None:
    assert says in way(password, settings)
