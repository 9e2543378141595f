"""All is lost but a dump and the raw files. The commands are those of docs/backup.md, as a person copies them."""

import contextlib
from typing import Any

import psycopg2
import pytest

from tests.e2e.people import Person
from tests.faults.platform import Platform
from tests.faults.restoring import PROCESSES, lose_and_restore, run
from tests.faults.settled import SECONDS, assert_insights, assert_journal, assert_rows, await_end
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-restore")]

# In a partition of its own.
MANY = 120_000


class Before:
    """What stood at the time of the backup, and what came after it."""

    def __init__(self, platform: Platform) -> None:
        self.small = platform.upload("sales")
        self.large = platform.upload("sales", rows=MANY)
        self.other = platform.upload("finance")
        for upload in (self.small, self.large, self.other):
            await_end(platform, upload, seconds=SECONDS)
        self.dashboard = dashboard(platform.person("sales"))
        self.rows = {upload.dataset_id: exported(platform, upload) for upload in (self.small, self.large)}
        for stage in ("worker-etl", "worker-ml"):
            platform.stop(stage)
        self.under_way = platform.upload("supply_chain")


def exported(platform: Platform, upload: Upload) -> bytes:
    answer = platform.person(upload.department).get(f"/datasets/{upload.dataset_id}/rows.csv")
    assert answer.status_code == 200, answer.text
    return answer.content


def dashboard(person: Person) -> Any:
    answer = person.get(f"/dashboards/{person.department}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def before(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Before:
    """The platform as it was, restored."""
    found = Before(platform)
    backup = tmp_path_factory.mktemp("backup") / "aetherflow.dump"
    run(platform, "backup", backup=backup)
    for name in ("web", "relay"):
        platform.stop(name)
    lose_and_restore(platform, backup=backup)
    for name in PROCESSES:
        platform.start(name)
    platform.await_ready()
    return found


def test_what_was_there_is_there(platform: Platform, before: Before) -> None:
    for upload in (before.small, before.large, before.other):
        assert_rows(platform, upload)
        assert_journal(platform, upload)
    # The same session as before: nobody has to log in anew.
    assert dashboard(platform.person("sales")) == before.dashboard


def test_what_was_under_way_is_worked_off(platform: Platform, before: Before) -> None:
    await_end(platform, before.under_way, seconds=SECONDS)
    assert_rows(platform, before.under_way)
    assert_insights(platform, before.under_way)
    assert_journal(platform, before.under_way)


def test_departments_are_apart_as_they_were(platform: Platform, before: Before) -> None:
    assert platform.person("finance").get(f"/datasets/{before.small.dataset_id}").status_code == 404
    with contextlib.closing(psycopg2.connect(platform.env["DATABASE_URL"])) as connection:
        for scope, expected in (("", 0), ("finance", 1), ("sales", 2)):
            with connection.cursor() as cursor:
                cursor.execute(f"SET ROLE aetherflow_web; SET aetherflow.scope = '{scope}'")
                cursor.execute("SELECT count(*) FROM datasets_dataset")
                assert cursor.fetchone() == (expected,)


def test_what_happened_still_cannot_be_changed(platform: Platform, before: Before) -> None:
    assert platform.query("SELECT id FROM accounts_auditentry LIMIT 1")
    with pytest.raises(psycopg2.Error, match="DELETE is refused"):
        platform.query("DELETE FROM accounts_auditentry RETURNING id")


def test_all_can_be_worked_again_from_the_raw_files(platform: Platform, before: Before) -> None:
    platform.manage("reprocess", "--department", "sales", "--from", "etl", "--reason", "restored")
    person = platform.person("sales")

    def done() -> bool:
        jobs = person.get("/jobs").json()["results"]
        return len(jobs) == 4 and all(job["status"] == "succeeded" for job in jobs)

    eventually(done, within=SECONDS, what="both uploads are worked again")
    for upload in (before.small, before.large):
        assert exported(platform, upload) == before.rows[upload.dataset_id]
