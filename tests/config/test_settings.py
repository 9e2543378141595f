"""Settings that cannot work together stop the start and name the variables."""

import os
import subprocess
import sys

import pytest

from config.local import ROOT


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"ETL_SOFT_TIME_LIMIT_SECONDS": "3300"},
            "ETL_SOFT_TIME_LIMIT_SECONDS=3300 must be below ETL_TIME_LIMIT_SECONDS",
        ),
        ({"ML_TIME_LIMIT_SECONDS": "1500"}, "ML_SOFT_TIME_LIMIT_SECONDS=1500 must be below ML_TIME_LIMIT_SECONDS=1500"),
        ({"ML_TIME_LIMIT_SECONDS": str(11 * 3600)}, "at most 11 hours less two QUEUE_VISIBILITY_SECONDS"),
    ],
    ids=["etl", "ml", "longer than SQS can hide a message"],
)
def test_time_limits_out_of_order_stop_the_start(variables: dict[str, str], says: str) -> None:
    done = load(variables)
    assert done.returncode != 0
    assert says in done.stderr


@pytest.mark.parametrize("name", ["TRUSTED_PROXIES", "WORKER_MEMORY_LIMIT_MB"])
def test_a_number_below_nothing_stops_the_start(name: str) -> None:
    done = load({name: "-1"})
    assert done.returncode != 0
    assert f"{name}='-1' cannot be read. It is a whole number, 0 or above" in done.stderr


@pytest.mark.parametrize("text", ["10", "0/hour", "10/week", "ten/hour", "10/", "-1/day"])
def test_a_rate_that_cannot_be_read_stops_the_start(text: str) -> None:
    done = load({"RATE_LOGIN_PLACE": text})
    assert done.returncode != 0
    assert f"RATE_LOGIN_PLACE={text!r} cannot be read. It is a number above 0 a minute, hour or day" in done.stderr
    assert "e.g. RATE_LOGIN_PLACE=10/hour" in done.stderr


def load(variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "import config.settings"]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, timeout=60, check=False
    )
