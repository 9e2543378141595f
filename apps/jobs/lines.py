"""The log lines of the attempt that is being worked, kept in memory until it ends, for its job's page.

Bounded, so that a stage that tells the same for an hour costs no more than one that works. A process that is killed
takes them along.
"""

import math
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

# The newest of an attempt, and how long each may be, in characters.
KEPT = 200
LONGEST = 2_000

_LEVELS = {"info", "warning", "error", "critical"}
_CUT = "…"


@dataclass(kw_only=True)
class Attempt:
    """What one attempt has said so far. `seen` counts the lines that had no room too; without a `run_id` nobody has
    claimed a stage, and it is no attempt."""

    ids: Mapping[str, object]
    lines: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    seen: int = 0
    run_id: int | None = None
    token: int = 0


_current: ContextVar[Attempt | None] = ContextVar("attempt_in_work", default=None)


@contextmanager
def kept(**ids: object) -> Iterator[Attempt]:
    """Keep the lines of this context; `ids`, which each of them has, are left out of them."""
    attempt = Attempt(ids=ids)
    before = _current.set(attempt)
    try:
        yield attempt
    finally:
        _current.reset(before)


def claimed(*, run_id: int, token: int) -> None:
    """Say whose lines they are: only the claim knows, since a foreign message tells of no job."""
    if attempt := _current.get():
        attempt.run_id, attempt.token = run_id, token


def keep(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """A processor of structlog that changes nothing."""
    if (attempt := _current.get()) and event.get("level") in _LEVELS:
        # What cannot be kept, such as a value that cannot be shown, must not end the stage that tells of it.
        with suppress(Exception):
            attempt.lines.append(_line(structlog.processors.format_exc_info(logger, name, dict(event)), attempt.ids))
        attempt.seen += 1
    return event


def _line(event: EventDict, ids: Mapping[str, object]) -> dict[str, Any]:
    """`{at, level, event, rest}`, of which all but the first two are cut where the line is too long."""
    line = {"at": event.pop("timestamp", ""), "level": event.pop("level", "")}
    words, room = _fitting("event", event.pop("event", ""), LONGEST)
    rest: dict[str, Any] = {}
    for key, value in event.items():
        if not key.startswith("_") and value is not None and ids.get(key) != value:
            if room <= 0:
                rest[_CUT] = "cut here"
                break
            rest[key], room = _fitting(key, value, room - len(key))
    return line | {"event": words, "rest": rest}


def _fitting(key: str, value: object, room: int) -> tuple[object, int]:
    """The value as JSON can hold it, and how much room it leaves."""
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value, room - len(str(value))
    # PostgreSQL's JSON knows neither NUL nor half a surrogate.
    text = str(value).replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if len(text) > room:
        room = max(room, 0)
        # Of a trace the end says what happened.
        text = _CUT + text[len(text) - room :] if key == "exception" else text[:room] + _CUT
        return text, 0
    return text, room - len(text)
