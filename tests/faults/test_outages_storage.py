"""The store of the raw files away or full, and no room on the machines that handle them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults import files
from tests.faults.injection import Fault
from tests.faults.platform import Platform
from tests.faults.settled import assert_nothing_is_left, assert_refused, assert_settled, assert_told, journal
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-outages-storage")]

# The outages last a little longer on a busy machine, and each attempt meets them again.
SETTINGS = {"QUEUE_MAX_RECEIVES": "10"}
MIB = 1024 * 1024


class Disk:
    """A file system of two MiB."""

    SIZE = 2 * MIB

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, *, leaving: int) -> None:
        self._ballast.write_bytes(bytes(self.SIZE - leaving))

    def free(self) -> None:
        self._ballast.unlink()

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file() and path != self._ballast]


@contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    """Without the right to mount the test is skipped; in CI as root, where it should be there, it fails."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={Disk.SIZE}", "aetherflow-test", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        notice = f"A small file system cannot be mounted here: {done.stderr.strip()}"
        if os.environ.get("CI") and os.geteuid() == 0:
            pytest.fail(notice)
        pytest.skip(notice)
    try:
        yield Disk(folder)
    finally:
        # Lazily: a worker that still has a file open there must not leave the mount behind.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def disk(platform: Platform) -> Iterator[Disk]:
    number = len(list(platform.home.path.glob("disk-*")))
    with mounted(platform.home.path / f"disk-{number}") as disk:
        yield disk


# --- S3 away ---


def test_an_upload_while_s3_is_away_is_refused_with_what_to_do_and_leaves_nothing(platform: Platform) -> None:
    platform.person("sales")
    with platform.s3_proxy.refusing():
        sent = platform.send("sales")
    assert_refused(platform, sent, code="storage-unavailable")
    assert_settled(platform, platform.upload("sales", content=sent.content))


def test_etl_that_meets_s3_away_says_so_and_succeeds_by_itself_once_it_is_back(platform: Platform) -> None:
    upload = platform.upload("finance", Fault(point="etl.claimed", do="sleep:2"))
    eventually(lambda: platform.fired(upload), within=30, what="the file is claimed")
    with platform.s3_proxy.refusing():
        assert_failing(platform, upload, code="storage-unavailable")
    assert_healed(platform, upload, code="storage-unavailable")


# --- the worker's own disk full ---


def test_etl_without_room_for_its_temporary_files_says_so_and_succeeds_once_there_is(
    platform: Platform, disk: Disk
) -> None:
    platform.restart("worker-etl", TMPDIR=str(disk.folder))
    before, pid = platform.restarts["worker-etl"], platform.pid("worker-etl")
    disk.fill(leaving=8 * 1024)
    upload = platform.upload("supply_chain", rows=2_000)
    assert_failing(platform, upload, code="disk-full")
    disk.free()
    assert_healed(platform, upload, code="disk-full")
    assert (platform.restarts["worker-etl"], platform.pid("worker-etl")) == (before, pid)
    assert not disk.files()
    platform.restart("worker-etl")


# --- the disk of the local store full ---


@pytest.mark.parametrize("size", [0.7, 1.3], ids=["held in memory", "spooled to disk"])
def test_an_upload_the_local_store_has_no_room_for_is_refused_and_leaves_nothing(
    platform: Platform, disk: Disk, size: float
) -> None:
    store = {"STORAGE": "disk", "RAW_ROOT": str(disk.folder)}
    platform.restart("web", **store)
    platform.restart("worker-etl", **store)
    platform.await_ready()
    disk.fill(leaving=MIB // 2)
    content = sized(int(size * MIB))
    sent = platform.send("sales", content=content)
    assert_refused(platform, sent, code="storage-full")
    assert not disk.files()
    small = platform.upload("sales")
    disk.free()
    assert_settled(platform, small)
    assert_settled(platform, platform.upload("sales", content=content))


def test_an_upload_the_web_servers_temporary_disk_has_no_room_for_is_refused_and_leaves_nothing(
    platform: Platform, disk: Disk
) -> None:
    platform.restart("worker-etl")
    platform.restart("web", TMPDIR=str(disk.folder))
    platform.await_ready()
    disk.fill(leaving=MIB // 2)
    content = sized(int(1.3 * MIB))
    sent = platform.send("sales", content=content)
    assert_refused(platform, sent, code="storage-full")
    assert not disk.files()
    disk.free()
    assert_settled(platform, platform.upload("sales", content=content))
    platform.restart("web")
    platform.await_ready()


def test_after_all_that_nothing_is_left(platform: Platform) -> None:
    assert_nothing_is_left(platform)


def sized(size: int) -> bytes:
    """A file of sales of about so many bytes."""
    sample = files.sales("0" * 12, rows=1_000)
    return files.sales(os.urandom(6).hex(), rows=size * 1_000 // len(sample))


def assert_failing(platform: Platform, upload: Upload, *, code: str) -> None:
    """A person sees at the first attempt what is wrong, in words and with what to do; it is not over yet."""

    def has_failed() -> bool:
        return any(event["target"] == "failed" for event in journal(platform, upload, "etl"))

    eventually(has_failed, within=60, what="an attempt has failed")
    reasons = platform.query(
        "SELECT error_code, error_message, error_hint FROM jobs_stagerun WHERE job_id = %s AND stage = 'etl'",
        upload.job_id,
    )
    assert [reason["error_code"] for reason in reasons] == [code]
    assert all(reason["error_message"] and reason["error_hint"] for reason in reasons)


def assert_healed(platform: Platform, upload: Upload, *, code: str) -> None:
    assert_settled(platform, upload)
    failures = [event for event in journal(platform, upload, "etl") if event["target"] == "failed"]
    assert {event["note"] for event in failures} == {code}
    assert_told(platform, upload, stage="etl")
