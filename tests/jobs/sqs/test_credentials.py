"""A real worker whose AWS credentials cannot be had for a while, as with a role whose service is slow."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.sqs.line import Endpoint, Line, make_etl_payload

AWAY_SECONDS = 6
# Valid for five minutes: botocore wants such ones anew at every use, and fails where it cannot have them.
SCRIPT = """#!/bin/sh
[ -e {flag} ] && exit 1
cat <<END
{{"Version": 1, "AccessKeyId": "testing", "SecretAccessKey": "testing", "SessionToken": "testing",
  "Expiration": "$(date -u -d '+5 minutes' +%Y-%m-%dT%H:%M:%SZ)"}}
END
"""


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    """While this file is there, no credentials are to be had."""
    return tmp_path / "no-credentials"


@pytest.fixture
def credentials(tmp_path: Path, flag: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    script, config = tmp_path / "credentials.sh", tmp_path / "config"
    script.write_text(SCRIPT.format(flag=flag))
    script.chmod(0o755)
    config.write_text(f"[default]\ncredential_process = {script}\nregion = us-east-1\n")
    return {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def put(line: Line, behaviour: str) -> str:
    payload = make_etl_payload(behaviour)
    line.send(json.dumps(payload))
    return payload["dataset_id"]


def test_a_worker_without_credentials_for_a_while_polls_again_once_it_has_them(
    new_line: Callable[..., Line], endpoint: Endpoint, credentials: dict[str, str], flag: Path
) -> None:
    if endpoint.ministack:
        pytest.skip("what is tested happens before anything is sent")
    line = new_line()
    line.provision()
    worker = line.work("etl", credentials=credentials)
    worker.ready()
    before = put(line, "ok")
    line.wait_for("etl-done", before)
    flag.touch()
    time.sleep(AWAY_SECONDS)
    assert worker.said("could not be sent"), "it has tried to poll meanwhile"
    flag.unlink()
    line.wait_for("etl-done", put(line, "ok"), within=30)
    assert worker.alive
    assert not worker.said("Connection to broker lost"), "its channel was left alone"
