"""Dead letters of other producers, who know no jobs."""

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connections

from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.datasets.storage import raw_storage
from apps.jobs.models import Cause, Job, JobStatus, State
from apps.jobs.services.dead_letters import (
    Result,
    redrive,
)
from apps.jobs.sqs.letters import LetterBox
from tests.jobs.letters import (
    BAD_FILE,
    GOOD,
    Upload,
    letter,
    mend,
    only,
    plain,
    put,
    refuse,
    run_of,
    url,
    work_all,
)
from tests.jobs.steps import foreign
from tests.support.threads import in_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def test_a_foreign_letter_gets_its_job_with_the_redrive(upload: Upload, work: Callable[[], None], sqs: Any) -> None:
    job = upload(GOOD)
    work()
    message_id = put(sqs, plain(job))
    assert (letter(message_id).foreign, letter(message_id).obstacle) == (True, "")
    assert only(redrive("etl", [message_id], by=None))[0] == Result.DONE
    own = Job.objects.get(dataset=job.dataset, cause=Cause.MESSAGE)
    assert own.status == JobStatus.QUEUED
    work_all(sqs)
    assert Job.objects.filter(dataset=job.dataset).count() == 2
    assert run_of(own).state == State.SUCCEEDED


def test_a_foreign_letter_that_was_left_behind_is_refused(
    upload: Upload, work: Callable[[], None], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(GOOD)
    work()
    message_id = put(sqs, plain(job))
    with monkeypatch.context() as failing:
        failing.setattr(LetterBox, "delete", refuse)
        assert only(redrive("etl", [message_id], by=None))[0] == Result.DONE
    assert "queued again since" in only(redrive("etl", [message_id], by=None))[1]
    work_all(sqs)
    assert "done since" in only(redrive("etl", [message_id], by=None))[1]
    assert Job.objects.filter(dataset=job.dataset).count() == 2


def test_a_foreign_letter_of_a_failed_job_queues_that_job(upload: Upload, work: Callable[[], None], sqs: Any) -> None:
    job = upload(GOOD)
    work()
    mend(job, BAD_FILE)
    sqs.send_message(QueueUrl=url("etl"), MessageBody=plain(job))
    (message_id,) = work_all(sqs)
    own = Job.objects.get(dataset=job.dataset, cause=Cause.MESSAGE)
    assert own.status == JobStatus.FAILED
    mend(job, GOOD)
    assert only(redrive("etl", [message_id], by=None))[0] == Result.DONE
    work_all(sqs)
    assert run_of(own).state == State.SUCCEEDED
    assert Job.objects.filter(dataset=job.dataset).count() == 2


def test_a_foreign_letter_waits_for_the_job_that_works_its_dataset(upload: Upload, sqs: Any) -> None:
    job = upload(GOOD)
    message_id = put(sqs, plain(job))
    assert "works the dataset now" in only(redrive("etl", [message_id], by=None))[1]
    assert Job.objects.count() == 1


def test_a_file_that_came_without_the_gateway_is_recorded_by_the_redrive(sqs: Any, seller: User) -> None:
    dataset_id = uuid.uuid4()
    key = f"raw/sales/{dataset_id}/nightly.csv"
    raw_storage().save(key, ContentFile(GOOD))
    shape = Dataset(pk=dataset_id, department="sales", bucket=settings.RAW_BUCKET, key=key, uploaded_by_id=seller.pk)
    message_id = put(sqs, json.dumps(foreign(shape).as_dict()))
    assert letter(message_id).standing == "Its dataset is not recorded yet; its file is there."
    assert only(redrive("etl", [message_id], by=None))[0] == Result.DONE
    work_all(sqs)
    assert Dataset.objects.get(pk=dataset_id).rows_loaded == 2


def test_a_copy_that_is_received_before_the_commit_finds_the_job_that_was_made_for_it(
    upload: Upload, work: Callable[[], None], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(GOOD)
    work()
    message_id = put(sqs, plain(job))
    send_on = LetterBox.send_on
    worker = threading.Thread(target=in_scope(lambda: (work_all(sqs), connections.close_all())))

    def quickly(box: LetterBox, raw: Any, **options: Any) -> str:
        sent = send_on(box, raw, **options)
        worker.start()
        worker.join(0.5)
        assert worker.is_alive(), "it waits for us"
        return sent

    monkeypatch.setattr(LetterBox, "send_on", quickly)
    assert only(redrive("etl", [message_id], by=None))[0] == Result.DONE
    worker.join(30)
    own = run_of(Job.objects.get(dataset=job.dataset, cause=Cause.MESSAGE))
    assert (own.state, own.attempts) == (State.SUCCEEDED, 1)
