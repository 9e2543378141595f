"""One large file, several workers (ADR 14): who has claimed the stage cuts it into splits and calls for help over the
same queue; whoever is free takes one split after the other, and who has called puts together what came of them.

Nobody is waited for who is not at work. With no help the caller loads all splits itself; the split of a worker that
dies is free again after a while; and a file that cannot be read in splits is read as a whole, as if it had none.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from hashlib import sha256
from importlib.metadata import version

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Now

from aetherflow.etl import FileRefused, Held, Plan, ReadOtherwise, SeenKeys, SourceFile, Split, split
from apps.datasets import partitions
from apps.datasets.copying import carried, large_value
from apps.datasets.loading import Progress, RejectSpool
from apps.datasets.models import Dataset
from apps.datasets.splits import Assembly, LoadedSplit, load_split
from apps.datasets.storage import local_split
from apps.jobs import clock
from apps.jobs.broker import app, quick_client, sqs_settings
from apps.jobs.models import SplitState, Stage, StageRun, StageSplit, State
from apps.jobs.selectors import etl_tasks_at_work, live_workers
from apps.jobs.services.dispatch import etl_message
from apps.jobs.sqs import sending
from apps.jobs.sqs.queues import waiting_on

log = structlog.get_logger(__name__)

# Who holds a split says so every second; of whom nothing was heard for so long somebody else takes it.
_LEASE = timedelta(seconds=30)
_TELL_EVERY_SECONDS = 1.0
_CALL_EVERY_SECONDS = 5.0
# SPLIT_BYTES in the largest: one is in memory as a whole while its bytes are hashed.
_LARGEST = 4
_LOOK_EVERY_SECONDS = 0.05
# What came of so many of its own splits the caller holds itself: some megabytes of keys each.
_HELD = 2
# A helper's task ends long before its time limit; it is called again where there is more to do.
_HELP_FOR_SECONDS = 300.0
# What splits tell of each other is of their own release: another may tell it in another way, or hash by another polars.
_RELEASE = f"2, polars {version('polars')}"
_LOADER = "loader"


class SplitLost(Exception):  # noqa: N818  (named for what happened)
    """Somebody else has the split now, or nobody needs it any more."""


class CannotBeSplit(Exception):  # noqa: N818  (named for what it says)
    """The file is to be read as a whole, which finds out why."""


@contextmanager
def shared(
    run: StageRun, *, source: SourceFile, spool: RejectSpool, seen: SeenKeys, progress: Progress
) -> Iterator[Assembly | None]:
    """All of the file's splits, loaded and put together; None, and nothing in `spool` and `seen`, where it is for one
    to read. Raises what `progress` raises."""
    if source.bytes_total < settings.SPLIT_FROM_BYTES:
        yield None
        return
    try:
        yield _put_together(run, source=source, spool=spool, seen=seen, progress=progress)
    finally:
        # Whoever is still at work on one finds it gone.
        _of(run).delete()


def help_with(run: StageRun, *, worker: str) -> None:
    """Load splits of a file that somebody else has claimed, while there are any and nobody's file waits.

    Never raises for what goes wrong with a split: whoever has called meets it too, and says it.
    """
    until = time.monotonic() + _HELP_FOR_SECONDS
    helped = 0
    while time.monotonic() < until and (taken := _take(run, worker=worker)):
        dataset = run.job.dataset
        try:
            with local_split(dataset.key, start=taken.start, end=taken.end) as held:
                digest = sha256(held.bytes_of(_split(taken))).hexdigest()
                _load(taken, dataset=dataset, held=held, tell=_nobody, digest=digest)
        except SplitLost:
            log.info("split_lost", split=taken.number)
        except _UNREADABLE as error:
            _refuse(taken, error)
            break
        except Exception:
            log.exception("split_not_loaded", split=taken.number)
            _mine(taken).update(state=SplitState.WAITING)
            break
        else:
            helped += 1
        if _somebody_waits():
            break
    log.info("helped", splits=helped)


def forget_left() -> int:
    """Remove the splits that a worker which was killed has left; returns how many."""
    return StageSplit.objects.exclude(run__state=State.PROCESSING, run__token=F("token")).delete()[0]


# An IntegrityError: lines that were counted otherwise than pyarrow tells them apart.
_UNREADABLE = (FileRefused, IntegrityError)


def _put_together(
    run: StageRun, *, source: SourceFile, spool: RejectSpool, seen: SeenKeys, progress: Progress
) -> Assembly | None:
    StageSplit.objects.filter(run=run, token__lt=run.token).delete()
    # Splits are a tenth more work than one pass: not for those who are busy, or will be.
    if (hands := _hands(run)) < 2 or _somebody_waits():
        return None
    splits = split(source, size_of=partial(_size_of, hands=hands))
    if len(splits) < 2:
        return None
    dataset, at = run.job.dataset, clock.now()
    bucket = partitions.reserve(dataset, until=at + _longest(), using="default")
    plan = {"file": Plan.of(source).as_dict(), "listing_limit": spool.limit}
    StageSplit.objects.bulk_create(
        StageSplit(run=run, number=number, token=run.token, release=_RELEASE, plan=plan, bucket=bucket, **asdict(each))
        for number, each in enumerate(splits)
    )
    log.info("file_split", splits=len(splits), bytes=source.bytes_total)
    assembly = Assembly(
        dataset=dataset, source=source, bucket=bucket, spool=spool, seen=seen, progress=progress, using=_LOADER
    )
    try:
        _work_off(run, splits, source=source, assembly=assembly, progress=progress)
        assembly.settle()
    except (CannotBeSplit, ReadOtherwise, *_UNREADABLE) as error:
        log.info("splits_given_up", reason=str(error)[:300] or "numbers or days are written otherwise")
        spool.clear()
        seen.clear()
        partitions.release(bucket, at=clock.now())
        return None
    return assembly


def _size_of(left: int, *, hands: int) -> int:
    """Large ones first, since each costs a little of its own, and small ones last, for which others wait (guided
    self-scheduling, Polychronopoulos and Kuck 1987)."""
    return min(max(left // (2 * hands), settings.SPLIT_BYTES), _LARGEST * settings.SPLIT_BYTES)


def _work_off(
    run: StageRun, splits: list[Split], *, source: SourceFile, assembly: Assembly, progress: Progress
) -> None:
    """Load what nobody else does, and meanwhile put together those that are in.

    Raises CannotBeSplit, or any of _UNREADABLE, where one cannot be read by itself.
    """
    call, whole = _Caller(run), Held(path=source.path)
    gathered = _Gathered(run, splits, whole=whole, assembly=assembly)

    def tell() -> None:
        progress(_of(run).aggregate(done=Sum("done"))["done"] or 0, source.bytes_total)

    while True:
        call.where_it_helps()
        if taken := _take(run, worker=run.worker):
            hand_in = gathered.is_full
            try:
                came = _load(taken, dataset=run.job.dataset, held=whole, tell=tell, hand_in=hand_in)
            except SplitLost:
                log.info("split_lost", split=taken.number)
            else:
                if not hand_in:
                    gathered.hold(taken.number, came)
        gathered.put_together()
        if gathered.is_whole:
            return
        if _of(run).filter(state=SplitState.REFUSED).exists():
            raise CannotBeSplit("who helps could not read a split of it")
        if not taken:
            tell()
            time.sleep(_LOOK_EVERY_SECONDS)


def _take(run: StageRun, *, worker: str) -> StageSplit | None:
    """The next split that nobody works, or whose worker was not heard of for a while."""
    with transaction.atomic():
        free = Q(state=SplitState.WAITING) | Q(state=SplitState.TAKEN, held_until__lt=Now())
        found = _without_what_came(_of(run).filter(free, release=_RELEASE))
        taken = found.select_for_update(skip_locked=True, of=("self",)).order_by("number").first()
        if taken is None:
            return None
        taken.state, taken.takes, taken.worker = SplitState.TAKEN, taken.takes + 1, worker
        StageSplit.objects.filter(pk=taken.pk).update(
            state=taken.state, takes=taken.takes, worker=worker, done=0, held_until=Now() + _LEASE
        )
    return taken


def _load(
    taken: StageSplit,
    *,
    dataset: Dataset,
    held: Held,
    tell: Callable[[], None],
    digest: str = "",
    hand_in: bool = True,
) -> LoadedSplit:
    """Load the split, and write in the same transaction that it is, and what came of it where it is to `hand_in`.
    `digest` is that of bytes which were fetched. SplitLost where it is not ours any more."""
    began = last = time.monotonic()

    def progress(done: int, _total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _TELL_EVERY_SECONDS:
            return
        last = now
        in_work = _mine(taken).filter(run__state=State.PROCESSING, run__token=F("token"))
        if not in_work.update(done=done, held_until=Now() + _LEASE):
            raise SplitLost
        tell()

    with transaction.atomic(using=_LOADER):
        came = load_split(
            dataset=dataset,
            plan=Plan.from_dict(taken.plan["file"]),
            split=_split(taken),
            held=held,
            bucket=taken.bucket,
            limit=taken.plan["listing_limit"],
            progress=progress,
            using=_LOADER,
        )
        with carried(came.keys, using=_LOADER) if hand_in else nullcontext(b"") as keys:
            loaded = _mine(taken, using=_LOADER).update(
                state=SplitState.LOADED,
                done=taken.end - taken.start,
                sha256=digest,
                piece=came.piece,
                found=came.found if hand_in else {},
                keys=keys,
                rejects=came.rejects if hand_in else b"",
            )
        if not loaded:
            raise SplitLost
    log.info("split_loaded", split=taken.number, duration_ms=round((time.monotonic() - began) * 1000))
    return came


def _refuse(taken: StageSplit, error: BaseException) -> None:
    log.info("split_refused", split=taken.number, reason=str(error)[:300])
    _mine(taken).update(state=SplitState.REFUSED)


def _mine(taken: StageSplit, *, using: str = "default") -> QuerySet[StageSplit]:
    """The split's row as long as nobody else has taken it."""
    return StageSplit.objects.using(using).filter(pk=taken.pk, takes=taken.takes, state=SplitState.TAKEN)


