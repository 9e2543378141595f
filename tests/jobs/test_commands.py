"""The operators' commands: safe to run twice, dry runs touch nothing, a refusal exits non-zero."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from aetherflow.registry import departments
from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry, User
from apps.datasets.models import Dataset
from apps.datasets.storage import raw_storage
from apps.jobs.broker import sqs_settings
from apps.jobs.models import Job, JobStatus, Stage, StageRun
from tests.accounts.factories import AdminFactory
from tests.jobs.files import row, sales
from tests.jobs.line import messages_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_provision_makes_what_is_missing_and_leaves_what_is_there(sqs: Any) -> None:
    settings = sqs_settings()
    sqs.delete_queue(QueueUrl=settings.queue_url(settings.queues.ml))
    assert "aetherflow-ml-dlq" in run("provision", "--dry-run")["would_provision"]
    queues = run("provision")["queues"]
    assert (queues["aetherflow-ml"], queues["aetherflow-etl"]) == ("created", "unchanged")
    assert set(run("provision")["queues"].values()) == {"unchanged"}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    paths[0].write_bytes(sales(row(1)))
    paths[1].write_bytes(sales(row(2)))
    return [str(path) for path in paths]


def test_ingest_uploads_as_the_named_user(sqs: Any, seller: User, files: list[str]) -> None:
    call = ("ingest", *files, "--department", "sales", "--by", seller.email)
    assert [entry["result"] for entry in run(*call, "--dry-run")] == ["would be uploaded"] * 2
    assert not Job.objects.exists()
    entries = run(*call)
    assert {entry["job"] for entry in entries} == {str(job.pk) for job in Job.objects.all()}
    assert len(messages_of(sqs, "etl")) == 2
    assert set(Dataset.objects.values_list("uploaded_by", "original_filename")) == {
        (seller.pk, "a.csv"),
        (seller.pk, "b.csv"),
    }


def test_ingest_refuses_what_the_user_may_not_do(sqs: Any, seller: User, files: list[str], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="2 of 2"):
        run("ingest", *files, "--department", "finance", "--by", seller.email)
    with pytest.raises(CommandError, match="no active user"):
        run("ingest", *files, "--department", "sales")
    with pytest.raises(CommandError, match="no file"):
        run("ingest", str(tmp_path / "absent.csv"), "--department", "sales", "--by", seller.email)
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(CommandError, match="1 of 2"):
        run("ingest", files[0], str(empty), "--department", "sales", "--by", seller.email)
    assert Job.objects.count() == 1


def test_ingest_takes_a_folder_and_standard_input(
    sqs: Any, seller: User, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".hidden").touch()
    (tmp_path / "inside").mkdir()
    call = ("--department", "sales", "--by", seller.email)
    assert [entry["file"] for entry in run("ingest", str(tmp_path), *call)] == files
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=BytesIO(sales(row(3)))))
    (entry,) = run("ingest", "-", "--stdin-name", "march.csv", *call)
    dataset = Dataset.objects.get(pk=entry["dataset"])
    assert dataset.original_filename == "march.csv"
    assert b"".join(raw_storage().stream(dataset.key)) == sales(row(3))
    for wrong, words in (
        ([str(tmp_path / "inside")], "no file in it"),
        (["-", "-"], "read once"),
    ):
        with pytest.raises(CommandError, match=words) as refused:
            run("ingest", *wrong, *call)
        assert refused.value.returncode in {1, 2}
    assert Dataset.objects.count() == 3


def test_ingest_goes_on_where_it_was_interrupted(sqs: Any, seller: User, files: list[str], tmp_path: Path) -> None:
    call = ("ingest", str(tmp_path), "--department", "sales", "--by", seller.email)
    run("ingest", files[0], *call[2:])
    assert [entry["result"] for entry in run(*call, "--dry-run")] == ["there already", "would be uploaded"]
    assert [entry["result"] for entry in run(*call)] == ["there already", "uploaded"]
    assert {entry["result"] for entry in run(*call)} == {"there already"}
    assert Dataset.objects.count() == 2
    # Said otherwise it is another upload, and so it is once it was undone.
    assert {entry["result"] for entry in run(*call, "--decimal", ",")} == {"uploaded"}
    assert {entry["result"] for entry in run(*call, "--again")} == {"uploaded"}
    Dataset.objects.update(deleted_at=datetime(2026, 1, 1, tzinfo=UTC), deleted_by=seller)
    assert {entry["result"] for entry in run(*call)} == {"uploaded"}


def test_ingest_passes_on_what_is_said_of_the_files(sqs: Any, seller: User, files: list[str]) -> None:
    call = ("ingest", files[0], "--department", "sales", "--by", seller.email)
    run(*call, "--mapping", '{"Qty": "quantity", "Till": null}', "--delimiter", "tab", "--encoding", "latin1")
    run(*call, "--decimal", ",", "--date-order", "day-first", "--sheet", "March")
    assert [dataset.read_options for dataset in Dataset.objects.order_by("number")] == [
        {"mapping": {"Qty": "quantity", "Till": None}, "delimiter": "\t", "encoding": "iso8859-1"},
        {"decimal": ",", "date_order": "day-first", "sheet": "March"},
    ]
    for option, value, said in [
        ("--mapping", '{"Qty": "quantty"}', "Did you mean quantity"),
        ("--mapping", "Qty=quantity", "not JSON"),
        ("--delimiter", "x", "cannot separate columns"),
        ("--encoding", "utf-9", "no text encoding"),
        ("--decimal", ";", "invalid choice"),
    ]:
        with pytest.raises(CommandError, match=said):
            run(*call, option, value)
    assert Dataset.objects.count() == 2


def test_reprocess_picks_what_matches_and_skips_what_is_under_way(
    upload: Callable[..., Job], work: Callable[[], None], sqs: Any
) -> None:
    done = upload(sales(row(1)))
    work()
    waiting = upload(sales(row(2)))
    messages_of(sqs, "etl")
    assert [entry["dataset"] for entry in run("reprocess", "--status", "succeeded", "--dry-run")] == [
        str(done.dataset_id)
    ]
    assert run("reprocess", "--since", "2099-01-01") == []
    assert run("reprocess", "--department", "finance") == []
    with pytest.raises(CommandError, match="1 of 2"):
        run("reprocess", "--department", "sales")
    again = Job.objects.get(dataset=done.dataset, cause="reprocess")
    assert Job.objects.filter(dataset=waiting.dataset).count() == 1
    work()
    again.refresh_from_db()
    assert again.status == JobStatus.SUCCEEDED
    (entry,) = run("reprocess", "--from", "ml", "--dataset", str(done.dataset_id))
    ml_only = Job.objects.get(pk=entry["job"])
    assert [run.stage for run in ml_only.stages.all()] == [Stage.ML]
    work()
    ml_only.refresh_from_db()
    assert ml_only.status == JobStatus.SUCCEEDED
    with pytest.raises(CommandError, match="no day or time"):
        run("reprocess", "--since", "yesterday")


def test_reprocess_since_means_what_was_loaded_too(
    upload: Callable[..., Job], work: Callable[[], None], sqs: Any
) -> None:
    """A bad release also writes what was uploaded before it: retried, or worked again."""
    last_week = timezone.now() - timedelta(days=7)
    upload(sales(row(1)))
    work()
    old = upload(sales(row(2))).dataset
    work()
    Dataset.objects.update(uploaded_at=last_week, loaded_at=last_week)
    Dataset.objects.filter(pk=old.pk).update(loaded_at=timezone.now())
    since = (timezone.now() - timedelta(days=1)).isoformat()
    assert [entry["dataset"] for entry in run("reprocess", "--since", since, "--dry-run")] == [str(old.pk)]


@pytest.mark.parametrize("wrong", ["no-uuid", "0b7c1d7e-0000-4000-8000-000000000000"])
def test_reprocess_says_which_dataset_is_not_there(upload: Callable[..., Job], sqs: Any, wrong: str) -> None:
    job = upload(sales(row(1)))
    with pytest.raises(CommandError, match=wrong):
        run("reprocess", "--dataset", str(job.dataset_id), "--dataset", wrong)
    assert list(Job.objects.all()) == [job]


def test_the_relay_reports_what_it_sent(upload: Callable[..., Job], sqs: Any) -> None:
    upload(sales(row(1)))
    messages_of(sqs, "etl")
    assert run("relay") == {"rescued": 0, "worked_off": 0, "sent": 0}
    assert StageRun.objects.exclude(dispatched_at=None).count() == 1
    assert run("relay", "--recover") == {"recovered": 1, "rescued": 0, "worked_off": 0, "sent": 1}
    assert len(messages_of(sqs, "etl")) == 1


def test_rescue_settles_what_it_said_it_would(upload: Callable[..., Job], sqs: Any) -> None:
    dead, undone = upload(sales(row(1))), upload(sales(row(2)))
    messages_of(sqs, "etl")
    started = datetime(2026, 1, 1, tzinfo=UTC)
    StageRun.objects.filter(job=dead).update(state="processing", started_at=started, token=1, worker="gone")
    by = undone.dataset.uploaded_by
    StageRun.objects.filter(job=undone).update(state="failed", error_message="x", finished_at=started)
    Dataset.objects.filter(pk=undone.dataset_id).update(deleted_at=started, deleted_by=by, loaded_at=started)
    for _ in range(2):
        assert run("rescue", "--dry-run") == {"would_rescue": 2}
    assert StageRun.objects.get(job=dead).state == "processing"
    assert not AuditEntry.objects.filter(action=AuditAction.RESCUED).exists()
    assert run("rescue", "--reason", "the machine burnt down") == {"rescued": 2}
    told = AuditEntry.objects.get(action=AuditAction.RESCUED)
    assert (told.reason, told.details) == ("the machine burnt down", {"rescued": 2})
    assert StageRun.objects.get(job=dead).state == "queued"
    assert not messages_of(sqs, "etl"), "that is the relay's"
    assert run("rescue", "--dry-run") == {"would_rescue": 0}
    assert run("rescue") == {"rescued": 0}


def test_the_demo_is_made_once(sqs: Any, work: Callable[[], None], settings: Any) -> None:
    assert len(run("demo", "--dry-run")) == len(departments()) + 1
    assert not User.objects.exists()
    for _ in range(2):
        logins = run("demo")
    assert User.objects.count() == len(logins) == len(departments()) + 1
    assert set(Dataset.objects.values_list("department", flat=True)) == set(departments())
    assert Dataset.objects.count() == len(departments())
    work()
    assert set(Job.objects.values_list("status", flat=True)) == {JobStatus.SUCCEEDED}


def test_the_demo_is_refused_where_strangers_can_come(sqs: Any, settings: Any) -> None:
    settings.REGISTRATION_POLICY = "approval"
    with pytest.raises(CommandError, match="REGISTRATION_POLICY=open"):
        run("demo")


def test_ingest_without_a_name_uploads_as_the_admin(sqs: Any, files: list[str]) -> None:
    admin = AdminFactory()
    run("ingest", files[0], "--department", "sales")
    assert Dataset.objects.get().uploaded_by == admin
