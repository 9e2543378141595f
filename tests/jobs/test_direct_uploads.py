"""Large files past the gateway: what was signed, what arrived, what became of it, and whose it is."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry, User
from apps.accounts.scope import all_departments
from apps.datasets.direct import MOST_PARTS, part_size
from apps.datasets.models import Dataset, DirectUpload, UploadState, UploadTally
from apps.datasets.multipart import Multipart
from apps.datasets.storage import raw_storage
from apps.jobs.models import Job
from apps.jobs.services import direct as completing
from tests.accounts.factories import AdminFactory, UserFactory
from tests.jobs.calls import problem
from tests.jobs.direct import MIB, SMALL, Sender, sha256
from tests.jobs.steps import rows_of, work_failing

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def objects() -> list[str]:
    storage = raw_storage()
    return [each.key for each in storage.bucket.objects.all()]


def begun(state: UploadState = UploadState.OPEN) -> DirectUpload:
    return DirectUpload.objects.get(state=state)


# --- The way of a file ---


def test_a_file_comes_past_the_gateway_and_is_loaded(sender: Sender, work: Callable[[], None]) -> None:
    said = {
        "name": "  week 12\u202e ",
        "description": "d",
        "on_error": "refuse",
        "mapping": {},
        "decimal": ".",
        "corrects": "",
    }
    answer = sender.begin(**said)
    assert (answer.status_code, answer["Location"]) == (201, sender.path)
    assert sender.upload | {"state": "open", "parts": 1, "arrived": [], "filename": "large.csv"} == sender.upload
    assert not Dataset.objects.exists()
    sender.send(1)
    assert sender.look().json()["arrived"][0]["size_bytes"] == len(SMALL)
    answer = sender.complete()
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert answer["Location"] == f"/api/v1/jobs/{told['job']['id']}"
    assert told["dataset"]["id"] == sender.upload["dataset_id"]
    assert (told["dataset"]["name"], told["dataset"]["size_bytes"]) == ("week 12", len(SMALL))
    job = Job.objects.get()
    dataset = Dataset.objects.get()
    assert (job.request_id, dataset.on_error) == (answer["X-Request-ID"], "refuse")
    assert dataset.key == f"raw/sales/{dataset.pk}/large.csv"
    assert (dataset.sha256, dataset.sha256_claimed) == (sha256(SMALL), True)
    assert dataset.read_options == {"mapping": {}, "decimal": "."}
    (entry,) = AuditEntry.objects.filter(action=AuditAction.UPLOADED)
    assert (entry.target_id, entry.details) == (str(dataset.pk), {"job": str(job.pk)})
    work()
    assert rows_of(job).count() == 2
    dataset.refresh_from_db()
    assert not dataset.sha256_claimed, "a worker has compared it"
    assert begun(UploadState.COMPLETED).finished_at


def test_an_interrupted_upload_goes_on_where_it_was(large: Sender, work: Callable[[], None]) -> None:
    large.begin()
    large.send(1, 3)
    assert [each["number"] for each in large.look().json()["arrived"]] == [1, 3]
    document = problem(large.complete(), 409, "parts-missing")
    assert document["details"] == {"parts": [2]}
    large.send(2)
    assert large.complete().status_code == 202
    work()
    assert rows_of(Job.objects.get()).count() == 999


def test_a_key_begins_one_upload_however_often_it_is_sent(sender: Sender) -> None:
    first = sender.begin(key="k")
    again = sender.begin(key="k")
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again["Idempotency-Replayed"] == "true"
    problem(sender.begin(key="k", name="other"), 422, "idempotency-key-reused")
    assert DirectUpload.objects.count() == 1


def test_to_complete_it_again_is_answered_by_the_same_job(sender: Sender) -> None:
    sender.begin()
    sender.send(1)
    first, again = sender.complete(), sender.complete()
    assert first.json()["job"]["id"] == again.json()["job"]["id"]
    assert (again.status_code, again["Idempotency-Replayed"]) == (202, "true")
    assert Dataset.objects.count() == Job.objects.count() == 1


def test_the_same_bytes_are_told_of(sender: Sender) -> None:
    found = []
    for _ in range(2):
        sender.begin()
        sender.send(1)
        found.append(sender.complete().json())
    assert found[0]["duplicate_of"] is None
    assert found[1]["duplicate_of"] == found[0]["dataset"]["id"]


# --- What is refused at the beginning ---


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"size_bytes": 0}, 422, "empty-file"),
        ({"size_bytes": 2 * 1024**3 + 1}, 413, "file-too-large"),
        ({"filename": "run.exe"}, 422, "file-type"),
        ({"department": "finance"}, 403, "foreign-department"),
        ({"sha256": "x"}, 400, "invalid-request"),
        ({"fielname": "x"}, 400, "invalid-request"),
        ({"mapping": {"Qty": "no_such_column"}}, 400, "invalid-request"),
    ],
)
def test_what_an_ordinary_upload_refuses_is_refused(
    sender: Sender, said: dict[str, Any], status: int, code: str
) -> None:
    problem(sender.begin(**said), status, code)
    assert not DirectUpload.objects.exists()


def test_an_admin_says_for_which_department(sqs: Any) -> None:
    sender = Sender(AdminFactory(), SMALL)
    problem(sender.begin(), 422, "department-missing")
    assert sender.begin(department="sales").json()["department"] == "sales"


def test_on_a_disk_it_is_not_offered(sender: Sender, settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = settings.STORAGES | {
        "raw": {"BACKEND": "apps.datasets.storage.DiskRawStorage", "OPTIONS": {"location": str(tmp_path)}}
    }
    assert "POST /datasets/upload" in problem(sender.begin(), 409, "direct-upload-not-offered")["hint"]


def test_the_parts_of_any_file_fit_one_page_of_the_store() -> None:
    for size in (1, 8 * MIB, 8 * MIB + 1, 8_000 * MIB, 8_000 * MIB + 1, 5 * 1024**4):
        assert 1 <= -(-size // part_size(size)) <= MOST_PARTS
        assert part_size(size) % MIB == 0


# --- Quotas and rates ---


def test_quotas_count_it_from_its_beginning_and_give_back_what_does_not_come(sender: Sender, settings: Any) -> None:
    settings.UPLOAD_FILES_PER_USER = 1
    settings.UPLOAD_BYTES_PER_DEPARTMENT = 10**6
    sender.begin()
    assert {each.size_bytes for each in UploadTally.objects.all()} == {len(SMALL)}
    problem(sender.begin(), 429, "upload-quota-reached")
    assert sender.abort().status_code == 204
    assert {(each.files, each.size_bytes) for each in UploadTally.objects.all()} == {(0, 0)}
    sender.begin()
    sender.send(1)
    assert sender.complete().status_code == 202
    assert {each.files for each in UploadTally.objects.all()} == {1}


def test_to_begin_it_counts_as_an_upload_of_a_short_time(sender: Sender, settings: Any) -> None:
    settings.RATE_UPLOAD_USER = (1, timedelta(hours=1))
    sender.begin()
    problem(sender.begin(), 429, "too-many-uploads")


# --- Whose it is ---


def test_nobody_else_is_told_of_it_or_can_do_anything_with_it(sender: Sender) -> None:
    sender.begin()
    sender.send(1)
    colleague, foreigner, admin = UserFactory(department="sales"), UserFactory(department="finance"), AdminFactory()
    for other in (colleague, foreigner, admin):
        theirs = Sender(other, SMALL, upload=sender.upload)
        for answer in (theirs.look(), theirs.sign(1), theirs.complete(), theirs.abort()):
            problem(answer, 404, "not-found")
    assert sender.complete().status_code == 202


def test_who_moved_has_left_it_behind(sender: Sender) -> None:
    sender.begin()
    User.objects.filter(pk=sender.user.pk).update(department="finance")
    sender.user.refresh_from_db()
    problem(sender.look(), 404, "not-found")


# --- What is not what was announced ---


def test_a_part_that_is_not_of_the_upload_has_no_address(sender: Sender) -> None:
    sender.begin()
    answer = sender.post(f"{sender.path}/parts", {"parts": [{"number": 2, "sha256": sha256(b"x")}]})
    problem(answer, 422, "no-such-part")


def test_parts_in_the_store_that_are_others_than_meant_may_be_sent_again(sender: Sender) -> None:
    """Moto keeps no sums of parts: the composite of the whole tells."""
    sender.begin()
    sender.send(1)
    other = Sender(sender.user, SMALL[:-2] + b"9\n", upload=sender.upload)
    problem(other.complete(), 422, "hash-mismatch")
    assert (begun(UploadState.ABORTED).key, objects()) == (DirectUpload.objects.get().key, [])


def test_a_part_that_is_too_short_is_not_the_file(sender: Sender) -> None:
    sender.begin()
    upload = DirectUpload.objects.get()
    Multipart(upload.key, store_id=upload.store_id).put(1, SMALL[:-1], sha256=sha256(SMALL[:-1]))
    problem(sender.complete(), 409, "parts-mismatch")
    sender.send(1)
    assert sender.complete().status_code == 202


def test_every_part_is_named_once(sender: Sender) -> None:
    sender.begin()
    sender.send(1)
    for parts in ([{"number": 2, "sha256": sha256(b"")}], [*sender.named, {"number": 2, "sha256": sha256(b"")}]):
        problem(sender.complete(parts=parts), 422, "parts-missing")
    problem(sender.complete(parts=[]), 400, "invalid-request")


def test_a_hash_said_at_the_beginning_binds(sender: Sender) -> None:
    sender.begin(sha256=sha256(b"another"))
    sender.send(1)
    problem(sender.complete(), 422, "hash-mismatch")


def test_the_worker_finds_a_hash_that_was_not_true(sender: Sender, sqs: Any) -> None:
    sender.begin()
    sender.send(1)
    assert sender.complete(sha256=sha256(b"another")).status_code == 202
    run = work_failing(Job.objects.get(), sqs)
    assert (run.error_code, Dataset.objects.get().loaded_at) == ("hash-mismatch", None)
    assert sha256(SMALL) in run.error_message


def test_what_no_worker_reads_is_refused_by_its_first_bytes(sqs: Any, seller: User) -> None:
    sender = Sender(seller, b"%PDF-1.7 of many pages")
    sender.begin()
    sender.send(1)
    problem(sender.complete(), 422, "not-text")
    assert (objects(), Dataset.objects.exists()) == ([], False)
    problem(sender.complete(), 409, "upload-ended")


# --- Two at once, and one that dies ---


def test_of_two_completions_one_makes_the_dataset(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    sender.begin()
    sender.send(1)
    both = threading.Barrier(2)
    join = completing._join

    def together(*arguments: Any, **named: Any) -> None:
        join(*arguments, **named)
        both.wait(10)

    monkeypatch.setattr(completing, "_join", together)
    answers: list[Any] = []

    def one() -> None:
        with all_departments():
            answers.append(Sender(sender.user, SMALL, upload=sender.upload).complete())
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert [each.status_code for each in answers] == [202, 202]
    assert len({each.json()["job"]["id"] for each in answers}) == 1
    assert Dataset.objects.count() == Job.objects.count() == 1


def test_a_gateway_that_dies_between_store_and_database_is_made_good_by_the_next_call(sender: Sender) -> None:
    sender.begin()
    sender.send(1)
    sender.client.raise_request_exception = False
    with patch.object(completing, "record_upload", side_effect=KeyError("killed")):
        assert sender.complete().status_code == 500
    assert (begun().finished_at, len(objects())) == (None, 1)
    assert sender.complete().status_code == 202


def test_what_was_given_up_while_it_was_joined_leaves_nothing(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    sender.begin()
    sender.send(1)
    join = completing._join

    def given_up(multipart: Any, **named: Any) -> None:
        assert sender.abort().status_code == 204
        with patch.object(Multipart, "arrived", return_value=None):
            raw_storage().connection.meta.client.put_object(
                Bucket=raw_storage().bucket_name, Key=multipart.key, Body=SMALL, ChecksumAlgorithm="SHA256"
            )
        monkeypatch.setattr(completing, "_join", join)

    monkeypatch.setattr(completing, "_join", given_up)
    problem(sender.complete(), 409, "upload-ended")
    assert (objects(), Dataset.objects.exists()) == ([], False)


# --- Its end ---


def test_an_upload_that_ended_takes_nothing_more(sender: Sender) -> None:
    sender.begin()
    assert sender.abort().status_code == 204
    for answer in (sender.sign(1), sender.complete(), sender.abort()):
        problem(answer, 409, "upload-ended")
    assert (sender.look().json()["state"], sender.look().json()["arrived"]) == ("aborted", [])


def test_what_nobody_completed_in_time_is_given_up_by_prune(sender: Sender) -> None:
    sender.begin()
    sender.send(1)
    upload = DirectUpload.objects.get()
    past = timezone.now() - timedelta(seconds=1)
    DirectUpload.objects.update(expires_at=past)
    for answer in (sender.sign(1), sender.complete()):
        assert "run out" in problem(answer, 409, "upload-ended")["detail"]
    call_command("prune", "--dry-run")
    assert begun().pk == upload.pk
    call_command("prune")
    assert begun(UploadState.EXPIRED).pk == upload.pk
    assert Multipart(upload.key, store_id=upload.store_id).arrived() is None
    (entry,) = AuditEntry.objects.filter(action=AuditAction.PRUNED)
    assert entry.details["expired_uploads"] == 1
