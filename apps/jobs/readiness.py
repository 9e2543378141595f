"""Whether the platform can do its work now: each thing it needs, by name, and what is wrong with it."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import structlog

from apps.jobs import clock, probes
from apps.jobs.probes import Probe, answer_of, beating, no_answer
from apps.jobs.sqs import names

log = structlog.get_logger(__name__)

# All of it together: a load balancer waits for little longer.
WITHIN_SECONDS = 4.0
# What a relay calls itself among the workers.
RELAY = "relay"


def readiness(*, within: float | None = None) -> dict[str, dict[str, str]]:
    """name → {status: ok|down, detail}. One that is down, or hangs, does not keep the others from being looked at."""
    within = WITHIN_SECONDS if within is None else within
    until = time.monotonic() + within
    storage, queues, heartbeats = probes.storage.begin(), probes.queues.begin(), _heartbeats.begin()
    checks: dict[str, Callable[[], str]] = {
        "database": partial(_database, heartbeats, until=until),
        "storage": partial(answer_of, storage, until=until),
        "queues": lambda: f"{len(answer_of(queues, until=until))} queues answer",
        **{
            f"worker-{queue}": partial(
                _alive,
                heartbeats,
                queue,
                until=until,
                missing=f"No worker for the {queue} queue gives a sign of life.",
            )
            for queue in (names.ETL, names.ML)
        },
        "relay": partial(_alive, heartbeats, RELAY, until=until, missing="No relay sends what waits in the outbox."),
    }
    return {name: _run(name, check, within=within) for name, check in checks.items()}


# The database answers where this does, so nothing else is asked of it.
_heartbeats = Probe(lambda: beating(clock.now()))


class _Down(Exception):  # noqa: N818
    """Down, with a sentence that may be shown to anybody."""


def _run(name: str, check: Callable[[], str], *, within: float) -> dict[str, str]:
    try:
        return {"status": "ok", "detail": check()}
    except _Down as down:
        return {"status": "down", "detail": str(down)}
    except Exception as error:  # noqa: BLE001  (whatever it is, the answer is that this one is down)
        log.warning("not_ready", check=name, error=str(error)[:300] or type(error).__name__)
        return {"status": "down", "detail": no_answer(error, within=within)}


def _database(heartbeats: Future[Counter[str]], *, until: float) -> str:
    answer_of(heartbeats, until=until)
    return "answers"


def _alive(heartbeats: Future[Counter[str]], queue: str, *, until: float, missing: str) -> str:
    try:
        alive = answer_of(heartbeats, until=until)[queue]
    except Exception:  # noqa: BLE001  (why, the check of the database says)
        raise _Down("Not known while the database does not answer.") from None
    if not alive:
        raise _Down(missing)
    return f"{alive} at work"
