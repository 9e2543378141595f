"""`make up` as its user meets it: a clear word when it cannot start, a platform when it can, a clean stop."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from config.local import ROOT
from config.local.home import Home, free_port
from config.local.processes import gone
from config.local.welcome import request
from tests.support.session import clear

UP = [sys.executable, "-m", "config.local", "up"]
# What the suite itself runs with must not decide how the platform starts.
OURS = re.compile(r"AWS_|QUEUE_|DATABASE_URL|SECRET_KEY|STORAGE|LOG_|REGISTRATION_POLICY|DJANGO_SETTINGS_MODULE|RAW_")


class Up:
    """A running `python -m config.local up`, its output read line by line as it comes."""

    def __init__(self, home: Path, *, port: int, **variables: str) -> None:
        outer = {name: value for name, value in os.environ.items() if not OURS.match(name)}
        self.port = port
        self.process = subprocess.Popen(
            UP,
            cwd=ROOT,
            env={**outer, "AETHERFLOW_HOME": str(home), "PORT": str(port), **variables},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def await_line(self, text: str, *, seconds: float = 150) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)

    def stop(self, which: signal.Signals = signal.SIGTERM, *, seconds: float = 20) -> int:
        self.process.send_signal(which)
        return self.process.wait(seconds)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The folder of the launchers of a test; whatever runs in it when the test is over is ended."""
    folder = tmp_path / "home"
    yield folder
    lock = folder / "lock"
    if lock.exists() and str(folder) in _environment(int(lock.read_text() or 0)):
        os.kill(int(lock.read_text()), signal.SIGKILL)
    clear(folder)


def _environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:
        return ""


def test_a_busy_port_is_said_in_one_line_with_what_to_do(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        up = Up(home, port=port)
        assert up.process.wait(30) == 1
    assert f"port {port} is in use by another program" in up.said
    assert f"PORT={port + 1} make up" in up.said
    assert "Traceback" not in up.said


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    up = Up(tmp_path / "file" / "home", port=free_port())
    assert up.process.wait(30) == 1
    assert "cannot be used (Not a directory)" in up.said
    assert "Traceback" not in up.said


def test_a_wrong_setting_stops_the_start_with_its_reason(home: Path) -> None:
    up = Up(home, port=free_port(), QUEUE_BACKOFF_SECONDS="soon")
    assert up.process.wait(60) == 1
    assert "QUEUE_BACKOFF_SECONDS='soon' cannot be read. It is whole seconds separated by commas" in up.said
    assert "Traceback" not in up.said


@pytest.mark.stack
@pytest.mark.xdist_group("stack")
def test_from_an_empty_folder_to_insights_and_back_and_again(home: Path) -> None:
    """One story, as every step needs the one before: first start, second launcher, stop, restart, kill, restart."""
    port = free_port()
    first = Up(home, port=port)
    first.await_line("AetherFlow is up")
    assert "sales@aetherflow.example" in first.said
    assert first.said.count(": succeeded after") == 3, first.said
    before = _insights(home, port)

    second = Up(home, port=free_port())
    assert second.process.wait(30) == 1
    assert f"already running on {home} (process {first.process.pid})" in second.said

    began = time.monotonic()
    assert first.stop(signal.SIGINT) == 0, first.said
    assert time.monotonic() - began < 18
    assert "Traceback" not in first.said
    _nothing_runs(home)

    again = Up(home, port=port)
    again.await_line("AetherFlow is up")
    assert "succeeded after" not in again.said
    assert _insights(home, port) == before
    job = _upload_that_nobody_takes(home, port)
    again.process.kill()
    again.process.wait()

    after_kill = Up(home, port=port)
    after_kill.await_line("AetherFlow is up")
    assert "Ended what an earlier start had left running" in after_kill.said
    assert _settled(home, port, job) == "succeeded", after_kill.said

    register = Home(home).register.entries()
    os.kill(register["worker-ml"][0], signal.SIGKILL)
    assert after_kill.process.wait(30) == 1
    assert "worker-ml was ended by SIGKILL" in after_kill.said
    _nothing_runs(home)


def _token(home: Path, port: int) -> str:
    logins = json.loads((home / "demo.json").read_text())["logins"]
    [login] = [login for login in logins if login["department"] == "sales"]
    body = {"email": login["email"], "password": login["password"]}
    status, session = request(port, "POST", "/api/v1/auth/login", body=body)
    assert status == 200, session
    token: str = session["access"]
    return token


def _insights(home: Path, port: int) -> list[str]:
    status, dashboard = request(port, "GET", "/api/v1/dashboards/sales", token=_token(home, port))
    assert status == 200, dashboard
    insights = [insight["id"] for insight in dashboard["insights"]]
    assert insights
    return insights


def _upload_that_nobody_takes(home: Path, port: int) -> str:
    """A job whose message is in the queue when everything is killed: its worker has been stopped before."""
    os.killpg(Home(home).register.entries()["worker-etl"][0], signal.SIGSTOP)
    sample = ROOT / "aetherflow" / "departments" / "sales" / "samples" / "good.csv"
    answer = requests.post(
        f"http://127.0.0.1:{port}/api/v1/datasets/upload",
        files={"file": ("again.csv", sample.read_bytes() + b"\n")},
        headers={"Authorization": f"Bearer {_token(home, port)}"},
        timeout=20,
    )
    assert answer.status_code == 202, answer.text
    job: str = answer.json()["job"]["id"]
    return job


def _settled(home: Path, port: int, job: str) -> str:
    token = _token(home, port)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        _, answer = request(port, "GET", f"/api/v1/jobs/{job}", token=token)
        if answer["finished_at"]:
            break
        time.sleep(0.3)
    status: str = answer["status"]
    return status


def _nothing_runs(home: Path) -> None:
    assert not Home(home).register.entries()
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    assert not pid_file.exists() or gone(int(pid_file.read_text().split()[0]), within=2)
