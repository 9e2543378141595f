"""An upload's Idempotency-Key where the database's answer is lost on its way back."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.jobs.models import Job
from apps.jobs.services.submission import submit
from tests.jobs.files import row, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def test_a_commit_whose_answer_is_lost_keeps_the_key_for_its_job(
    seller: User, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send() -> Job:
        return submit(
            file=SimpleUploadedFile("upload.csv", sales(row(1))),
            department="sales",
            by=seller,
            at=timezone.now(),
            request_id="request-0001",
            idempotency_key="key-0001",
        ).job

    real = BaseDatabaseWrapper._commit

    def commit(self: BaseDatabaseWrapper) -> None:
        is_the_uploads = Dataset.objects.exists()
        real(self)
        if is_the_uploads:
            raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as broken:
        broken.setattr(BaseDatabaseWrapper, "_commit", commit)
        with pytest.raises(OperationalError):
            send()
    (job,) = Job.objects.all()
    assert send() == job
    assert Job.objects.count() == 1
