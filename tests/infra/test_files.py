"""What holds of the files themselves, and is looked at where there is no Terraform."""

import json
import re

import boto3
import pytest
from moto import mock_aws

from apps.jobs.sqs.queues import DEAD_LETTER_RETENTION_SECONDS, SOURCE_RETENTION_SECONDS
from config.local import ROOT
from infra.fill_secrets import VALUES, fill
from tests.infra.terraform import INFRA

FILES = {file.name: file.read_text() for file in INFRA.glob("*.tf")}
EVERYTHING = "\n".join(FILES.values())
DOCUMENTED = dict(re.findall(r"^#?([A-Z_0-9]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_setting_that_is_named_is_one() -> None:
    named = set(re.findall(r"^\s+([A-Z][A-Z_0-9]{3,}) += ", EVERYTHING, re.MULTILINE))
    assert {"ALLOWED_HOSTS", "QUEUE_URL_BASE", "RAW_BUCKET", "OWNER_DATABASE_URL", "SECRET_KEY"} <= named
    assert named <= DOCUMENTED.keys(), sorted(named - DOCUMENTED.keys())


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("queue_visibility_seconds", "QUEUE_VISIBILITY_SECONDS"),
        ("queue_max_receives", "QUEUE_MAX_RECEIVES"),
        ("worker_stop_seconds", "WORKER_STOP_SECONDS"),
    ],
)
def test_what_nobody_chose_is_what_the_platform_would_choose(variable: str, setting: str) -> None:
    block = FILES["variables.tf"].partition(f'variable "{variable}"')[2].partition("\nvariable ")[0]
    found = re.search(r"default += (\w+)", block)
    assert found
    assert found[1] == DOCUMENTED[setting]


def test_messages_are_kept_as_long_as_provision_keeps_them() -> None:
    days = dict(re.findall(r"(\w+_retention_seconds) += (\d+) \* 24 \* 3600", FILES["locals.tf"]))
    assert {name: int(count) * 24 * 3600 for name, count in days.items()} == {
        "source_retention_seconds": SOURCE_RETENTION_SECONDS,
        "dead_letter_retention_seconds": DEAD_LETTER_RETENTION_SECONDS,
    }


def test_nothing_is_described_by_which_a_secret_would_get_into_the_state() -> None:
    telling = re.compile(r'"(aws_secretsmanager_secret_version|random_\w+|aws_ssm_parameter|tls_\w+)"|\bpassword +=')
    assert telling.findall(EVERYTHING) == []
    assert "manage_master_user_password   = true" in FILES["rds.tf"]


def test_every_place_for_a_secret_is_filled() -> None:
    places = re.search(r"for_each = \{(.+?)\n  \}", FILES["secrets.tf"], re.DOTALL)
    assert places
    assert set(re.findall(r'= "([a-z-]+)"', places[1])) == VALUES.keys()


def test_a_place_is_filled_once_and_with_what_nobody_knows() -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        places = [f"trial/{key}" for key in VALUES]
        for place in places:
            client.create_secret(Name=place)
        assert fill(client, name="trial") == dict.fromkeys(places, "filled")
        first = [client.get_secret_value(SecretId=place)["SecretString"] for place in places]
        assert fill(client, name="trial") == dict.fromkeys(places, "filled before, left")
        assert first == [client.get_secret_value(SecretId=place)["SecretString"] for place in places]
    assert len(set(first)) == len(places)
    assert min(map(len, first)) >= 48
    (database,) = (json.loads(value) for value in first if value.startswith("{"))
    assert f'"{database["username"]}"' in FILES["rds.tf"]


def test_metrics_are_made_of_lines_that_are_written() -> None:
    events = set(re.findall(r'\$\.event = \\"(\w+)\\"', FILES["logs.tf"]))
    assert events == {"line", "stage_ended", "stage_lost"}
    code = "\n".join(path.read_text() for path in (ROOT / "apps/jobs").rglob("*.py"))
    for event in events:
        assert re.search(rf'log\.\w+\(\s*"{event}"', code), event
    relay = (ROOT / "apps/jobs/management/commands/relay.py").read_text()
    for field in re.findall(r'"\$\.(\w+)"', FILES["logs.tf"]):
        assert f"{field}=" in relay, field
