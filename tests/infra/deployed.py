"""The platform as ECS would start it from Terraform's task definitions: each process with its own environment, secrets
and rights, and with nothing of this machine's but what the stand-ins need."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from config.local import ROOT
from config.local.endpoint import Endpoint
from config.local.home import Home
from tests.infra.terraform import Terraform
from tests.support.stack import Stack

MACHINES = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")


def machines() -> dict[str, str]:
    return {name: os.environ[name] for name in MACHINES if name in os.environ} | {"NO_PROXY": "127.0.0.1,localhost"}


def container_of(task: Mapping[str, Any]) -> dict[str, Any]:
    (container,) = json.loads(task["container_definitions"])
    found: dict[str, Any] = container
    return found


def settings_of(task: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container_of(task)["environment"]}


def secrets_of(task: Mapping[str, Any], secrets: Any) -> dict[str, str]:
    """As ECS looks them up: ARN, or ARN:field::."""
    found = {}
    for each in container_of(task)["secrets"]:
        arn, field = each["valueFrom"], ""
        if arn.endswith("::"):
            arn, _, field = arn.removesuffix("::").rpartition(":")
        value = secrets.get_secret_value(SecretId=arn)["SecretString"]
        found[each["name"]] = json.loads(value)[field] if field else value
    return found


def keys_of(role_arn: str, tokens: Any) -> dict[str, str]:
    given = tokens.assume_role(RoleArn=role_arn, RoleSessionName="task")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


class Deployed(Stack):
    def __init__(
        self, home: Home, *, endpoint: Endpoint, terraform: Terraform, client: Callable[..., Any], database_url: str
    ) -> None:
        """`database_url` stands for the instance: its owner's."""
        super().__init__(home, database_url=database_url, endpoint=endpoint)
        tasks = terraform.resources("aws_ecs_task_definition")
        secrets, tokens = client("secretsmanager"), client("sts")
        owner = urlsplit(database_url)
        self.containers = {name: container_of(task) for name, task in tasks.items()}
        self._commands = {name: self.program(name) for name in ("web", "worker-etl", "worker-ml", "relay")}
        machine = machines() | {
            # What the image says, which is not Terraform's to say.
            "PORT": str(self.port),
            "AWS_ENDPOINT_URL_S3": endpoint.url,
            "AWS_ENDPOINT_URL_SQS": endpoint.url,
            "STATIC_ROOT": str(home.path / "static"),
        }
        self.environments = {
            name: settings_of(task)
            | secrets_of(task, secrets)
            | keys_of(task["task_role_arn"], tokens)
            | machine
            | {"ALIVE_FILE": str(home.path / f"{name}.alive")}
            for name, task in tasks.items()
        }
        for environment in self.environments.values():
            # The same log-in and password, at the stand-in, which speaks no TLS.
            log_in = urlsplit(environment["DATABASE_URL"]).username
            environment["DATABASE_URL"] = f"postgres://{log_in}@{owner.hostname}:{owner.port}{owner.path}"
        migrate = self.environments["migrate"]
        migrate["OWNER_DATABASE_URL"] = f"postgres://{owner.username}@{owner.hostname}:{owner.port}{owner.path}"
        migrate["OWNER_DATABASE_PASSWORD"] = owner.password or ""
        self.host = self.environments["web"]["ALLOWED_HOSTS"]

    def env_of(self, name: str) -> dict[str, str]:
        return self.environments[name]

    def program(self, process: str) -> list[str]:
        """The container's command, by this machine's Python."""
        return _here(self.containers[process]["command"])

    def health_check(self, process: str) -> list[str]:
        kind, *command = self.containers[process]["healthCheck"]["command"]
        assert kind == "CMD"
        return _here(command)

    def run_as(self, process: str, *command: str, **more: str) -> str:
        """Another command in a task of that process, as `aws ecs run-task` begins one; what it says."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environments[process] | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """As the load balancer passes it on."""
        headers = {"Host": self.host, "X-Forwarded-Proto": "https", **options.pop("headers", {})}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=30, **options)

    def ready(self) -> tuple[int, Any]:
        try:
            answer = self.ask("GET", "/api/v1/health/ready")
        except requests.ConnectionError:
            return 0, None
        return answer.status_code, answer.text


def _here(command: list[str]) -> list[str]:
    return [sys.executable if word == "python" else word for word in command]
