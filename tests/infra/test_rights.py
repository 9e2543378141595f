"""What each role may do, all of it: what is not in the table below is refused."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from tests.infra.terraform import REGION, Terraform

ACCOUNT = "123456789012"
QUEUES = ("etl", "etl-dlq", "ml", "ml-dlq")
RAW, BUCKET = "raw/sales/5a4a0d52/file.csv", "aetherflow-raw-123456789012"
ON_QUEUES = (
    *("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "SendMessage", "GetQueueUrl", "GetQueueAttributes"),
    *("PurgeQueue", "StartMessageMoveTask", "ListMessageMoveTasks", "SetQueueAttributes", "DeleteQueue", "CreateQueue"),
    *("AddPermission", "CancelMessageMoveTask", "TagQueue"),
)
ON_OBJECTS = (
    *("GetObject", "PutObject", "DeleteObject", "DeleteObjectVersion", "GetObjectVersion", "PutObjectAcl"),
    *("AbortMultipartUpload", "ListMultipartUploadParts", "BypassGovernanceRetention", "RestoreObject"),
)
ON_BUCKET = (
    "ListBucket",
    "CreateBucket",
    "DeleteBucket",
    "PutBucketPolicy",
    "PutBucketVersioning",
    "ListBucketVersions",
)
ELSEWHERE = (
    *("iam:PassRole", "sts:AssumeRole", "ecs:RunTask", "secretsmanager:GetSecretValue", "kms:ScheduleKeyDeletion"),
    *("rds:ModifyDBInstance", "logs:DeleteLogGroup", "ecr:PutImage", "s3:ListAllMyBuckets", "sqs:ListQueues"),
)

LOOK = {f"{action} {queue}" for action in ("GetQueueUrl", "GetQueueAttributes") for queue in QUEUES}
SEND = {f"{action} {queue}" for action in ("SendMessage", "GetQueueAttributes") for queue in ("etl", "ml")}
LETTERS = {
    f"{action} {queue}"
    for action in (
        *("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
        *("PurgeQueue", "StartMessageMoveTask", "ListMessageMoveTasks"),
    )
    for queue in ("etl-dlq", "ml-dlq")
}


def works(queue: str) -> set[str]:
    taking = {f"{action} {queue}" for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")}
    return taking | {each for each in LOOK if each.split()[1] in {queue, f"{queue}-dlq"}}


MAY = {
    "web": LOOK
    | SEND
    | LETTERS
    | {"ListBucket", "GetObject", "PutObject"}
    | {"AbortMultipartUpload", "ListMultipartUploadParts"},
    "worker-etl": works("etl") | SEND | {"ListBucket", "GetObject"},
    "worker-ml": works("ml") | SEND,
    "relay": LOOK | SEND,
    "migrate": set(),
    "prune": {"DeleteObject", "AbortMultipartUpload"},
}


def policies_of(client: Callable[..., Any], role: str) -> list[IAMPolicy]:
    iam = client("iam")
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == [], "all of it is in sight here"
    documents = (
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    )
    return [IAMPolicy(json.dumps(document)) for document in documents]


def is_allowed(policies: list[IAMPolicy], action: str, resource: str) -> bool:
    return any(policy.is_action_permitted(action, resource) is PermissionResult.PERMITTED for policy in policies)


@pytest.mark.parametrize("process", MAY)
def test_a_process_may_do_this_and_nothing_else(terraform: Terraform, client: Callable[..., Any], process: str) -> None:
    policies = policies_of(client, f"aetherflow-{process}")
    queues = f"arn:aws:sqs:{REGION}:{ACCOUNT}:aetherflow-"
    asked = {
        **{
            f"{each} {queue}": (f"sqs:{each}", f"{queues}{queue}")
            for each, queue in itertools.product(ON_QUEUES, QUEUES)
        },
        **{each: (f"s3:{each}", f"arn:aws:s3:::{BUCKET}/{RAW}") for each in ON_OBJECTS},
        **{each: (f"s3:{each}", f"arn:aws:s3:::{BUCKET}") for each in ON_BUCKET},
        **{each: (each, "*") for each in ELSEWHERE},
    }
    may = {name for name, (action, resource) in asked.items() if is_allowed(policies, action, resource)}
    assert may == MAY[process]
    others = [
        *(
            ("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
            for bucket, key in ((BUCKET, "other/file"), ("others", RAW))
        ),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/other/file"),
        ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:another-etl"),
        ("sqs:ReceiveMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:another-etl-dlq"),
    ]
    assert not [each for each in others if is_allowed(policies, *each)], "nothing beyond its own"


def test_only_migrate_is_handed_the_owners_password_and_only_web_its_own_keys(
    terraform: Terraform, client: Callable[..., Any]
) -> None:
    arns = {name: each["arn"] for name, each in terraform.resources("aws_secretsmanager_secret").items()}
    (database,) = terraform.resources("aws_db_instance").values()
    arns["OWNER_DATABASE_PASSWORD"] = database["master_user_secret"][0]["secret_arn"]
    handed = {
        process: {
            name
            for name, arn in arns.items()
            if is_allowed(policies_of(client, f"aetherflow-{process}-execution"), "secretsmanager:GetSecretValue", arn)
        }
        for process in MAY
    }
    own = {"SECRET_KEY", "DATABASE_PASSWORD"}
    assert handed == {
        "web": own | {"JWT_SIGNING_KEY", "METRICS_TOKEN"},
        "worker-etl": own,
        "worker-ml": own,
        "relay": own,
        "prune": own,
        "migrate": own | {"OWNER_DATABASE_PASSWORD"},
    }
