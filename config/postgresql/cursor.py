"""Each statement says in whose scope it is (see `apps.accounts.scope`), for its transaction only.

In the same round trip, and with every statement: whether an earlier one of the transaction has said it, and whether a
savepoint has taken that back since, need not be known. A connection goes back to its pool as it came.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import psycopg2.extensions
from psycopg2.extensions import TRANSACTION_STATUS_INERROR
from psycopg2.sql import Composable

from apps.accounts.scope import EVERYBODY, current_scope

SETTING = "aetherflow.scope"


def role_of_all(role: str) -> str:
    """Who does what `role` does where the scope is all departments. Policies ask who it is, and nothing of a row."""
    return f"{role}_all"


def without_scope(statement: str) -> str:
    """As it was before the scope was said with it."""
    return statement.partition("', true); ")[2] if statement.startswith(f"SELECT set_config('{SETTING}'") else statement


@cache
def scoped_cursor(role: str) -> "type[ScopedCursor]":
    """The cursors of connections that work as this role."""
    return type("ScopedCursor", (ScopedCursor,), {"role": role, "role_of_all": role_of_all(role)})


class ScopedCursor(psycopg2.extensions.cursor):
    """psycopg2's own, but for what is said first: the scope, and which of the two roles that makes."""

    role: str
    role_of_all: str

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002  (psycopg2's name)
        if self.name is not None:
            # What it declares is the only statement it can send.
            with self._saying_scope():
                super().execute(query, vars)
            return
        text = self._text(query)
        if text.startswith("SET ") or self.connection.get_transaction_status() == TRANSACTION_STATUS_INERROR:
            # A transaction's level is set before all else, and of one that has failed nothing but its end is taken.
            super().execute(text, vars)
            return
        super().execute(self._scope_said() + text, vars)

    def executemany(self, query: Any, vars_list: Iterable[Any]) -> None:
        for each in vars_list:
            self.execute(query, each)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        # COPY changes the protocol, so that nothing can stand before it.
        with self._saying_scope():
            super().copy_expert(sql, file, size)

    def _scope_said(self) -> str:
        """A statement of its own, to stand before others. What may be in a scope needs no quoting."""
        scope = current_scope()
        role = self.role_of_all if scope == EVERYBODY else self.role
        return f"SELECT set_config('{SETTING}', '{scope}', true), set_config('role', '{role}', true); "

    def _saying_scope(self) -> "_Said":
        return _Said(self.connection, self._scope_said())

    def _text(self, query: Any) -> str:
        if isinstance(query, Composable):
            return query.as_string(self)
        return query.decode() if isinstance(query, bytes) else query


class _Said:
    """The scope said before, in a transaction: the one that is under way, else one for this alone."""

    def __init__(self, connection: psycopg2.extensions.connection, said: str) -> None:
        self._connection = connection
        self._said = said
        self._own = connection.autocommit

    def __enter__(self) -> None:
        with self._connection.cursor(cursor_factory=psycopg2.extensions.cursor) as plain:
            plain.execute(("BEGIN; " if self._own else "") + self._said)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._own:
            with self._connection.cursor(cursor_factory=psycopg2.extensions.cursor) as plain:
                plain.execute("ROLLBACK" if kind else "COMMIT")
