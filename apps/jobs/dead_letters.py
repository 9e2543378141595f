"""Dead letters as operators see them: decoded, matched with the job they belong to, and what a redrive would do.

To look is to receive (`sqs.letters`), so a letter that somebody else looks at in the same moment is not seen; the
counts tell of it. What is done with letters stands in `services.dead_letters`.
"""

import json
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef

from aetherflow.errors import InvalidError
from apps.datasets.models import Dataset
from apps.datasets.storage import STORE_ERRORS, raw_storage
from apps.jobs import clock
from apps.jobs.broker import quick_client, sqs_settings
from apps.jobs.models import ACTIVE, Job, StageRun, State
from apps.jobs.sqs import names
from apps.jobs.sqs.delivery import foreign_job_id
from apps.jobs.sqs.envelope import task_envelope
from apps.jobs.sqs.letters import LOOK_SECONDS, LetterBox, RawLetter
from apps.jobs.sqs.messages import MESSAGE_OF_JOB_TYPE, EtlMessage, Message
from apps.jobs.sqs.queues import Queue

_BEGINNING = 300  # characters of a body that is shown
_NAMED_BY = 60
_DISCARD = "Discard it."


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A dead letter and what it is about.

    `unreadable` says why it is no message of the platform; `standing` what is the matter with its job or dataset, in
    words; `obstacle` why a redrive would lead to nothing and what to do instead. Each is empty where there is nothing
    to say. `settled`: what it was sent for is done, or nobody wants it any more. `reason` is the last error of its
    job's stage.
    """

    message_id: str
    queue: str
    sent_at: datetime
    age_seconds: float
    receive_count: int
    size_bytes: int
    beginning: str
    unreadable: str
    message: Message | None
    foreign: bool
    request_id: str
    dataset: Dataset | None
    run: StageRun | None
    standing: str
    obstacle: str
    settled: bool
    reason: str

    @property
    def department(self) -> str:
        return self.message.department if self.message else ""

    @property
    def about(self) -> str:
        """What a person knows it by."""
        return self.dataset.name if self.dataset else self.beginning[:_NAMED_BY]

    @property
    def group(self) -> tuple[str, object]:
        """What it is about; two letters of one group are two messages for the same work."""
        if self.run is not None:
            return "run", self.run.pk
        return ("dataset", self.message.dataset_id) if self.message else ("letter", self.message_id)


@dataclass(frozen=True, kw_only=True)
class Look:
    """`total` and `held` are SQS's approximate counts from before the look: of all letters, and of those that somebody
    else held in that moment, who saw them in our place."""

    queue: str
    name: str
    total: int
    held: int
    letters: list[Letter]


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A message as the workers' door would read it."""

    message: Message | None
    unreadable: str
    job_id: UUID | None
    foreign: bool
    request_id: str


def queue_called(key: str) -> Queue:
    """InvalidError for a queue that is none of the platform's."""
    queues = {queue.key: queue for queue in sqs_settings().queues.all}
    if key not in queues:
        raise InvalidError(
            f"There is no queue {key!r:.40}.", code="unknown-queue", hint=f"There are {' and '.join(queues)}."
        )
    return queues[key]


def letter_box(key: str) -> LetterBox:
    """InvalidError for an unknown queue, UnavailableError where SQS is away."""
    # Somebody looks at a page meanwhile.
    client = sqs_settings().client(connect_timeout=2, read_timeout=8, attempts=2)
    return LetterBox(client, queue_called(key))


def peek(queue: str, *, limit: int = 50) -> Look:
    """The first letters of the queue's DLQ. UnavailableError where SQS is away, InvalidError for an unknown queue."""
    return look_for(queue, limit=limit)


def glance(queue: str, *, within: float, limit: int = 50) -> Look:
    """As `peek`, for a page that somebody waits for: no further than is read within so many seconds."""
    box = LetterBox(quick_client(sqs_settings()), queue_called(queue))
    return _look(box, limit=limit, until=time.monotonic() + within)


def look_for(queue: str, *, ids: Collection[str] | None = None, limit: int | None = None) -> Look:
    """The letters of these message ids, or all; the whole DLQ is walked for those that are wanted."""
    return _look(letter_box(queue), ids=ids, limit=limit)


