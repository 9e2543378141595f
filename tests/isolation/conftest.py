"""Two departments, built once for all tests of this folder, and everybody who asks for what is theirs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from tests.isolation.actors import Actors
from tests.isolation.houses import House, build
from tests.support.aws import provisioned


@dataclass(frozen=True)
class Town:
    """`home` is what is guarded; `abroad` is the department from which one looks at it."""

    home: House
    abroad: House
    actors: Actors


@pytest.fixture(scope="package")
def committed_town(django_db_setup: None, django_db_blocker: Any) -> Iterator[Town]:
    """Committed, as the line commits what it loads; each test undoes what it does to it."""
    with django_db_blocker.unblock(), provisioned() as sqs:
        try:
            home = build("supply_chain", "Zebrawood", sqs=sqs)
            abroad = build("finance", "Quicksilver", sqs=sqs)
            yield Town(home, abroad, Actors(home, abroad))
        finally:
            call_command("flush", verbosity=0, interactive=False)
            connections["loader"].close()


@pytest.fixture
def town(committed_town: Town, db: None, plain_static_files: None) -> Town:
    return committed_town
