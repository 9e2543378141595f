"""The platform with its clock, its queues and the fate of its processes in a test's hands.

The services, the tasks and the database are the real ones. What is replaced stands at the edges: SQS by its model, the
clock all machines share by one that moves when told to. Everything else put in their way only watches, or stops a
process at a point.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.signals import connection_created
from django.db.models import Sum
from kombu.exceptions import OperationalError

from aetherflow.etl import SeenKeys
from apps.datasets.changes import Changes
from apps.datasets.models import Dataset, RetiredPartition, clean_table
from apps.datasets.selectors import live_datasets
from apps.jobs import clock, tasks
from apps.jobs.broker import sqs_settings
from apps.jobs.models import ACTIVE, FINISHED, StageRun, State, WorkerHeartbeat
from apps.jobs.selectors import live_workers
from apps.jobs.services import again, claims, dispatch, etl, ml, rescue
from apps.jobs.services.claims import Claim, Verdict
from apps.jobs.sqs import names, sending
from apps.jobs.sqs.delivery import Delivery
from apps.jobs.sqs.messages import Message as Contract
from apps.jobs.sqs.queues import QueueNames, QueueStats
from tests.jobs.machine.processes import Processes, point, this_process
from tests.jobs.machine.queue_model import Message, QueueModel
from tests.jobs.machine.uploads import COLUMNS

_TASKS = {names.ETL: tasks.etl, names.ML: tasks.ml}
_BEGINNING = datetime(2026, 11, 2, 8, tzinfo=UTC)
# A process that is paused in a transaction holds locks, and everybody runs on one thread at a time.
_LOCK_TIMEOUT = "200ms"


class Clock:
    """Moves by itself just enough for two readings never to be equal."""

    def __init__(self) -> None:
        self._now = _BEGINNING

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Installation:
    def __init__(self) -> None:
        self.clock = Clock()
        self.processes = Processes()
        self.queues = {
            key: QueueModel(
                visibility_seconds=settings.QUEUE_VISIBILITY_SECONDS, max_receives=settings.QUEUE_MAX_RECEIVES
            )
            for key in _TASKS
        }
        # Sends that SQS will refuse; uploads whose undo is committed, and done with; promises found broken.
        self.refusals = 0
        self.undone: set[UUID] = set()
        self.cleared: set[UUID] = set()
        self.violations: list[str] = []
        self._in_charge: dict[int, str] = {}

    def work(self, queue: str, message: Message, *, receives: int, worker: str) -> None:
        """One delivery, as Celery works it: the task, its chain's link, the acknowledgement."""
        point("received")
        task = _TASKS[queue]
        body, sent = message.body
        headers = sent or {names.REQUEST_ID_HEADER: message.id, names.FOREIGN_HEADER: True}
        known = (names.JOB_ID_HEADER, names.REQUEST_ID_HEADER)
        link = {"options": {"headers": {key: headers[key] for key in known if key in headers}}}
        received = {
            "MessageId": message.id,
            "ReceiptHandle": "handle",
            "Attributes": {"ApproximateReceiveCount": str(receives)},
        }
        task.push_request(
            hostname=worker,
            headers=headers,
            chain=[link] if queue == names.ETL else None,
            properties={"delivery_info": {"sqs_message": received}},
        )
        try:
            following = task.run(body)
            chain = task.request.chain
        finally:
            task.pop_request()
        if chain:
            point("committed")
            if self._refuses():
                raise OperationalError("SQS did not take the link's message")
            self.put(names.ML, following, chain[0]["options"]["headers"])
        point("unacknowledged")
        self.queues[queue].delete(message.id)

    def put(self, queue: str, body: dict[str, Any], headers: dict[str, Any]) -> None:
        self.queues[queue].send((body, headers), at=self.clock.now())

    def back_off(self, queue: str, message: Message, *, receives: int) -> None:
        waits = settings.QUEUE_BACKOFF_SECONDS
        self.queues[queue].hide(message.id, seconds=waits[min(receives, len(waits)) - 1], at=self.clock.now())

    def note_lost(self, queue: str, message: Message, *, worker: str, error: Exception) -> None:
        """What a worker's parent process does when its child could not."""
        body, _ = message.body
        tasks._this_worker["name"] = worker
        tasks.note_lost_child(sender=_TASKS[queue], exception=error, args=[body])

    def sweep(self) -> None:
        rescue.rescue(at=self.clock.now())
        dispatch.relay(at=self.clock.now())

    def is_idle(self) -> bool:
        at = self.clock.now()
        return not any([*queue.visible(at=at), *queue.in_flight(at=at)] for queue in self.queues.values())

    def send(self, app: Any, message: Contract, *, job_id: str, request_id: str) -> str:
        """In the place of `sending.send`."""
        self._require(not connection.in_atomic_block, "no transaction is open while SQS is talked to")
        point("unsent")
        if self._refuses():
            raise sending.NotSent("SQS refuses")
        self.put(
            message.job_type,
            message.as_dict(),
            {names.JOB_ID_HEADER: job_id, names.REQUEST_ID_HEADER: request_id},
        )
        point("sent")
        return "task-id"

    def stats(self, queues: QueueNames) -> list[QueueStats]:
        """In the place of `queue_stats`."""
        at = self.clock.now()
        found = []
        for queue in queues.all:
            model = self.queues[queue.key]
            visible, in_flight = len(model.visible(at=at)), len(model.in_flight(at=at))
            found.append(QueueStats(name=queue.name, visible=visible, in_flight=in_flight, delayed=0))
            dead = len(model.dead_letters)
            found.append(QueueStats(name=queue.dead_letter_name, visible=dead, in_flight=0, delayed=0))
        return found

    def in_flight(self, department: str) -> int:
        """Runs that are sent, about to be, or in work."""
        at = self.clock.now()
        runs = StageRun.objects.filter(department=department, state__in=ACTIVE)
        return sum(run.state == State.PROCESSING or bool(run.dispatched_at) or run.send_after > at for run in runs)

    def watch_places(self, department: str, *, before: int) -> None:
        """Whoever takes places in the line leaves the department within its share. Redeliveries, late links and copies
        of messages take theirs without asking, so that at other times the number alone may be higher."""
        slots = live_workers(at=self.clock.now()).aggregate(slots=Sum("slots"))["slots"] or 0
        share = max(settings.DEPARTMENT_IN_FLIGHT, slots)
        after = self.in_flight(department)
        self._require(after <= max(before, share), f"{after} in flight, the share is {share}")

    def watch_charge(self, before: StageRun, *, message_id: str) -> None:
        """One message at a time works a run, and a second gets no turn until that is dead-lettered, or the run queued
        anew. `before`: the run as it was claimed."""
        in_charge = self._in_charge.get(before.pk, message_id)
        free = before.state == State.QUEUED or before.dead_lettered
        self._require(free or in_charge == message_id, f"two messages work {before}")
        cancelled = before.state == State.FAILED and before.error_code == "cancelled"
        self._require(not cancelled, f"{before} was cancelled, and nobody asked for it again")
        self._in_charge[before.pk] = message_id

    def watch_token(self, moved: StageRun, *, held: int) -> None:
        self._require(moved.token == held, f"{moved} was ended with token {held}, its holder has {moved.token}")

    def beat(self, started: dict[str, datetime]) -> None:
        """A worker a queue, by the moments they were started."""
        at = self.clock.now()
        for (name, started_at), queue in zip(started.items(), _TASKS, strict=True):
            WorkerHeartbeat.objects.update_or_create(
                name=name,
                defaults={"queues": [queue], "slots": 2, "pid": 1, "started_at": started_at, "beat_at": at},
            )

    def _refuses(self) -> bool:
        self.refusals -= 1
        return self.refusals >= 0

    def watch_changes(self, dataset: Dataset, changes: Changes | None, *, using: str) -> None:
        """Of a load's rows is said what they are beside the older uploads that count as the load ends."""
        key, price = COLUMNS[dataset.department]
        rows = clean_table(dataset.department)._default_manager.using(using).order_by("dataset_no")
        older = live_datasets(dataset.department).using(using).filter(number__lt=dataset.number)
        retired = RetiredPartition.objects.using(using).values("bucket")
        before = dict(rows.filter(dataset_no__in=older.values("number")).values_list(key, price))
        mine = dict(rows.filter(dataset_no=dataset.number).exclude(bucket__in=retired).values_list(key, price))
        expected = Changes(
            new=len(mine.keys() - before.keys()),
            changed=sum(key in before and before[key] != price for key, price in mine.items()),
            unchanged=sum(before.get(key) == price for key, price in mine.items()),
        )
        self._require(changes == expected, f"{dataset}: {changes}, where {expected} is true")

    def _require(self, promise: bool, what: str) -> None:
        # Raised where it is found, it would be taken for a failure of the platform's and written to the job.
        if not promise:
            self.violations.append(what)


