"""The first minute: wait until all is ready, bring the samples in, and tell the person where to go."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from config.local import ROOT, CannotStart
from config.local.home import Home
from config.local.line import Line

READY_WITHIN = 90.0
SAMPLES_WITHIN = 120.0


def welcome(line: Line, home: Home, port: int, *, say: Callable[[str], None]) -> None:
    """Return when the address is printed, or the line is being stopped. Raises CannotStart."""
    if not _await_ready(line, port):
        return
    kept = home.read("demo.json")
    logins = kept["logins"] if kept else None
    if logins is None:
        say("Everything is up. Bringing in the demo users and the sample files ...")
        logins = _demo(line.environment)
        home.keep("demo.json", {"logins": logins})
        _await_samples(line, port, logins, say=say)
    if not line.done.is_set():
        say(_block(home, port, logins))


def _await_ready(line: Line, port: int) -> bool:
    deadline = time.monotonic() + READY_WITHIN
    while not line.done.wait(0.3):
        status, answer = request(port, "GET", "/api/v1/health/ready")
        if status == 200:
            return True
        if time.monotonic() > deadline:
            raise CannotStart(
                f"The platform is not ready after {READY_WITHIN:.0f} s; /api/v1/health/ready says "
                f"{status or 'nothing'}: {json.dumps(answer)}"
            )
    return False


def _demo(environment: Mapping[str, str]) -> list[dict[str, str]]:
    """The log-ins of the demo: e-mail, password, department."""
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--json"],
        cwd=ROOT,
        env={**environment, "LOG_LEVEL": "ERROR"},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise CannotStart(f"The demo could not be set up:\n{(done.stdout + done.stderr).strip()[-3000:]}")
    logins: list[dict[str, str]] = json.loads(done.stdout)
    return logins


def _await_samples(line: Line, port: int, logins: list[dict[str, str]], *, say: Callable[[str], None]) -> None:
    """Watch the samples go through, as each user sees them, until all are settled."""
    tokens = [_log_in(port, login) for login in logins]
    told: set[str] = set()
    deadline = time.monotonic() + SAMPLES_WITHIN
    while not line.done.wait(0.5):
        views = [(request(port, "GET", "/api/v1/jobs", token=token)[1] or {}).get("results", []) for token in tokens]
        jobs = {job["id"]: job for view in views for job in view}
        for job in jobs.values():
            if job["finished_at"] and job["id"] not in told:
                told.add(job["id"])
                say(f"  {job['dataset_name']}: {job['status']} after {job['duration_ms'] / 1000:.1f} s")
        if all(views) and len(told) == len(jobs):
            return
        if time.monotonic() > deadline:
            say("  The sample files take longer than expected; they go on in the background.")
            return


def _log_in(port: int, login: Mapping[str, str]) -> str:
    body = {"email": login["email"], "password": login["password"]}
    status, session = request(port, "POST", "/api/v1/auth/login", body=body)
    if status != 200:
        raise CannotStart(f"{login['email']} cannot log in: /api/v1/auth/login says {status}: {json.dumps(session)}")
    return str(session["access"])


def _block(home: Home, port: int, logins: list[dict[str, str]]) -> str:
    width = max(len(login["email"]) for login in logins)
    lines = "\n".join(
        f"    {login['email']:<{width}}   {login['password']}   {login['department']}" for login in logins
    )
    return (
        f"\n  AetherFlow is up:  http://127.0.0.1:{port}\n\n"
        f"  Log in as\n{lines}\n\n"
        f"  Everything is kept in {home.path} (logs of PostgreSQL and the endpoints: logs/).\n"
        f"  Stop: Ctrl-C, or kill {os.getpid()}. `make up` goes on from there.\n"
    )


def request(
    port: int, method: str, path: str, *, body: Mapping[str, object] | None = None, token: str = ""
) -> tuple[int, Any]:
    """One JSON request to the web process: status and content; (0, None) when nobody answers sensibly."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()
