"""`doctor`: it finds nothing where all is well, each fault by its name with what to do, and one hides no other."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from moto.sqs.models import SQSBackend

from apps.accounts.models import User
from apps.datasets.storage import raw_storage
from apps.jobs import clock
from apps.jobs.broker import sqs_settings
from apps.jobs.management.commands.demo import DOMAIN, PASSWORD
from apps.jobs.services.workers import beat
from apps.jobs.sqs import pins
from config.doctor import CHECKS, Finding, Standing, examine, machine
from tests.accounts.factories import AdminFactory, UserFactory
from tests.support.aws import provisioned
from tests.support.roles import as_owner

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def well(settings: Any, tmp_path: Path) -> Iterator[Any]:
    """A platform with nothing to object to; gives the SQS client."""
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS, settings.REGISTRATION_POLICY = 60, "approval"
    settings.JWT_KEYS = ["a key of its own, longer than the hash is"]
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.BASE_DIR, settings.DASHBOARD_DIST, settings.MAX_UPLOAD_BYTES = tmp_path, tmp_path, 1
    (tmp_path / "index.html").touch()
    AdminFactory()
    all_beat(clock.now())
    with provisioned() as client:
        yield client


def all_beat(at: datetime) -> None:
    for queue in ("etl", "ml", "relay"):
        beat(name=f"{queue}@host", queues=[queue], slots=1, pid=1, started_at=at, at=at)


def looked_at(*, without: tuple[str, ...] = ()) -> list[Finding]:
    return list(examine(without=without))


def wrong() -> list[tuple[str, str, str]]:
    """(check, standing, all that is said) of what is not as it should be."""
    return [
        (each.check, each.standing.value, f"{each.detail} {each.fix}")
        for each in looked_at()
        if each.standing != Standing.OK
    ]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("doctor", *arguments, stdout=out)
    return out.getvalue()


# --- All is well ---


def test_where_all_is_well_each_check_says_so_and_nothing_else(well: Any) -> None:
    assert wrong() == []
    assert {each.check for each in looked_at()} == set(CHECKS)


def test_it_can_be_run_again_and_again_and_leaves_no_files(well: Any) -> None:
    for _ in range(3):
        assert wrong() == []
    assert not raw_storage().exists("raw/.doctor/probe")


def test_it_says_each_on_a_line_and_counts_them(well: Any) -> None:
    *lines, last = run().splitlines()
    assert len(lines) == len(looked_at())
    assert all(line.startswith("ok ") for line in lines)
    assert last == f"ok {len(lines)}, warn 0, fault 0"


def test_what_is_left_out_is_not_looked_at(well: Any) -> None:
    assert {each.check for each in looked_at(without=("workers", "queues"))} == set(CHECKS) - {"workers", "queues"}
    with pytest.raises(CommandError, match="invalid choice"):
        run("--without", "everything")


# --- What is wrong ---


def admins_gone(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.update(is_active=False)


def demo_account(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    user = UserFactory(email=f"sales@{DOMAIN}")
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])


def role_changed_by_hand(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    purge = Permission.objects.get(codename="purge_deadletter")
    Group.objects.get(name="console viewer").permissions.add(purge)


def migration_missing(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The newest: without an older one those after it would be out of order as well.
    ((app, newest),) = MigrationLoader(connection).graph.leaf_nodes("jobs")
    with as_owner():
        MigrationRecorder(connection).record_unapplied(app, newest)


def migration_of_a_newer_release(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with as_owner():
        MigrationRecorder(connection).record_applied("jobs", "0999_of_tomorrow")


def bucket_missing(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RAW_BUCKET = "not-there"
    raw_storage().bucket_name = "not-there"  # type: ignore[attr-defined]


def store_forgets(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(raw_storage()), "stream", lambda *_: io.BytesIO(b"something else"))


def url(well: Any, name: str) -> str:
    return str(well.get_queue_url(QueueName=name)["QueueUrl"])


def queue_missing(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    well.delete_queue(QueueUrl=url(well, "aetherflow-ml"))


def redrive_policy_missing(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    well.set_queue_attributes(QueueUrl=url(well, "aetherflow-etl"), Attributes={"RedrivePolicy": ""})


def visibility_differs(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    well.set_queue_attributes(QueueUrl=url(well, "aetherflow-etl"), Attributes={"VisibilityTimeout": "7"})


def dead_letters_forgotten(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = url(well, sqs_settings().queues.etl.dead_letter_name)
    well.set_queue_attributes(QueueUrl=dead, Attributes={"MessageRetentionPeriod": "3600"})


def dead_letter(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    well.send_message(QueueUrl=url(well, "aetherflow-etl-dlq"), MessageBody="a dead letter")


def queues_elsewhere(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.QUEUE_URL_BASE = "https://sqs.us-east-1.amazonaws.com/999999999999"


def workers_silent(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = timezone.now() - timedelta(days=1)
    beat(name="ml@host", queues=["ml"], slots=1, pid=1, started_at=before, at=before)


def database_clock_off(seconds: float) -> Callable[..., None]:
    def change(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        now = clock.now
        monkeypatch.setattr(clock, "now", lambda: now() - timedelta(seconds=seconds))
        all_beat(clock.now())

    return change


def clock_of_sqs_off(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 29 Nov 2020 09:00:00 GMT"}}}
    monkeypatch.setattr(machine, "_ask_sqs", lambda: answer)


def free(mebibytes: int) -> Callable[..., None]:
    def change(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.MAX_UPLOAD_BYTES = 1024**3
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=mebibytes * 1024**2))

    return change


def raw_folder_missing(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RAW_STORAGE, settings.RAW_ROOT = "disk", "/nowhere/raw"


def memory_limit(megabytes: int) -> Callable[..., None]:
    def change(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.WORKER_MEMORY_LIMIT_MB = megabytes

    return change


def dashboard_not_built(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (settings.DASHBOARD_DIST / "index.html").unlink()


def static_files_not_collected(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": backend}}
    settings.STATIC_ROOT = str(settings.BASE_DIR)


def setting_misspelt(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_MAX_RECIEVES", "5")


def line_of_env_misspelt(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["# a comment: X=1", "PORT=8001", "AWS_PROFILE=p", "SECRET_KEY=x", "export RAW_BUCKETS=y", "COLOUR=blue"]
    (settings.BASE_DIR / ".env").write_text("\n".join(lines))


def open_registration(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REGISTRATION_POLICY = "open"


def plain_http(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    settings.SECURE_HSTS_SECONDS = 0


def debugging(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True


def other_kombu(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pins.PINS, "kombu", "5.3.0")


@pytest.mark.parametrize(
    ("change", "check", "standing", "says"),
    [
        (plain_http, "settings", "warn", "Set HTTPS=true"),
        (debugging, "settings", "warn", "Set DEBUG=false."),
        (open_registration, "settings", "warn", "Set REGISTRATION_POLICY=approval or invite"),
        (setting_misspelt, "environment", "warn", "is not read. Did you mean QUEUE_MAX_RECEIVES?"),
        (other_kombu, "packages", "fault", "Install kombu==5.3.0"),
        (dashboard_not_built, "pages", "warn", "make build"),
        (static_files_not_collected, "pages", "fault", "manage.py collectstatic"),
        (free(100), "disk", "fault", "it is full. Make room."),
        (free(1500), "disk", "warn", "an upload may have 1024 MB"),
        (memory_limit(0), "memory", "warn", "one file can take all memory"),
        (memory_limit(10**9), "memory", "warn", "Lower WORKER_MEMORY_LIMIT_MB"),
        (migration_missing, "migrations", "fault", "Not applied: jobs.0"),
        (migration_of_a_newer_release, "migrations", "fault", "jobs.0999_of_tomorrow. Deploy the newer release."),
        (role_changed_by_hand, "roles", "fault", "console viewer. Run `manage.py migrate`"),
        (admins_gone, "accounts", "fault", "manage.py create_user --role admin"),
        (demo_account, "accounts", "fault", f"which everybody knows, opens sales@{DOMAIN}."),
        (bucket_missing, "storage", "fault", "manage.py provision"),
        (store_forgets, "storage", "fault", "something else than it was given"),
        (queue_missing, "queues", "fault", "aetherflow-ml does not exist. Run `manage.py provision`."),
        (redrive_policy_missing, "queues", "fault", "has no redrive policy"),
        (visibility_differs, "queues", "warn", "hides a message for 7 s; QUEUE_VISIBILITY_SECONDS is 90."),
        (dead_letters_forgotten, "queues", "warn", "aetherflow-etl-dlq forgets letters"),
        (dead_letter, "queues", "warn", "Dead letters in aetherflow-etl-dlq: 1."),
        (workers_silent, "workers", "fault", "No worker for the queue ml gives a sign of life: jobs wait. Start one"),
        (database_clock_off(60), "clocks", "warn", "60 s ahead of the database"),
        (database_clock_off(-600), "clocks", "fault", "600 s behind the database"),
        (clock_of_sqs_off, "clocks", "fault", "ahead of SQS"),
    ],
    ids=lambda value: getattr(value, "__qualname__", None),
)  # fmt: skip
def test_what_is_wrong_is_found_alone_with_what_to_do(
    well: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[..., None],
    check: str,
    standing: str,
    says: str,
) -> None:
    change(well, settings, monkeypatch)
    ((found, as_, said),) = wrong()
    assert (found, as_) == (check, standing)
    assert says in said


def test_queues_that_tell_of_no_retention_are_no_fault(well: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """ElasticMQ's."""
    ask = SQSBackend.get_queue_attributes

    def silent(backend: SQSBackend, *arguments: Any) -> dict[str, Any]:
        return {name: value for name, value in ask(backend, *arguments).items() if name != "MessageRetentionPeriod"}

    monkeypatch.setattr(SQSBackend, "get_queue_attributes", silent)
    assert wrong() == []


