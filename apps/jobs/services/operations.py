"""One act on many jobs: written down whole when it is asked for, then worked by the relay, item by item.

An item is one transaction: what is done, its entry in the audit and its outcome are there together or not at all. So a
relay may die anywhere; and of several relays the one that holds the operation's row works its next item, while the
others look for another operation's. What is done is the service's for one job, which refuses what it refuses.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import structlog
from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from aetherflow.errors import AnticipatedError, ConflictError, InvalidError
from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.accounts.origin import Origin, asked_from, current_origin
from apps.accounts.services.auditing import Scalar, Target, record
from apps.datasets.models import Dataset
from apps.jobs.models import OF_JOBS, ItemStatus, Job, Operation, OperationItem, OperationKind, Stage
from apps.jobs.selectors import digest_of, targets_of
from apps.jobs.services.again import reprocess, retry, undo_first
from apps.jobs.services.cancelling import cancel

log = structlog.get_logger(__name__)

# Items a minute: about what two workers get done of small files, so that new uploads do not wait behind thousands.
DEFAULT_RATE = 120
MOST_RATE = 1_200
# For how long an item waits for what others hold, so that the relay's signs of life and sends do not wait with it; and
# when its turn comes again.
_PATIENCE = timedelta(seconds=5)
_PAUSE = timedelta(seconds=10)
# No turn is further away, since an operation does one item a minute at least: one that is was written by a clock that
# was ahead, and would be waited for until this one gets there.
_FURTHEST = timedelta(minutes=2)
# As PostgreSQL calls it that others hold it: deadlock_detected, lock_not_available.
_HELD_BY_OTHERS = frozenset({"40P01", "55P03"})
# Any number of our own: the first half of the advisory locks under which operations of a kind are begun.
_LOCKS = 0x6F70_6572

# One statement however many there are: nothing of them passes through this process. The ORM has no INSERT of a SELECT.
_WRITE = """
INSERT INTO jobs_operationitem (operation_id, kind, {column}_id, status, words, at)
SELECT %s, %s, chosen.id,
    CASE WHEN other.id IS NULL THEN 'waiting' ELSE 'refused' END,
    CASE WHEN other.id IS NULL THEN '' ELSE concat(
        person.full_name, ' began the same with it on ',
        to_char(earlier.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), ' UTC, and there it waits for its turn.'
    ) END,
    CASE WHEN other.id IS NULL THEN NULL ELSE %s END
