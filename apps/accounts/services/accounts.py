"""Accounts: made, approved, moved, shut, given another password."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import structlog
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from aetherflow.errors import ConflictError
from aetherflow.registry import departments
from apps.accounts.choices import Approval, AuditAction, ConsoleRole, Role, SessionEnd
from apps.accounts.errors import FieldError
from apps.accounts.models import User, normalise_email
from apps.accounts.services.auditing import Scalar, account, record
from apps.accounts.services.limits import Limit
from apps.accounts.services.others import require_another
from apps.accounts.services.passwords import require_password
from apps.accounts.services.sessions import end_sessions

log = structlog.get_logger(__name__)

_CONSOLE = {"console_role", "is_staff", "is_superuser"}
_PASSWORD_CHANGES = Limit(
    rate="RATE_PASSWORD_USER",
    code="too-many-password-changes",
    message="There have been too many tries to change the password of this account.",
)
_ACCESS = {"department", "role", "is_active", *_CONSOLE}


class EmailTakenError(FieldError):
    def __init__(self) -> None:
        super().__init__(
            "There is an account of this e-mail address already.",
            field="email",
            code="email-taken",
            hint="Log in with it, or ask an admin for a new password.",
        )


def create_account(
    *,
    email: str,
    full_name: str,
    department: str,
    role: Role,
    console_role: ConsoleRole | None = None,
    password: str,
    by: User | None,
    at: datetime,
    reason: str = "",
) -> User:
    """An account that may log in at once; `by` is None where a policy or an operator's command lets it in. Without a
    `console_role` it has what comes with its role.

    FieldError where a value is refused: `invalid-email`, `email-taken`, `blank`, `unknown-department`,
    `weak-password`.
    """
    user = new_user(
        email=email,
        full_name=full_name,
        department=department,
        role=role,
        console_role=console_role,
        password=password,
        at=at,
    )
    user.approval, user.approved_at, user.approved_by = Approval.APPROVED, at, by
    with transaction.atomic():
        insert(user)
        details = roles_told(user.role, user.console_role)
        record(AuditAction.ACCOUNT_CREATED, account(user), by=by, at=at, reason=reason, details=details)
    log.info("account.created", user_id=str(user.pk), department=department, role=role, by=_id(by))
    return user


def approve(*, user: User, by: User, at: datetime, reason: str = "") -> None:
    """Let a registered user in. ConflictError `already-approved`."""
    waiting = User.objects.filter(pk=user.pk, approval=Approval.PENDING)
    with transaction.atomic():
        if not waiting.update(approval=Approval.APPROVED, approved_at=at, approved_by=by):
            raise ConflictError(f"{user} is approved already.", code="already-approved")
        user.refresh_from_db()
        record(AuditAction.ACCOUNT_APPROVED, account(user), by=by, at=at, reason=reason)
    log.info("account.approved", user_id=str(user.pk), by=_id(by))


def rename(*, user: User, email: str, full_name: str, by: User | None, at: datetime, reason: str = "") -> bool:
    """What the account is called and logs in with. False where there was nothing to change.

    FieldError `invalid-email`, `email-taken`, `blank`; ConflictError `changed-meanwhile` where somebody else was
    faster.
    """
    before = {"email": user.email, "full_name": user.full_name}
    after = {"email": require_email(email), "full_name": _require_name(full_name)}
    if before == after:
        return False
    with _refusing_taken_email(), transaction.atomic():
        if not User.objects.filter(pk=user.pk, **before).update(**after):
            raise _changed_meanwhile(user)
        user.refresh_from_db()
        changed = _changed(before, after)
        record(AuditAction.ACCOUNT_RENAMED, account(user), by=by, at=at, reason=reason, details=changed)
    log.info("account.renamed", user_id=str(user.pk), by=_id(by))
    return True


def set_access(
    *,
    user: User,
    department: str,
    role: Role,
    is_active: bool,
    console_role: ConsoleRole | None = None,
    by: User | None,
    at: datetime,
    reason: str = "",
) -> bool:
    """What the account may see and do. A change ends the user's sessions, unless all it does is to give more of the
    console. False where there was nothing to change.

    Without a `console_role` that stays as it is, or comes and goes with a changed `role`. Whoever is given a role is no
    superuser any more.

    FieldError `unknown-department`; ConflictError `own-account` where somebody would shut themselves out, `last-admin`
    where nobody would be left who administers the console, `changed-meanwhile` where somebody else was faster.
    """
    before = {name: getattr(user, name) for name in _ACCESS}
    given = role != user.role or console_role is not None
    console = _console_after(user, role=role, given=console_role)
    after = {"department": department, "role": role, "is_active": is_active, **console_access(console)}
    after["is_superuser"] = user.is_superuser and not given
    if before == after:
        return False
    if department != user.department or role != user.role:
        require_known_department(department, role=role)
    if by is not None and by.pk == user.pk and _takes_power(user, role=role, console=console, is_active=is_active):
        raise ConflictError("You would shut yourself out.", code="own-account", hint="Let another admin do this.")
    changed = {name for name in before if before[name] != after[name]}
    with transaction.atomic():
        if user.console_role == ConsoleRole.ADMIN and (_lowers(user, console) or not is_active):
            _require_another_admin(user)
        ours = User.objects.filter(pk=user.pk, **before)
        if not ours.update(**after):
            raise _changed_meanwhile(user)
        ends = changed - _CONSOLE or _lowers(user, console) or "is_superuser" in changed
        ended = end_sessions(user=user, reason=SessionEnd.ACCESS_CHANGE, by=by, at=at) if ends else 0
        user.refresh_from_db()
        # An entry each: who asks for all changes of a role must not read what else was changed with them.
        for names in ({"department"}, {"role"}, {"is_active"}, {"console_role", "is_superuser"}):
            if told := names & changed:
                details = _changed({name: before[name] for name in sorted(told)}, after) | {"sessions_ended": ended}
                record(_access_action(told, user), account(user), by=by, at=at, reason=reason, details=details)
    log.info("account.access_changed", user_id=str(user.pk), by=_id(by), before=before, after=after)
    return True


def set_department(*, user: User, department: str, by: User | None, at: datetime, reason: str = "") -> bool:
    return set_access(**_access(user) | {"department": department}, by=by, at=at, reason=reason)


def set_role(*, user: User, role: Role, department: str, by: User | None, at: datetime, reason: str = "") -> bool:
    """What the dashboard and the API show; a member is of a department."""
    return set_access(**_access(user) | {"role": role, "department": department}, by=by, at=at, reason=reason)


def set_console_role(*, user: User, console_role: ConsoleRole, by: User | None, at: datetime, reason: str = "") -> bool:
    return set_access(**_access(user), console_role=console_role, by=by, at=at, reason=reason)


def deactivate(*, user: User, by: User | None, at: datetime, reason: str = "") -> bool:
    """Shut the account; from the next request on it is refused."""
    return set_access(**_access(user) | {"is_active": False}, by=by, at=at, reason=reason)


def activate(*, user: User, by: User | None, at: datetime, reason: str = "") -> bool:
    """Open a shut account again: with what it could see and do before."""
    return set_access(**_access(user) | {"is_active": True}, by=by, at=at, reason=reason)


def change_password(*, user: User, current: str, new: str, at: datetime) -> None:
    """The user's own change; ends all of their sessions, this one too.

    FieldError `wrong-password` (current_password), `weak-password` (new_password); TooManyError
    `too-many-password-changes`.
    """
    require_password(user, current, field="current_password", limit=_PASSWORD_CHANGES, at=at)
    if current == new:
        raise FieldError(
            "The new password is the present one.",
            field="new_password",
            code="weak-password",
            hint="Choose another one.",
        )
    with transaction.atomic():
        ended = _store_password(user=user, password=new, field="new_password", at=at)
        record(AuditAction.PASSWORD_CHANGED, account(user), by=user, at=at, details={"sessions_ended": ended})
    log.info("account.password_changed", user_id=str(user.pk))


def reset_password(*, user: User, password: str, by: User | None, at: datetime, reason: str = "") -> None:
    """A password given by an operator; ends all of the user's sessions. FieldError `weak-password`; what
    `require_another` raises."""
    own_way = "Use “Change password” in the menu of your name, which asks for the present one."
    require_another(user, by=by, own_way=own_way, command="changepassword")
    with transaction.atomic():
        ended = _store_password(user=user, password=password, field="password", at=at)
        details = {"sessions_ended": ended}
        record(AuditAction.PASSWORD_RESET, account(user), by=by, at=at, reason=reason, details=details)
    log.info("account.password_reset", user_id=str(user.pk), by=_id(by))


def new_user(
    *,
    email: str,
    full_name: str,
    department: str,
    role: Role,
    console_role: ConsoleRole | None = None,
    password: str,
    at: datetime,
) -> User:
    """A checked, unsaved user who still waits for approval; the password is hashed already."""
    email, full_name = require_email(email), _require_name(full_name)
    require_known_department(department, role=role)
    user = User(
        email=email,
        full_name=full_name,
        department=department,
        role=role,
        created_at=at,
        **console_access(console_with(role) if console_role is None else console_role),
    )
    user.password = _hashed(password, user=user, field="password")
    return user


def insert(user: User) -> None:
    """Save a new user. EmailTakenError, as the database decides: a look before would race."""
    with _refusing_taken_email(), transaction.atomic():
        user.save(force_insert=True)


def require_email(text: str) -> str:
    """The address as it is stored. FieldError `invalid-email`."""
    email = normalise_email(text)
    try:
        validate_email(email)
    except ValidationError:
        raise FieldError(
            f"{text!r} is not an e-mail address.",
            field="email",
            code="invalid-email",
            hint="It looks like name@company.com.",
        ) from None
    return email


def require_known_department(slug: str, *, role: Role) -> None:
    """FieldError `unknown-department`; an admin may be without one."""
    known = departments()
    if slug in known or (role == Role.ADMIN and not slug):
        return
    names = ", ".join(known)
    raise FieldError(
        f"There is no department {slug!r}; the departments are: {names}.",
        field="department",
        code="unknown-department",
        hint=f"Use one of: {names}.",
        details={"departments": list(known)},
    )


def console_with(role: Role) -> ConsoleRole:
    """What of the console comes with a role of the API where nobody says otherwise."""
    return ConsoleRole.ADMIN if role == Role.ADMIN else ConsoleRole.NONE


def console_access(console_role: ConsoleRole) -> dict[str, Any]:
    return {"console_role": console_role, "is_staff": console_role != ConsoleRole.NONE}


def roles_told(role: str, console_role: str) -> dict[str, Scalar]:
    """What an audit entry says of the roles of a new account."""
    told: dict[str, Scalar] = {"role": role}
    return told | ({"console_role": console_role} if console_role else {})


@contextmanager
def _refusing_taken_email() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if "accounts_user_email" in str(error):
            raise EmailTakenError from error
        raise


def _changed_meanwhile(user: User) -> ConflictError:
    return ConflictError(
        f"{user} was changed by somebody else in the meantime.",
        code="changed-meanwhile",
        hint="Look at the account again, then decide.",
    )


def _require_name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise FieldError("The name is empty.", field="full_name", code="blank")
    return name


def _access(user: User) -> dict[str, Any]:
    """The arguments of `set_access` that would leave all as it is."""
    return {"user": user, "department": user.department, "role": Role(user.role), "is_active": user.is_active}


def _console_after(user: User, *, role: Role, given: ConsoleRole | None) -> ConsoleRole:
    if given is not None:
        return given
    return ConsoleRole(user.console_role) if role == user.role else console_with(role)


def _lowers(user: User, console: ConsoleRole) -> bool:
    return console.rank < ConsoleRole(user.console_role).rank


def _takes_power(user: User, *, role: Role, console: ConsoleRole, is_active: bool) -> bool:
    return not is_active or _lowers(user, console) or (user.role == Role.ADMIN and role != Role.ADMIN)


def _require_another_admin(user: User) -> None:
    """Nobody shuts themselves out, but of two admins who shut out each other at once both would be."""
    admins = User.objects.filter(console_role=ConsoleRole.ADMIN, is_active=True, approval=Approval.APPROVED)
    # Held, in one order: the second of the two finds here what the first has done.
    held = set(admins.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    if held == {user.pk}:
        raise ConflictError(
            "Nobody would be left who administers the console.",
            code="last-admin",
            hint="Give somebody else the admin role first.",
        )


def _access_action(names: set[str], user: User) -> AuditAction:
    if "is_active" in names:
        return AuditAction.ACCOUNT_ACTIVATED if user.is_active else AuditAction.ACCOUNT_DEACTIVATED
    if "department" in names:
        return AuditAction.ACCOUNT_MOVED
    return AuditAction.ROLE_CHANGED if "role" in names else AuditAction.CONSOLE_ROLE_CHANGED


def _changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Scalar]:
    """What an audit entry says of a change: `email` and `email_before`."""
    pairs = ((name, before[name], after[name]) for name in before if before[name] != after[name])
    return {key: value for name, was, now in pairs for key, value in ((f"{name}_before", was), (name, now))}


def _store_password(*, user: User, password: str, field: str, at: datetime) -> int:
    """Returns how many sessions it has ended."""
    hashed = _hashed(password, user=user, field=field)
    with transaction.atomic():
        # Of two changes at once the slower must not undo the faster, whose user was told it holds.
        if not User.objects.filter(pk=user.pk, password=user.password).update(password=hashed):
            raise ConflictError(
                "The password was changed in the meantime.",
                code="changed-meanwhile",
                hint="Log in with the new password.",
            )
        ended = end_sessions(user=user, reason=SessionEnd.PASSWORD_CHANGE, at=at)
    user.password = hashed
    return ended


def _hashed(password: str, *, user: User, field: str) -> str:
    try:
        validate_password(password, user=user)
    except ValidationError as error:
        raise FieldError(
            " ".join(error.messages),
            field=field,
            code="weak-password",
            hint="A longer sentence of your own is easy to keep and hard to guess.",
        ) from None
    return make_password(password)


def _id(user: User | None) -> str | None:
    return str(user.pk) if user else None
