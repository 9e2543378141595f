"""The rules: what people, workers, SQS and the machines under them may do, in any order."""

import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from billiard.exceptions import WorkerLostError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError as DatabaseError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aetherflow.errors import ConflictError
from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.datasets.selectors import live_datasets
from apps.jobs.models import (
    Job,
    JobStatus,
    Stage,
    StageRun,
    State,
)
from apps.jobs.services.again import reprocess, retry, undo
from apps.jobs.services.cancelling import cancel
from apps.jobs.services.dispatch import recover
from apps.jobs.services.submission import submit
from apps.jobs.sqs import names, sending
from tests.jobs.machine import invariants
from tests.jobs.machine.emptying import empty
from tests.jobs.machine.installation import Edges, Installation
from tests.jobs.machine.processes import DIES_AT_ONCE, UNDISTURBED, Outcome, Plan, Process
from tests.jobs.machine.queue_model import Message, QueueModel
from tests.jobs.machine.strategies import (
    ETL_PLANS,
    MIDDLES,
    ML_PLANS,
    OVERTAKING_PLANS,
    PICKS,
    SENDING_PLANS,
    UNDOING_PLANS,
    UNDONE_MIDDLES,
    UPLOADS,
    Mishap,
)
from tests.jobs.machine.uploads import Upload
from tests.jobs.steps import foreign

_WORKERS = ("worker@a", "worker@b")
# What a task says of an error that has no code of its own; losing a race and waiting for a lock are foreseen.
_UNFORESEEN = re.compile(r"(?!IllegalMove|\w+: canceling statement due to lock timeout)[A-Z]\w+: ")
_SETTLES_WITHIN_ROUNDS = 20


