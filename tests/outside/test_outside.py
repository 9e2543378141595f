"""The whole API from outside, by its own description: nothing breaks, nothing is said that is not described, and no
word of another department comes out."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aetherflow.registry import departments
from config.local.home import Home
from tests.e2e.people import Person
from tests.support.outside import WITHOUT_LIMITS, call_everything, foreign_words
from tests.support.session import clear, run_folder
from tests.support.stack import Stack, database

SEED = 8


@pytest.fixture(scope="module")
def platform(worker_id: str) -> Iterator[Stack]:
    """One of its own: what is uploaded, changed and undone here would be found by the tests of the shared one."""
    home = Home(run_folder() / "outside")
    with database(os.environ["DATABASE_URL"], f"outside_{worker_id}_{os.getpid()}") as url:
        running = Stack(home, database_url=url)
        running.env |= WITHOUT_LIMITS
        try:
            running.begin()
            yield running
        finally:
            running.close()
            clear(home.path)


@pytest.mark.stack
def test_every_operation_keeps_to_its_description_and_to_its_department(platform: Stack, tmp_path: Path) -> None:
    foreign = [word for slug in ("sales", "finance") for word in foreign_words(platform, department=slug)]
    person = Person(platform.url, department="supply_chain")
    uploaded = person.upload(departments()["supply_chain"].samples.good)
    assert person.watch(uploaded["job"]["id"])["status"] == "succeeded"
    done = call_everything(person, foreign=foreign, examples=5, seed=SEED, report=tmp_path / "outside.ndjson")
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr}"
    # It got somewhere: past the log-in, along the links from an upload, and with its own session ended meanwhile.
    assert "48 selected / 48 total" in done.stdout
    assert re.search(r"\b[1-9]\d* covered /", done.stdout)
    assert all(platform.is_running(name) for name in ("web", "worker-etl", "worker-ml", "relay"))
