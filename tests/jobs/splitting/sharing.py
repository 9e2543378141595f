"""What tests of a shared file share."""

from collections.abc import Callable

import pytest

from apps.jobs.models import Job, Stage, StageRun, StageSplit
from apps.jobs.services import splitting
from tests.jobs.large_files import ROWS
from tests.jobs.steps import rows_of


def is_whole(job: Job) -> bool:
    rows = rows_of(job)
    return (
        rows.count() == ROWS
        and not StageSplit.objects.exists()
        and job.stages.get(stage=Stage.ETL).state == "succeeded"
    )


def when_called(monkeypatch: pytest.MonkeyPatch, do: Callable[[StageRun], object]) -> None:
    """Once, when the file has its splits and none is taken."""
    left = [do]
    monkeypatch.setattr(splitting._Caller, "where_it_helps", lambda caller: left and left.pop()(caller._run))
