"""This machine: room on its disks and in its memory, its clock, and the pages it is to serve."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import Error
from django.utils import timezone

from apps.datasets.storage import S3RawStorage, raw_storage
from apps.jobs import clock
from apps.jobs.broker import sqs_settings
from config.doctor.finding import Finding

_MIB = 1024**2
_FULL_BELOW = 256 * _MIB
# The API takes tokens of machines whose clocks differ by so much; AWS refuses what was signed five minutes off.
_DIFFERS_BY, _REFUSED_BY = 5.0, 300.0


def pages() -> Iterator[Finding]:
    if not (settings.DASHBOARD_DIST / "index.html").is_file():
        yield Finding.warn(
            f"There is no dashboard in {settings.DASHBOARD_DIST}.", "Run `make build`, or set DASHBOARD_DIST."
        )
    elif getattr(staticfiles_storage, "hashed_files", True) == {}:
        yield Finding.fault(
            f"There are no static files in {settings.STATIC_ROOT}: no page of the console opens.",
            "Run `manage.py collectstatic --no-input`, or set STATIC_ROOT.",
        )
    else:
        yield Finding.ok("the dashboard and the console's files are there")


def disk() -> Iterator[Finding]:
    folders = {"files while they are worked": tempfile.gettempdir()}
    if settings.RAW_STORAGE == "disk":
        folders["raw files"] = settings.RAW_ROOT
    for what, folder in folders.items():
        yield _room(what, Path(folder))


def memory() -> Iterator[Finding]:
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MIB
    limit = settings.WORKER_MEMORY_LIMIT_MB
    if not limit:
        told = "WORKER_MEMORY_LIMIT_MB=0: one file can take all memory, and the kernel then ends what it likes."
        yield Finding.warn(told, f"Set a limit that fits this machine's {there} MB.")
    elif limit > there:
        told = f"One task may take {limit} MB, and this machine has {there} MB."
        yield Finding.warn(told, "Lower WORKER_MEMORY_LIMIT_MB, or run the workers elsewhere.")
    else:
        yield Finding.ok(f"{there} MB, of which a task may take {limit}")


def clocks() -> Iterator[Finding]:
    """Leases and tokens compare times of different machines, and AWS refuses what is signed at another time."""
    for whose, ahead in _differences():
        if ahead is None:
            yield Finding.ok(f"{whose} does not tell the time")
            continue
        told = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {whose}"
        if abs(ahead) <= _DIFFERS_BY:
            yield Finding.ok(f"as {whose}, to within {_DIFFERS_BY:.0f} s")
        elif abs(ahead) < _REFUSED_BY:
            yield Finding.warn(told, "Have it set by NTP (chrony, systemd-timesyncd).")
        else:
            yield Finding.fault(told, "Set it, and have it set by NTP (chrony, systemd-timesyncd).")


def _room(what: str, folder: Path) -> Finding:
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding.fault(f"{folder} ({what}) cannot be written.", "Make it, or give this process' user the right.")
    free, largest = shutil.disk_usage(folder).free, settings.MAX_UPLOAD_BYTES
    told = f"{free // _MIB} MB free in {folder} ({what})"
    if free < _FULL_BELOW:
        return Finding.fault(f"{told}: it is full.", "Make room. Uploads and loads fail meanwhile.")
    if free < 2 * largest:
        told = f"{told}; an upload may have {largest // _MIB} MB, and is copied while it is worked."
        return Finding.warn(told, "Make room, point TMPDIR to a larger disk, or lower MAX_UPLOAD_BYTES.")
    return Finding.ok(told)


def _differences() -> Iterator[tuple[str, float | None]]:
    """Whose clock, and by how many seconds ours is ahead of it; None where it does not tell. A service that does not
    answer is left to the check of its own."""
    try:
        before = timezone.now()
        theirs = clock.now()
        yield "the database", (before + (timezone.now() - before) / 2 - theirs).total_seconds()
    except Error:
        pass
    asked = {"SQS": _ask_sqs}
    storage = raw_storage()
    if isinstance(storage, S3RawStorage):
        asked["S3"] = lambda: storage.connection.meta.client.head_bucket(Bucket=storage.bucket_name)
    for whose, ask in asked.items():
        try:
            answer = ask()
        except ClientError as refusal:  # a refusal has a date too
            answer = refusal.response
        except BotoCoreError:
            continue
        yield whose, _ahead(answer)


def _ask_sqs() -> Any:
    sqs = sqs_settings()
    return sqs.client().get_queue_url(QueueName=sqs.queues.etl.name)


def _ahead(answer: Any) -> float | None:
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds() if date else None