FROM ({chosen}) AS chosen (id, place)
LEFT JOIN jobs_operationitem AS other ON other.kind = %s AND other.status = 'waiting' AND other.{column}_id = chosen.id
LEFT JOIN jobs_operation AS earlier ON earlier.id = other.operation_id
LEFT JOIN accounts_user AS person ON person.id = earlier.started_by_id
ORDER BY chosen.place, chosen.id
"""


@transaction.atomic
def start_operation(
    *,
    kind: OperationKind,
    jobs: QuerySet[Job],
    filter_words: str,
    reason: str,
    by: User,
    at: datetime,
    filter_data: Mapping[str, object] = MappingProxyType({}),
    rate: int = DEFAULT_RATE,
    expected: int | None = None,
    digest: str | None = None,
) -> Operation:
    """Write down what is to be done to these jobs, or to their uploads (`targets_of`), oldest first.

    `filter_words` and `filter_data` say how they were chosen, `rate` how many a minute are worked at most, `expected`
    and `digest` how many and which were confirmed (`selection_of`). What waits in an earlier operation of the same kind
    is refused here at once. ConflictError where nothing is left to do, or other than confirmed; InvalidError without a
    reason, or for a rate out of bounds.
    """
    _require(reason=reason, rate=rate)
    with connection.cursor() as cursor:
        # Of two that are begun at once the second finds what the first has written.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCKS, kind])
    origin = current_origin()
    operation = Operation.objects.create(
        kind=kind,
        reason=reason.strip(),
        filter_words=filter_words,
        filter=dict(filter_data),
        rate=rate,
        next_at=at,
        started_by=by,
        started_at=at,
        address=origin.address,
        request_id=origin.request_id,
    )
    operation.total = _write_items(operation, jobs, at=at)
    operation.refused = operation.items.filter(status=ItemStatus.REFUSED).count()
    _require_confirmed(operation, expected=expected, digest=digest)
    operation.save(update_fields=["total", "refused"])
    details = {"items": operation.total, "refused": operation.refused, "rate": rate}
    _tell(AuditAction.OPERATION_STARTED, operation, by=by, at=at, reason=reason, details=details)
    log.info("operation_started", operation_id=str(operation.pk), kind=kind, items=operation.total)
    return operation


@transaction.atomic
def stop_operation(*, operation: Operation, by: User, at: datetime, reason: str = "") -> Operation:
    """Leave what waits as it is; the item that is being worked comes to its end first. ConflictError where the
    operation has ended."""
    held = Operation.objects.select_for_update().get(pk=operation.pk)
    if held.ended_at is not None:
        raise ConflictError(
            "The operation has ended already.", code="operation-ended", hint="Look at what came of its items."
        )
    words = f"{by.full_name} stopped the operation before its turn came."
    left = held.items.filter(status=ItemStatus.WAITING).update(status=ItemStatus.LEFT, words=words, at=at)
    held.ended_at = held.stopped_at = at
    held.stopped_by = by
    held.save(update_fields=["ended_at", "stopped_at", "stopped_by"])
    details = {"done": held.done, "refused": held.refused, "left": left}
    _tell(AuditAction.OPERATION_STOPPED, held, by=by, at=at, reason=reason, details=details)
    log.info("operation_stopped", operation_id=str(held.pk), kind=held.kind, **details)
    return held


def work_next(*, at: datetime) -> bool:
    """Work one item that is due; False where none is, or where others are at all that are."""
    with transaction.atomic():
        due = Q(next_at__lte=at) | Q(next_at__gt=at + _FURTHEST)
        running = Operation.objects.filter(due, ended_at=None).order_by("next_at")
        held = running.select_for_update(skip_locked=True, of=("self",), no_key=True).select_related("started_by")
        operation = held.first()
        if operation is None:
            return False
        items = (
            operation.items.filter(status=ItemStatus.WAITING).order_by("pk").select_related("job__dataset", "dataset")
        )
        item = items.defer("job__dataset__profile", "dataset__profile").first()
        if item is not None:
            outcome = _work(item, operation, at=at)
            if outcome is None:
                Operation.objects.filter(pk=operation.pk).update(next_at=at + _PAUSE)
                return True
            item.status, item.words = outcome
            item.at = at
            item.save(update_fields=["status", "words", "at"])
            operation.done += item.status == ItemStatus.DONE
            operation.refused += item.status == ItemStatus.REFUSED
        if operation.left <= 0 or item is None:
            operation.ended_at = at
            log.info(
                "operation_ended",
                operation_id=str(operation.pk),
                kind=operation.kind,
                done=operation.done,
                refused=operation.refused,
            )
        # What a relay has slept through is made up for; what it was away for is not: all of that at once is a flood.
        slept = timedelta(seconds=2 * settings.RELAY_INTERVAL_SECONDS)
        operation.next_at = min(max(operation.next_at, at - slept), at) + timedelta(minutes=1) / operation.rate
        operation.save(update_fields=["done", "refused", "ended_at", "next_at"])
    return True


def _require(*, reason: str, rate: int) -> None:
    if not reason.strip():
        raise InvalidError(
            "What is done to many needs a reason.", code="reason-missing", hint="Say in a few words why it is done."
        )
    if not 1 <= rate <= MOST_RATE:
        raise InvalidError(
            f"A rate of {rate:,} a minute is out of bounds.",
            code="rate-out-of-bounds",
            hint=f"Choose one from 1 to {MOST_RATE:,}; {DEFAULT_RATE} is usual.",
        )


def _require_confirmed(operation: Operation, *, expected: int | None, digest: str | None) -> None:
    if expected is not None and operation.total != expected:
        raise ConflictError(
            f"The filter matches {operation.total:,} now, {expected:,} were confirmed.",
            code="other-count",
            hint="Look at the list again, then confirm.",
        )
    of = "job" if operation.kind in OF_JOBS else "dataset"
    if digest is not None and digest_of(operation.items.all(), f"{of}_id") != digest:
        raise ConflictError(
            f"The filter matches {operation.total:,} as before, but not the same ones.",
            code="others-match",
            hint="Look at the list again, then confirm.",
        )
    if not operation.total:
        raise ConflictError("Nothing matches the filter.", code="nothing-matches", hint="Choose another filter.")
    if not operation.left:
        raise ConflictError(
            f"All {operation.total:,} wait for the same already, in an operation that was begun before.",
            code="operation-under-way",
            hint="Look at the operations that run.",
        )


def _write_items(operation: Operation, jobs: QuerySet[Job], *, at: datetime) -> int:
    kind = OperationKind(operation.kind)
    column, place = ("job", "created_at") if kind in OF_JOBS else ("dataset", "number")
    try:
        chosen, parameters = targets_of(kind, jobs).order_by().values_list("pk", place).query.sql_with_params()
    except EmptyResultSet:  # a filter that Django itself knows to match nothing
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE.format(column=column, chosen=chosen), [operation.pk, operation.kind, at, *parameters, operation.kind]
        )
        return int(cursor.rowcount)


def _tell(
    action: AuditAction, operation: Operation, *, by: User, at: datetime, reason: str, details: Mapping[str, Scalar]
) -> None:
    of = "job" if operation.kind in OF_JOBS else "dataset"
    departments = set(operation.items.order_by().values_list(f"{of}__department", flat=True).distinct())
    target = Target(
        type="operation",
        id=str(operation.pk),
        name=str(operation),
        department=departments.pop() if len(departments) == 1 else "",
    )
    record(action, target, by=by, at=at, reason=reason, details={"kind": operation.kind, **details})


def _work(item: OperationItem, operation: Operation, *, at: datetime) -> tuple[ItemStatus, str] | None:
    """What came of it; None where others hold what it needs, such as the department whose load is about to end."""
    try:
        with asked_from(Origin(address=operation.address, request_id=operation.request_id)), transaction.atomic():
            _wait_at_most(_PATIENCE)
            return ItemStatus.DONE, _ACTS[OperationKind(operation.kind)](item.job or item.dataset, operation, at)
    except AnticipatedError as error:
        return ItemStatus.REFUSED, error.message
    except Exception as error:
        if not connection.is_usable():
            # Not this item's fault: it waits until there is a database again.
            raise
        if getattr(error.__cause__, "pgcode", None) in _HELD_BY_OTHERS:
            log.warning("operation_item_held_up", operation_id=str(operation.pk), kind=operation.kind, item_id=item.pk)
            return None
        log.exception("operation_item_failed", operation_id=str(operation.pk), kind=operation.kind, item_id=item.pk)
        return ItemStatus.REFUSED, f"Something broke on our side ({type(error).__name__}); the log says what."


def _wait_at_most(patience: timedelta) -> None:
    """For a lock, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience / timedelta(milliseconds=1):.0f}ms"])


