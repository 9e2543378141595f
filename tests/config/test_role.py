"""The roles of the image: each becomes its program where all it needs is there, and stops with what to do where not."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import OperationalError, ProgrammingError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from apps.datasets.storage import raw_storage
from config import role, starting
from config.programs import commands
from tests.support.aws import provisioned
from tests.support.roles import as_owner

WORKERS = ("worker-etl", "worker-ml", "relay")


@pytest.fixture(autouse=True)
def soon(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.START_WAIT_SECONDS = 0.05
    monkeypatch.setattr(starting, "_AGAIN_AFTER_SECONDS", 0.01)
    # The test's transaction lives in it.
    monkeypatch.setattr(connections, "close_all", lambda: None)


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> list[list[str]]:
    """What the process was replaced with."""
    programs: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, arguments: programs.append(arguments))
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setenv("OWNER_DATABASE_URL", "postgres://owner:secret@127.0.0.1/x")
    settings.ALIVE_FILE = str(tmp_path / "alive")
    return programs


def stopped(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = role.EX_CONFIG) -> str:
    with pytest.raises(SystemExit) as stop:
        role.main(arguments)
    assert stop.value.code == code
    (sentence,) = capsys.readouterr().err.splitlines()
    return sentence


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["web", *WORKERS])
def test_a_role_becomes_its_program(
    became: list[list[str]], settings: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("BIND", "10.1.2.3")
    monkeypatch.setenv("PORT", "8123")
    Path(settings.ALIVE_FILE).touch()
    os.utime(settings.ALIVE_FILE, (0, 0))
    with provisioned():
        role.main([name])
    assert became == [commands(host="10.1.2.3", port=8123)[name]]
    # Whose health it is, the check sees by the file; one was left of the container's last run.
    assert Path(settings.ALIVE_FILE).exists() == (name in WORKERS)
    if name in WORKERS:
        assert Path(settings.ALIVE_FILE).stat().st_mtime > 0
    assert "OWNER_DATABASE_URL" not in os.environ


@pytest.mark.parametrize("arguments", [(), ("worker",), ("web", "--provision"), ("migrate", "--all")])
def test_another_role_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    said = stopped(capsys, *arguments, code=os.EX_USAGE)
    assert said == "usage: web|worker-etl|worker-ml|relay, or migrate [--provision]"


def test_a_port_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "80000")
    assert stopped(capsys, "web").startswith("PORT='80000' is no port number. Use one between")


def unapplied(monkeypatch: pytest.MonkeyPatch) -> None:
    with as_owner():
        app, name = MigrationLoader(connection).graph.leaf_nodes("jobs")[0]
        MigrationRecorder(connection).record_unapplied(app, name)


def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    with as_owner():
        MigrationRecorder(connection).record_applied("jobs", "0999_of_tomorrow")


def database_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused\nsecond line")

    monkeypatch.setattr(connection, "cursor", refuse)


def store_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise PermissionError("not yours")

    monkeypatch.setattr(raw_storage(), "ping", refuse)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (database_away, "The database does not answer: connection refused. Check DATABASE_URL, that the database runs"),
        (unapplied, "then run `manage.py migrate`."),
        (newer, "The database has migrations this release does not: jobs.0999_of_tomorrow. Deploy the newer release."),
        (store_away, "The raw store does not answer, or refuses: not yours"),
    ],
)
def test_what_is_not_there_stops_a_role_with_what_to_do(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    became: list[list[str]],
    change: Callable[..., None],
    says: str,
) -> None:
    with provisioned():
        change(monkeypatch)
        said = stopped(capsys, "web")
    assert said.startswith("web does not start: ")
    assert says in said
    assert became == []


@pytest.mark.django_db
def test_a_queue_that_is_not_there_stops_a_worker(
    capsys: pytest.CaptureFixture[str], became: list[list[str]], settings: Any
) -> None:
    with provisioned():
        settings.QUEUE_PREFIX = "nobodys"
        said = stopped(capsys, "worker-etl")
    assert "The queue nobodys-etl does not exist. Run `manage.py provision`." in said
    assert became == []


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "others"), [("worker-etl", "aetherflow-ml"), ("worker-ml", "aetherflow-etl")])
def test_a_worker_looks_at_its_own_queues_alone(became: list[list[str]], name: str, others: str) -> None:
    """It has no right to look at others, where rights are given one by one."""
    with provisioned() as client:
        for queue in (others, f"{others}-dlq"):
            client.delete_queue(QueueUrl=client.get_queue_url(QueueName=queue)["QueueUrl"])
        role.main([name])
    assert len(became) == 1


@pytest.mark.django_db
def test_the_raw_store_is_none_of_the_ml_workers_business(
    monkeypatch: pytest.MonkeyPatch, became: list[list[str]]
) -> None:
    with provisioned():
        store_away(monkeypatch)
        role.main(["worker-ml"])
    assert len(became) == 1


@pytest.mark.django_db
def test_what_comes_late_is_waited_for(monkeypatch: pytest.MonkeyPatch, became: list[list[str]], settings: Any) -> None:
    settings.START_WAIT_SECONDS = 20
    answers = iter(["no", "no", "yes"])
    ping = raw_storage().ping

    def late() -> str:
        if next(answers, "yes") == "no":
            raise PermissionError("not yet")
        return ping()

    with provisioned():
        monkeypatch.setattr(raw_storage(), "ping", late)
        role.main(["web"])
    assert len(became) == 1


@pytest.mark.django_db
def test_migrate_refuses_a_database_of_a_newer_release(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(starting, "call_command", lambda name, **_: called.append(name))
    monkeypatch.setattr(
        starting,
        "MigrationLoader",
        lambda _: type("L", (), {"applied_migrations": {("jobs", "0999")}, "disk_migrations": {}}),
    )
    assert "jobs.0999. Deploy the newer release." in stopped(capsys, "migrate")
    assert called == []


@pytest.mark.django_db
def test_a_migration_that_fails_says_what_stands_and_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str, **_: Any) -> None:
        raise ProgrammingError('relation "x" already exists')

    monkeypatch.setattr(starting, "_owners_fault", lambda: None)
    monkeypatch.setattr(starting, "call_command", fail)
    said = stopped(capsys, "migrate", "--provision")
    assert 'A migration failed: relation "x" already exists' in said
    assert "run `migrate` again" in said


@pytest.mark.django_db
def test_migrate_waits_for_the_queues_and_says_where_they_are_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def refuse(name: str, **_: Any) -> None:
        called.append(name)
        if name == "provision":
            raise CommandError("Not provisioned: no answer.")

    monkeypatch.setattr(starting, "_owners_fault", lambda: None)
    monkeypatch.setattr(starting, "call_command", refuse)
    assert "Not provisioned: no answer." in stopped(capsys, "migrate", "--provision")
    assert called[0] == "migrate"
    assert called.count("provision") > 1