class Edges:
    """Put in once; which installation they lead to changes with every example."""

    def __init__(self) -> None:
        self.installation = Installation()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        def impatient(connection: Any, **_: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")

        connection_created.connect(impatient)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clock, "now", lambda: self.installation.clock.now())  # noqa: PLW0108
            patch.setattr(sending, "send", lambda *args, **options: self.installation.send(*args, **options))  # noqa: PLW0108
            patch.setattr(rescue, "queue_stats", lambda client, *, queues: self.installation.stats(queues))
            found = _Clientless(sqs_settings().queues)
            patch.setattr(rescue, "sqs_settings", lambda: found)
            patch.setattr(tasks, "pass_on", _unless_dying(tasks.pass_on))
            patch.setattr(dispatch, "_reserve", self._watched_reserve(dispatch._reserve))
            patch.setattr(again, "mark_undone", self._noted_mark(again.mark_undone))
            patch.setattr(again, "clear", _first("marked", again.clear))
            for module in (etl, ml):
                patch.setattr(module, "claim", _then(self._watched_claim(module.claim), "claimed"))
            for module in (etl, ml, claims, dispatch, again):
                patch.setattr(module, "move", self._watched_move(module.move))
            patch.setattr(etl, "replace_rows", _then(etl.replace_rows, "copied"))
            patch.setattr(etl, "compare", self._watched_compare(etl.compare))
            patch.setattr(etl, "_finish", _then(etl._finish, "loaded"))
            patch.setattr(ml, "_computed", _then(ml._computed, "computed"))
            patch.setattr(ml, "replace_insights", _then(ml.replace_insights, "stored"))
            try:
                yield
            finally:
                connection_created.disconnect(impatient)

    def _watched_reserve(self, reserve: Callable[..., Any]) -> Callable[..., Any]:
        def watched(department: str, **options: Any) -> Any:
            before = self.installation.in_flight(department)
            reserved = reserve(department, **options)
            self.installation.watch_places(department, before=before)
            return reserved

        return watched

    def _watched_claim(self, claim: Callable[..., Claim]) -> Callable[..., Claim]:
        def watched(run: StageRun, *, delivery: Delivery, **options: Any) -> Claim:
            before = StageRun.objects.get(pk=run.pk)
            claimed = claim(run, delivery=delivery, **options)
            if claimed.verdict is Verdict.WORK:
                self.installation.watch_charge(before, message_id=delivery.message_id or "")
            return claimed

        return watched

    def _watched_compare(self, compare: Callable[..., Changes | None]) -> Callable[..., Changes | None]:
        def watched(seen: SeenKeys, *, dataset: Dataset, using: str) -> Changes | None:
            changes = compare(seen, dataset=dataset, using=using)
            self.installation.watch_changes(dataset, changes, using=using)
            return changes

        return watched

    def _watched_move(self, move: Callable[..., StageRun]) -> Callable[..., StageRun]:
        def watched(run: StageRun, target: State, **options: Any) -> StageRun:
            held = run.token
            moved = move(run, target, **options)
            if target in FINISHED:
                self.installation.watch_token(moved, held=held)
            return moved

        return watched

    def _noted_mark(self, mark_undone: Callable[..., bool]) -> Callable[..., bool]:
        def noted(*, dataset: Dataset, **options: Any) -> bool:
            if marked := mark_undone(dataset=dataset, **options):
                transaction.on_commit(lambda: self.installation.undone.add(dataset.pk))
            return marked

        return noted


class _Clientless:
    """SQS settings whose client reaches nothing: the model is asked in its place."""

    def __init__(self, queues: QueueNames) -> None:
        self.queues = queues

    def client(self, **_: Any) -> None:
        return None


def _then(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @wraps(function)
    def watched(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        point(name)
        return result

    return watched


def _first(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def watched(*args: Any, **options: Any) -> Any:
        point(name)
        return function(*args, **options)

    return watched


def _unless_dying(pass_on: Callable[[str], None]) -> Callable[[str], None]:
    """A dead process runs no `finally`."""

    def passed_on(department: str) -> None:
        process = this_process()
        if process is None or not process.dying:
            pass_on(department)

    return passed_on
