"""What Terraform makes, made once: AWS is a local endpoint, the state a file. It takes minutes: `make infra-test`."""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from config.local.endpoint import CREDENTIALS, Endpoint
from config.local.home import Home
from tests.infra.terraform import REGION, NoTerraform, Terraform

DOMAIN = "data.example.org"
EVENTS_USER = "ada@example.org"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    if os.environ.get("INFRA") != "1":
        pytest.skip("Terraform is left out: make infra-test runs it (INFRA=1)")
    home = Home(tmp_path_factory.mktemp("aws"))
    port = home.port("aws")
    command = [sys.executable, "-m", "tests.infra.aws_endpoint", str(port)]
    endpoint = Endpoint(home, name="aws", port=port, command=command, environment={})
    try:
        yield endpoint
    finally:
        endpoint.stop()


@pytest.fixture(scope="session")
def client(aws: Endpoint) -> Callable[..., Any]:
    """A client of one service; of the account's root, or of who has these keys."""

    def make(service: str, **keys: str) -> Any:
        keys = keys or {name.lower(): value for name, value in CREDENTIALS.items()}
        return boto3.client(service, endpoint_url=aws.url, region_name=REGION, **keys)

    return make


@pytest.fixture(scope="session")
def terraform(
    aws: Endpoint, client: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terraform]:
    """Applied; destroyed at the end, with nothing left."""
    certificate = client("acm").request_certificate(DomainName=DOMAIN)["CertificateArn"]
    terraform = Terraform(tmp_path_factory.mktemp("terraform"), endpoint_url=aws.url)
    try:
        terraform.begin(
            domain_name=DOMAIN,
            certificate_arn=certificate,
            release="1.4.0",
            region=REGION,
            protected=False,
            s3_events_user=EVENTS_USER,
            alarm_emails=["operators@example.org"],
        )
    except NoTerraform as why:
        pytest.skip(str(why))
    terraform.apply()
    yield terraform
    terraform.destroy()
    assert client("sqs").list_queues().get("QueueUrls", []) == []
    assert client("s3").list_buckets()["Buckets"] == []
