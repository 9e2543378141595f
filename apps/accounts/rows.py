"""Whose the rows of a table are: said by its model as `rows_of`, kept by PostgreSQL (`config.postgresql.isolation`)."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Department:
    """Of the department in this column. `at_gate`: seen too before it is known who asks."""

    column: str = "department"
    at_gate: bool = False


@dataclass(frozen=True)
class Table:
    """All of them one department's."""

    department: str


@dataclass(frozen=True)
class Parent:
    """Whose the row is that this foreign key leads to."""

    key: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """Of the account's department, of those it worked in before, whose uploads are still told to be its; of all where
    it works for all."""


@dataclass(frozen=True, kw_only=True)
class Operators:
    """Of no department: seen by who works across them. `at_gate` as above."""

    at_gate: bool = False


RowsOf = Department | Table | Parent | Account | Operators
