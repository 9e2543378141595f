"""Whom the memory watch ends, whom it leaves alone, and what the owner of the file then reads."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from django.utils import timezone
from structlog.testing import capture_logs

from apps.jobs import memory, tasks
from apps.jobs.memory import MemoryLimitExceeded, MemoryWatch, why_ended
from apps.jobs.models import Job, StageRun
from apps.jobs.services.claims import claim, fail
from tests.jobs.line import delivery
from tests.jobs.steps import taken

SMALL, LARGE = 1, 100_000  # MB; no Python process is as small, or as large
TASK = "task-1"
MESSAGE = {"job_type": "etl", "dataset_id": "dataset-1", "department": "sales"}
NOTHING = "import time; print(flush=True); time.sleep(60)"
A_CHILD_OF_ITS_OWN = f"""
import subprocess, sys
with subprocess.Popen([sys.executable, "-c", {NOTHING!r}], stdout=subprocess.PIPE) as child:
    child.stdout.readline()
    print(child.pid, flush=True)
"""


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", NOTHING], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # it has come to its size
        yield process
        process.kill()


@pytest.fixture
def stranger() -> Iterator[psutil.Process]:
    """A process that another one than this has started."""
    with subprocess.Popen([sys.executable, "-c", A_CHILD_OF_ITS_OWN], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        process = psutil.Process(int(parent.stdout.readline()))
        yield process
        # Its parent ends when it has; neither is left behind by a test that failed.
        if process.is_running():
            process.kill()


def request_of(pid: int | None, *, task_id: str = TASK, **headers: str) -> Any:
    """What Celery's parent process knows of a task that a child works on."""
    return SimpleNamespace(
        id=task_id, worker_pid=pid, args=(MESSAGE,), request_dict={"id": task_id, "args": (MESSAGE,), **headers}
    )


def test_a_child_over_the_limit_is_ended_and_the_reason_is_told_once(child: "subprocess.Popen[bytes]") -> None:
    MemoryWatch(limit_mb=SMALL).look([request_of(child.pid)])
    assert child.wait(10) == -signal.SIGKILL
    assert why_ended("another task") is None
    reason = why_ended(TASK)
    assert reason is not None
    assert (reason.code, reason.message) == (
        "memory-limit",
        "The file needed more memory than a worker may take (1 MB).",
    )
    assert "WORKER_MEMORY_LIMIT_MB" in reason.hint
    assert why_ended(TASK) is None, "the next attempt has the same id"


def test_the_log_says_once_whose_file_it_was_and_how_much_it_took(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    # The kernel needs its time to take the memory back; here, until the second look.
    monkeypatch.setattr(psutil.Process, "kill", lambda _: None)
    watch = MemoryWatch(limit_mb=SMALL)
    request = request_of(child.pid, job_id="job-1", request_id="request-1")
    with capture_logs() as lines:
        watch.look([request])
        watch.look([request])
    (line,) = lines
    assert line["rss_mb"] > SMALL
    del line["rss_mb"]
    assert line == {
        "event": "worker_child_over_memory",
        "log_level": "error",
        "task_id": TASK,
        "job_id": "job-1",
        "request_id": "request-1",
        "dataset_id": "dataset-1",
        "department": "sales",
        "stage": "etl",
        "pid": child.pid,
        "limit_mb": SMALL,
    }
    why_ended(TASK)


def test_a_child_within_the_limit_works_on(child: "subprocess.Popen[bytes]") -> None:
    MemoryWatch(limit_mb=LARGE).look([request_of(child.pid), request_of(None, task_id="task-2")])
    assert child.poll() is None
    assert why_ended(TASK) is None


def test_a_number_that_now_belongs_to_a_stranger_is_left_alone(stranger: psutil.Process) -> None:
    MemoryWatch(limit_mb=SMALL).look([request_of(stranger.pid)])
    assert why_ended(TASK) is None
    assert stranger.is_running()
    assert stranger.status() != psutil.STATUS_ZOMBIE


def test_a_child_that_has_ended_keeps_nobody_from_being_looked_at(child: "subprocess.Popen[bytes]") -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    MemoryWatch(limit_mb=SMALL).look([request_of(gone.pid, task_id="task-2"), request_of(child.pid)])
    assert child.wait(10) == -signal.SIGKILL
    assert why_ended("task-2") is None
    assert why_ended(TASK)


def test_a_reason_nobody_asks_for_is_forgotten(child: "subprocess.Popen[bytes]") -> None:
    hours = iter(range(0, 36_000, 3_600))
    watch = MemoryWatch(limit_mb=SMALL, clock=lambda: next(hours))
    watch.look([request_of(child.pid)])
    child.wait(10)
    watch.look([])
    assert why_ended(TASK) is None


@pytest.fixture
def lost(upload: Callable[..., Job], sqs: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], StageRun]:
    """A file whose child was lost with this error, as the parent's signal tells it; the run as it then is."""
    job = upload()
    message, headers = taken(sqs)
    monkeypatch.setitem(tasks._this_worker, "name", "")
    tasks.remember_worker(sender=SimpleNamespace(hostname="etl@test"))
    at = timezone.now()
    claim(job.stages.get(), delivery=delivery(headers), worker="etl@test", at=at)

    def lose(error: BaseException) -> StageRun:
        tasks.note_lost_child(sender=tasks.etl, task_id=TASK, exception=error, args=[message.as_dict()])
        return job.stages.get()

    return lose


