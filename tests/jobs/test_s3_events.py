"""Files that come into the bucket past the platform: S3's event on the etl queue takes them in, once."""

import json
import uuid
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock
from urllib.parse import quote_plus

import pytest
from django.conf import settings as configured

from aetherflow.errors import InvalidError
from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry, User
from apps.accounts.scope import department_scope
from apps.datasets.models import Dataset
from apps.datasets.storage import raw_storage
from apps.jobs.broker import app
from apps.jobs.models import Job, Stage, State
from apps.jobs.services.etl import Following
from apps.jobs.sqs.envelope import task_envelope
from apps.jobs.sqs.messages import EtlMessage
from tests.accounts.factories import AdminFactory, UserFactory
from tests.jobs.direct import Sender
from tests.jobs.files import row, sales
from tests.jobs.steps import compute, rows_of
from tests.jobs.steps import deliver as deliver_message

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
DEPARTMENTS = {"sales", "finance", "supply_chain"}


def event(key: str, **record: Any) -> dict[str, Any]:
    """As S3 sends it; its keys are quoted like the fields of a form."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventTime": "2026-11-29T12:00:00.000Z",
                "eventName": "ObjectCreated:Put",
                "s3": {
                    "bucket": {"name": configured.RAW_BUCKET},
                    "object": {"key": quote_plus(key, safe="/"), "size": 1},
                },
            }
            | record
        ]
    }


def received(body: object, *, message_id: str = "m") -> dict[str, Any]:
    return task_envelope(json.dumps(body), queue="etl", message_id=message_id, departments=DEPARTMENTS)


def deliver(body: object, *, message_id: str = "m", **options: Any) -> Following | None:
    envelope = received(body, message_id=message_id)
    assert envelope["headers"]["task"] == "jobs.etl", envelope["body"]
    message = EtlMessage.parse(json.loads(envelope["body"])[0][0])
    with department_scope(message.department):
        return deliver_message(message, {}, message_id=message_id, **options)


@pytest.fixture
def events_user(sqs: Any, settings: Any) -> User:
    user: User = AdminFactory(email="bucket@example.com")
    settings.S3_EVENTS_USER = "Bucket@example.com"
    return user


@pytest.fixture
def landed(events_user: User) -> Callable[..., str]:
    """Puts a file where another program would."""

    def put(name: str = "nightly export März.csv", content: bytes | None = None) -> str:
        key = f"raw/sales/{uuid.uuid4()}/{name}"
        storage = raw_storage()
        body = sales(row(1), row(2)) if content is None else content
        storage.connection.meta.client.put_object(Bucket=storage.bucket_name, Key=key, Body=body)
        return key

    return put


def test_a_file_that_came_by_other_means_is_taken_in(landed: Callable[..., str], events_user: User) -> None:
    key = landed()
    following = deliver(event(key))
    assert following is not None
    compute(following.message, {"job_id": str(following.job_id)})
    dataset = Dataset.objects.get()
    assert (dataset.key, dataset.department, dataset.uploaded_by) == (key, "sales", events_user)
    assert (dataset.name, dataset.rows_loaded) == ("nightly export März.csv", 2)
    job = Job.objects.get()
    assert (job.requested_by, job.stages.get(stage=Stage.ML).state) == (events_user, State.SUCCEEDED)
    assert rows_of(job).count() == 2
    (entry,) = AuditEntry.objects.filter(action=AuditAction.UPLOADED)
    assert entry.details == {"by": "an event of the bucket"}


def test_an_event_that_comes_twice_works_once(landed: Callable[..., str]) -> None:
    key = landed()
    deliver(event(key))
    assert deliver(event(key), message_id="another") is None, "S3 tells at least once"
    again = deliver(event(key))
    assert again is not None, "the same message again: its chain link may have been lost"
    assert Job.objects.count() == Dataset.objects.count() == 1


def test_a_failed_attempt_goes_on_with_its_own_job(landed: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    key = landed()
    with monkeypatch.context() as broken:
        broken.setattr("apps.jobs.services.etl._load", Mock(side_effect=OSError("no room")))
        with pytest.raises(OSError, match="no room"):
            deliver(event(key))
    assert Job.objects.get().status == "failed"
    assert deliver(event(key), receive_count=2) is not None
    assert Job.objects.get().stages.get(stage=Stage.ETL).state == State.SUCCEEDED


def test_what_the_platform_has_put_there_itself_is_no_work(
    events_user: User, upload: Callable[..., Job], sender: Sender
) -> None:
    job = upload()
    assert deliver(event(job.dataset.key)) is None
    sender.begin()
    sender.send(1)
    key = f"raw/sales/{sender.upload['dataset_id']}/large.csv"
    assert deliver(event(key)) is None, "nobody has completed it yet"
    assert sender.complete().status_code == 202
    assert deliver(event(key, eventName="ObjectCreated:CompleteMultipartUpload"), message_id="n") is None
    assert Job.objects.count() == 2


def test_the_event_may_come_before_the_upload_is_recorded(events_user: User, upload: Callable[..., Job]) -> None:
    job = upload()
    key = job.dataset.key
    Job.objects.all().delete()
    Dataset.objects.all().delete()
    assert deliver(event(key)) is None
    assert not Dataset.objects.exists(), "whoever put it there records it"


def test_what_is_gone_by_now_is_no_work(events_user: User) -> None:
    assert deliver(event(f"raw/sales/{uuid.uuid4()}/a.csv")) is None


@pytest.mark.parametrize("account", ["", "nobody@example.com", "other@example.com"])
def test_without_an_account_that_may_nothing_is_taken_in(
    landed: Callable[..., str], settings: Any, account: str
) -> None:
    UserFactory(email="other@example.com", department="finance")
    settings.S3_EVENTS_USER = account
    key = landed()
    with pytest.raises(InvalidError) as refused:
        deliver(event(key))
    assert refused.value.code == "unknown-requester"
    assert not Dataset.objects.exists()


def test_an_event_of_another_bucket_is_refused(landed: Callable[..., str]) -> None:
    other = event(landed())
    other["Records"][0]["s3"]["bucket"]["name"] = "another-bucket"
    with pytest.raises(InvalidError) as refused:
        deliver(other)
    assert refused.value.code == "unknown-bucket"


def test_the_test_of_the_queue_is_acknowledged() -> None:
    envelope = received({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})
    assert envelope["headers"]["task"] == "jobs.noted_message"
    # The worker has the task, and it ends well: a message whose task it does not know would come again.
    assert app.tasks["jobs.noted_message"](*json.loads(envelope["body"])[0]) is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"Records": []}, "not one record of S3"),
        ({"Records": [1, 2]}, "not one record of S3"),
        (event("raw/sales/x/a.csv", s3={"bucket": {}}), "not one record of S3"),
        (event(f"raw/sales/{uuid.uuid4()}/a.csv", eventName="ObjectRemoved:Delete"), "only ObjectCreated"),
        (event("raw/sales/a.csv"), "expected raw/"),
        (event("raw/sales/x/a.csv"), "expected a UUID"),
        (event(f"raw/marketing/{uuid.uuid4()}/a.csv"), "is not known"),
        (event(f"raw/sales/{uuid.uuid4()}/"), "expected one file name"),
        (event(f"raw/sales/{uuid.uuid4()}/a\n.csv"), "expected one file name"),
        (event(f"raw/sales/{uuid.uuid4()}/a.csv", eventTime="now"), "expected an ISO 8601 time"),
    ],
)
def test_any_other_event_goes_the_way_of_foreign_messages(body: dict[str, Any], says: str) -> None:
    envelope = received(body)
    assert envelope["headers"]["task"] == "jobs.invalid_message"
    assert says in json.loads(envelope["body"])[0][0]["reason"]
