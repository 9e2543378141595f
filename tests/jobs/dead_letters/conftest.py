"""An operator, and a dead letter whose job would succeed now."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.jobs.admin import letters as screens
from apps.jobs.models import Job
from tests.accounts.factories import AdminFactory
from tests.jobs.letters import (
    BAD_FILE,
    GOOD,
    Upload,
    dead_letter_of,
    mend,
)


@pytest.fixture
def operator(transactional_db: None) -> User:
    return AdminFactory()


@pytest.fixture
def dead(upload: Upload, sqs: Any) -> tuple[Job, str]:
    """A job whose file did not fit and does now, and its dead letter."""
    job = upload(BAD_FILE)
    message_id = dead_letter_of(job, sqs)
    mend(job, GOOD)
    return job, message_id


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer than a person should wait."""
    monkeypatch.setattr(screens, "WITHIN_SECONDS", 10.0)
