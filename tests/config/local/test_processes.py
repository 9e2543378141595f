"""Ending what a killed launcher left behind, and nothing else."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from config.local.processes import Register, command, end, gone, started

SLEEPER = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)",
]


def test_a_process_is_known_by_its_beginning() -> None:
    # Popen is back while the kernel still puts the command's arguments in place; what it has said is after that.
    process = subprocess.Popen(SLEEPER, start_new_session=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert started(process.pid) == started(process.pid) is not None
    assert "time.sleep(60)" in command(process.pid)
    process.kill()
    assert gone(process.pid, within=5)
    process.wait()
    assert started(process.pid) is None
    assert command(process.pid) == ""


def test_one_that_ignores_the_request_is_ended_after_the_patience() -> None:
    process = subprocess.Popen(STUBBORN, start_new_session=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    end(process.pid, patience=0.3)
    assert process.wait(5) == -signal.SIGKILL


def test_leftovers_of_an_earlier_start_are_ended_by_name(tmp_path: Path) -> None:
    process = subprocess.Popen(SLEEPER, start_new_session=True)
    Register(tmp_path / "processes.json").add("worker-etl", process.pid)
    assert Register(tmp_path / "processes.json").end_leftovers() == ["worker-etl"]
    assert process.wait(5) == -signal.SIGTERM
    assert Register(tmp_path / "processes.json").end_leftovers() == []


def test_a_stranger_with_a_reused_number_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEPER, start_new_session=True)
    register = tmp_path / "processes.json"
    register.write_text(json.dumps({"web": [stranger.pid, "1"], "relay": [stranger.pid, None]}))
    assert Register(register).end_leftovers() == []
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
