"""Starting and stopping several processes as one thing. Each case runs in a process of its own, as signals do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.local import ROOT
from config.local.processes import gone

# A process that says its name when it begins, and again when it is asked to stop. 'stubborn' does not listen.
SAYS = """
import signal, sys, time
def leave(*_): print(sys.argv[1], "leaves", flush=True); sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else leave)
print(sys.argv[1], "is here", flush=True)
time.sleep(1 if "falls" in sys.argv else 60)
print("the reason of", sys.argv[1], flush=True); sys.exit(3)
"""
RUN = """
import os, sys, pathlib
from config.local.line import Line
from config.local.processes import Register
line = Line(environment=os.environ, register=Register(pathlib.Path(sys.argv[1]) / "processes.json"))
for name in ("relay", "web", "worker-ml", "worker-etl"):
    line.add(name, [sys.executable, "-c", os.environ["SAYS"], name, os.environ.get(name, "")])
line.loop()
print("REASON", line.reason, flush=True)
"""


def begin(tmp_path: Path, **manners: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "SAYS": SAYS, **manners},
        text=True,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    for _ in range(4):
        assert "is here" in process.stdout.readline()
    return process


def finish(process: "subprocess.Popen[str]", *, within: float) -> list[str]:
    output, _ = process.communicate(timeout=within)
    return [line.partition("| ")[2] or line for line in output.splitlines()]


@pytest.mark.parametrize("request_to_stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_all_leave_in_order_when_asked(tmp_path: Path, request_to_stop: signal.Signals) -> None:
    process = begin(tmp_path)
    process.send_signal(request_to_stop)
    said = finish(process, within=10)
    assert said[0] == "web leaves"
    assert set(said[1:3]) == {"worker-etl leaves", "worker-ml leaves"}
    assert said[3:] == ["relay leaves", "REASON "]


def test_one_that_falls_takes_the_others_down_and_is_named_with_its_last_words(tmp_path: Path) -> None:
    said = finish(begin(tmp_path, **{"worker-ml": "falls"}), within=15)
    assert "web leaves" in said
    reason = "\n".join(said[said.index(next(line for line in said if line.startswith("REASON"))) :])
    assert "worker-ml stopped with exit code 3" in reason
    assert "the reason of worker-ml" in reason


def test_one_that_does_not_listen_is_ended_after_its_time(tmp_path: Path) -> None:
    process = begin(tmp_path, web="stubborn")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    said = finish(process, within=40)
    assert "relay leaves" in said
    assert 3 <= time.monotonic() - began < 40


def test_a_killed_line_leaves_a_register_by_which_its_processes_are_found(tmp_path: Path) -> None:
    from config.local.processes import Register

    process = begin(tmp_path)
    register = Register(tmp_path / "processes.json")
    deadline = time.monotonic() + 5
    while len(register.entries()) < 8 and time.monotonic() < deadline:
        time.sleep(0.05)
    pids = [pid for pid, _ in register.entries().values()]
    process.kill()
    process.wait()
    assert {"relay", "web", "worker-etl", "worker-ml"} < set(register.end_leftovers())
    assert all(gone(pid, within=5) for pid in pids)
