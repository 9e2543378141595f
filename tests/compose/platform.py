"""A platform of docker-compose.yml: its containers, and the people who reach it by its published port."""

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from apps.jobs.management.commands.demo import DOMAIN, PASSWORD
from config.containers.environment import write
from config.local.home import free_port
from tests.compose.engine import ROOT, Engine

# Short, so that a killed worker's message is back within the test.
_TIMINGS = {"QUEUE_VISIBILITY_SECONDS": "10", "QUEUE_BACKOFF_SECONDS": "2,4", "WORKER_STOP_SECONDS": "20"}
# What a person who waits in front of the page gives it.
_PATIENCE = 120


def eventually(what: Callable[[], Any], *, seconds: float = _PATIENCE) -> Any:
    """What it gives once that is true, within so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.5)
    return found


class Platform:
    def __init__(self, engine: Engine, folder: Path, *, files: list[str]) -> None:
        self.engine = engine
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._folder = folder / "secrets"
        write(self._folder)
        timings = "".join(f"{name}={value}\n" for name, value in _TIMINGS.items())
        with (self._folder / "platform.env").open("a") as file:
            file.write(timings)
        self._files = [part for file in files for part in ("-f", file)]

    def compose(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return self.engine.run(
            *self.engine.compose,
            *("-p", "aetherflowtest", *self._files, *arguments),
            check=check,
            PORT=str(self.port),
            AETHERFLOW_SECRETS=str(self._folder),
        )

    def up(self, *arguments: str) -> None:
        self.compose("up", "-d", "--no-build", *arguments)
        self.await_ready()

    def await_ready(self) -> None:
        def ready() -> bool:
            try:
                return requests.get(f"{self.address}/api/v1/health/ready", timeout=10).status_code == 200
            except requests.ConnectionError:
                return False

        eventually(ready)

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "-q", service).stdout.split()

    def inspect(self, container: str) -> dict[str, Any]:
        (found,) = json.loads(self.engine.docker("inspect", container).stdout)
        return dict(found)

    def inside(self, container: str, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return self.engine.docker("exec", container, *command, check=check)

    def sql(self, statement: str) -> str:
        (postgres,) = self.containers("postgres")
        return self.inside(postgres, "psql", "-U", "postgres", "-d", "aetherflow", "-Atc", statement).stdout.strip()

    def start_once(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """A role in a container of its own, beside the others: its exit code, and what it told last."""
        set_ = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
        done = self.compose("run", "--rm", "--no-deps", "-T", *set_, *arguments, check=False)
        told = [
            line for line in (done.stdout + done.stderr).splitlines() if "start" in line and not line.startswith("{")
        ]
        return done.returncode, told[-1].strip() if told else f"{done.stdout}{done.stderr}"[-1000:]

    def log_in(self, name: str) -> "Person":
        return Person(self.address, f"{name.replace('_', '-')}@{DOMAIN}")


class Person:
    """Somebody with a log-in of the demo."""

    def __init__(self, address: str, email: str) -> None:
        self._address = address
        self._http = requests.Session()
        body = {"email": email, "password": PASSWORD}
        session = requests.post(f"{address}/api/v1/auth/login", json=body, timeout=30)
        session.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {session.json()['access']}"

    def get(self, path: str) -> requests.Response:
        answer = self._http.get(f"{self._address}/api/v1{path}", timeout=60)
        answer.raise_for_status()
        return answer

    def upload(self, content: bytes, *, name: str) -> str:
        """The job's id."""
        answer = self._http.post(
            f"{self._address}/api/v1/datasets/upload", files={"file": (name, content)}, timeout=120
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job"]["id"])

    def job(self, job: str) -> dict[str, Any]:
        return dict(self.get(f"/jobs/{job}").json())

    def ended(self, job: str, *, seconds: float = _PATIENCE) -> dict[str, Any]:
        return dict(eventually(lambda: (found := self.job(job))["finished_at"] and found, seconds=seconds))

    def working(self, job: str) -> dict[str, Any]:
        """The job once a worker has its file in hand, with rows read."""
        return dict(eventually(lambda: (found := self.job(job))["status"] == "processing" and found, seconds=60))


def sample(department: str, kind: str = "good") -> bytes:
    return (ROOT / "aetherflow/departments" / department / "samples" / f"{kind}.csv").read_bytes()


def many_rows(count: int, *, beginning: int = 0) -> bytes:
    """A file of sales, each row another receipt's."""
    header, row = sample("sales").decode().splitlines()[:2]
    _, rest = row.split(",", 1)
    assert re.match(r"transaction_id,", header)
    rows = (f"T-{number},{rest}" for number in range(beginning, beginning + count))
    return "\n".join([header, *rows, ""]).encode()
