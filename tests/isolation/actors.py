"""Everybody who may ask, and the way they ask: a token in a header, or the console's cookie."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.choices import Approval, ConsoleRole
from apps.accounts.models import User
from apps.accounts.services import deactivate, set_department
from tests.accounts.factories import AdminFactory, OperatorFactory, UserFactory, bearer
from tests.isolation.houses import House


class Who(StrEnum):
    """In the order of the tables' columns."""

    ANONYMOUS = "anonymous"
    OWN = "own"
    OTHER = "other"
    PENDING = "pending"
    SHUT = "shut"  # deactivated, with a token from before
    MOVED = "moved"  # to the other department, with a token from before
    OTHER_OPERATOR = "other+op"  # of the other department, an operator of the console, by token
    VIEWER = "viewer"
    OPERATOR = "operator"
    CONSOLE_ADMIN = "console"
    ADMIN = "admin"  # who sees all departments, by token


BY_COOKIE = {Who.VIEWER, Who.OPERATOR, Who.CONSOLE_ADMIN}


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    queries: list[str]

    @property
    def said(self) -> bytes:
        """All of it, as who looks for something in it would read it."""
        return b"\n".join([*(f"{name}: {value}".encode() for name, value in self.headers.items()), self.body])

    @property
    def writes(self) -> list[str]:
        return [sql for sql in self.queries if sql.startswith(("INSERT", "UPDATE", "DELETE"))]


class Actors:
    def __init__(self, home: House, abroad: House) -> None:
        mine, theirs = home.department, abroad.department
        people: dict[Who, User] = {
            Who.OWN: home.person,
            Who.OTHER: abroad.person,
            Who.PENDING: UserFactory(department=mine, approval=Approval.PENDING),
            Who.SHUT: UserFactory(department=mine),
            Who.MOVED: UserFactory(department=mine),
            Who.OTHER_OPERATOR: OperatorFactory(department=theirs),
            Who.ADMIN: AdminFactory(),
        }
        self.people = people
        self._ways: dict[Who, dict[str, Any]] = {Who.ANONYMOUS: {}} | {
            who: bearer(user) for who, user in people.items()
        }
        for who, role in zip(sorted(BY_COOKIE, key=list(Who).index), ConsoleRole.values[1:], strict=True):
            self._ways[who] = {"headers": console_cookie(OperatorFactory(department=theirs, console_role=role))}
        deactivate(user=people[Who.SHUT], by=people[Who.ADMIN], at=timezone.now())
        set_department(user=people[Who.MOVED], department=theirs, by=people[Who.ADMIN], at=timezone.now())
        # An address each: nobody's requests count against another's.
        self._addresses = (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in count(1))
        # One for all: a new one builds the whole stack of middleware anew, which takes longer than a request.
        self._client = Client(raise_request_exception=False)

    def ask(
        self,
        who: Who,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """What the answer is; what the request did is undone."""
        way = self._ways[who].get("headers", {}) | (headers or {})
        self._client.cookies.clear()
        with _undone(), CaptureQueriesContext(connection) as queries:
            found = self._client.generic(
                method, path, body, content_type, headers=way, REMOTE_ADDR=next(self._addresses)
            )
            said = b"".join(found.streaming_content) if found.streaming else found.content
        cookies = {f"Set-Cookie {name}": morsel.OutputString() for name, morsel in found.cookies.items()}
        return Answer(
            status=found.status_code,
            headers=dict(found.headers) | cookies,
            body=said,
            queries=[query["sql"] for query in queries.captured_queries],
        )


def console_cookie(user: User) -> dict[str, str]:
    """The header by which a browser shows the user's log-in to the console."""
    client = Client()
    client.force_login(user)
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
