"""The running platform from outside: real web server, workers, relay, SQS and S3 endpoints, PostgreSQL."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from aetherflow.registry import departments
from tests.e2e.people import Person
from tests.support.stack import Stack

SLUGS = sorted(departments())


@pytest.fixture
def sqs(stack: Stack) -> Any:
    return boto3.client("sqs", endpoint_url=stack.endpoint.url, region_name=stack.env["AWS_DEFAULT_REGION"])


@pytest.mark.parametrize("slug", SLUGS)
def test_a_departments_file_becomes_rows_and_insights_that_nobody_else_sees(stack: Stack, slug: str) -> None:
    person = Person(stack.url, department=slug)
    answer = person.upload(departments()[slug].samples.good, filename="monday.csv", name="Monday's file")
    job = person.watch(answer["job"]["id"])
    assert job["status"] == "succeeded", job
    expected = json.loads(departments()[slug].samples.good.with_suffix(".expected.json").read_text())
    etl = job["stages"][0]
    assert etl["rows"] == {key: expected[key] for key in ("read", "loaded", "rejected", "duplicate")}
    board = person.get(f"/dashboards/{slug}").json()
    assert {insight["kind"] for insight in board["insights"]} == {each.kind for each in departments()[slug].insights}
    assert board["datasets"]["latest"]["id"] == answer["dataset"]["id"]
    stranger = Person(stack.url, department=next(other for other in SLUGS if other != slug))
    assert stranger.get(f"/datasets/{answer['dataset']['id']}").status_code == 404
    assert stranger.get(f"/dashboards/{slug}").status_code == 403
    assert (
        stranger.get("/datasets").json()["count"] == 0 or answer["dataset"]["id"] not in stranger.get("/datasets").text
    )


def lines(stack: Stack, name: str) -> Iterator[dict[str, Any]]:
    for line in stack.logs(name).splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def test_a_bad_file_fails_at_once_with_its_reason_and_ends_in_the_dead_letter_queue(stack: Stack, sqs: Any) -> None:
    person = Person(stack.url, department="sales")
    answer = person.upload(b"date;amount\n2026-01-01;5\n", filename="wrong.csv")
    job_id = answer["job"]["id"]
    first = person.watch(job_id)
    stage = first["stages"][0]
    assert (first["status"], stage["status"], stage["max_attempts"]) == ("failed", "failed", 3)
    assert stage["error"]["code"] == "missing-label"
    assert "transaction_id" in stage["error"]["message"]
    assert stage["error"]["hint"]
    last = person.watch(job_id, until=lambda job: job["stages"][0]["dead_lettered"])
    assert last["stages"][0]["attempts"] == 3
    queue = sqs.get_queue_url(QueueName="aetherflow-etl-dlq")["QueueUrl"]
    deadline = time.monotonic() + 30
    bodies: list[str] = []
    while not any(answer["dataset"]["id"] in body for body in bodies):
        assert time.monotonic() < deadline, bodies
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        bodies += [message["Body"] for message in received.get("Messages", [])]
    assert stack.is_running("worker-etl")


def test_a_failed_job_is_retried_by_its_owner(stack: Stack) -> None:
    person = Person(stack.url, department="finance")
    job_id = person.upload(b"nothing here\n1\n")["job"]["id"]
    person.watch(job_id, until=lambda job: job["stages"][0]["dead_lettered"])
    retried = person.post(f"/jobs/{job_id}/retry")
    assert retried.status_code == 202
    assert retried.json()["status"] == "queued"
    again = person.watch(job_id)
    assert again["status"] == "failed"
    assert again["stages"][0]["attempts"] == 1


def test_one_request_id_follows_the_file_through_both_queues(stack: Stack) -> None:
    person = Person(stack.url, department="supply_chain")
    request_id = f"test-{uuid.uuid4()}"
    answer = person.upload(departments()["supply_chain"].samples.good, headers={"X-Request-ID": request_id})
    job = person.watch(answer["job"]["id"])
    assert job["request_id"] == request_id
    for name, stage in (("worker-etl", "etl"), ("worker-ml", "ml")):
        events = [line for line in lines(stack, name) if line.get("request_id") == request_id]
        ended = next(line for line in events if line["event"] == "stage_ended")
        assert (ended["stage"], ended["status"]) == (stage, "succeeded")
        assert ended["dataset_id"] == answer["dataset"]["id"]
        assert ended["job_id"] == job["id"]
        assert ended["department"] == "supply_chain"
        assert ended["duration_ms"] >= 0
    assert any(line.get("request_id") == request_id for line in lines(stack, "web"))
    # And back: from an insight on the dashboard to the request it came from.
    board = person.get("/dashboards/supply_chain").json()
    (insight,) = board["insights"]
    jobs = person.get(f"/jobs?dataset={insight['dataset_id']}").json()["results"]
    assert [job["request_id"] for job in jobs] == [request_id]
    ((stored, of_job),) = {(line["request_id"], line["job_id"]) for line in told(stack, insight["dataset_id"])}
    assert (stored, of_job) == (request_id, job["id"])


def told(stack: Stack, dataset_id: str) -> list[dict[str, Any]]:
    """What the ML worker said of the dataset's insights."""
    return [
        line
        for line in lines(stack, "worker-ml")
        if line["event"] == "insights_stored" and line.get("dataset_id") == dataset_id
    ]