def _retry(job: Job, operation: Operation, at: datetime) -> str:
    retried = retry(job=job, by=operation.started_by, at=at, reason=operation.reason, operation=operation.pk)
    return f"Queued again from {retried.stage}."


def _cancel(job: Job, operation: Operation, at: datetime) -> str:
    cancelled = cancel(job=job, by=operation.started_by, at=at, reason=operation.reason, operation=operation.pk)
    return f"Cancelled at {cancelled.stage}."


def _reprocess(dataset: Dataset, operation: Operation, at: datetime, *, first: Stage) -> str:
    job = reprocess(
        dataset=dataset,
        first=first,
        by=operation.started_by,
        at=at,
        request_id=operation.request_id,
        reason=operation.reason,
        operation=operation.pk,
    )
    return f"Queued from {first} as job {job.pk}."


def _undo(dataset: Dataset, operation: Operation, at: datetime) -> str:
    undo_first(
        dataset=dataset,
        by=operation.started_by,
        at=at,
        request_id=operation.request_id or str(uuid4()),
        reason=operation.reason,
        operation=operation.pk,
    )
    return "Undone."


# Of a job or of its upload: see OF_JOBS.
_ACTS: dict[OperationKind, Callable[[Any, Operation, datetime], str]] = {
    OperationKind.RETRY: _retry,
    OperationKind.CANCEL: _cancel,
    OperationKind.REPROCESS_ETL: partial(_reprocess, first=Stage.ETL),
    OperationKind.REPROCESS_ML: partial(_reprocess, first=Stage.ML),
    OperationKind.UNDO: _undo,
}
