"""Registration by policy, and the invitations of the policy `invite`."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog
from django.conf import settings
from django.db import transaction

from aetherflow.errors import ConflictError, ForbiddenError
from apps.accounts.choices import Approval, AuditAction, ConsoleRole, Role
from apps.accounts.errors import FieldError
from apps.accounts.models import Invitation, User
from apps.accounts.services.accounts import (
    EmailTakenError,
    console_with,
    insert,
    new_user,
    require_email,
    require_known_department,
    roles_told,
)
from apps.accounts.services.auditing import Target, account, record
from apps.accounts.services.limits import Limit, place_of, take

log = structlog.get_logger(__name__)


_REGISTRATIONS = Limit(
    rate="RATE_REGISTER_ADDRESS",
    code="too-many-registrations",
    message="There have been too many registrations from your network.",
)


class Policy(StrEnum):
    """Who may make an account: anybody, whom an admin approves, whom an admin has invited."""

    OPEN = "open"
    APPROVAL = "approval"
    INVITE = "invite"


@dataclass(frozen=True, kw_only=True)
class Issued:
    """An invitation and its token, which is nowhere to be read again."""

    invitation: Invitation
    token: str


def register(
    *,
    policy: Policy,
    email: str,
    password: str,
    full_name: str,
    department: str,
    invitation: str = "",
    address: str | None = None,
    at: datetime,
) -> User:
    """A new user.

    `open` lets them in at once, `approval` when an admin has approved, `invite` only with an invitation; a
    good invitation lets in at once under every policy and decides department and role.

    Whether an address has an account is not told where strangers register for somebody's approval: a taken
    address gets the same answer, an (unsaved) user who waits, and the account there is stays as it is. Under
    `open` (one machine, a trusted network) and to the holder of an invitation the plain `email-taken` is
    worth more. What remains: who then logs in with the password just chosen learns from `approval-pending`
    that the address was free, at the price of a registration that the admins see.

    FieldError for a refused value, ForbiddenError `invitation-required`, TooManyError `too-many-registrations` where
    too many came from the `address`, good ones or not.
    """
    take(_REGISTRATIONS, place_of(address), at=at)
    if invitation:
        return _accept(
            token=invitation,
            email=email,
            password=password,
            full_name=full_name,
            department=department,
            at=at,
        )
    if policy == Policy.INVITE:
        raise ForbiddenError(
            "One joins this platform by invitation.",
            code="invitation-required",
            hint="Ask an admin for an invitation and open its link.",
        )
    user = new_user(email=email, full_name=full_name, department=department, role=Role.MEMBER, password=password, at=at)
    if policy == Policy.OPEN:
        user.approval, user.approved_at = Approval.APPROVED, at
    try:
        with transaction.atomic():
            insert(user)
            record(AuditAction.REGISTERED, account(user), by=user, at=at, details={"policy": policy})
    except EmailTakenError:
        if policy == Policy.OPEN:
            raise
        log.info("account.registered_again")
        return user
    log.info("account.registered", user_id=str(user.pk), department=department, policy=policy.value)
    return user


def invite(
    *,
    email: str,
    department: str,
    role: Role,
    console_role: ConsoleRole | None = None,
    by: User | None,
    at: datetime,
    reason: str = "",
) -> Issued:
    """A token for one registration within INVITATION_LIFETIME; `email` empty: for whoever holds it.

    Without a `console_role` it brings what comes with its role. A second invitation of an address replaces its open
    one, whose token is then void.
    FieldError `invalid-email`, `email-taken`, `unknown-department`.
    """
    email = require_email(email) if email else ""
    require_known_department(department, role=role)
    if email and User.objects.filter(email=email).exists():
        raise EmailTakenError
    token = secrets.token_urlsafe(32)
    values = {
        "department": department,
        "role": role,
        "console_role": console_with(role) if console_role is None else console_role,
        "token_sha256": _digest(token),
        "invited_by": by,
        "created_at": at,
        "expires_at": at + settings.INVITATION_LIFETIME,
    }
    with transaction.atomic():
        if email:
            made, _ = Invitation.objects.update_or_create(email=email, used_at=None, defaults=values)
        else:
            made = Invitation.objects.create(**values)
        details = roles_told(made.role, made.console_role)
        record(AuditAction.INVITED, _target(made), by=by, at=at, reason=reason, details=details)
    log.info("account.invited", invitation_id=str(made.pk), department=department, role=role)
    return Issued(invitation=made, token=token)


def withdraw(*, invitation: Invitation, by: User | None, at: datetime, reason: str = "") -> None:
    """Its token opens nothing from now on. ConflictError `invitation-spent` where it was used or withdrawn."""
    with transaction.atomic():
        if not Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=at):
            raise ConflictError("It was used or withdrawn before.", code="invitation-spent")
        record(AuditAction.INVITATION_WITHDRAWN, _target(invitation), by=by, at=at, reason=reason)
    log.info("account.invitation_withdrawn", invitation_id=str(invitation.pk))


def is_backed(invitation: Invitation) -> bool:
    """Whether who made it could make it still, or a command did: an admin who is shut out must not come back by their
    own invitation."""
    by = invitation.invited_by
    return by is None or (by.may_enter and by.console_role == ConsoleRole.ADMIN)


def _accept(*, token: str, email: str, password: str, full_name: str, department: str, at: datetime) -> User:
    found = Invitation.objects.filter(token_sha256=_digest(token), used_at=None, expires_at__gt=at)
    invitation = found.select_related("invited_by").first()
    if invitation is None or not is_backed(invitation) or invitation.email not in {"", require_email(email)}:
        raise _void()
    if department not in {"", invitation.department}:
        raise FieldError(
            f"The invitation is for the department {invitation.department!r}.",
            field="department",
            code="not-invited",
            hint="Leave the department out, or ask for another invitation.",
        )
    user = new_user(
        email=email,
        full_name=full_name,
        department=invitation.department,
        role=Role(invitation.role),
        console_role=ConsoleRole(invitation.console_role),
        password=password,
        at=at,
    )
    user.approval, user.approved_at, user.approved_by = Approval.APPROVED, at, invitation.invited_by
    with transaction.atomic():
        # Spent first: of two who hold the token one waits here, and then finds it used.
        if not found.update(used_at=at):
            raise _void()
        insert(user)
        Invitation.objects.filter(pk=invitation.pk).update(used_by=user)
        details = {"policy": "invitation", "invitation": str(invitation.pk)} | roles_told(user.role, user.console_role)
        record(AuditAction.REGISTERED, account(user), by=user, at=at, details=details)
    log.info("account.registered", user_id=str(user.pk), department=user.department, policy="invitation")
    return user


def _target(invitation: Invitation) -> Target:
    name = invitation.email or "whoever holds it"
    return Target(type="invitation", id=str(invitation.pk), name=name, department=invitation.department)


def _void() -> FieldError:
    return FieldError(
        "The invitation is not valid for this address: it was used, replaced, or has run out.",
        field="invitation",
        code="invitation-invalid",
        hint="Ask for a new invitation.",
    )


def _digest(token: str) -> str:
    """Plain SHA-256 will do: the token is 256 random bits, there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()