def _look(
    box: LetterBox, *, ids: Collection[str] | None = None, limit: int | None = None, until: float | None = None
) -> Look:
    """Bodies are let go of one by one: a DLQ may hold gigabytes."""
    queue = box.queue.key
    counts = box.counts()
    at = clock.now()
    found: list[_Seen] = []
    if ids is not None and not ids:
        limit = 0
    missing = None if ids is None else set(ids)
    expected = counts.visible if ids is None else None
    with box.hold(seconds=LOOK_SECONDS, at_most=limit, expected=expected, until=until) as held:
        for raw in held:
            if missing is not None and raw.message_id not in missing:
                continue
            found.append(_Seen.of(raw, queue=queue))
            if missing is not None:
                missing.discard(raw.message_id)
                if not missing:
                    break
    return Look(
        queue=queue,
        name=box.queue.dead_letter_name,
        total=counts.total,
        held=counts.in_flight,
        letters=sorted(_matched(found, queue=queue, at=at), key=lambda letter: (letter.sent_at, letter.message_id)),
    )


def letter_of(raw: RawLetter, *, queue: str, at: datetime) -> Letter:
    """The letter, with its job as it is in this moment."""
    return _matched([_Seen.of(raw, queue=queue)], queue=queue, at=at)[0]


# --- Reading ---


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A letter without its body."""

    message_id: str
    sent_at: datetime
    receive_count: int
    size_bytes: int
    beginning: str
    read: _Read

    @classmethod
    def of(cls, raw: RawLetter, *, queue: str) -> "_Seen":
        return cls(
            message_id=raw.message_id,
            sent_at=raw.sent_at,
            receive_count=raw.receive_count,
            size_bytes=len(raw.body.encode("utf-8", "replace")),
            beginning=raw.body[:_BEGINNING],
            read=_read(raw, queue=queue),
        )


def _read(raw: RawLetter, *, queue: str) -> _Read:
    departments = sqs_settings().departments
    envelope = task_envelope(raw.body, queue=queue, message_id=raw.message_id, departments=departments)
    argument, headers = json.loads(envelope["body"])[0][0], envelope["headers"]
    if headers["task"] != names.TASK_OF_QUEUE[queue]:
        return _Read(message=None, unreadable=argument["reason"], job_id=None, foreign=True, request_id="")
    named = headers.get(names.JOB_ID_HEADER)
    return _Read(
        message=MESSAGE_OF_JOB_TYPE[queue].parse(argument),
        unreadable="",
        job_id=foreign_job_id(raw.message_id) if named is None else _uuid(named),
        # As the stages tell them apart: by the job in its header.
        foreign=named is None,
        request_id=str(headers.get(names.REQUEST_ID_HEADER, "")),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# --- Matching ---


def _matched(seen: list[_Seen], *, queue: str, at: datetime) -> list[Letter]:
    """In three queries, however many there are."""
    messages = [each.read.message for each in seen if each.read.message]
    datasets = Dataset.objects.defer("profile").in_bulk({message.dataset_id for message in messages})
    runs = _runs(queue, (each.read.job_id for each in seen if each.read.job_id))
    active = {
        job.dataset_id: job
        for job in Job.objects.filter(dataset__in=datasets, status__in=[str(state) for state in ACTIVE])
    }
    return [_letter(each, queue=queue, at=at, datasets=datasets, runs=runs, active=active) for each in seen]


def _runs(queue: str, job_ids: Iterable[UUID]) -> dict[UUID, StageRun]:
    newer = Job.objects.filter(dataset_id=OuterRef("job__dataset_id"), created_at__gt=OuterRef("job__created_at"))
    runs = StageRun.objects.filter(job__in=set(job_ids), stage=queue).select_related("job__dataset")
    found = runs.defer("traceback", "job__dataset__profile").annotate(overtaken=Exists(newer))
    return {run.job_id: run for run in found}


def _letter(
    seen: _Seen,
    *,
    queue: str,
    at: datetime,
    datasets: Mapping[UUID, Dataset],
    runs: Mapping[UUID, StageRun],
    active: Mapping[UUID, Job],
) -> Letter:
    read = seen.read
    message = read.message
    dataset = datasets.get(message.dataset_id) if message else None
    run = runs.get(read.job_id) if message and read.job_id else None
    if run and message and (run.job.dataset_id, run.department) != (message.dataset_id, message.department):
        run = None
    standing = obstacle = ""
    if message is None:
        obstacle = f"It is no message of the platform and would fail again ({read.unreadable}). {_DISCARD}"
    elif dataset is None:
        standing, obstacle = _without_dataset(message, foreign=read.foreign)
    elif dataset.deleted_at is not None:
        standing = "The upload was undone."
        obstacle = f"{standing} {_DISCARD}"
    elif not _fits(message, dataset):
        standing = "It does not fit its dataset's department and file."
        obstacle = f"{standing} {_DISCARD}"
    elif run is not None:
        standing = obstacle = _of_run(seen, run)
    elif not read.foreign:
        standing = "It names a job that does not exist."
        obstacle = f"{standing} Discard it, and reprocess the dataset if its rows are missing."
    elif busy := active.get(dataset.pk):
        standing = obstacle = f"{busy} works the dataset now. Look again when it has ended."
    return Letter(
        message_id=seen.message_id,
        queue=queue,
        sent_at=seen.sent_at,
        age_seconds=max(0.0, (at - seen.sent_at).total_seconds()),
        receive_count=seen.receive_count,
        size_bytes=seen.size_bytes,
        beginning=seen.beginning,
        unreadable=read.unreadable,
        message=message,
        foreign=read.foreign,
        request_id=read.request_id,
        dataset=dataset,
        run=run,
        standing=standing,
        obstacle=obstacle,
        settled=(dataset is not None and dataset.deleted_at is not None) or (run is not None and _is_settled(run)),
        reason=f"{run.error_code}: {run.error_message}" if run and run.error_code else "",
    )


def _without_dataset(message: Message, *, foreign: bool) -> tuple[str, str]:
    """What the matter is, and why it cannot be redriven: a file that came without the gateway is recorded when its
    message is worked."""
    standing = "Its dataset is not there."
    if foreign and isinstance(message, EtlMessage) and message.s3_bucket == settings.RAW_BUCKET:
        try:
            if raw_storage().exists(message.s3_key):
                return "Its dataset is not recorded yet; its file is there.", ""
        except STORE_ERRORS:
            standing = "Whether its file is there cannot be told: the raw store does not answer."
            return standing, f"{standing} Try again."
        standing = "Neither its dataset nor its file is there."
    return standing, f"{standing} {_DISCARD}"


def _fits(message: Message, dataset: Dataset) -> bool:
    if isinstance(message, EtlMessage) and (message.s3_bucket, message.s3_key) != (dataset.bucket, dataset.key):
        return False
    return message.department == dataset.department


def _of_run(seen: _Seen, run: StageRun) -> str:
    """Why the message would find nothing to do; `claims` tells how a worker looks at it."""
    match State(run.state):
        case State.SUCCEEDED:
            job = "" if run.stage == run.job.stage else f" The job is {run.job.status} at {run.job.stage}."
            return f"The stage is done since.{job} {_DISCARD}"
        case State.PROCESSING:
            return f"{run.worker or 'A worker'} works it now. Look again when it has ended."
        case State.QUEUED:
            unread = run.dispatched_at and run.queued_at <= seen.sent_at
            return "" if unread else f"The job was queued again since. {_DISCARD}"
        case State.FAILED:
            return _of_failed(seen, run)


def _is_settled(run: StageRun) -> bool:
    return run.state == State.SUCCEEDED or (run.state == State.FAILED and _is_overtaken(run))


def _is_overtaken(run: StageRun) -> bool:
    return bool(run.overtaken)  # type: ignore[attr-defined]  # annotated


def _of_failed(seen: _Seen, run: StageRun) -> str:
    if _is_overtaken(run):
        return f"A newer job of the upload has taken over. {_DISCARD}"
    if not run.dead_lettered and run.message_id != seen.message_id:
        return f"Another message of the job is tried again by itself. {_DISCARD}"
    return ""
