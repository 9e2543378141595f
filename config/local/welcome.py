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
DEMO = "demo.json"


def welcome(line: Line, home: Home, port: int, *, say: Callable[[str], None]) -> None:
    """Return when the address is printed, or the line is being stopped. Raises CannotStart."""
    if not _await_ready(line, port):
        return
    demo = home.read(DEMO)
    if demo is None:
        say("Everything is up. Bringing in the demo users and the sample files ...")
        demo = _demo(line.environment)
        home.keep(DEMO, demo)
        _await_samples(line, port, demo, say=say)
    if not line.done.is_set():
        say(_block(home, port, demo))


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


def _demo(environment: Mapping[str, str]) -> dict[str, Any]:
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
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _await_samples(line: Line, port: int, demo: Mapping[str, Any], *, say: Callable[[str], None]) -> None:
    """Watch the samples go through, department by department, as their users see it."""
    deadline = time.monotonic() + SAMPLES_WITHIN
    for user in demo["users"]:
        if not user.get("department"):
            continue
        login = {"email": user["email"], "password": user["password"]}
        _, session = request(port, "POST", "/api/v1/auth/login", body=login)
        token = (session or {}).get("access", "")
        while not line.done.is_set():
            _, page = request(port, "GET", "/api/v1/jobs", token=token)
            jobs = (page or {}).get("results", [])
            if jobs and all(job["finished_at"] for job in jobs):
                for job in jobs:
                    say(f"  {job['dataset_name']} ({job['department']}): {job['status']}")
                break
            if time.monotonic() > deadline:
                say("The sample files are taking longer than expected; they go on in the background.")
                return
            time.sleep(0.5)


def _block(home: Home, port: int, demo: Mapping[str, Any]) -> str:
    width = max(len(user["email"]) for user in demo["users"])
    logins = "\n".join(
        f"    {user['email']:<{width}}  {user['password']}   ({user['department'] or user['role']})"
        for user in demo["users"]
    )
    return (
        f"\n  AetherFlow is up: http://127.0.0.1:{port}\n\n"
        f"  Log in as\n{logins}\n\n"
        f"  Everything is kept in {home.path} (logs of PostgreSQL and the endpoints in logs/).\n"
        f"  Stop with Ctrl-C, or kill {os.getpid()}; `make up` goes on where it stopped.\n"
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
