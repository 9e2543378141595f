"""What every command promises: its options, a report for scripts and people, dry runs, repeats, exit codes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from django.apps import apps
from django.core.management import CommandError, call_command, get_commands
from django.db import OperationalError

from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.datasets.storage import raw_storage
from apps.jobs.broker import sqs_settings
from apps.jobs.management.commands import rescue, workers
from apps.jobs.models import Job, Stage, StageLog, StageRun
from apps.jobs.sqs.sending import NotSent
from config.doctor import CHECKS
from tests.accounts.factories import PASSWORD, AdminFactory, OperatorFactory
from tests.accounts.second_factor import enrolled
from tests.jobs.console import job_of
from tests.jobs.files import row, sales
from tests.support.roles import as_owner

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
DLQ = "aetherflow-etl-dlq"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    job: Job
    folder: Path
    settings: Any
    patch: pytest.MonkeyPatch


# --- What makes a command fail ---


def sqs_is_away(world: World) -> None:
    world.settings.AWS_ENDPOINT_URL_SQS = "http://127.0.0.1:9"


def store_is_away(world: World) -> None:
    def away(_: str) -> None:
        raise EndpointConnectionError(endpoint_url="http://s3")

    Dataset.objects.update(deleted_at=LONG_AGO, deleted_by=User.objects.first())
    world.patch.setattr(raw_storage(), "delete", away)


def database_is_away(module: Any, name: str) -> Callable[[World], None]:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("no connection")

    return lambda world: world.patch.setattr(module, name, away)


def nothing_is_sent(world: World) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise NotSent("SQS does not answer")

    world.patch.setattr("apps.jobs.management.commands.relay.relay", away)


def strangers_may_come(world: World) -> None:
    world.settings.REGISTRATION_POLICY = "approval"


def nobody_administers(world: World) -> None:
    User.objects.update(is_active=False)


def one_file_is_empty(world: World) -> None:
    (world.folder / "empty.csv").touch()


@dataclass(frozen=True)
class Case:
    """`does`: arguments of a run that succeeds. `fails`: those of one that does not, once `broken`. `looks`: it
    changes nothing, so that there is no dry run."""

    does: tuple[str, ...] = ()
    fails: tuple[str, ...] | None = None
    broken: Callable[[World], None] = lambda _: None
    code: int = 1
    looks: bool = False
    refuses_again: bool = False
    writes_again: bool = False


NEW = ("--email", "ada@example.com", "--department", "sales")
LOST = ("--reset", "lost@example.com", "--reason", "r")
CASES = {
    "provision": Case(broken=sqs_is_away),
    "relay": Case(broken=nothing_is_sent),
    "queues": Case(looks=True, broken=sqs_is_away),
    "workers": Case(looks=True, broken=database_is_away(workers, "workers_seen")),
    "dlq list": Case(looks=True, broken=sqs_is_away),
    "dlq redrive": Case(("etl", "--all"), fails=("etl", "no-such-letter")),
    "dlq discard": Case(("etl", "--settled", "--reason", "r"), fails=("etl", "no-such-letter", "--reason", "r")),
    "dlq purge": Case(("etl", "--type-name", DLQ, "--reason", "r"), fails=("etl", "--type-name", "x", "--reason", "r"),
                      code=2, refuses_again=True),
    "rescue": Case(broken=database_is_away(rescue, "rescue_now")),
    "prune": Case(broken=store_is_away),
    "ingest": Case(("{folder}", "--department", "sales"), broken=one_file_is_empty),
    # What is under way is not begun a second time, nor does SQS purge twice a minute: both say so.
    "reprocess": Case(("--dataset", "{dataset}"), fails=("--dataset", "none"), code=2, refuses_again=True),
    "create_user": Case((*NEW, "--password-env", "NEW_PASSWORD"), fails=(*NEW, "--password-env", "NONE"), code=2),
    # A second invitation stands in the first one's place, and is told of.
    "invite_user": Case(NEW, fails=("--email", "x", "--department", "sales"), code=2, writes_again=True),
    "second_factor": Case(LOST, fails=("--reset", "nobody@example.com", "--reason", "r"), code=2),
    "doctor": Case(
        tuple(f"--without={check}" for check in CHECKS if check != "accounts"), looks=True, broken=nobody_administers
    ),
    "demo": Case(broken=strangers_may_come),
}  # fmt: skip
CHANGING = sorted(name for name, case in CASES.items() if not case.looks)
every = pytest.mark.parametrize("name", sorted(CASES))
every_changing = pytest.mark.parametrize("name", CHANGING)


@pytest.fixture
def world(upload: Callable[..., Job], tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """A platform with something to do for each: a job that has ended and left a log long ago, one that waits in the
    outbox, one whose worker died, files that did not come in yet, and an operator who lost their phone."""
    AdminFactory()
    enrolled(OperatorFactory(email="lost@example.com"))
    job = job_of()
    ended = job.stages.get(stage=Stage.ETL)
    StageLog.objects.create(run=ended, token=1, at=LONG_AGO, lines=[])
    waiting, orphan = upload(sales(row(1))), upload(sales(row(2)))
    StageRun.objects.filter(job=waiting).update(dispatched_at=None, send_after=LONG_AGO)
    StageRun.objects.filter(job=orphan).update(state="processing", started_at=LONG_AGO, token=1, worker="gone")
    folder = tmp_path / "files"
    folder.mkdir()
    for number in (3, 4):
        (folder / f"{number}.csv").write_bytes(sales(row(number)))
    monkeypatch.setenv("NEW_PASSWORD", PASSWORD)
    return World(job=job, folder=folder, settings=settings, patch=monkeypatch)


def run(name: str, arguments: tuple[str, ...], world: World, *more: str) -> str:
    out = StringIO()
    given = [argument.format(folder=world.folder, dataset=world.job.dataset_id) for argument in arguments]
    call_command(*name.split(), *given, *more, stdout=out)
    return out.getvalue()


def standing(sqs: Any) -> dict[str, Any]:
    """All rows of the platform, and how many messages lie in each queue."""
    with as_owner():
        found: dict[str, Any] = {
            model.__name__: list(model._default_manager.order_by("pk").values())
            for config in apps.get_app_configs()
            if config.name.startswith("apps.")
            for model in config.get_models()
            if model._meta.managed
        }
    known = sqs_settings()
    for queue in known.queues.all:
        for queue_name in (queue.name, queue.dead_letter_name):
            url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
            told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            found[queue_name] = told["Attributes"]
    return found


def test_every_command_of_ours_is_here() -> None:
    ours = {name for name, app in get_commands().items() if app.partition(".")[0] in {"apps", "config"}}
    # Django's own, which only takes the owner's log-in here.
    assert {name.partition(" ")[0] for name in CASES} == ours - {"migrate"}


@every
def test_its_help_names_the_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command(*name.split(), "--help")
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert "--json" in told
    assert ("--dry-run" in told) is not CASES[name].looks


@every
def test_scripts_get_json_on_the_last_line_and_people_a_summary(name: str, world: World) -> None:
    more = () if CASES[name].looks else ("--dry-run",)
    assert isinstance(json.loads(run(name, CASES[name].does, world, "--json", *more).splitlines()[-1]), dict | list)
    summary = run(name, CASES[name].does, world, *more).splitlines()[-1]
    assert len(summary.split()) > 2
    assert summary[0] not in "[{"


@every_changing
def test_a_dry_run_changes_nothing(name: str, world: World, sqs: Any) -> None:
    before = standing(sqs)
    run(name, CASES[name].does, world, "--dry-run")
    assert standing(sqs) == before


@every
def test_it_can_be_run_twice(name: str, world: World, sqs: Any) -> None:
    case = CASES[name]
    run(name, case.does, world)
    once = {what: len(rows) for what, rows in standing(sqs).items()}
    if case.refuses_again:
        with pytest.raises(CommandError) as refused:
            run(name, case.does, world)
        assert refused.value.returncode == 1
    else:
        run(name, case.does, world, "--json")
    twice = {what: len(rows) for what, rows in standing(sqs).items()}
    if case.writes_again:
        twice["AuditEntry"] -= 1
    assert twice == once


@every
def test_what_is_not_done_is_said_by_the_exit_code(name: str, world: World) -> None:
    case = CASES[name]
    case.broken(world)
    with pytest.raises(CommandError) as failed:
        run(name, case.does if case.fails is None else case.fails, world)
    assert failed.value.returncode == case.code
    assert str(failed.value)
