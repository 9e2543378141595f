"""Accounts: made, approved, moved, shut, given another password."""

from datetime import datetime

import structlog
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from aetherflow.errors import ConflictError
from aetherflow.registry import departments
from apps.accounts.errors import FieldError
from apps.accounts.models import Approval, Role, SessionEnd, User, normalise_email
from apps.accounts.services.sessions import end_sessions

log = structlog.get_logger(__name__)


class EmailTakenError(FieldError):
    def __init__(self) -> None:
        super().__init__(
            "There is an account of this e-mail address already.",
            field="email",
            code="email-taken",
            hint="Log in with it, or ask an admin for a new password.",
        )


def create_account(
    *, email: str, full_name: str, department: str, role: Role, password: str, by: User | None, at: datetime
) -> User:
    """An account that may log in at once; `by` is None where a policy or an operator's command lets it in.

    FieldError where a value is refused: `invalid-email`, `email-taken`, `blank`, `unknown-department`,
    `weak-password`.
    """
    user = new_user(email=email, full_name=full_name, department=department, role=role, password=password, at=at)
    user.approval, user.approved_at, user.approved_by = Approval.APPROVED, at, by
    insert(user)
    log.info("account.created", user_id=str(user.pk), department=department, role=role, by=_id(by))
    return user


def approve(*, user: User, by: User, at: datetime) -> None:
    """Let a registered user in. ConflictError `already-approved`."""
    waiting = User.objects.filter(pk=user.pk, approval=Approval.PENDING)
    if not waiting.update(approval=Approval.APPROVED, approved_at=at, approved_by=by):
        raise ConflictError(f"{user} is approved already.", code="already-approved")
    user.refresh_from_db()
    log.info("account.approved", user_id=str(user.pk), by=_id(by))


def set_access(*, user: User, department: str, role: Role, is_active: bool, by: User | None, at: datetime) -> bool:
    """What the account may see; a change ends the user's sessions. False where there was nothing to change.

    FieldError `unknown-department`; ConflictError `own-account` where an admin would lock themselves out,
    `changed-meanwhile` where somebody else was faster.
    """
    before = {"department": user.department, "role": user.role, "is_active": user.is_active}
    after = {"department": department, "role": role, "is_active": is_active}
    if before == after:
        return False
    if department != user.department or role != user.role:
        require_known_department(department, role=role)
    if by is not None and by.pk == user.pk and not (is_active and role == Role.ADMIN):
        raise ConflictError("You would shut yourself out.", code="own-account", hint="Let another admin do this.")
    with transaction.atomic():
        ours = User.objects.filter(pk=user.pk, **before)
        if not ours.update(**after, **console_access(role)):
            raise ConflictError(
                f"{user} was changed by somebody else in the meantime.",
                code="changed-meanwhile",
                hint="Look at the account again, then decide.",
            )
        end_sessions(user=user, reason=SessionEnd.ACCESS_CHANGE, by=by, at=at)
    user.refresh_from_db()
    log.info("account.access_changed", user_id=str(user.pk), by=_id(by), before=before, after=after)
    return True


def set_department(*, user: User, department: str, by: User | None, at: datetime) -> bool:
    return set_access(user=user, department=department, role=Role(user.role), is_active=user.is_active, by=by, at=at)


def deactivate(*, user: User, by: User | None, at: datetime) -> bool:
    """Shut the account; from the next request on it is refused."""
    return set_access(user=user, department=user.department, role=Role(user.role), is_active=False, by=by, at=at)


def change_password(*, user: User, current: str, new: str, at: datetime) -> None:
    """The user's own change; ends all of their sessions, this one too.

    FieldError `wrong-password` (current_password), `weak-password` (new_password).
    """
    if not user.check_password(current):
        raise FieldError(
            "This is not your present password.",
            field="current_password",
            code="wrong-password",
            hint="Type the password you logged in with.",
        )
    if current == new:
        raise FieldError(
            "The new password is the present one.",
            field="new_password",
            code="weak-password",
            hint="Choose another one.",
        )
    _store_password(user=user, password=new, field="new_password", at=at)
    log.info("account.password_changed", user_id=str(user.pk))


def reset_password(*, user: User, password: str, by: User | None, at: datetime) -> None:
    """A password given by an operator; ends all of the user's sessions. FieldError `weak-password`."""
    _store_password(user=user, password=password, field="password", at=at)
    log.info("account.password_reset", user_id=str(user.pk), by=_id(by))


def new_user(*, email: str, full_name: str, department: str, role: Role, password: str, at: datetime) -> User:
    """A checked, unsaved user who still waits for approval; the password is hashed already."""
    email = require_email(email)
    full_name = " ".join(full_name.split())
    if not full_name:
        raise FieldError("The name is empty.", field="full_name", code="blank")
    require_known_department(department, role=role)
    user = User(
        email=email,
        full_name=full_name,
        department=department,
        role=role,
        created_at=at,
        **console_access(role),
    )
    user.password = _hashed(password, user=user, field="password")
    return user


def insert(user: User) -> None:
    """Save a new user. EmailTakenError, as the database decides: a look before would race."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        if "accounts_user_email" in str(error):
            raise EmailTakenError from error
        raise


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


def console_access(role: Role) -> dict[str, bool]:
    return {"is_staff": role == Role.ADMIN, "is_superuser": role == Role.ADMIN}


def _store_password(*, user: User, password: str, field: str, at: datetime) -> None:
    hashed = _hashed(password, user=user, field=field)
    with transaction.atomic():
        # Of two changes at once the slower must not undo the faster, whose user was told it holds.
        if not User.objects.filter(pk=user.pk, password=user.password).update(password=hashed):
            raise ConflictError(
                "The password was changed in the meantime.",
                code="changed-meanwhile",
                hint="Log in with the new password.",
            )
        end_sessions(user=user, reason=SessionEnd.PASSWORD_CHANGE, at=at)
    user.password = hashed


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
