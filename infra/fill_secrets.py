"""Fill the places that Terraform has made for secrets: random values, each once. What is filled is left, none is shown.

python infra/fill_secrets.py --name aetherflow --region eu-central-1
"""

import argparse
import json
import secrets
import sys
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# The log-in that `migrate` makes; infra/rds.tf names it in DATABASE_URL.
LOG_IN = "aetherflow_platform"


def _random() -> str:
    return secrets.token_urlsafe(50)


def _database() -> str:
    return json.dumps({"username": LOG_IN, "password": secrets.token_urlsafe(36)})


# As infra/secrets.tf names them.
VALUES: dict[str, Callable[[], str]] = {
    "secret-key": _random,
    "jwt-signing-key": _random,
    "metrics-token": _random,
    "database": _database,
}


def fill(client: Any, *, name: str) -> dict[str, str]:
    """secret → what was done."""
    return {secret: _fill(client, secret, value) for key, value in VALUES.items() for secret in [f"{name}/{key}"]}


def _fill(client: Any, secret: str, value: Callable[[], str]) -> str:
    stages = client.describe_secret(SecretId=secret).get("VersionIdsToStages") or {}
    if any("AWSCURRENT" in each for each in stages.values()):
        return "filled before, left"
    client.put_secret_value(SecretId=secret, SecretString=value())
    return "filled"


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill the secrets of one installation; safe to run twice.")
    parser.add_argument("--name", default="aetherflow", help="Terraform's variable `name`")
    parser.add_argument("--region", required=True, help="Terraform's variable `region`")
    options = parser.parse_args()
    try:
        done = fill(boto3.client("secretsmanager", region_name=options.region), name=options.name)
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"Not filled: {error}. Is `terraform apply` done, with this name and region?")
    sys.stdout.writelines(f"{secret}: {what}\n" for secret, what in done.items())


if __name__ == "__main__":
    main()
