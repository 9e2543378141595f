"""`manage.py provision` and Terraform make the same queues and bucket: neither finds anything to do after the other."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from config.local import ROOT
from config.local.endpoint import CREDENTIALS, Endpoint
from tests.infra.deployed import machines, settings_of
from tests.infra.terraform import CHANGES, NO_CHANGES, Terraform

QUEUES = ("aetherflow-etl", "aetherflow-etl-dlq", "aetherflow-ml", "aetherflow-ml-dlq")
# What either of them makes of the queues, and what else the plan needs to know of.
THEIRS = ("-target=aws_sqs_queue.source", "-target=aws_sqs_queue_redrive_allow_policy.dead_letters")


def provision(aws: Endpoint, terraform: Terraform) -> dict[str, Any]:
    """What it says it did, with the settings of Terraform's tasks."""
    env = machines() | settings_of(terraform.resources("aws_ecs_task_definition")["relay"]) | CREDENTIALS
    env |= {
        "SECRET_KEY": "PZ0xq7Vd3mR8tKc1yWfE5uGhJ9aLsN2bXo6iTvQ4",
        "AWS_ENDPOINT_URL_S3": aws.url,
        "AWS_ENDPOINT_URL_SQS": aws.url,
    }
    command = [sys.executable, "manage.py", "provision", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_provision_finds_nothing_to_do(aws: Endpoint, terraform: Terraform) -> None:
    told = provision(aws, terraform)
    assert told["queues"] == dict.fromkeys(QUEUES, "unchanged")
    assert told["storage"] == f"bucket {terraform.output('raw_bucket')} is there"


@pytest.mark.parametrize(
    ("queue", "attribute", "value"),
    [
        ("aetherflow-etl", "VisibilityTimeout", "45"),
        ("aetherflow-ml", "MessageRetentionPeriod", "86400"),
        ("aetherflow-ml", "RedrivePolicy", {"maxReceiveCount": 5}),
        ("aetherflow-etl-dlq", "MessageRetentionPeriod", "345600"),
        ("aetherflow-etl-dlq", "RedriveAllowPolicy", {"redrivePermission": "allowAll"}),
    ],
)
def test_what_somebody_changed_is_noticed_by_both_and_set_right_as_terraform_wants_it(
    aws: Endpoint, terraform: Terraform, client: Callable[..., Any], queue: str, attribute: str, value: Any
) -> None:
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    if isinstance(value, dict):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])["Attributes"][attribute]
        value = json.dumps(value if "redrivePermission" in value else json.loads(found) | value)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={attribute: value})
    assert terraform.plan(*THEIRS)[0] == CHANGES
    told = provision(aws, terraform)
    assert told["queues"] == dict.fromkeys(QUEUES, "unchanged") | {queue: attribute}
    code, says = terraform.plan(*THEIRS)
    assert code == NO_CHANGES, says
