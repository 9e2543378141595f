"""The platform runs on what Terraform made: its queues, its bucket, its task definitions, and no more rights than its
roles have."""

import json
import os
import secrets
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from aetherflow import departments
from config.local.endpoint import Endpoint
from config.local.home import Home
from infra.fill_secrets import fill
from tests.infra.conftest import EVENTS_USER
from tests.infra.deployed import Deployed
from tests.infra.terraform import Terraform
from tests.support.stack import database

SAMPLES = Path(departments.__path__[0])
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@contextmanager
def rights_hold(aws: Endpoint) -> Iterator[None]:
    """From here on the endpoint asks of every call who makes it, and whether they may."""
    assert requests.post(f"{aws.url}/moto-api/reset-auth", data="0", timeout=10).ok
    try:
        yield
    finally:
        assert requests.post(f"{aws.url}/moto-api/reset-auth", data="inf", timeout=10).ok


@pytest.fixture(scope="module")
def partner(terraform: Terraform, client: Callable[..., Any]) -> Any:
    """S3 in the hands of somebody who may put files into the bucket, and nothing else."""
    iam = client("iam")
    iam.create_user(UserName="partner")
    allowed = {
        "Effect": "Allow",
        "Action": ["s3:PutObject"],
        "Resource": f"arn:aws:s3:::{terraform.output('raw_bucket')}/raw/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_user_policy(UserName="partner", PolicyName="delivers", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="partner")["AccessKey"]
    return client("s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])


@pytest.fixture(scope="module")
def deployed(
    aws: Endpoint,
    terraform: Terraform,
    client: Callable[..., Any],
    partner: Any,  # made while everybody may do everything
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployed]:
    fill(client("secretsmanager"), name="aetherflow")
    home = Home(tmp_path_factory.mktemp("deployed"))
    with database(os.environ["DATABASE_URL"], f"infra_{os.getpid()}") as url:
        deployed = Deployed(home, endpoint=aws, terraform=terraform, client=client, database_url=url)
        try:
            with rights_hold(aws):
                deployed.run_as("migrate", *deployed.program("migrate"))
                for name in ("web", "worker-etl", "worker-ml", "relay"):
                    deployed.start(name)
                deployed.await_ready()
                yield deployed
        finally:
            deployed.close()


@pytest.fixture(scope="module")
def token(deployed: Deployed) -> dict[str, str]:
    """The head that says that it is Ada of the sales department who asks."""
    password = secrets.token_urlsafe(20)
    create = ("manage.py", "create_user", "--email", EVENTS_USER, "--department", "sales", "--password-env", "PASSWORD")
    deployed.run_as("web", sys.executable, *create, PASSWORD=password)
    session = deployed.ask("POST", "/api/v1/auth/login", json={"email": EVENTS_USER, "password": password})
    assert session.status_code == 200, session.text
    return {"Authorization": f"Bearer {session.json()['access']}"}


def test_a_web_task_passes_the_load_balancers_health_check(deployed: Deployed, terraform: Terraform) -> None:
    (check,) = next(iter(terraform.resources("aws_lb_target_group").values()))["health_check"]
    answer = requests.get(f"{deployed.url}{check['path']}", timeout=10, allow_redirects=False)
    assert str(answer.status_code) == check["matcher"]
    assert requests.get(f"{deployed.url}/api/v1/auth/config", timeout=10, allow_redirects=False).status_code == 400


@pytest.mark.parametrize("process", ["web", "worker-etl", "worker-ml", "relay"])
def test_a_running_process_is_healthy_by_its_containers_check(deployed: Deployed, process: str) -> None:
    deployed.run_as(process, *deployed.health_check(process))


def test_a_sample_goes_through_and_a_bad_one_fails_with_its_reason(deployed: Deployed, token: dict[str, str]) -> None:
    jobs = {}
    for name, content in {
        "good.csv": (SAMPLES / "sales/samples/good.csv").read_bytes(),
        "none.csv": b"no,such,columns\n1,2,3\n",
    }.items():
        answer = deployed.ask("POST", "/api/v1/datasets/upload", files={"file": (name, content)}, headers=token)
        assert answer.status_code == 202, answer.text
        jobs[name] = answer.json()["job"]["id"]
    settled = {name: settle(deployed, job, token) for name, job in jobs.items()}
    assert settled["good.csv"]["status"] == "succeeded", settled["good.csv"]
    assert [stage["status"] for stage in settled["good.csv"]["stages"]] == ["succeeded", "succeeded"]
    assert settled["none.csv"]["status"] == "failed"
    assert settled["none.csv"]["stages"][0]["error"]["code"] != "storage-unavailable"
    assert "AccessDenied" not in deployed.tails(lines=500)


def test_a_file_that_others_put_into_the_bucket_is_taken_in(
    deployed: Deployed, terraform: Terraform, partner: Any, token: dict[str, str]
) -> None:
    """The bucket tells the queue, the queue the worker. What the site itself puts there is not taken in again."""
    bucket, content = terraform.output("raw_bucket"), (SAMPLES / "sales/samples/good.csv").read_bytes()
    landed, strangers = str(uuid.uuid4()), str(uuid.uuid4())
    partner.put_object(Bucket=bucket, Key=f"raw/finance/{strangers}/none of hers.csv", Body=content)
    partner.put_object(Bucket=bucket, Key=f"raw/sales/{landed}/of the partner.csv", Body=content)
    deadline = time.monotonic() + 120
    while not (made := deployed.ask("GET", f"/api/v1/jobs?dataset={landed}", headers=token).json()["results"]):
        assert time.monotonic() < deadline, deployed.tails()
        time.sleep(0.5)
    (job,) = made
    assert settle(deployed, job["id"], token)["status"] == "succeeded"
    assert (job["cause"], job["dataset_name"]) == ("message", "of the partner.csv")
    # Neither what went up through the site, whose events came too, nor what its account may not bring.
    datasets = deployed.ask("GET", "/api/v1/datasets", headers=token).json()["results"]
    assert sorted(each["filename"] for each in datasets) == ["good.csv", "none.csv", "of the partner.csv"]
    assert not deployed.ask("GET", f"/api/v1/datasets/{strangers}", headers=token).ok


def settle(deployed: Deployed, job: str, token: dict[str, str]) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while True:
        answer = deployed.ask("GET", f"/api/v1/jobs/{job}", headers=token).json()
        if answer["status"] in {"succeeded", "failed"}:
            return answer
        assert time.monotonic() < deadline, (answer, deployed.tails())
        time.sleep(0.5)


def test_a_role_that_reaches_further_is_refused_by_the_endpoint(deployed: Deployed, client: Callable[..., Any]) -> None:
    """That the run above was held to its roles, and not let through."""

    def refused(process: str, service: str, call: str, **arguments: Any) -> bool:
        own = {name.lower(): value for name, value in deployed.env_of(process).items() if name in KEYS}
        asked = client(service, **own)
        with pytest.raises(asked.exceptions.ClientError) as error:
            getattr(asked, call)(**arguments)
        status: int = error.value.response["ResponseMetadata"]["HTTPStatusCode"]
        return status == 403

    bucket, base = deployed.env_of("web")["RAW_BUCKET"], deployed.env_of("web")["QUEUE_URL_BASE"]
    assert refused("worker-etl", "s3", "put_object", Bucket=bucket, Key="raw/sales/x/y.csv", Body=b"")
    assert refused("worker-ml", "s3", "get_object", Bucket=bucket, Key="raw/sales/x/y.csv")
    assert refused("web", "sqs", "receive_message", QueueUrl=f"{base}/aetherflow-ml")
