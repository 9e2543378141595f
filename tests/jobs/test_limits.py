"""What the operators say a file may be holds for the worker that reads it."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from apps.jobs.models import Job
from tests.jobs.files import row, sales
from tests.jobs.steps import work_failing

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


@pytest.mark.parametrize(
    ("limit", "most", "code"),
    [("MAX_FILE_ROWS", 1, "too-many-rows"), ("MAX_UNPACKED_BYTES", 99, "too-large-expanded")],
)
def test_a_file_beyond_a_limit_is_refused_with_it(
    upload: Callable[..., Job], sqs: Any, settings: Any, limit: str, most: int, code: str
) -> None:
    setattr(settings, limit, most)
    job = upload(gzip.compress(sales(row(1), row(2))))
    stage = work_failing(job, sqs)
    assert (stage.error_code, "at most" in stage.error_message) == (code, True)
    assert stage.error_hint.endswith(".")
