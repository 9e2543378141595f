"""Crashes, copies, losses, retries, undoing, time: whatever comes in whatever order, nothing is lost or doubled."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from apps.accounts.models import User
from apps.datasets import partitions
from apps.datasets.storage import DiskRawStorage
from tests.jobs.machine.installation import Edges
from tests.jobs.machine.machine import Pipeline

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

SETTINGS = settings(
    max_examples=45,
    stateful_step_count=40,
    deadline=None,
    print_blob=True,
    phases=[Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


# To find the shortest steps to a failure takes far longer than to find that there is one.
@pytest.mark.timeout(900)
def test_any_order_of_events_keeps_every_upload_whole_and_loses_none(
    seller: User, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few places, so that uploads wait for one.
    settings.DEPARTMENT_IN_FLIGHT = 2
    # Some of the uploads are large enough for a partition of their own.
    monkeypatch.setattr(partitions, "LARGE", 2)
    monkeypatch.setitem(storages._storages, "raw", DiskRawStorage(location=str(tmp_path)))
    edges = Edges()
    with edges.in_place():
        run_state_machine_as_test(lambda: Pipeline(edges, by=seller), settings=SETTINGS)
