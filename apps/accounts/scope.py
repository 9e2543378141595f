"""Whose rows a statement may see: the scope that PostgreSQL's row-level security holds every table with departments to.

There is none at first, and then no such table has a row. A request, a task or a command opens the one it stands for;
the database backend (`config.postgresql`) says it with each statement, for as long as that statement's transaction.
This is the second layer: the first are the selectors, and each holds where the other was forgotten.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import TypeVar

import structlog

# What the policies read. Not departments' names, which are slugs.
NOBODY = ""
EVERYBODY = "*"
# Who asks is not known yet: accounts, sessions and invitations are seen, and nothing that is a department's.
GATE = "@gate"

_T = TypeVar("_T")
_SCOPE = re.compile(r"[a-z0-9_-]{1,40}")
_scope: ContextVar[str] = ContextVar("scope", default=NOBODY)


def current_scope() -> str:
    return _scope.get()


@contextmanager
def department_scope(department: str) -> Iterator[None]:
    """The rows of one department. ValueError for what is no department's name."""
    if not _SCOPE.fullmatch(department):
        raise ValueError(f"{department!r} is no department's name")
    with _opened(department):
        yield


@contextmanager
def all_departments() -> Iterator[None]:
    """The rows of all: for operators, for what is kept across departments, never for what a department asks."""
    with _opened(EVERYBODY):
        yield


@contextmanager
def gate() -> Iterator[None]:
    """Accounts alone: until it is known who asks."""
    with _opened(GATE):
        yield


@contextmanager
def no_scope() -> Iterator[None]:
    """What every request begins with, whatever the thread did before."""
    with _opened(NOBODY):
        yield


def enter_department(department: str) -> None:
    """For the rest of what `no_scope` holds: the request, once it is known whose it is. ValueError as above."""
    if not _SCOPE.fullmatch(department):
        raise ValueError(f"{department!r} is no department's name")
    _scope.set(department)


def enter_all_departments(who: str) -> None:
    """As above. The log lines of the request tell who looks across departments: the console, an admin, the metrics."""
    structlog.contextvars.bind_contextvars(all_departments=who)
    _scope.set(EVERYBODY)


def enter_gate() -> None:
    _scope.set(GATE)


def carried(pieces: Iterable[_T]) -> Iterator[_T]:
    """An answer that is sent in pieces after its request was left: each is made in the request's scope."""
    scope = _scope.get()

    def in_scope() -> Iterator[_T]:
        iterator = iter(pieces)
        while True:
            with _opened(scope):
                try:
                    piece = next(iterator)
                except StopIteration:
                    return
            yield piece

    return in_scope()


@contextmanager
def _opened(scope: str) -> Iterator[None]:
    token: Token[str] = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)
