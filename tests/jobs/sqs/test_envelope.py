"""The door of the worker: what a body becomes, and that no body at all can get past or break it."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.jobs.sqs.envelope import RAW_CHARACTERS, task_envelope
from tests.jobs.sqs.line import make_etl_payload, make_ml_payload

NO_EMBED: dict[str, Any] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
ML_LINK = {"task": "jobs.ml", "args": [], "kwargs": {}, "options": {"task_id": "ml-1", "queue": "elsewhere"}}


def celery(payload: object, *, embed: object = NO_EMBED, task: str = "jobs.etl", **headers: object) -> dict[str, Any]:
    return {
        "body": json.dumps([[payload], {}, embed]),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": task, "id": "task-1", "lang": "py"} | headers,
        "properties": {"body_encoding": None, "delivery_info": {"routing_key": "elsewhere"}},
    }


def received(body: object, *, queue: str = "etl") -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return task_envelope(text, queue=queue, message_id="sqs-1", departments={"sales"})


def argument(envelope: dict[str, Any]) -> Any:
    [message], kwargs, _ = json.loads(envelope["body"])
    assert kwargs == {}
    return message


def chain(envelope: dict[str, Any]) -> Any:
    return json.loads(envelope["body"])[2]["chain"]


def reason(envelope: dict[str, Any]) -> str:
    assert envelope["headers"]["task"] == "jobs.invalid_message"
    return str(argument(envelope)["reason"])


def test_a_plain_etl_message_becomes_the_chain_of_the_etl_and_the_ml_task() -> None:
    payload = make_etl_payload()
    envelope = received(payload)
    headers = envelope["headers"]
    assert (headers["task"], headers["id"], headers["foreign"]) == ("jobs.etl", "sqs-1", True)
    assert headers["request_id"] == "sqs-1"
    assert argument(envelope) == payload
    [link] = chain(envelope)
    assert (link["task"], link["args"], link["immutable"]) == ("jobs.ml", [], False)
    assert link["options"]["headers"] == {"request_id": "sqs-1"}
    assert link["options"]["MessageGroupId"] == "sales"
    assert chain(received(payload)) == [link], "every run of a message announces the same ML task"


def test_a_plain_ml_message_becomes_the_ml_task() -> None:
    envelope = received(make_ml_payload(), queue="ml")
    assert (envelope["headers"]["task"], chain(envelope)) == ("jobs.ml", None)


def test_a_celery_message_keeps_its_ids_and_its_chain() -> None:
    payload = make_etl_payload()
    envelope = received(celery(payload, embed=NO_EMBED | {"chain": [ML_LINK]}, job_id="j", request_id="r"))
    headers = envelope["headers"]
    assert (headers["id"], headers["job_id"], headers["request_id"]) == ("task-1", "j", "r")
    assert headers["foreign"] is False
    assert argument(envelope) == payload
    [link] = chain(envelope)
    assert link["options"] == {
        "task_id": "ml-1",
        "headers": {"job_id": "j", "request_id": "r"},
        "MessageGroupId": "sales",
    }


def test_a_call_for_help_is_told_from_the_stages_own_message() -> None:
    assert received(celery(make_etl_payload(), job_id="j", help="yes"))["headers"]["help"] == "yes"
    assert "help" not in received(celery(make_etl_payload(), job_id="j"))["headers"]
    assert "help" not in received(make_etl_payload())["headers"]


def test_a_celery_message_without_a_chain_gets_none() -> None:
    assert chain(received(celery(make_etl_payload()))) is None


def test_a_message_in_base64_as_celery_sends_it_by_default_is_read() -> None:
    body = celery(make_etl_payload())
    body["body"] = base64.b64encode(body["body"].encode()).decode()
    body["properties"]["body_encoding"] = "base64"
    outer = base64.b64encode(json.dumps(body).encode()).decode()
    assert received(outer)["headers"]["task"] == "jobs.etl"


def test_nothing_else_of_the_senders_envelope_is_handed_on() -> None:
    sent = celery(
        make_etl_payload(),
        foreign=True,
        timelimit=["x", "y"],
        shadow="os.system",
        compression="bzip2",
        retries="many",
        stamped_headers=[1],
    )
    envelope = received(sent)
    headers = envelope["headers"]
    assert headers["timelimit"] == [None, None]
    assert headers["foreign"] is False
    assert headers["retries"] == 0
    assert not {"shadow", "compression", "stamped_headers"} & headers.keys()
    assert envelope["properties"]["delivery_info"] == {"exchange": "", "routing_key": "etl"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("dataset 7 is ready", "not JSON"),
        ("[" * 50_000, "not JSON"),
        ("9" * 5_000, "not JSON"),
        ([], "neither"),
        ({"properties": 1}, "neither"),
        ({"job_type": "etl"}, "missing"),
        ({"job_type": "demand"}, "job_type"),
        (make_ml_payload(), "job_type"),
        (make_etl_payload(department="finance"), "not known"),
        (celery(make_etl_payload()) | {"content-type": "application/x-python-serialize"}, "content-type"),
        (celery(make_etl_payload()) | {"headers": [1]}, "headers"),
        (celery(make_etl_payload()) | {"properties": 1}, "properties"),
        (celery(make_etl_payload()) | {"properties": {"body_encoding": "rot13"}}, "body_encoding"),
        (celery(make_etl_payload()) | {"body": "%", "properties": {"body_encoding": "base64"}}, "base64"),
        (celery(make_etl_payload()) | {"body": 7}, "not text"),
        (celery(make_etl_payload()) | {"body": "[[], {}]"}, "exactly one message"),
        (celery(make_etl_payload()) | {"body": '[[{}], {"x": 1}, {}]'}, "exactly one message"),
        (celery(make_etl_payload(), task="os.system"), "os.system"),
        (celery(make_ml_payload(), task="jobs.ml"), "jobs.ml"),
        (celery(make_etl_payload(), eta="2026-04-01T00:00:00Z"), "eta"),
        (celery(make_etl_payload(), expires="2020-01-01T00:00:00Z"), "expires"),
        (celery(make_etl_payload(), id=7), "header id"),
        (celery(make_etl_payload(), job_id="x" * 300), "header job_id"),
        (celery(make_etl_payload(), embed=NO_EMBED | {"callbacks": [ML_LINK]}), "callbacks"),
        (celery(make_etl_payload(), embed=NO_EMBED | {"chain": 5}), "chain"),
        (celery(make_etl_payload(), embed=NO_EMBED | {"chain": [ML_LINK, ML_LINK]}), "chain"),
        (celery(make_etl_payload(), embed=NO_EMBED | {"chain": [ML_LINK | {"task": "os.system"}]}), "chain"),
    ],
)
def test_anything_else_becomes_the_invalid_task_with_its_reason(body: object, says: str) -> None:
    assert says in reason(received(body))


def test_the_invalid_task_gets_the_beginning_of_the_body_and_the_message_id() -> None:
    envelope = received("é\ud800" * 10_000)
    assert len(argument(envelope)["raw"]) == RAW_CHARACTERS
    assert envelope["headers"]["id"] == envelope["headers"]["request_id"] == "sqs-1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(body=st.text() | JSON.map(json.dumps), queue=st.sampled_from(["etl", "ml"]))
def test_no_body_at_all_gets_through_or_raises(body: str, queue: str) -> None:
    assert reason(received(body, queue=queue))


@given(
    part=st.sampled_from(["body", "content-type", "headers", "properties"]),
    key=st.sampled_from(["task", "id", "root_id", "job_id", "eta", "body_encoding", "chain"]),
    value=JSON,
)
def test_no_part_of_an_envelope_that_is_replaced_can_raise(part: str, key: str, value: Any) -> None:
    """Whatever stands there, the worker gets a task it knows, with one argument and a chain it knows."""
    payload = make_etl_payload(dataset_id=str(uuid4()))
    whole = received(celery(payload) | {part: value})
    header = received(celery(payload, **{key: value}))
    embed = received(celery(payload, embed=NO_EMBED | {"chain": value}))
    for envelope in (whole, header, embed):
        assert envelope["headers"]["task"] in {"jobs.etl", "jobs.invalid_message"}
        assert isinstance(argument(envelope), dict)
        assert chain(envelope) is None
