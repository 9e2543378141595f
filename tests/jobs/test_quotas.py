"""How much may be uploaded and retried: refused before the file is read, and never more by asking twice at once."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from aetherflow.errors import TooManyError
from apps.accounts.models import User
from apps.datasets.models import Dataset, UploadTally
from apps.datasets.quotas import allowance
from apps.jobs import clock
from apps.jobs.models import Job
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.jobs.calls import post_file, problem
from tests.jobs.files import row, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
MB = 1024**2


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def colleague(seller: User) -> User:
    user: User = UserFactory(department="sales")
    return user


def tallies() -> dict[str, tuple[int, int]]:
    return {each.whose.split(":")[0]: (each.files, each.size_bytes) for each in UploadTally.objects.all()}


# --- Files and bytes a day ---


def test_without_a_quota_nothing_is_counted(client: APIClient, sqs: Any, seller: User) -> None:
    assert post_file(client, seller).status_code == 202
    assert not UploadTally.objects.exists()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("UPLOAD_FILES_PER_USER", "Today you have uploaded 1 of 1 files that you may a day"),
        ("UPLOAD_FILES_PER_DEPARTMENT", "Today your department has uploaded 1 of 1 files that it may a day"),
    ],
)
def test_one_file_too_many_is_refused_before_it_is_read(
    client: APIClient, sqs: Any, seller: User, settings: Any, setting: str, says: str
) -> None:
    assert post_file(client, seller).status_code == 202
    setattr(settings, setting, 1)
    UploadTally.objects.create(day=clock.now().date(), whose=f"user:{seller.pk}", files=1, size_bytes=0)
    UploadTally.objects.create(day=clock.now().date(), whose="department:sales", files=1, size_bytes=0)
    settings.FILE_UPLOAD_HANDLERS = ["tests.jobs.test_quotas.Reader"]
    answer = post_file(client, seller)
    document = problem(answer, 429, "upload-quota-reached")
    assert document["detail"].startswith(says)
    assert "midnight UTC" in document["detail"]
    assert 0 < int(answer["Retry-After"]) <= 24 * 3600
    assert Dataset.objects.count() == 1
    assert tallies() == {"user": (1, 0), "department": (1, 0)}


class Reader:
    """Stands for the upload handlers where none may come into it."""

    def __init__(self, request: object = None) -> None:
        raise AssertionError("the file was read")


def test_bytes_count_as_they_are_stored(client: APIClient, sqs: Any, seller: User, settings: Any) -> None:
    settings.UPLOAD_BYTES_PER_USER = settings.UPLOAD_BYTES_PER_DEPARTMENT = MB
    content = sales(row(1))
    assert post_file(client, seller, content).status_code == 202
    assert tallies() == {"user": (1, len(content)), "department": (1, len(content))}


def test_a_file_that_does_not_fit_today_is_refused_and_a_smaller_one_is_not(
    client: APIClient, sqs: Any, seller: User, settings: Any
) -> None:
    settings.UPLOAD_BYTES_PER_USER = 2 * MB
    assert post_file(client, seller, b"x" * (MB + MB // 2)).status_code == 202
    document = problem(post_file(client, seller, b"x" * MB), 429, "upload-quota-reached")
    assert "1.5 of 2.0 MB" in document["detail"]
    assert post_file(client, seller, b"y" * 1000).status_code == 202


def test_a_file_that_fits_on_no_day_is_told_so(client: APIClient, sqs: Any, seller: User, settings: Any) -> None:
    settings.UPLOAD_BYTES_PER_DEPARTMENT = MB
    document = problem(post_file(client, seller, b"x" * (MB + 1)), 413, "larger-than-quota")
    assert "1.0 MB that it may upload a day" in document["detail"]


def test_the_departments_quota_is_that_of_all_its_people_and_of_no_others(
    client: APIClient, sqs: Any, seller: User, colleague: User, settings: Any
) -> None:
    settings.UPLOAD_FILES_PER_DEPARTMENT = 1
    assert post_file(client, seller).status_code == 202
    problem(post_file(client, colleague), 429, "upload-quota-reached")
    assert post_file(client, UserFactory(department="finance")).status_code == 202


def test_a_users_quota_is_theirs_alone(
    client: APIClient, sqs: Any, seller: User, colleague: User, settings: Any
) -> None:
    settings.UPLOAD_FILES_PER_USER = 1
    assert post_file(client, seller).status_code == 202
    problem(post_file(client, seller), 429, "upload-quota-reached")
    assert post_file(client, colleague).status_code == 202


def test_an_admins_upload_counts_for_the_department_it_is_for(
    client: APIClient, sqs: Any, seller: User, settings: Any
) -> None:
    settings.UPLOAD_FILES_PER_DEPARTMENT = 1
    admin = AdminFactory()
    assert post_file(client, admin, department="finance").status_code == 202
    problem(post_file(client, admin, department="finance"), 429, "upload-quota-reached")
    assert post_file(client, admin, department="sales").status_code == 202
    problem(post_file(client, seller), 429, "upload-quota-reached")


@pytest.mark.parametrize("fields", [{"on_error": "shrug"}, {"department": "finance"}, {"mapping": "{"}])
def test_what_is_refused_counts_for_nothing(
    client: APIClient, sqs: Any, seller: User, settings: Any, fields: dict[str, str]
) -> None:
    settings.UPLOAD_FILES_PER_USER = settings.UPLOAD_FILES_PER_DEPARTMENT = 1
    assert post_file(client, seller, **fields).status_code in {400, 403, 422}
    assert tallies() == {"user": (0, 0), "department": (0, 0)}
    assert post_file(client, seller).status_code == 202


def test_what_the_department_refuses_is_not_counted_against_the_user(
    client: APIClient, sqs: Any, seller: User, settings: Any
) -> None:
    settings.UPLOAD_FILES_PER_USER, settings.UPLOAD_FILES_PER_DEPARTMENT = 5, 1
    UploadTally.objects.create(day=clock.now().date(), whose="department:sales", files=1, size_bytes=0)
    problem(post_file(client, seller), 429, "upload-quota-reached")
    assert tallies()["user"] == (0, 0)


def test_the_same_upload_again_is_no_second_one(client: APIClient, sqs: Any, seller: User, settings: Any) -> None:
    settings.UPLOAD_FILES_PER_USER = 2
    for _ in range(4):
        answer = post_file(client, seller, headers={"Idempotency-Key": "week-12"})
        assert answer.status_code == 202
    assert tallies() == {"user": (1, Dataset.objects.get().size_bytes)}


def test_a_new_day_begins_anew(seller: User, settings: Any) -> None:
    settings.UPLOAD_FILES_PER_USER = 1
    late = datetime(2026, 11, 30, 23, 59, 30, tzinfo=UTC)
    with allowance(user=seller, size_bytes=10, at=late) as allowed:
        allowed.stored(10)
    with pytest.raises(TooManyError) as refusal, allowance(user=seller, size_bytes=10, at=late):
        pass
    assert refusal.value.retry_after == 30
    with allowance(user=seller, size_bytes=10, at=late + timedelta(seconds=30)):
        pass


def test_two_at_once_cannot_both_have_the_last(seller: User, colleague: User, settings: Any) -> None:
    """All ask before any is through: what each may come to is set aside when it begins."""
    settings.UPLOAD_BYTES_PER_DEPARTMENT = 25
    together = threading.Barrier(8)
    outcomes: list[bool] = []

    def upload(user: User) -> None:
        try:
            together.wait(timeout=30)
            with allowance(user=user, size_bytes=10, at=NOON) as allowed:
                outcomes.append(True)
                allowed.stored(10)
        except TooManyError:
            outcomes.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=upload, args=(user,)) for user in (seller, colleague) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (len(outcomes), sum(outcomes)) == (8, 2)
    assert tallies()["department"] == (2, 20)


# --- In a short time ---


@pytest.mark.parametrize("setting", ["RATE_UPLOAD_USER", "RATE_UPLOAD_DEPARTMENT"])
def test_many_uploads_in_a_short_time_are_429(
    client: APIClient, sqs: Any, seller: User, settings: Any, setting: str
) -> None:
    setattr(settings, setting, (2, timedelta(hours=1)))
    for _ in range(2):
        assert post_file(client, seller).status_code == 202
    settings.FILE_UPLOAD_HANDLERS = ["tests.jobs.test_quotas.Reader"]
    answer = post_file(client, seller)
    problem(answer, 429, "too-many-uploads")
    assert 1700 < int(answer["Retry-After"]) <= 1800
    assert Dataset.objects.count() == 2


def test_refused_uploads_count_as_well_for_they_cost_as_much(
    client: APIClient, sqs: Any, seller: User, settings: Any
) -> None:
    settings.RATE_UPLOAD_USER = (1, timedelta(hours=1))
    problem(post_file(client, seller, b""), 422, "empty-file")
    problem(post_file(client, seller), 429, "too-many-uploads")


def test_many_retries_in_a_short_time_are_429(
    client: APIClient, upload: Callable[..., Job], seller: User, settings: Any
) -> None:
    settings.RATE_RETRY_USER = (1, timedelta(hours=1))
    path = f"/api/v1/jobs/{upload().pk}/retry"
    problem(client.post(path, **bearer(seller)), 409, "job-not-failed")
    problem(client.post(path, **bearer(seller)), 429, "too-many-retries")
    problem(client.post(path, **bearer(UserFactory(department="sales"))), 409, "job-not-failed")
