"""What operators do with dead letters: put them back into their queue, throw one or all away.

Of several who act at once SQS hands each letter to one, and the job's row says what has been done with it. A redrive
queues the job, sends a copy and deletes the letter, in this order: whoever dies on the way leaves a letter that is
refused from then on, or two messages of which the stage's claim lets one work. A service takes no `at`: a long DLQ
takes minutes, and each letter has its own moment.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import structlog
from django.db import IntegrityError, transaction

from aetherflow.errors import ConflictError, InvalidError, UnavailableError
from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.accounts.services.auditing import Scalar, Target, record
from apps.jobs import clock
from apps.jobs.dead_letters import Letter, Look, letter_box, letter_of, look_for, queue_called
from apps.jobs.models import Cause, Stage, StageRun, State
from apps.jobs.services.dispatch import to_be_sent
from apps.jobs.services.submission import enqueue
from apps.jobs.services.transitions import RETRIED, IllegalMove, move
from apps.jobs.sqs.delivery import foreign_job_id
from apps.jobs.sqs.letters import ACT_SECONDS, Held, LetterBox, NotOurs, RawLetter

log = structlog.get_logger(__name__)

_GONE = "It is not in the queue any more, or somebody else holds it in this moment."
_NOT_REACHED = "It was not reached: SQS does not answer any more."
_MOVED_MEANWHILE = "Its job moved meanwhile. Look at it again."


class Result(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    GONE = "gone"


class Way(StrEnum):
    """How letters are moved."""

    ONE_BY_ONE = "one by one"
    MOVE_TASK = "StartMessageMoveTask"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one letter. `words` is the reason of a refusal, or what is to be known of what was done; `about` is
    what a person knows the letter by, where it was seen."""

    message_id: str
    result: Result
    words: str = ""
    job_id: str = ""
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of all letters that were meant. `problem` is what stopped it halfway, in a sentence, or empty."""

    queue: str
    outcomes: tuple[Outcome, ...]
    way: Way | None = None
    problem: str = ""

    def of(self, result: Result) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.result == result]

    @property
    def complete(self) -> bool:
        """Whether everything that was meant was done."""
        return not self.problem and all(outcome.result == Result.DONE for outcome in self.outcomes)


@dataclass(frozen=True, kw_only=True)
class Purge:
    """`letters` is SQS's approximate count of what was there."""

    queue: str
    name: str
    letters: int


def redrive(queue: str, ids: Collection[str], *, by: User | None, reason: str = "") -> Report:
    """Put the letters of these message ids back into their queue; their jobs are queued again.

    Refused, and left where it is, is a letter that would lead to nothing (`Letter.obstacle`). UnavailableError where
    SQS is away from the start.
    """

    def act(held: Held, raw: RawLetter, letter: Letter) -> Outcome:
        return _redrive_one(held, raw, letter, by=by, reason=reason)

    return _each(letter_box(queue), ids=set(ids), act=act, way=Way.ONE_BY_ONE)


def redrive_all(queue: str, *, by: User | None, reason: str = "") -> Report:
    """Put all letters of the DLQ back, by SQS's own task where the endpoint has it and nothing is to be refused.

    ConflictError while such a task moves them already; otherwise as `redrive`.
    """
    box = letter_box(queue)
    moving = box.is_moving()
    if moving:
        raise _moved_already(box)
    if moving is not None:
        look = look_for(queue)
        # SQS moves everything: what is to stay where it is can only be left out one by one.
        if look.letters and not look.held and not any(letter.obstacle for letter in look.letters):
            return _by_move_task(box, look, by=by, reason=reason)
    met: set[tuple[str, object]] = set()

    def act(held: Held, raw: RawLetter, letter: Letter) -> Outcome:
        # One that failed again while we are at it comes back, and would go round for ever.
        if letter.group in met:
            return _outcome(letter, Result.REFUSED, "Another letter of the same work was put back just before.")
        outcome = _redrive_one(held, raw, letter, by=by, reason=reason)
        if outcome.result == Result.DONE:
            met.add(letter.group)
        return outcome

    return _each(box, ids=None, act=act, way=Way.ONE_BY_ONE)


