"""The description holds together: it is in order, applies, and once applied asks for nothing more."""

import json
from collections.abc import Callable
from typing import Any

from config.local import ROOT
from infra.fill_secrets import fill
from tests.infra.terraform import CHANGES, INFRA, NO_CHANGES, Terraform

ETL_QUEUES_POLICY = 'aws_sqs_queue_policy.source["etl"]'


def test_it_is_formatted_and_valid(terraform: Terraform) -> None:
    assert terraform.run("fmt", "-check", "-diff", str(INFRA)).stdout == ""
    assert "valid" in terraform.run("validate").stdout


def test_what_is_applied_asks_for_no_change(terraform: Terraform) -> None:
    code, says = terraform.plan()
    assert code == NO_CHANGES, says


def test_wrong_variables_are_refused_with_what_to_do(terraform: Terraform) -> None:
    wrong = {
        "release=latest": "never latest",
        "domain_name=*": "one host name",
        'settings={SECRET_KEY="abc",LOG_LEVEL="WARNING"}': "must hold no secret",
        "queue_max_receives=0": "must be 1 to 10",
        "worker_stop_seconds=120": "Fargate kills after 120 seconds",
        'database={version="14",backup_days=0}': "15 or newer",
    }
    done = terraform.run("plan", "-input=false", "-refresh=false", *(f"-var={each}" for each in wrong), check=False)
    assert done.returncode == 1
    said = " ".join(done.stderr.replace("│", " ").split())
    for variable, says in wrong.items():
        assert says in said, variable
    assert "the alarms count lines" in said
    assert "no restore to a point in time" in said


def changes(terraform: Terraform, variable: str) -> list[dict[str, Any]]:
    """What would be changed, were the variable set otherwise."""
    planned = terraform.folder / "other.plan"
    code, _ = terraform.plan(f"-var={variable}", f"-out={planned}")
    assert code == CHANGES
    found: list[dict[str, Any]] = json.loads(terraform.run("show", "-json", str(planned)).stdout)["resource_changes"]
    return found


def test_a_proxy_in_front_of_the_database_is_another_host_and_not_migrates(terraform: Terraform) -> None:
    planned = changes(terraform, "database={proxy=true}")
    created = {each["type"] for each in planned if each["change"]["actions"] == ["create"]}
    assert {"aws_db_proxy", "aws_db_proxy_target", "aws_db_proxy_default_target_group"} <= created


def test_a_bucket_whose_files_nobody_answers_for_tells_of_none(terraform: Terraform) -> None:
    planned = changes(terraform, "s3_events_user=")
    gone = {each["type"] for each in planned if each["change"]["actions"] == ["delete"]}
    assert gone == {"aws_s3_bucket_notification"}
    (policy,) = (each["change"] for each in planned if each["address"] == ETL_QUEUES_POLICY)
    assert "s3.amazonaws.com" in policy["before"]["policy"]
    assert "s3.amazonaws.com" not in policy["after"]["policy"]


def test_a_setting_that_would_not_be_heeded_is_refused(terraform: Terraform) -> None:
    done = terraform.run("plan", "-input=false", "-refresh=false", '-var=settings={RAW_BUCKET="mine"}', check=False)
    assert done.returncode == 1
    assert "would not be heeded: RAW_BUCKET." in " ".join(done.stderr.replace("│", " ").split())


def test_no_secret_is_in_the_state(terraform: Terraform, client: Callable[..., Any]) -> None:
    secrets = client("secretsmanager")
    named = terraform.output("secrets")
    fill(secrets, name="aetherflow")
    values = {name: secrets.get_secret_value(SecretId=secret)["SecretString"] for name, secret in named.items()}
    terraform.run("apply", "-refresh-only", "-auto-approve", "-input=false")
    (database,) = terraform.resources("aws_db_instance").values()
    values["owner"] = secrets.get_secret_value(SecretId=database["master_user_secret"][0]["secret_arn"])["SecretString"]
    state = terraform.state()
    for name, value in values.items():
        parts = json.loads(value) if value.startswith("{") else {"password": value}
        assert parts["password"] not in state, name
    assert not database["password"]


def test_every_setting_of_a_task_is_one(terraform: Terraform) -> None:
    documented = {
        line.lstrip("#").partition("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line
    }
    tasks = terraform.resources("aws_ecs_task_definition")
    assert set(tasks) == {"web", "worker-etl", "worker-ml", "relay", "migrate", "prune"}
    for name, task in tasks.items():
        (container,) = json.loads(task["container_definitions"])
        named = [each["name"] for part in ("environment", "secrets") for each in container[part]]
        assert set(named) <= documented, (name, set(named) - documented)
        assert len(named) == len(set(named)), name
        assert container["readonlyRootFilesystem"], name
        assert ("OWNER_DATABASE_URL" in named) == ("OWNER_DATABASE_PASSWORD" in named) == (name == "migrate"), name


def test_a_worker_has_longer_to_stop_than_its_work_has_to_finish(terraform: Terraform) -> None:
    for name, task in terraform.resources("aws_ecs_task_definition").items():
        (container,) = json.loads(task["container_definitions"])
        environment = {each["name"]: each["value"] for each in container["environment"]}
        if name.startswith("worker"):
            assert int(environment["WORKER_STOP_SECONDS"]) + 10 <= container["stopTimeout"] <= 120