def test_messages_that_would_go_elsewhere_are_a_fault_of_each_queue(well: Any, settings: Any) -> None:
    settings.QUEUE_URL_BASE = "https://sqs.us-east-1.amazonaws.com/999999999999"
    found = wrong()
    assert [(check, standing) for check, standing, _ in found] == [("queues", "fault")] * 2
    assert all("Set QUEUE_URL_BASE" in said for *_, said in found)


def test_a_folder_of_raw_files_that_is_not_there(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    raw_folder_missing(well, settings, monkeypatch)
    found = [said for check, _, said in wrong() if check == "disk"]
    assert found == ["/nowhere/raw (raw files) cannot be written. Make it, or give this process' user the right."]


def test_lines_of_env_that_no_setting_reads(well: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line_of_env_misspelt(well, settings, monkeypatch)
    assert [said for *_, said in wrong()] == [
        "COLOUR in .env is no setting, and is not read. Take it out of .env.",
        "RAW_BUCKETS in .env is no setting, and is not read. Did you mean RAW_BUCKET?",
    ]


def test_a_database_that_is_away_hides_nothing_else(well: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dead_letter(well, None, monkeypatch)

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(connections["default"], "cursor", away)
    found = wrong()
    faults = {check: said for check, standing, said in found if standing == "fault"}
    assert set(faults) == {"database", "migrations", "roles", "accounts", "workers"}
    assert faults["database"] == (
        "The database does not answer: connection refused Check DATABASE_URL, that the database runs, and the network "
        "to it."
    )
    assert "See to the database first" in faults["workers"]
    assert ("queues", "warn") in {(check, standing) for check, standing, _ in found}


def test_a_check_that_breaks_is_a_fault_and_the_others_go_on(well: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "disk", lambda: 1 / 0)
    ((check, standing, said),) = wrong()
    assert (check, standing) == ("disk", "fault")
    assert "ZeroDivisionError" in said


# --- The command ---


def test_a_fault_exits_with_one_and_a_warning_does_not(well: Any, settings: Any) -> None:
    settings.WORKER_MEMORY_LIMIT_MB = 0
    assert "warn 1, fault 0" in run()
    User.objects.update(is_active=False)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 at fault") as failure:
        call_command("doctor", stdout=out)
    assert failure.value.returncode == 1
    line, fix = next(pair for pair in zip(out.getvalue().splitlines(), out.getvalue().splitlines()[1:], strict=False)
                     if pair[0].startswith("fault"))  # fmt: skip
    assert "accounts" in line
    assert "create_user" in fix


def test_it_tells_scripts(well: Any, settings: Any) -> None:
    told = json.loads(run("--json"))
    assert told["result"] == "ok"
    settings.WORKER_MEMORY_LIMIT_MB = 0
    told = json.loads(run("--json"))
    assert told["result"] == "warn"
    (found,) = [each for each in told["findings"] if each["standing"] != "ok"]
    assert (found["check"], found["standing"]) == ("memory", "warn")
    assert found["fix"].startswith("Set a limit")


@pytest.mark.parametrize(("name", "value"), [("SECRET_KEY", ""), ("QUEUE_MAX_RECEIVES", "many")])
def test_a_setting_that_stops_the_start_is_said_in_a_sentence(name: str, value: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert name in done.stderr
    assert "e.g." in done.stderr
    assert "Traceback" not in done.stderr
