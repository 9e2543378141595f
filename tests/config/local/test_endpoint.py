"""The local endpoints: a queue that loses no message to a client that has gone, an S3 that forgets nothing."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from mypy_boto3_s3 import S3Client
from mypy_boto3_sqs import SQSClient

from config.local import CannotStart
from config.local import endpoint as module
from config.local.endpoint import Endpoint, start_s3, start_sqs
from config.local.home import Home

FAST = Config(connect_timeout=2, read_timeout=30, retries={"max_attempts": 1}, s3={"addressing_style": "path"})
KEYS = {"region_name": "us-east-1", "aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


@pytest.fixture(scope="module")
def sqs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    endpoint = start_sqs(Home(tmp_path_factory.mktemp("sqs")))
    yield endpoint
    endpoint.stop()


def sqs_client(endpoint: Endpoint) -> SQSClient:
    return boto3.client("sqs", endpoint_url=endpoint.url, config=FAST, **KEYS)


def s3_client(endpoint: Endpoint) -> S3Client:
    return boto3.client("s3", endpoint_url=endpoint.url, config=FAST, **KEYS)


def test_only_this_machine_reaches_it(sqs: Endpoint) -> None:
    assert urlsplit(sqs.url).hostname == "127.0.0.1"
    port = urlsplit(sqs.url).port
    addresses = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), port) if entry[0] == socket.AF_INET}
    for address in addresses - {"127.0.0.1"}:
        if not str(address).startswith("127."):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((str(address), port), timeout=2)


def test_a_client_that_hung_up_takes_no_message_with_it(sqs: Endpoint) -> None:
    client = sqs_client(sqs)
    url = client.create_queue(QueueName="etl", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    poll = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20, "MaxNumberOfMessages": 1})
    with socket.create_connection(("127.0.0.1", urlsplit(sqs.url).port)) as gone:
        gone.sendall(
            (
                "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
                "Content-Type: application/x-amz-json-1.0\r\n"
                "Authorization: AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/sqs/aws4_request\r\n"
                f"Content-Length: {len(poll)}\r\n\r\n{poll}"
            ).encode()
        )
        time.sleep(1)
    client.send_message(QueueUrl=url, MessageBody="for somebody who is still there")
    received = client.receive_message(QueueUrl=url, WaitTimeSeconds=5)
    assert [message["Body"] for message in received.get("Messages", [])] == ["for somebody who is still there"]


def test_one_that_cannot_start_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"local sqs endpoint does not start: .*No module named no_such_thing"):
        Endpoint(Home(tmp_path), name="sqs", port=1, command=["python3", "-m", "no_such_thing"], environment={})


def test_uploads_survive_a_kill_and_a_restart(tmp_path: Path) -> None:
    home, said = Home(tmp_path), []
    large = os.urandom(1 << 20) * 20
    first = start_s3(home, say=said.append)
    client = s3_client(first)
    client.create_bucket(Bucket="aetherflow-raw")
    client.put_object(
        Bucket="aetherflow-raw", Key="raw/sales/1/Umsätze März.csv", Body=b"a,b\n1,2\n", ContentType="text/csv"
    )
    parts = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20, max_concurrency=2)
    (tmp_path / "large.csv").write_bytes(large)
    client.upload_file(str(tmp_path / "large.csv"), "aetherflow-raw", "raw/sales/2/large.csv", Config=parts)
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    second = start_s3(home, say=said.append)
    try:
        client = s3_client(second)
        small = client.get_object(Bucket="aetherflow-raw", Key="raw/sales/1/Umsätze März.csv")
        assert (small["ContentType"], small["Body"].read()) == ("text/csv", b"a,b\n1,2\n")
        assert client.get_object(Bucket="aetherflow-raw", Key="raw/sales/2/large.csv")["Body"].read() == large
        assert said == ["Installing the local S3 endpoint (once) ..."]
    finally:
        second.stop()


def test_an_s3_that_cannot_be_installed_names_the_way_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "ministack.txt"
    lock.write_text("ministack==0.0.0 --hash=sha256:" + "0" * 64)
    monkeypatch.setattr(module, "LOCK_FILE", lock)
    with pytest.raises(CannotStart, match=r"could not be installed: .*STORAGE=disk make up"):
        start_s3(Home(tmp_path / "home"))