_T = TypeVar("_T")
_Messages = list[tuple[QueueModel, Message]]


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One receive that a worker is at."""

    queue: str
    message: Message
    receives: int
    worker: str
    only_child_dies: bool


class Pipeline(RuleBasedStateMachine):
    def __init__(self, edges: Edges, *, by: User) -> None:
        super().__init__()
        self.here = edges.installation = Installation()
        self.by = by
        self.uploads: invariants.Uploads = {}
        # What is paused: a worker at a delivery, or a process of the gateway's or the relay's.
        self.paused: list[tuple[Process, Delivery | None]] = []
        self.beating = False
        self.started: dict[str, datetime] = {name: self.here.clock.now() for name in _WORKERS}
        empty()

    # --- people ---

    @initialize(uploads=st.lists(UPLOADS, min_size=1, max_size=4), are_worked=st.booleans())
    def begin(self, uploads: list[Upload], are_worked: bool) -> None:
        for upload in uploads:
            self.upload(upload, UNDISTURBED)
        while are_worked and self._each_visible():
            self._work_all()

    @rule(upload=UPLOADS, plan=SENDING_PLANS)
    def upload(self, upload: Upload, plan: Plan) -> None:
        before = set(Dataset.objects.values_list("pk", flat=True))
        self._gateway(lambda: self._submit(upload), plan)
        (pk,) = set(Dataset.objects.values_list("pk", flat=True)) - before
        self.uploads[pk] = upload

    # So that something is left to look at.
    @precondition(lambda self: 2 * len(self.here.undone) < len(self.uploads))
    @rule(pick=PICKS, plan=UNDOING_PLANS)
    def undo(self, pick: int, plan: Plan) -> None:
        self._undo(self._dataset(pick), plan)

    @precondition(lambda self: StageRun.objects.filter(state=State.FAILED).exists())
    @rule(pick=PICKS, plan=SENDING_PLANS)
    def retry(self, pick: int, plan: Plan) -> None:
        failed = list(Job.objects.filter(stages__state=State.FAILED).order_by("created_at"))
        job = failed[pick % len(failed)]
        self._gateway(lambda: retry(job=job, by=self.by, at=self.here.clock.now()), plan)

    @precondition(lambda self: Job.objects.exclude(status=JobStatus.SUCCEEDED).exists())
    @rule(pick=PICKS, plan=SENDING_PLANS)
    def cancel(self, pick: int, plan: Plan) -> None:
        jobs = list(Job.objects.exclude(status=JobStatus.SUCCEEDED).order_by("created_at"))
        self._cancel(jobs[pick % len(jobs)], plan)

    @rule(pick=PICKS, first=st.sampled_from(Stage), plan=SENDING_PLANS)
    def reprocess(self, pick: int, first: Stage, plan: Plan) -> None:
        dataset = self._dataset(pick)
        self._gateway(lambda: reprocess(dataset=dataset, first=first, by=self.by, at=self.here.clock.now()), plan)

    @rule(pick=PICKS)
    def another_producer_sends_a_message(self, pick: int) -> None:
        self.here.put(names.ETL, foreign(self._dataset(pick)).as_dict(), {})

    # --- workers ---

    @precondition(lambda self: self._visible(names.ETL))
    @rule(pick=PICKS, worker=st.sampled_from(_WORKERS), plan=ETL_PLANS, only_child_dies=st.booleans())
    def work_etl(self, pick: int, worker: str, plan: Plan, only_child_dies: bool) -> None:
        self._deliver(names.ETL, pick, worker=worker, plan=plan, only_child_dies=only_child_dies)

    @precondition(lambda self: self._visible(names.ML))
    @rule(pick=PICKS, worker=st.sampled_from(_WORKERS), plan=ML_PLANS, only_child_dies=st.booleans())
    def work_ml(self, pick: int, worker: str, plan: Plan, only_child_dies: bool) -> None:
        self._deliver(names.ML, pick, worker=worker, plan=plan, only_child_dies=only_child_dies)

    @precondition(lambda self: self._each_visible())
    @rule(pick=PICKS, point=MIDDLES, plan=OVERTAKING_PLANS)
    def another_delivery_overtakes_a_slow_worker(self, pick: int, point: str, plan: Plan) -> None:
        with self._slow(pick, point) as slow:
            if slow:
                self.here.queues[slow.queue].hide(slow.message.id, seconds=0, at=self.here.clock.now())
                self._receive(slow.queue, slow.message, worker=_WORKERS[1], plan=plan, only_child_dies=False)

    @precondition(lambda self: self._each_visible())
    @rule(pick=PICKS, point=MIDDLES)
    def the_relay_gives_a_slow_worker_up(self, pick: int, point: str) -> None:
        with self._slow(pick, point) as slow:
            if slow:
                self.here.clock.advance(4_000)
                self._gateway(self.here.sweep, UNDISTURBED)

    @precondition(lambda self: self._each_visible())
    @rule(pick=PICKS, middle=UNDONE_MIDDLES)
    def an_upload_is_undone_in_the_middle_of_work(self, pick: int, middle: tuple[str, bool]) -> None:
        point, its_own = middle
        with self._slow(pick, point) as slow:
            if slow:
                body, _ = slow.message.body
                dataset = Dataset.objects.get(pk=body["dataset_id"])
                # Its rows are among those the insights in work rest on.
                others = live_datasets(dataset.department).exclude(pk=dataset.pk)
                for undone in [dataset] if its_own else others[:1]:
                    self._undo(undone, UNDISTURBED)

    @precondition(lambda self: self._each_visible())
    @rule(pick=PICKS, point=MIDDLES, retried=st.booleans())
    def a_job_is_cancelled_in_the_middle_of_work(self, pick: int, point: str, retried: bool) -> None:
        with self._slow(pick, point) as slow:
            if slow:
                body, _ = slow.message.body
                job = Job.objects.filter(dataset_id=body["dataset_id"]).order_by("-created_at")[0]
                self._cancel(job, UNDISTURBED)
                if retried:
                    self._gateway(lambda: retry(job=job, by=self.by, at=self.here.clock.now()), UNDISTURBED)

    @precondition(lambda self: self.paused)
    @rule(pick=PICKS, plan=st.one_of(ETL_PLANS, ML_PLANS, st.just(DIES_AT_ONCE)))
    def go_on(self, pick: int, plan: Plan) -> None:
        self._go_on(pick % len(self.paused), plan)

    @rule()
    def work_all_undisturbed(self) -> None:
        self._work_all()

    @rule(beating=st.booleans())
    def workers_beat_or_fall_silent(self, beating: bool) -> None:
        self.beating = beating
        if beating:
            self.here.beat(self.started)

    @rule(worker=st.sampled_from(_WORKERS))
    def a_worker_starts_again_under_its_name(self, worker: str) -> None:
        for place in reversed(range(len(self.paused))):
            _, delivery = self.paused[place]
            if delivery and delivery.worker == worker:
                self._go_on(place, DIES_AT_ONCE)
        self.started[worker] = self.here.clock.now()

    # --- SQS, time, and what comes round with it ---

    @rule(what=st.sampled_from(Mishap), pick=PICKS)
    def sqs_misbehaves(self, what: Mishap, pick: int) -> None:
        at = self.here.clock.now()
        if what is Mishap.REFUSES_SENDS:
            self.here.refusals = pick
        elif what is Mishap.VISIBILITY_RUNS_OUT:
            for queue, message in self._messages():
                queue.hide(message.id, seconds=0, at=at)
        elif what is Mishap.DELETED_COMES_ONCE_MORE:
            for queue, message in _picked(self._each("deleted"), pick):
                queue.come_once_more(message, at=at)
        else:
            for queue, message in _picked(self._messages(), pick):
                if what is Mishap.PUT_TWICE:
                    queue.send(message.body, at=at)
                else:
                    queue.lose(message.id)

    @rule(seconds=st.sampled_from([20, 100, 200, 1_000, 4_000]), plan=SENDING_PLANS)
    def time_passes_until_the_next_sweep(self, seconds: int, plan: Plan) -> None:
        """Workers that beat keep what they work invisible."""
        self.here.clock.advance(seconds)
        at = self.here.clock.now()
        if self.beating:
            self.here.beat(self.started)
            for _, delivery in self.paused:
                if delivery:
                    self.here.queues[delivery.queue].hide(delivery.message.id, seconds=90, at=at)
        self._gateway(self.here.sweep, plan)

    @precondition(lambda self: self._each("dead_letters"))
    @rule(pick=PICKS)
    def an_operator_redrives_a_dead_letter(self, pick: int) -> None:
        for queue, message in _picked(self._each("dead_letters"), pick):
            queue.redrive(message, at=self.here.clock.now())

    @precondition(lambda self: self._messages())
    @rule()
    def the_queues_are_lost_and_an_operator_recovers(self) -> None:
        while self.paused:
            self._go_on(0, DIES_AT_ONCE)
        for queue in self.here.queues.values():
            queue.purge()
        self._gateway(lambda: recover(at=self.here.clock.now()), UNDISTURBED)

    # --- what must be true ---

    @invariant()
    def holds(self) -> None:
        invariants.check(self.here, self.uploads)

    def teardown(self) -> None:
        try:
            # After a failure there is nothing to settle, and an error of this would hide it.
            if sys.exc_info()[0] is None:
                self._settle()
        finally:
            while self.paused:
                process, _ = self.paused.pop()
                self.here.processes.go_on(process, DIES_AT_ONCE)
            self.here.processes.end()

    def _settle(self) -> None:
        """No more disturbance: everything under way comes to its end, and what failed does when it is retried."""
        while self.paused:
            self._go_on(0, UNDISTURBED)
        self.here.refusals = 0
        self.beating = False
        self._drain()
        undone = self.here.undone
        for pk in [pk for pk, upload in self.uploads.items() if pk not in undone and not upload.refused]:
            newest = Job.objects.filter(dataset_id=pk).order_by("-created_at")[0]
            if newest.stages.filter(state=State.FAILED).exists():
                retry(job=newest, by=self.by, at=self.here.clock.now())
        self._drain()
        invariants.check_nothing_is_lost(self.uploads, undone=undone)

    def _drain(self) -> None:
        for _ in range(_SETTLES_WITHIN_ROUNDS):
            self._work_all()
            self.holds()
            self.here.clock.advance(1_000)
            self._gateway(self.here.sweep, UNDISTURBED)
            if self.here.is_idle() and not StageRun.objects.filter(state__in=[State.QUEUED, State.PROCESSING]).exists():
                break
        invariants.check_settled(self.here)

    # --- means ---

    def _submit(self, upload: Upload) -> None:
        submit(
            file=SimpleUploadedFile("upload.csv", upload.content()),
            department=upload.department,
            by=self.by,
            at=self.here.clock.now(),
            request_id=str(uuid.uuid4()),
            max_reject_share=1.0,
        )

    def _undo(self, dataset: Dataset, plan: Plan) -> None:
        def undone() -> None:
            is_first = dataset.pk not in self.here.undone
            undo(dataset=dataset, by=self.by, at=self.here.clock.now(), request_id="undo")
            if is_first:
                self.here.cleared.add(dataset.pk)

        self._gateway(undone, plan)

    def _cancel(self, job: Job, plan: Plan) -> None:
        self._gateway(lambda: cancel(job=job, by=self.by, reason="not now", at=self.here.clock.now()), plan)

    def _dataset(self, pick: int) -> Dataset:
        datasets = list(Dataset.objects.order_by("number"))
        return datasets[pick % len(datasets)]

    def _gateway(self, action: Any, plan: Plan) -> None:
        """Refusals are answers; SQS and locks that are held may fail whatever is not answered for."""
        process, outcome = self.here.processes.start(action, plan)
        self._gateway_is(process, outcome)

    def _gateway_is(self, process: Process, outcome: Outcome) -> None:
        if outcome.paused_at:
            self.paused.append((process, None))
        elif outcome.error and not outcome.killed and not _bearable(outcome.error):
            raise outcome.error

    def _deliver(self, queue: str, pick: int, *, worker: str, plan: Plan, only_child_dies: bool) -> None:
        visible = self._visible(queue)
        self._receive(queue, visible[pick % len(visible)], worker=worker, plan=plan, only_child_dies=only_child_dies)

    def _receive(self, queue: str, message: Message, *, worker: str, plan: Plan, only_child_dies: bool) -> None:
        if self.here.queues[queue].receive(message.id, at=self.here.clock.now()) is None:
            return
        delivery = Delivery(
            queue=queue, message=message, receives=message.receives, worker=worker, only_child_dies=only_child_dies
        )
        process, outcome = self.here.processes.start(
            lambda: self.here.work(queue, message, receives=delivery.receives, worker=worker), plan
        )
        self._worker_is(process, delivery, outcome)

    @contextmanager
    def _slow(self, pick: int, point: str) -> Iterator[Delivery | None]:
        """Something happens while a worker is at this point, and then it goes on; None where it does not come there."""
        queue = names.ML if point == "computed" else names.ETL
        if queue == names.ML and not self._visible(queue):
            self._work_all(names.ETL)
        before = len(self.paused)
        for message in _picked(self._visible(queue), pick):
            self._receive(queue, message, worker=_WORKERS[0], plan=Plan(point=point), only_child_dies=False)
        is_paused = len(self.paused) > before
        yield self.paused[before][1] if is_paused else None
        if is_paused:
            self._go_on(before, UNDISTURBED)

    def _go_on(self, place: int, plan: Plan) -> None:
        process, delivery = self.paused.pop(place)
        outcome = self.here.processes.go_on(process, plan)
        if delivery:
            self._worker_is(process, delivery, outcome)
        else:
            self._gateway_is(process, outcome)

    def _worker_is(self, process: Process, delivery: Delivery, outcome: Outcome) -> None:
        """A failed message waits for its back-off; one whose worker is gone, until its visibility runs out."""
        if outcome.paused_at:
            self.paused.append((process, delivery))
        elif outcome.error and (not outcome.killed or delivery.only_child_dies):
            queue, message, worker = delivery.queue, delivery.message, delivery.worker
            error = WorkerLostError() if outcome.killed else outcome.error
            assert isinstance(error, Exception)
            assert not _UNFORESEEN.match(str(error)), error
            self._gateway(lambda: self.here.note_lost(queue, message, worker=worker, error=error), UNDISTURBED)
            self.here.back_off(queue, message, receives=delivery.receives)

    def _visible(self, queue: str) -> list[Message]:
        return self.here.queues[queue].visible(at=self.here.clock.now())

    def _work_all(self, *queues: str) -> None:
        for queue in queues or (names.ETL, names.ML):
            for message in self._visible(queue):
                self._receive(queue, message, worker=_WORKERS[0], plan=UNDISTURBED, only_child_dies=False)

    def _each_visible(self) -> list[tuple[str, Message]]:
        return [(queue, message) for queue in self.here.queues for message in self._visible(queue)]

    def _messages(self) -> _Messages:
        at = self.here.clock.now()
        return [
            (queue, message)
            for queue in self.here.queues.values()
            for message in [*queue.visible(at=at), *queue.in_flight(at=at)]
        ]

    def _each(self, attribute: str) -> _Messages:
        return [(queue, message) for queue in self.here.queues.values() for message in getattr(queue, attribute)]


def _picked(found: list[_T], pick: int) -> list[_T]:
    """One of them, or none where there is none."""
    return [found[pick % len(found)]] if found else []


def _bearable(error: BaseException) -> bool:
    if isinstance(error, DatabaseError):
        return "lock timeout" in str(error)
    return isinstance(error, (ConflictError, sending.NotSent))