def would_redrive(queue: str, ids: Collection[str] | None = None) -> Report:
    """What a redrive of these letters, or of all, would come to now; everything stays where it is."""
    met: set[tuple[str, object]] = set()

    def judged(letter: Letter) -> Outcome:
        words = letter.obstacle or ("Another letter of the same work is put back." if letter.group in met else "")
        met.add(letter.group)
        return _outcome(letter, Result.REFUSED if words else Result.DONE, words)

    return _planned(queue, ids, judged)


def would_discard(queue: str, ids: Collection[str] | None = None) -> Report:
    """Which of these letters, or of the settled ones, are there to be thrown away."""
    return _planned(queue, ids, lambda letter: _outcome(letter, Result.DONE) if ids or letter.settled else None)


def discard(queue: str, ids: Collection[str], *, by: User | None, reason: str) -> Report:
    """Throw the letters of these message ids away, for a reason. Their jobs stay as they are, and can be retried."""
    _require(reason)

    def act(held: Held, raw: RawLetter, letter: Letter) -> Outcome:
        return _discard_one(held, raw, letter, by=by, reason=reason)

    return _each(letter_box(queue), ids=set(ids), act=act)


def discard_settled(queue: str, *, by: User | None, reason: str) -> Report:
    """Throw away all letters that are of no use any more (`Letter.settled`): a retry of a job leaves its letter."""
    _require(reason)

    def act(held: Held, raw: RawLetter, letter: Letter) -> Outcome | None:
        return _discard_one(held, raw, letter, by=by, reason=reason) if letter.settled else None

    return _each(letter_box(queue), ids=None, act=act)


def purge(queue: str, typed_name: str, *, by: User | None, reason: str) -> Purge:
    """Throw all letters away. InvalidError unless the DLQ's name is typed; ConflictError within a minute of another
    purge, which SQS does not take."""
    name = require_name(queue, typed_name)
    _require(reason)
    box = letter_box(queue)
    letters = box.counts().total
    with transaction.atomic():
        _tell(AuditAction.PURGED, None, queue=queue, by=by, at=clock.now(), reason=reason, details={"letters": letters})
        if not box.purge():
            raise ConflictError(
                f"{name} was purged less than a minute ago.",
                code="purged-already",
                hint="SQS takes one purge a minute. Wait, and look whether anything is left.",
            )
    return Purge(queue=queue, name=name, letters=letters)


def require_name(queue: str, typed_name: str) -> str:
    """The name of the queue's DLQ. InvalidError unless that is what was typed."""
    name = queue_called(queue).dead_letter_name
    if typed_name.strip() != name:
        raise InvalidError(
            f"To throw away all letters, type the queue's name: {name}.",
            code="name-not-typed",
            hint="Nothing was thrown away.",
        )
    return name


# --- One letter ---


def _redrive_one(held: Held, raw: RawLetter, letter: Letter, *, by: User | None, reason: str) -> Outcome:
    if letter.obstacle or letter.message is None:
        return _outcome(letter, Result.REFUSED, letter.obstacle)
    at = clock.now()
    try:
        # The copy goes out before the commit: if SQS is away, the job has not moved. A worker that is quicker than the
        # commit waits for the row; one that finds the job unmoved takes the copy for what it is (`claims`).
        with transaction.atomic():
            run = _queue_again(letter, by=by, at=at)
            job_id = str(run.job_id) if run else ""
            _tell(
                AuditAction.REDRIVEN, letter, queue=letter.queue, by=by, at=at, reason=reason, details={"job": job_id}
            )
            held.send_on(raw, group=letter.department)
    except (IllegalMove, ConflictError, IntegrityError):
        return _outcome(letter, Result.REFUSED, _MOVED_MEANWHILE)
    note = ""
    try:
        held.delete(raw)
    except (UnavailableError, NotOurs):
        note = "Its letter could not be deleted and is still there: discard it."
    return Outcome(message_id=raw.message_id, result=Result.DONE, words=note, job_id=job_id, about=letter.about)