def test_a_plain_json_message_of_another_producer_is_worked_just_the_same(stack: Stack, sqs: Any) -> None:
    person = Person(stack.url, department="sales")
    dataset_id = str(uuid.uuid4())
    key = f"raw/sales/{dataset_id}/nightly.csv"
    s3 = boto3.client("s3", endpoint_url=stack.endpoint.url, region_name=stack.env["AWS_DEFAULT_REGION"])
    s3.put_object(Bucket="aetherflow-raw", Key=key, Body=departments()["sales"].samples.good.read_bytes())
    message = {
        "job_type": "etl",
        "dataset_id": dataset_id,
        "department": "sales",
        "s3_bucket": "aetherflow-raw",
        "s3_key": key,
        "requested_by": person.id,
        "requested_at": "2026-11-23T06:00:00+00:00",
    }
    url = sqs.get_queue_url(QueueName="aetherflow-etl")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))
    deadline = time.monotonic() + 60
    while not (jobs := person.get(f"/jobs?dataset={dataset_id}").json()["results"]):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    job = person.watch(jobs[0]["id"])
    assert (job["status"], job["cause"]) == ("succeeded", "message")
    assert person.get(f"/dashboards/sales?dataset={dataset_id}").json()["insights"]


def test_garbage_on_the_queue_ends_in_the_dead_letter_queue_and_the_worker_lives(stack: Stack, sqs: Any) -> None:
    mark = uuid.uuid4().hex
    url = sqs.get_queue_url(QueueName="aetherflow-etl")["QueueUrl"]
    bodies = [
        f"not json {mark}",
        json.dumps({"properties": 1, "mark": mark}),
        json.dumps({"job_type": "etl", "m": mark}),
    ]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    dead = sqs.get_queue_url(QueueName="aetherflow-etl-dlq")["QueueUrl"]
    found: set[str] = set()
    deadline = time.monotonic() + 60
    while not found.issuperset(bodies):
        assert time.monotonic() < deadline, found
        received = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        found |= {message["Body"] for message in received.get("Messages", [])}
    assert stack.is_running("worker-etl")


def test_undoing_an_upload_brings_back_what_it_superseded(stack: Stack) -> None:
    person = Person(stack.url, department="finance")
    header = ",".join(column.name for column in departments()["finance"].columns)
    line = "{txn},2026-03-02,Ops,CC-1,Travel,Rail Ltd,{amount},EUR,card,approved,"
    first = person.upload("\n".join([header, line.format(txn=f"X-{person.id}", amount="10.00")]).encode())
    person.watch(first["job"]["id"])
    second = person.upload("\n".join([header, line.format(txn=f"X-{person.id}", amount="99.00")]).encode())
    person.watch(second["job"]["id"])
    assert person.delete(f"/datasets/{second['dataset']['id']}").status_code == 204
    assert person.get(f"/datasets/{second['dataset']['id']}").status_code == 404
    rows = person.get(f"/datasets/{first['dataset']['id']}/rows").json()["results"]
    assert [float(row["amount"]) for row in rows] == [10.0]
    undo_jobs = [job for job in person.get("/jobs").json()["results"] if job["cause"] == "undo"]
    assert undo_jobs
    assert person.watch(undo_jobs[0]["id"])["status"] == "succeeded"
