"""The whole platform as real processes: local SQS and S3, both workers, the relay and the web server."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import psycopg2.errors
from psycopg2 import sql

from config.local import ROOT
from config.local.endpoint import CREDENTIALS, Endpoint, start_sqs
from config.local.home import Home, free_port
from config.local.processes import end
from config.local.welcome import request
from config.programs import commands

# Short, so that a test sees a crash, a retry and a dead letter within seconds.
TIMINGS = {
    "QUEUE_VISIBILITY_SECONDS": "6",
    "QUEUE_BACKOFF_SECONDS": "1,2",
    "QUEUE_WAIT_SECONDS": "1",
    "RELAY_GRACE_SECONDS": "2",
    "RELAY_INTERVAL_SECONDS": "1",
    "WORKER_HEARTBEAT_SECONDS": "1",
}


class Stack:
    """A running platform. `url` is the web server's, `env` what every process of it was started with."""

    def __init__(self, home: Home, *, database_url: str, endpoint: Endpoint | None = None) -> None:
        """`endpoint`: one that is there already, and stays when the platform is closed."""
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.endpoint = endpoint or start_sqs(home)
        self._own_endpoint = endpoint is None
        self.env = {
            **os.environ,
            **CREDENTIALS,
            **TIMINGS,
            "DATABASE_URL": database_url,
            "AWS_ENDPOINT_URL_SQS": self.endpoint.url,
            "AWS_ENDPOINT_URL_S3": self.endpoint.url,
            "STORAGE": "s3",
            "STATIC_ROOT": str(home.path / "static"),
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "REGISTRATION_POLICY": "open",
            # All people of the tests come from this one machine within minutes.
            "RATE_LOGIN_ADDRESS": "10000/hour",
            "RATE_REGISTER_ADDRESS": "10000/hour",
            "RATE_UPLOAD_USER": "1000000/hour",
            "RATE_UPLOAD_DEPARTMENT": "1000000/hour",
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "INFO",
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
        }
        self._commands = commands(port=self.port)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def begin(self) -> None:
        """Set up database and queues, start every process, wait until the platform calls itself ready."""
        self.run("-m", "config.local.prepare")
        for name in self._commands:
            self.start(name)
        self.await_ready()

    def manage(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run `manage.py` with the platform's environment; a failure carries what it said."""
        return self.run("manage.py", *arguments, check=check)

    def run(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert not check or done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done

    def env_of(self, name: str) -> dict[str, str]:
        """What the process of that name is started with."""
        return self.env

    def start(self, name: str) -> None:
        """Start one of web, worker-etl, worker-ml, relay; its log goes on where an earlier one ended."""
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._commands[name],
                cwd=ROOT,
                env=self.env_of(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.home.register.add(name, self._running[name].pid)

    @contextlib.contextmanager
    def another_web(self, **environment: str) -> Iterator[str]:
        """A second web server of the same platform, set otherwise; its address."""
        port = free_port()
        with (self.home.logs / "another-web.log").open("ab") as log:
            process = subprocess.Popen(
                commands(port=port)["web"],
                cwd=ROOT,
                env=self.env | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + 60
            while request(port, "GET", "/api/v1/health")[0] != 200:
                assert process.poll() is None, "it stopped while starting"
                assert time.monotonic() < deadline, "it does not answer"
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            end(process.pid, patience=8)
            process.wait()

    def also(self, name: str, command: list[str]) -> None:
        """One more program of the platform, for `start`."""
        self._commands[name] = command

    def end(self, name: str) -> None:
        """Stop a process as a deploy does."""
        end(self.pid(name), patience=60)
        self.wait(name)

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def is_running(self, name: str) -> bool:
        return self._running[name].poll() is None

    def kill(self, name: str, which: signal.Signals = signal.SIGKILL, *, children: bool = False) -> None:
        """Send a signal to a process, if asked to its children too. `wait` sees its end."""
        (os.killpg if children else os.kill)(self.pid(name), which)

    def wait(self, name: str, *, seconds: float = 30) -> int:
        """The exit code of a process that is about to end."""
        return self._running[name].wait(seconds)

    def logs(self, name: str) -> str:
        """Everything a process (or `endpoint`) has said so far."""
        path = self.endpoint.log if name == "endpoint" else self._log(name)
        return path.read_text(errors="replace") if path.exists() else ""

    def tails(self, *, lines: int = 40) -> str:
        """The last lines of every process, for the report of a failed test."""
        names = [*self._commands, "endpoint"]
        last = {name: "\n".join(self.logs(name).splitlines()[-lines:]) for name in names}
        return "\n".join(f"--- {name} ---\n{text}" for name, text in last.items())

    def ready(self) -> tuple[int, Any]:
        """Status and content of what readiness says; 0 where nobody answers."""
        return request(self.port, "GET", "/api/v1/health/ready")

    def await_ready(self, *, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while (answer := self.ready())[0] != 200:
            fallen = [name for name in self._running if not self.is_running(name)]
            assert not fallen, f"{fallen} stopped while starting:\n{self.tails()}"
            assert time.monotonic() < deadline, f"not ready, last answer {answer}:\n{self.tails()}"
            time.sleep(0.2)

    def close(self) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
        for process in self._running.values():
            end(process.pid, patience=8)
            process.wait()
        if self._own_endpoint:
            self.endpoint.stop()
        self.home.register.clear()

    def _log(self, name: str) -> Path:
        return self.home.logs / f"{name}.log"


@contextlib.contextmanager
def database(url: str, name: str) -> Iterator[str]:
    """A database of its own on the server of `url`, dropped at the end; its address."""
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
            finally:
                try:
                    cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
                except psycopg2.errors.InsufficientPrivilege:
                    # FORCE may not end an autovacuum worker; without it PostgreSQL cancels that by itself.
                    cursor.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
