"""From where what is done now was asked for: the audit tells it, and no service should have to pass it on."""

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Origin:
    """`address` is an IP address, None where that is not known. `operator` is who really acts where a command does
    something in an account's name.
    """

    address: str | None = None
    request_id: str = ""
    operator: str = ""


_current: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  (it cannot be changed)


def current_origin() -> Origin:
    return _current.get()


@contextmanager
def asked_from(origin: Origin) -> Iterator[None]:
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def command_line() -> str:
    """Who runs this process, by the operating system's word: USER and LOGNAME are anybody's to set."""
    user_id = os.getuid()
    try:
        user = pwd.getpwuid(user_id).pw_name
    except KeyError:  # a container's user may have no name
        user = f"user {user_id}"
    return f"{user}@{socket.gethostname()} on the command line"
