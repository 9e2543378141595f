"""Faults on order. A test lays one down for a request; the worker process that comes to its point takes it up.

A fault is a file in the folder of its request. Taking it up is a rename, which only one process can do, so that a
fault fires exactly as often as it was ordered, however many processes, deliveries and restarts there are.
"""

import contextlib
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

FOLDER_VARIABLE = "FAULTS_FOLDER"

# In the order a file comes by. `published`: the next message is sent, this one not acknowledged. `acking` is in the
# worker's main process, all others are in the child that works the task.
ETL_POINTS = (
    "etl.before-claim",
    "etl.claimed",
    "etl.reading",
    "etl.copying",
    "etl.committing",
    "etl.committed",
    "etl.published",
    "etl.acking",
)
ML_POINTS = (
    "ml.before-claim",
    "ml.claimed",
    "ml.computing",
    "ml.committing",
    "ml.committed",
    "ml.acking",
)
POINTS = (*ETL_POINTS, *ML_POINTS)
# A worker's new child, before it says that it is there. No request has come to it yet.
BIRTH = "birth"
BIRTHS = "births"


class Injected(Exception):  # noqa: N818  (named for what it is)
    """The failure that was ordered."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is to happen at a point, how many times.

    `do` is one of: kill-child (this process), kill-worker (all processes of the worker), raise, hang (deaf to the soft
    time limit), sleep:SECONDS, eat-memory:MEBIBYTES (held until the task ends).
    """

    point: str
    do: str
    times: int = 1

    def __post_init__(self) -> None:
        assert self.point in {*POINTS, BIRTH}, f"{self.point} is none of {POINTS}"


def arm(folder: Path, fault: Fault, *, request_id: str) -> None:
    """Order a fault for the request; several for one request are taken up in the order they come by."""
    ours = folder / request_id
    ours.mkdir(exist_ok=True)
    for _ in range(fault.times):
        number = len(list(ours.iterdir()))
        order = {"point": fault.point, "do": fault.do}
        (ours / f"{number}.order").write_text(json.dumps(order))


def fired(folder: Path, *, request_id: str) -> int:
    """How many of the request's faults have happened."""
    return len(list((folder / request_id).glob("*.fired")))


def fire(point: str, *, request_id: str | None) -> None:
    """Do what is ordered for the request at this point, if anything is."""
    for path in sorted((Path(os.environ[FOLDER_VARIABLE]) / (request_id or "none")).glob("*.order")):
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            order = json.loads(path.read_text())
            if order["point"] == point:
                path.rename(path.with_suffix(".fired"))
                log.info("fault_fired", point=point, do=order["do"], pid=os.getpid())
                _do(order["do"])
                return


def _do(what: str) -> None:
    name, _, argument = what.partition(":")
    match name:
        case "kill-child":
            os.kill(os.getpid(), signal.SIGKILL)
        case "kill-worker":
            os.killpg(os.getpgid(0), signal.SIGKILL)
        case "raise":
            raise Injected("this was ordered")
        case "hang":
            _hang()
        case "sleep":
            time.sleep(float(argument))
        case "eat-memory":
            _eat(int(argument))
        case _:
            raise AssertionError(f"nobody knows how to {what}")


def _hang() -> None:
    """Deaf to the soft time limit too, as a native call that never returns is."""
    while True:
        try:
            time.sleep(60)
        except Exception:  # noqa: BLE001, S112
            continue


_eaten: list[bytearray] = []


def _eat(mebibytes: int) -> None:
    """Grow at a pace that a watch can follow; stays grown."""
    for _ in range(mebibytes // 16):
        _eaten.append(bytearray(os.urandom(1024)) * (16 * 1024))
        time.sleep(0.01)
