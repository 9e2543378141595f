"""`make up`: from an empty folder to an address where one can log in, and back to a clean stop."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Mapping
from types import FrameType

from config.local import ROOT, CannotStart
from config.local import environment as environ
from config.local.endpoint import CREDENTIALS, Endpoint, start_s3, start_sqs
from config.local.home import Home, port_is_free
from config.local.line import Line, say
from config.local.postgres import Cluster
from config.local.welcome import welcome
from config.programs import commands


def up() -> int:
    """Start everything and stay until asked to stop. The exit code: 0 when asked, 1 after a failure."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        outer = environ.outer()
        port = environ.port_of(outer)
        home = Home(environ.home_of(outer))
        with home.lock():
            return _run(home, port=port, outer=outer)
    except CannotStart as problem:
        print(f"\nAetherFlow cannot start: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped before everything was up.")
        return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(home: Home, *, port: int, outer: Mapping[str, str]) -> int:
    if leftovers := home.register.end_leftovers():
        say(f"Ended what an earlier start had left running ({len(leftovers)} processes).")
    if not port_is_free(port):
        raise CannotStart(
            f"port {port} is in use by another program. Stop that one, or choose another port: PORT={port + 1} make up"
        )
    with contextlib.ExitStack() as stack:
        environment = environ.local(home, outer=outer)
        parts = _start_parts(home, environment, stack)
        say("Preparing tables, queues and static files ...")
        _prepare(environment)
        # What runs from here on owns no table.
        environment.pop("OWNER_DATABASE_URL", None)
        line = Line(environment=environment, register=home.register)
        for name, command in commands(port=port).items():
            line.add(name, command)
        line.loop(lambda: _attend(line, home, port, parts))
        say("Stopping the local services ..." if parts else "Stopped.")
    if line.reason:
        print(f"\n{line.reason}", file=sys.stderr)
        return 1
    say(f"Stopped. Everything is kept in {home.path}; `make up` goes on from there.")
    return 0


def _start_parts(home: Home, environment: dict[str, str], stack: contextlib.ExitStack) -> dict[str, Cluster | Endpoint]:
    """Start what the person has not provided, and put its address into the environment."""
    parts: dict[str, Cluster | Endpoint] = {}
    if not environment.get("DATABASE_URL"):
        say("Starting PostgreSQL ...")
        cluster = Cluster(home, say=say)
        stack.callback(cluster.stop)
        cluster.start()
        environment["OWNER_DATABASE_URL"] = cluster.url()
        environment["DATABASE_URL"] = cluster.platform_url()
        parts["PostgreSQL"] = cluster
    wanted = {"AWS_ENDPOINT_URL_SQS": start_sqs}
    if environment["STORAGE"] == "s3":
        wanted["AWS_ENDPOINT_URL_S3"] = lambda home: start_s3(home, say=say)
    for variable, start in wanted.items():
        if not environment.get(variable):
            endpoint = start(home)
            stack.callback(endpoint.stop)
            environment[variable] = endpoint.url
            environment.update(CREDENTIALS)
            parts[f"the local {endpoint.name} endpoint"] = endpoint
    return parts


def _prepare(environment: Mapping[str, str]) -> None:
    step = [sys.executable, "-m", "config.local.prepare", "--recover"]
    done = subprocess.run(
        step,
        cwd=ROOT,
        env=dict(environment),
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise CannotStart(f"{done.stdout.strip()[-3000:]}")


def _attend(line: Line, home: Home, port: int, parts: Mapping[str, Cluster | Endpoint]) -> None:
    """Beside the running processes: welcome the person, then watch over what honcho does not."""
    try:
        welcome(line, home, port, say=say)
    except CannotStart as problem:
        line.fail(str(problem))
    while not line.done.wait(1):
        for name, part in parts.items():
            if not part.is_running():
                last = "\n".join(f"    {text}" for text in part.log.read_text(errors="replace").splitlines()[-8:])
                line.fail(f"{name} has stopped by itself, so everything was stopped. Its last lines:\n{last}")