def _queue_again(letter: Letter, *, by: User | None, at: datetime) -> StageRun | None:
    """The run that waits for the copy; None for a file that is not recorded yet. Raises where it moved meanwhile."""
    sent = {**to_be_sent(at), "dispatched_at": at}
    run = letter.run
    if run is None:
        return _job_of_foreign(letter, at=at)
    # Without the letter's id: a message that comes with it, as some endpoints let a moved one, is a new one.
    if run.state == State.QUEUED:
        if not StageRun.objects.filter(pk=run.pk, token=run.token, state=State.QUEUED, queued_at=run.queued_at).update(
            message_id="", **sent
        ):
            raise IllegalMove(f"{run} moved")
        return run
    return move(
        run,
        State.QUEUED,
        at=at,
        note=f"{RETRIED} {by.email if by else 'the command line'}, from the dead letters",
        changes={"attempts": 0, "token": run.token + 1, "dead_lettered": False, "message_id": "", **sent},
    )


def _job_of_foreign(letter: Letter, *, at: datetime) -> StageRun | None:
    """A job under the name that the letter's own would have had: a second redrive of the letter finds it."""
    if letter.dataset is None:
        return None
    job = enqueue(
        dataset=letter.dataset,
        cause=Cause.MESSAGE,
        by=None,
        at=at,
        request_id=letter.request_id[:64],
        first=Stage(letter.queue),
        job_id=foreign_job_id(letter.message_id),
        announce=False,
    )
    return job.stages.get(stage=letter.queue)


def _discard_one(held: Held, raw: RawLetter, letter: Letter, *, by: User | None, reason: str) -> Outcome:
    try:
        with transaction.atomic():
            if letter.run is not None:
                # Nobody is to wait for it: the relay would take it for lost and begin the job anew.
                waiting = StageRun.objects.filter(pk=letter.run.pk, token=letter.run.token, state=State.FAILED)
                waiting.filter(message_id=raw.message_id).update(dead_lettered=True)
            _tell(AuditAction.DISCARDED, letter, queue=letter.queue, by=by, at=clock.now(), reason=reason)
            held.delete(raw)
    except NotOurs:
        return _outcome(letter, Result.GONE, _GONE)
    under_way = letter.run is not None and letter.run.state in {State.QUEUED, State.PROCESSING}
    return _outcome(letter, Result.DONE, "Its job is under way all the same." if under_way else "")


# --- All letters that are meant ---


def _planned(queue: str, ids: Collection[str] | None, judged: Callable[[Letter], Outcome | None]) -> Report:
    look = look_for(queue, ids=ids)
    outcomes = [outcome for letter in look.letters if (outcome := judged(letter))]
    missing = set(ids or ()) - {outcome.message_id for outcome in outcomes}
    return Report(queue=queue, outcomes=(*outcomes, *_left(missing, Result.GONE, _GONE)))


def _each(
    box: LetterBox,
    *,
    ids: set[str] | None,
    act: Callable[[Held, RawLetter, Letter], Outcome | None],
    way: Way | None = None,
) -> Report:
    """Act on the letters of these ids, or on all; `act` passes over one with None. A failure of SQS halfway ends it,
    and what was done is told."""
    outcomes: list[Outcome] = []
    missing = set(ids or ())
    problem = ""
    if ids is not None and not ids:
        return Report(queue=box.queue.key, outcomes=(), way=way)
    try:
        with box.hold(seconds=ACT_SECONDS) as held:
            for raw in held:
                if ids is not None and raw.message_id not in missing:
                    continue
                missing.discard(raw.message_id)
                letter = letter_of(raw, queue=box.queue.key, at=clock.now())
                try:
                    outcomes += filter(None, [act(held, raw, letter)])
                except UnavailableError as error:
                    outcomes.append(_outcome(letter, Result.REFUSED, error.message))
                    raise
                if ids is not None and not missing:
                    break
    except UnavailableError as error:
        if not any(outcome.result == Result.DONE for outcome in outcomes):
            raise
        problem = f"{error.message} {error.hint}"
    outcomes += _left(missing, Result.REFUSED, _NOT_REACHED) if problem else _left(missing, Result.GONE, _GONE)
    return Report(queue=box.queue.key, outcomes=tuple(outcomes), way=way, problem=problem)