def _without_what_came(splits: QuerySet[StageSplit]) -> QuerySet[StageSplit]:
    """Megabytes, which only who puts them together wants."""
    return splits.defer("found", "keys", "rejects")


def _of(run: StageRun) -> QuerySet[StageSplit]:
    """Those of its attempt: whoever has taken the stage over has others."""
    return StageSplit.objects.filter(run=run, token=run.token)


def _split(row: StageSplit) -> Split:
    return Split(start=row.start, end=row.end, first_line=row.first_line, after_line=row.after_line)


def _nobody() -> None:
    """Who helps has nobody to tell but the split's own row."""


class _Gathered:
    """What came of the splits, put together in the order of their lines as far as they are in. What came of a few of
    its own the caller holds until then; the rest is handed in, as by those who help."""

    def __init__(self, run: StageRun, splits: list[Split], *, whole: Held, assembly: Assembly) -> None:
        self._run = run
        self._splits = splits
        self._whole = whole
        self._assembly = assembly
        self._held: dict[int, LoadedSplit] = {}
        self._next = 0

    @property
    def is_full(self) -> bool:
        return len(self._held) >= _HELD

    @property
    def is_whole(self) -> bool:
        return self._next == len(self._splits)

    def hold(self, number: int, came: LoadedSplit) -> None:
        self._held[number] = came

    def put_together(self) -> None:
        """CannotBeSplit where one came of another file's bytes."""
        while not self.is_whole and (came := self._held.pop(self._next, None) or self._handed_in(self._next)):
            with transaction.atomic(using=_LOADER):
                self._assembly.add(self._splits[self._next], came)
            self._next += 1

    def _handed_in(self, number: int) -> LoadedSplit | None:
        row = _of(self._run).filter(number=number, state=SplitState.LOADED).defer("plan", "keys").first()
        if row is None or row.piece is None or row.found is None or row.rejects is None:
            return None
        if row.sha256 and row.sha256 != sha256(self._whole.bytes_of(self._splits[number])).hexdigest():
            raise CannotBeSplit("another file stands under its key now")
        query = f"SELECT keys FROM {StageSplit._meta.db_table} WHERE id = {int(row.pk)}"  # noqa: S608  (our own names)
        keys = large_value(query, using="default")
        return LoadedSplit(piece=row.piece, found=row.found, keys=keys, rejects=bytes(row.rejects))


