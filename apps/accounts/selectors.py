"""What a user may see: departments, by the one rule that every other app's `*_for(user)` stands on, and sessions."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import get_default_password_validators
from django.db.models import F, ForeignObjectRel, Model, Q, QuerySet
from django_otp.plugins.otp_totp.models import TOTPDevice

from aetherflow.errors import ForbiddenError, NotFoundError
from aetherflow.registry import departments
from apps.accounts.choices import Role
from apps.accounts.models import ConsoleSession, Session, User


def departments_of(user: User) -> tuple[str, ...]:
    """The slugs of the departments this user sees: all for an admin, their own for a member."""
    if user.role == Role.ADMIN:
        return tuple(departments())
    return (user.department,)


def require_department(user: User, slug: str) -> None:
    """Refuse a department that is not the user's.

    ForbiddenError `foreign-department` for a member, also where there is no such department: which others
    exist is not a member's business. NotFoundError `unknown-department` for an admin.
    """
    if slug in departments_of(user):
        return
    if user.role == Role.ADMIN:
        known = ", ".join(departments())
        raise NotFoundError(
            f"There is no department {slug!r}.",
            code="unknown-department",
            hint=f"The departments are: {known}.",
        )
    raise ForbiddenError(
        f"Your account belongs to the department {user.department!r}; {slug!r} is not open to it.",
        code="foreign-department",
        hint="Choose your own department, or ask an admin to move your account.",
    )


def require_admin(user: User, *, what: str) -> None:
    """ForbiddenError `admins-only` for a member; `what` is the sentence's subject."""
    if user.role != Role.ADMIN:
        raise ForbiddenError(
            f"{what} is open to admins only.",
            code="admins-only",
            hint="Ask an admin of the platform to look.",
        )


def sessions_for(user: User, *, at: datetime) -> QuerySet[Session]:
    """The user's own sessions that run, the last used first. Nobody sees another's here, an admin neither."""
    return Session.objects.filter(user=user, ended_at=None, expires_at__gt=at).order_by("-last_used_at", "pk")


def session_for(user: User, session_id: UUID, *, at: datetime) -> Session:
    """NotFoundError for another's or an ended one just as for one that never was."""
    found = sessions_for(user, at=at).filter(pk=session_id).first()
    if found is None:
        raise NotFoundError(
            "There is no such session.", hint="It may have ended already: look at the list of sessions again."
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Running:
    """How many sessions run: of the dashboard and other clients of the API, of the console."""

    api: int
    console: int


def running_sessions(users: Collection[User], *, at: datetime) -> Running:
    return Running(
        api=Session.objects.filter(user__in=users, ended_at=None, expires_at__gt=at).count(),
        console=ConsoleSession.objects.filter(user__in=users, expire_date__gt=at).count(),
    )


def second_factor_of(user: User) -> TOTPDevice | None:
    """The app whose codes the console asks this account for."""
    found: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return found


def asks_second_factor(user: User) -> bool:
    """Whether the password alone does not let them in."""
    return settings.CONSOLE_TOTP != "off" and user.is_staff and second_factor_of(user) is not None


def bound_to_department(users: Collection[User]) -> Counter[str]:
    """What bears the names of these accounts and is of the department they are in, whichever app keeps it: by what it
    is called (`datasets`), how many. It stays with the department when they go."""
    found: Counter[str] = Counter()
    for model, names in _naming_accounts().items():
        theirs = (Q(**{f"{name}__in": users, "department": F(f"{name}__department")}) for name in names)
        count = model._default_manager.filter(reduce(or_, theirs)).count()
        found[str(model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural)] = count
    return +found


def _naming_accounts() -> dict[type[Model], list[str]]:
    """Models of the apps above that have a department → their fields that name an account."""
    naming: dict[type[Model], list[str]] = {}
    for relation in User._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and relation.one_to_many:
            model = relation.related_model
            if _has_department(model) and model._meta.app_label != "accounts":
                naming.setdefault(model, []).append(relation.field.name)
    return naming


def _has_department(model: type[Model]) -> bool:
    return any(field.name == "department" for field in model._meta.get_fields())


@dataclass(frozen=True, kw_only=True)
class PasswordRule:
    """One thing a new password must fulfil. `code` is stable; `text` says it to a person."""

    code: str
    text: str
    least_characters: int | None


def password_rules() -> list[PasswordRule]:
    """The rules of the settings, named after their validators: `minimum-length`, `common-password` …"""
    return [
        PasswordRule(
            code=re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(rule).__name__.removesuffix("Validator")).lower(),
            text=rule.get_help_text(),
            least_characters=getattr(rule, "min_length", None),
        )
        for rule in get_default_password_validators()
    ]