def _by_move_task(box: LetterBox, look: Look, *, by: User | None, reason: str) -> Report:
    """Order it first: until its job is queued here, a worker takes a moved message for a redrive by itself."""
    with transaction.atomic():
        for letter in look.letters:
            _tell(AuditAction.REDRIVEN, letter, queue=look.queue, by=by, at=clock.now(), reason=reason)
        if not box.start_move_task():
            raise _moved_already(box)
    return Report(
        queue=look.queue,
        outcomes=tuple(_queued(letter, by=by) for letter in look.letters),
        way=Way.MOVE_TASK,
    )


def _moved_already(box: LetterBox) -> ConflictError:
    return ConflictError(
        f"The letters of {box.queue.dead_letter_name} are being moved already.",
        code="move-under-way",
        hint="Wait until that has ended.",
    )


def _queued(letter: Letter, *, by: User | None) -> Outcome:
    words = ""
    if letter.run is not None and not letter.foreign:
        try:
            with transaction.atomic():
                _queue_again(letter, by=by, at=clock.now())
        except (IllegalMove, IntegrityError):
            words = "Its job has moved already."
    return _outcome(letter, Result.DONE, words)


def _outcome(letter: Letter, result: Result, words: str = "") -> Outcome:
    job_id = str(letter.run.job_id) if letter.run else ""
    return Outcome(message_id=letter.message_id, result=result, words=words, job_id=job_id, about=letter.about)


def _left(message_ids: set[str], result: Result, words: str) -> list[Outcome]:
    return [Outcome(message_id=each, result=result, words=words) for each in sorted(message_ids)]


def _require(reason: str) -> None:
    if not reason.strip():
        raise InvalidError(
            "What is thrown away cannot be had back, so it needs a reason.",
            code="reason-missing",
            hint="Say in a few words why it may go.",
        )


def _tell(
    action: AuditAction,
    letter: Letter | None,
    *,
    queue: str,
    by: User | None,
    at: datetime,
    reason: str,
    details: Mapping[str, Scalar] = MappingProxyType({}),
) -> None:
    """The one place that tells of what an operator does, in the transaction that does it; without a letter, to all."""
    message = {"message": letter.message_id} if letter else {}
    record(
        action,
        _target(letter, queue=queue),
        by=by,
        at=at,
        reason=reason,
        details={"queue": queue, **message, **details},
    )
    log.info(
        "dead_letters_acted_on",
        action=str(action),
        queue=queue,
        dataset_id=str(letter.message.dataset_id) if letter and letter.message else None,
        department=letter.department if letter else None,
        by=by.email if by else None,
        reason=reason,
        **message,
        **details,
    )


def _target(letter: Letter | None, *, queue: str) -> Target:
    """The job of the letter, where it has one: whoever looks at the job finds what was done."""
    if letter is None:
        return Target(type="queue", id=queue, name=queue_called(queue).dead_letter_name)
    if letter.run is not None:
        job = letter.run.job
        return Target(type="job", id=str(job.pk), name=job.dataset.name, department=letter.run.department)
    name = letter.dataset.name if letter.dataset else f"a letter of {queue_called(queue).dead_letter_name}"
    return Target(type="message", id=letter.message_id, name=name, department=letter.department)