class _Caller:
    """Calls for help while there is something to do, somebody to do it, and no file that it would keep waiting."""

    def __init__(self, run: StageRun) -> None:
        self._run = run
        self._again_at = 0.0

    def where_it_helps(self) -> None:
        if time.monotonic() < self._again_at:
            return
        self._again_at = time.monotonic() + _CALL_EVERY_SECONDS
        lately = Q(held_until__gt=Now() + _LEASE - timedelta(seconds=_CALL_EVERY_SECONDS))
        counts = _of(self._run).aggregate(
            waiting=Count("pk", filter=Q(state=SplitState.WAITING)),
            taken=Count("pk", filter=Q(state=SplitState.TAKEN)),
            workers=Count("worker", distinct=True, filter=lately),
        )
        # Who calls has none in hand, and one is for it. Who helps may be between two, or be several of one worker.
        at_work = max(counts["taken"] + 1, counts["workers"])
        wanted = min(counts["waiting"] - 1, _hands(self._run) - at_work)
        if wanted < 1 or _somebody_waits():
            return
        message = etl_message(self._run.job, at=clock.now())
        try:
            for _ in range(wanted):
                sending.call_for_help(app, message, job_id=str(self._run.job_id), request_id=self._run.job.request_id)
        except sending.NotSent as error:
            log.warning("help_not_called", error=str(error)[:300])
        else:
            log.info("help_called", messages=wanted)


def _hands(run: StageRun) -> int:
    """How many ETL tasks, the caller's among them, could work at its file without being in each other's way."""
    at = clock.now()
    workers = live_workers(at=at).filter(queues__contains=[Stage.ETL])
    sharers: int = workers.aggregate(sharers=Sum("sharers"))["sharers"] or 0
    return sharers - etl_tasks_at_work(besides=run, at=at)


def _somebody_waits() -> bool:
    """Whether there are messages on the queue that nobody has taken, or SQS does not say."""
    sqs = sqs_settings()
    try:
        return waiting_on(quick_client(sqs), sqs.queue_url(sqs.queues.etl)) > 0
    except (BotoCoreError, ClientError) as error:
        log.warning("queue_not_looked_at", error=str(error)[:300])
        return True


def _longest() -> timedelta:
    """How long an attempt may take, with time to spare."""
    _, hard = settings.STAGE_TIME_LIMITS["etl"]
    return timedelta(seconds=2 * hard)
