"""Accounts for tests. `PASSWORD` is everybody's; it is hashed once, Argon2 being slow on purpose."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from apps.accounts.choices import Approval, ConsoleRole, Role
from apps.accounts.models import Session, User
from apps.accounts.roles import group_of
from apps.accounts.tokens import mint_access

PASSWORD = "nine-green-bottles"
LONG_AGO = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@cache
def hashed_password() -> str:
    return make_password(PASSWORD)


class UserFactory(factory.django.DjangoModelFactory):
    """An approved member of sales."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    full_name = "Ada Novak"
    department = "sales"
    role = Role.MEMBER
    password = factory.LazyFunction(hashed_password)
    approval = Approval.APPROVED
    approved_at = factory.LazyAttribute(lambda o: LONG_AGO if o.approval == Approval.APPROVED else None)
    created_at = LONG_AGO


class AdminFactory(UserFactory):
    """Of all departments, and a superuser, for whom nothing of the console is shut."""

    department = ""
    role = Role.ADMIN
    console_role = ConsoleRole.ADMIN
    is_staff = True
    is_superuser = True


class OperatorFactory(UserFactory):
    """Who works with the console; of sales, as somebody has to be of some department, and an operator."""

    console_role = ConsoleRole.OPERATOR
    is_staff = True


def operator_with(*permissions: str) -> User:
    """Somebody who may just these in the console, given as `app.codename`: for tests of a single permission. They are
    given by hand; the role of a viewer is emptied for it."""
    Group.objects.get(name=group_of(ConsoleRole.VIEWER)).permissions.clear()
    operator: User = OperatorFactory(console_role=ConsoleRole.VIEWER)
    named = (permission.split(".") for permission in permissions)
    operator.user_permissions.set(
        Permission.objects.get(content_type__app_label=app, codename=codename) for app, codename in named
    )
    return operator


class SessionFactory(factory.django.DjangoModelFactory):
    """A session that has just been opened."""

    class Meta:
        model = Session

    user = factory.SubFactory(UserFactory)
    created_at = factory.LazyFunction(timezone.now)
    last_used_at = factory.SelfAttribute("created_at")
    expires_at = factory.LazyAttribute(lambda o: o.created_at + timedelta(days=14))


def bearer(user: User) -> dict[str, Any]:
    """Keyword arguments for the test client that make a request this user's, by a real session and token."""
    session = SessionFactory(user=user)
    token = mint_access(user=user, session=session, at=timezone.now())
    return {"headers": {"Authorization": f"Bearer {token}"}}