@pytest.mark.django_db(transaction=True, databases=["default", "loader"])
def test_the_job_of_a_child_the_watch_has_ended_says_memory_limit(
    lost: Callable[[BaseException], StageRun], child: "subprocess.Popen[bytes]"
) -> None:
    MemoryWatch(limit_mb=SMALL).look([request_of(child.pid)])
    with capture_logs() as lines:
        run = lost(WorkerLostError("signal 9 (SIGKILL)"))
    (told,) = [line for line in lines if line["event"] == "stage_lost"]
    assert (told["dataset_id"], told["stage"]) == (str(run.job.dataset_id), "etl")
    assert told["error"] == run.error_message
    assert (run.state, run.error_code, run.dead_lettered) == ("failed", "memory-limit", False)
    assert run.error_message == "The file needed more memory than a worker may take (1 MB)."
    assert run.error_hint
    assert why_ended(TASK) is None


@pytest.mark.django_db(transaction=True, databases=["default", "loader"])
def test_the_job_of_a_child_that_was_lost_otherwise_says_worker_lost(
    lost: Callable[[BaseException], StageRun], child: "subprocess.Popen[bytes]"
) -> None:
    MemoryWatch(limit_mb=SMALL).look([request_of(child.pid, task_id="another task")])
    assert lost(WorkerLostError("signal 9 (SIGKILL)")).error_code == "worker-lost"
    assert why_ended("another task")


@pytest.mark.django_db(transaction=True, databases=["default", "loader"])
def test_a_note_that_a_child_has_inherited_explains_no_other_failure(
    lost: Callable[[BaseException], StageRun], child: "subprocess.Popen[bytes]"
) -> None:
    MemoryWatch(limit_mb=SMALL).look([request_of(child.pid)])
    assert lost(TimeLimitExceeded(3300)).error_code == "time-limit"
    assert why_ended(TASK)


@pytest.mark.django_db(transaction=True, databases=["default", "loader"])
def test_an_allocation_that_python_refuses_says_memory_limit_too(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload()
    _, headers = taken(sqs)
    run = claim(job.stages.get(), delivery=delivery(headers), worker="w", at=timezone.now()).run
    with pytest.raises(MemoryError) as refused:
        np.ones(2**50)
    assert fail(run, error=refused.value, at=timezone.now())
    run.refresh_from_db()
    assert (run.error_code, run.error_message) == (
        "memory-limit",
        "The file needed more memory than a worker may take.",
    )
    assert run.error_hint == MemoryLimitExceeded(limit_mb=1).hint


def test_the_platforms_worker_has_the_limits_of_the_settings(settings: Any) -> None:
    from apps.jobs.worker import app

    assert app.conf.worker_max_memory_per_child == settings.WORKER_RECYCLE_MB * 1024
    assert app.conf["worker_memory_limit_mb"] == settings.WORKER_MEMORY_LIMIT_MB
    assert memory.MemoryWatchStep in app.steps["consumer"]
