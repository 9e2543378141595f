"""The ETL stage: raw file → clean rows, in one transaction that readers see whole or not at all."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from aetherflow.etl import Correction, Counts, FileRefused, Reading, ReadOptions, RejectPolicy, SeenKeys, open_file
from aetherflow.registry import department as find_department
from apps.datasets.changes import Changes, compare
from apps.datasets.loading import Loaded, Progress, RejectSpool, replace_rows
from apps.datasets.models import Dataset, OnError
from apps.datasets.selectors import memory_of
from apps.datasets.services import clear, lock_dataset, lock_department, record_load, record_refusal
from apps.datasets.storage import local_copy
from apps.jobs import clock
from apps.jobs.models import Stage, StageRun, State
from apps.jobs.services.claims import Verdict, claim, fail, fail_undone, is_called_off
from apps.jobs.services.dispatch import in_other_hands_until, ml_message
from apps.jobs.services.foreign import etl_run_of, is_of_our_making
from apps.jobs.services.splitting import help_with, shared
from apps.jobs.services.transitions import NO_ERROR, IllegalMove, move, start
from apps.jobs.sqs.delivery import Delivery
from apps.jobs.sqs.messages import EtlMessage, MlMessage

log = structlog.get_logger(__name__)

_PROGRESS_EVERY_SECONDS = 1.0
# The long transaction's connection; progress and failures are written on the default one, beside it.
_LOADER = "loader"


class UploadUndone(Exception):  # noqa: N818  (named for what happened)
    """The upload was undone while it was in work."""


@dataclass(frozen=True, kw_only=True)
class Following:
    """The chain's next message and the job it belongs to, which a foreign producer's chain cannot know."""

    message: MlMessage
    job_id: UUID


@dataclass(kw_only=True)
class _Found:
    """What is known of the file so far, for the record of a refusal."""

    reading: Reading | None = None
    counts: Counts | None = None


def work_etl(*, message: EtlMessage, delivery: Delivery, worker: str, at: datetime) -> Following | None:
    """Work the message; what follows it in the chain, or None where there is nothing to go on with.

    Whatever goes wrong is written to the job first and then raised, so that SQS delivers again and at last moves the
    message to the dead-letter queue.
    """
    if is_of_our_making(message, delivery=delivery):
        log.info("event_without_work", key=message.s3_key)
        return None
    run = etl_run_of(message, delivery=delivery, at=at)
    if delivery.asks_help:
        help_with(run, worker=worker)
        return None
    return _work(run, delivery=delivery, worker=worker, at=at)


def _work(found_run: StageRun, *, delivery: Delivery, worker: str, at: datetime) -> Following | None:
    claimed = claim(found_run, delivery=delivery, worker=worker, at=at)
    run = claimed.run
    if claimed.verdict is Verdict.DONE:
        # Its link may have been lost with its worker: give the chain the message again. ML dedupes by run.
        return Following(message=ml_message(run.job, at=at), job_id=run.job_id)
    if claimed.verdict is not Verdict.WORK:
        log.info("delivery_without_work", job_id=str(run.job_id), stage=run.stage, verdict=claimed.verdict.name)
        return None
    found = _Found()
    with RejectSpool(dataset=run.job.dataset, limit=settings.MAX_REJECTS_KEPT) as spool:
        try:
            _load(run, dataset=run.job.dataset, spool=spool, found=found)
        except FileRefused as error:
            # The reason first: it is fenced, and must stand even if what follows fails.
            if fail(run, error=error, at=clock.now(), changes=_refused_columns(found.counts)):
                record_refusal(dataset=run.job.dataset, spool=spool, reading=found.reading)
            elif is_called_off(run):
                return None
            raise
        except UploadUndone:
            fail_undone(run, at=clock.now())
            # The undo has found its rows held by this load.
            clear(run.job.dataset)
            return None
        except Exception as error:
            if not fail(run, error=error, at=clock.now()) and is_called_off(run):
                return None
            raise
    return Following(message=ml_message(run.job, at=clock.now()), job_id=run.job_id)


def _load(run: StageRun, *, dataset: Dataset, spool: RejectSpool, found: _Found) -> None:
    """Read, validate, clean and COPY. UploadUndone when it was undone meanwhile: nothing of it stays."""
    policy = RejectPolicy(
        max_share=dataset.max_reject_share, on_error="refuse" if dataset.on_error == OnError.REFUSE else "quarantine"
    )
    with (
        _copy_of(dataset) as path,
        # Before the file, and so let go of after its threads have ended.
        SeenKeys() as seen,
        open_file(
            path,
            filename=dataset.original_filename,
            department=find_department(dataset.department),
            options=ReadOptions(**dataset.read_options),
            memory=memory_of(dataset),
            correction=None if dataset.corrects is None else Correction.of(dataset.corrects.reading),
            listing_limit=spool.limit,
            most_bytes=settings.MAX_UNPACKED_BYTES,
            most_rows=settings.MAX_FILE_ROWS,
            in_haste=True,
        ) as source,
    ):
        found.reading, progress = source.reading, _progress_of(run)
        with (
            shared(run, source=source, spool=spool, seen=seen, progress=progress) as assembly,
            transaction.atomic(using=_LOADER),
        ):
            if assembly is not None:
                loaded = assembly.finish(at=clock.now())
            else:
                loaded = replace_rows(
                    dataset=dataset,
                    source=source,
                    spool=spool,
                    seen=seen,
                    progress=progress,
                    at=clock.now(),
                    using=_LOADER,
                )
            found.reading, found.counts = source.reading, loaded.counts
            policy.check(loaded.counts, spool.by_code, by_column=spool.by_column)
            # Of two loads of one department the second sees what the first has done.
            lock_department(dataset.department, using=_LOADER)
            if lock_dataset(dataset.pk, using=_LOADER).deleted_at is not None:
                raise UploadUndone
            spool.replace_stored(using=_LOADER)
            changes = compare(seen, dataset=dataset, using=_LOADER)
            _finish(
                run,
                dataset=dataset,
                loaded=loaded,
                changes=changes,
                spool=spool,
                reading=source.reading,
            )


@contextmanager
def _copy_of(dataset: Dataset) -> Iterator[Path]:
    """The raw file on this machine. FileRefused where it is not the one that its uploader announced: of what came past
    the gateway nobody has seen all bytes before."""
    with local_copy(dataset.key) as path:
        if dataset.sha256_claimed:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != dataset.sha256:
                raise FileRefused(
                    f"The file has the SHA-256 {found}, and {dataset.sha256} was announced: it is not the same file.",
                    code="hash-mismatch",
                    hint="Upload the file again.",
                )
        yield path


def _finish(
    run: StageRun,
    *,
    dataset: Dataset,
    loaded: Loaded,
    changes: Changes | None,
    spool: RejectSpool,
    reading: Reading,
) -> None:
    """The stage's end and the next stage's beginning, in the transaction of the rows."""
    at = clock.now()
    record_load(
        dataset=dataset,
        counts=loaded.counts,
        spool=spool,
        reading=reading,
        profiler=loaded.profiler,
        bucket=loaded.bucket,
        changes=changes,
        at=at,
        using=_LOADER,
    )
    # First the move, which is fenced: a worker that lost its claim ends here.
    move(
        run,
        State.SUCCEEDED,
        at=at,
        using=_LOADER,
        changes={
            "progress_done": dataset.size_bytes,
            "progress_total": dataset.size_bytes,
            "progress_unit": "bytes",
            **_columns(loaded.counts),
            **NO_ERROR,
        },
    )
    start(
        run.job,
        Stage.ML,
        at=at,
        max_attempts=settings.QUEUE_MAX_RECEIVES,
        # The chain sends it. Where its worker dies before that, the ETL message comes again and sends it then.
        send_after=in_other_hands_until(at),
        using=_LOADER,
    )


def _refused_columns(counts: Counts | None) -> dict[str, int]:
    """Of a refused file nothing is loaded, however many rows were good."""
    return _columns(counts) | {"rows_loaded": 0} if counts else {}


def _columns(counts: Counts) -> dict[str, int]:
    return {
        "rows_read": counts.read,
        "rows_loaded": counts.loaded,
        "rows_rejected": counts.rejected,
        "rows_duplicate": counts.duplicate,
    }


def _progress_of(run: StageRun) -> Progress:
    """Writes progress beside the big transaction, once a second, and stops a worker that works for nothing.

    Of a file that is done within a second nobody sees any, and its end is fenced all the same.
    """
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _PROGRESS_EVERY_SECONDS:
            return
        last = now
        ours = StageRun.objects.filter(pk=run.pk, token=run.token, state=State.PROCESSING)
        if not ours.update(progress_done=done, progress_total=total, progress_unit="bytes"):
            raise IllegalMove(f"{run} is not ours any more")
        if Dataset.objects.exclude(deleted_at=None).filter(pk=run.job.dataset_id).exists():
            raise UploadUndone

    return progress
