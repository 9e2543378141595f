"""Two departments, built once for all tests of this folder, and everybody who asks for what is theirs."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from apps.accounts.scope import all_departments
from config.postgresql.isolation import declared
from tests.isolation.actors import Actors
from tests.isolation.houses import House, build
from tests.support.aws import provisioned
from tests.support.roles import as_owner


@dataclass(frozen=True)
class Town:
    """`home` is what is guarded; `abroad` is the department from which one looks at it."""

    home: House
    abroad: House
    actors: Actors


_standing: list[tuple[Town, ExitStack, Any]] = []


@pytest.fixture(scope="module")
def committed_town(django_db_setup: None, django_db_blocker: Any) -> Town:
    """Committed, as the line commits what it loads; each test undoes what it does to it. Built once for the folder."""
    if not _standing:
        ground = ExitStack()
        with django_db_blocker.unblock(), all_departments():
            sqs = ground.enter_context(provisioned())
            home = build("supply_chain", "Zebrawood", sqs=sqs)
            abroad = build("finance", "Quicksilver", sqs=sqs)
            _standing.append((Town(home, abroad, Actors(home, abroad)), ground, django_db_blocker))
    return _standing[0][0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Those who come after this folder's tests find nothing of it: there is no fixture whose scope is a folder."""
    yield
    if _standing and (nextitem is None or nextitem.path.parent != item.path.parent):
        _, ground, blocker = _standing.pop()
        ground.close()
        if nextitem is not None:  # else the database is gone already
            with blocker.unblock():
                call_command("flush", database="owner", verbosity=0, interactive=False)
                for alias in ("owner", "loader"):
                    connections[alias].close()


@pytest.fixture
def without_policies(db: None) -> None:
    """The second layer taken off, so that the first stands alone."""
    with as_owner() as cursor:
        for model, rows_of in declared().items():
            if rows_of is not None:
                table = model._meta.db_table
                cursor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY')


@pytest.fixture
def town(committed_town: Town, db: None, plain_static_files: None) -> Town:
    return committed_town
