"""Plain JSON messages of other producers, matched to a dataset's job or given one of their own."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone

from aetherflow.errors import InvalidError
from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.datasets.storage import raw_storage
from apps.jobs.models import Job, Stage, State
from apps.jobs.services.etl import work_etl
from tests.accounts.factories import UserFactory
from tests.jobs.files import row, sales
from tests.jobs.line import delivery
from tests.jobs.steps import foreign

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def test_a_foreign_message_for_a_known_dataset_gets_a_job_of_its_own(
    upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    job = upload(sales(row(1)))
    work()
    incoming = delivery(message_id=str(uuid.uuid4()))
    for _ in range(2):
        work_etl(message=foreign(job.dataset), delivery=incoming, worker="w", at=timezone.now())
    (own,) = Job.objects.filter(dataset=job.dataset, cause="message")
    assert own.stages.get(stage=Stage.ETL).state == State.SUCCEEDED
    assert own.stages.get(stage=Stage.ML).state == State.QUEUED


def test_a_foreign_message_for_a_file_in_the_bucket_records_the_dataset(sqs: Any, seller: User) -> None:

    dataset_id = uuid.uuid4()
    key = f"raw/sales/{dataset_id}/nightly.csv"
    raw_storage().save(key, ContentFile(sales(row(1), row(2))))
    shape = Dataset(pk=dataset_id, department="sales", bucket=settings.RAW_BUCKET, key=key, uploaded_by_id=seller.pk)
    work_etl(message=foreign(shape), delivery=delivery(), worker="w", at=timezone.now())
    dataset = Dataset.objects.get(pk=dataset_id)
    assert (dataset.uploaded_by, dataset.rows_loaded, dataset.name) == (seller, 2, "nightly.csv")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"s3_bucket": "another-bucket"}, "unknown-bucket"),
        ({"s3_key": "raw/sales/{id}/other.csv"}, "message-mismatch"),
        ({"department": "finance", "s3_key": "raw/finance/{id}/upload.csv"}, "message-mismatch"),
    ],
)
def test_a_foreign_message_that_does_not_fit_its_dataset_is_refused(
    upload: Callable[..., Job], changes: dict[str, str], code: str
) -> None:
    dataset = upload(sales(row(1))).dataset
    fitted = {key: value.format(id=dataset.pk) for key, value in changes.items()}
    with pytest.raises(InvalidError) as refused:
        work_etl(message=foreign(dataset, **fitted), delivery=delivery(), worker="w", at=timezone.now())
    assert refused.value.code == code


def test_a_stranger_cannot_bring_files_in(sqs: Any) -> None:
    other = UserFactory(department="finance")
    dataset_id = uuid.uuid4()
    shape = Dataset(
        pk=dataset_id,
        department="sales",
        bucket=settings.RAW_BUCKET,
        key=f"raw/sales/{dataset_id}/x.csv",
        uploaded_by_id=other.pk,
    )
    with pytest.raises(InvalidError) as refused:
        work_etl(message=foreign(shape), delivery=delivery(), worker="w", at=timezone.now())
    assert refused.value.code == "unknown-requester"
    assert not Dataset.objects.exists()


def test_a_name_longer_than_the_record_is_refused_in_words(sqs: Any, seller: User) -> None:
    dataset_id = uuid.uuid4()
    key = f"raw/sales/{dataset_id}/{'x' * 260}.csv"
    shape = Dataset(pk=dataset_id, department="sales", bucket=settings.RAW_BUCKET, key=key, uploaded_by_id=seller.pk)
    with pytest.raises(InvalidError) as refused:
        work_etl(message=foreign(shape), delivery=delivery(), worker="w", at=timezone.now())
    assert refused.value.code == "name-too-long"
