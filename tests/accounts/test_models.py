"""What must be true of accounts is held by the database, whoever writes."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.choices import Approval, Role
from apps.accounts.models import Invitation, Session, User
from tests.accounts.factories import LONG_AGO, AdminFactory, SessionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"email": "Ada@Example.com"}, "user_email_lower_case"),
        ({"department": ""}, "user_member_has_department"),
        ({"role": "owner"}, "user_role_known"),
        ({"console_role": "owner", "is_staff": True}, "user_console_role_known"),
        ({"is_staff": True}, "user_staff_iff_console_role"),
        ({"console_role": "viewer"}, "user_staff_iff_console_role"),
        ({"is_superuser": True}, "user_superuser_is_console_admin"),
        ({"is_superuser": True, "console_role": "operator", "is_staff": True}, "user_superuser_is_console_admin"),
        ({"approval": Approval.PENDING}, "user_approved_at_iff_approved"),
        ({"approved_at": None}, "user_approved_at_iff_approved"),
    ],
)
def test_the_database_refuses_an_impossible_user(values: dict[str, Any], constraint: str) -> None:
    user = UserFactory()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        User.objects.filter(pk=user.pk).update(**values)


def test_one_account_an_address_whatever_the_case() -> None:
    UserFactory(email="ada@example.com")
    with pytest.raises(IntegrityError, match="accounts_user_email"), transaction.atomic():
        UserFactory(email="ada@example.com")
    with pytest.raises(IntegrityError, match="user_email_lower_case"), transaction.atomic():
        UserFactory(email="ADA@example.com")


def test_an_admin_needs_no_department() -> None:
    assert AdminFactory(department="").department == ""


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"ended_at": LONG_AGO}, "session_ended_at_iff_ended"),
        ({"ended_reason": "logout"}, "session_ended_at_iff_ended"),
        ({"ended_at": LONG_AGO, "ended_reason": "tired"}, "session_ended_at_iff_ended"),
        ({"previous_jti": uuid4()}, "session_rotated_at_iff_rotated"),
        ({"rotated_at": LONG_AGO}, "session_rotated_at_iff_rotated"),
        ({"expires_at": LONG_AGO - timedelta(days=1)}, "session_expires_later"),
    ],
)
def test_the_database_refuses_an_impossible_session(values: dict[str, Any], constraint: str) -> None:
    session = SessionFactory(created_at=LONG_AGO)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Session.objects.filter(pk=session.pk).update(**values)


def test_an_address_has_one_open_invitation() -> None:
    def invitation(**values: Any) -> Invitation:
        fields = {"email": "new@example.com", "department": "sales", "role": Role.MEMBER} | values
        return Invitation.objects.create(
            **fields,
            token_sha256=uuid4().hex,
            created_at=LONG_AGO,
            expires_at=LONG_AGO + timedelta(days=7),
        )

    invitation(used_at=LONG_AGO)
    invitation()
    with pytest.raises(IntegrityError, match="invitation_one_open_per_email"), transaction.atomic():
        invitation()
    with pytest.raises(IntegrityError, match="invitation_member_has_department"), transaction.atomic():
        invitation(email="", department="")


def test_djangos_own_superuser_command_makes_an_admin() -> None:
    user = User.objects.create_superuser("Root@Example.com", "nine-green-bottles", full_name="Root")
    assert (user.email, user.role, user.is_staff, user.may_enter) == ("root@example.com", "admin", True, True)
    assert User.objects.get_by_natural_key("ROOT@example.com") == user
