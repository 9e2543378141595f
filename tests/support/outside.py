"""The API as an attacker meets it who has read its description: schemathesis against a running platform."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

from aetherflow.registry import departments
from config.local import ROOT
from tests.e2e.people import PASSWORD, Person
from tests.support.stack import Stack

DESCRIPTION = ROOT / "docs" / "openapi.json"
CONFIG = ROOT / "tests" / "outside" / "schemathesis.toml"
# The limits have tests of their own; here they would answer in the place of everything else.
WITHOUT_LIMITS = {
    f"RATE_{what}": "1000000/hour"
    for what in (
        "LOGIN_ADDRESS",
        "LOGIN_PLACE",
        "LOGIN_ACCOUNT",
        "REGISTER_ADDRESS",
        "REFRESH_SESSION",
        "PASSWORD_USER",
        "UPLOAD_USER",
        "UPLOAD_DEPARTMENT",
        "RETRY_USER",
    )
}


def foreign_words(platform: Stack, *, department: str) -> list[str]:
    """What stands in the answers of `department` alone: one of its people, and the names of a file of theirs."""
    person = Person(platform.url, department=department)
    name, filename = (f"{department}-{uuid.uuid4().hex}" for _ in range(2))
    answer = person.upload(departments()[department].samples.good, filename=f"{filename}.csv", name=name)
    assert person.watch(answer["job"]["id"])["status"] == "succeeded"
    return [person.email, name, filename]


def call_everything(
    person: Person, *, foreign: Iterable[str], examples: int, seed: int, report: Path, seconds: int | None = None
) -> "subprocess.CompletedProcess[str]":
    """Every operation as `person`, with data that fits its schemas and data that does not, alone and one after another.

    `foreign` are words that stand in other departments' data alone. With `seconds` it goes on with new data until they
    are over; without, the same seed calls the same. What failed is told in `stdout`, with the seed.
    """
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
            *("run", str(DESCRIPTION), "--url", person.url, "--checks", "all", "--no-color"),
            *("--max-examples", str(examples), "--seed", str(seed)),
            *(("--max-time", str(seconds)) if seconds else ()),
            *("--report", "ndjson", "--report-ndjson-path", str(report)),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "OUTSIDE_EMAIL": person.email,
            "OUTSIDE_PASSWORD": PASSWORD,
            "OUTSIDE_FOREIGN": " ".join(foreign),
        },
        capture_output=True,
        text=True,
        timeout=(seconds or 120) * 2,
        check=False,
    )
