"""The audit's one writer: every service that does something for a person says so here, in its own transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry, User
from apps.accounts.origin import Origin, command_line, current_origin

# What is longer is cut: a long name must not keep anything from being done.
_NAME_LENGTH, _TARGET_LENGTH = 500, 300

# Of a request nobody has logged in for.
STRANGER = "Somebody who is not logged in"

Scalar = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is acted on: its `type` (job, dataset, user, queue), `id`, what it is called, and whose it is."""

    type: str
    id: str = ""
    name: str
    department: str = ""


def record(
    action: AuditAction,
    target: Target,
    *,
    by: User | None,
    at: datetime,
    reason: str = "",
    details: Mapping[str, Scalar] | None = None,
) -> AuditEntry:
    """Say who did it, inside the transaction that does it, so that neither is there without the other; `by` is None
    where a command acts, or a stranger. From where and by which request is known from `origin`.

    TransactionManagementError outside of a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("An audit entry belongs into the transaction of what it tells of.")
    origin = current_origin()
    return AuditEntry.objects.create(
        at=at,
        actor=by,
        actor_name=_called(by, origin)[:_NAME_LENGTH],
        action=action,
        target_type=target.type,
        target_id=target.id,
        target=target.name[:_TARGET_LENGTH],
        department=target.department,
        reason=reason.strip(),
        details=dict(details or {}),
        address=origin.address,
        request_id=origin.request_id,
    )


def account(user: User) -> Target:
    return Target(type="user", id=str(user.pk), name=user.email, department=user.department)


def _called(by: User | None, origin: Origin) -> str:
    if by is None:
        return origin.operator or (STRANGER if origin.request_id else command_line())
    name = f"{by.full_name} <{by.email}>"
    return f"{origin.operator}, as {name}" if origin.operator else name
