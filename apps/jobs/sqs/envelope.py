"""From the body of an SQS message to a task envelope the worker can trust.

Celery takes what a sender wrote into the envelope at its word: an expiry date drops the message silently, an
`embed` calls any task, a header of the wrong type stops the worker process. So nothing of a sender's envelope is
handed on; the checked parts are put into a new one.
"""

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from apps.jobs.sqs import names, s3_events
from apps.jobs.sqs.messages import MESSAGE_OF_JOB_TYPE, InvalidMessage

RAW_CHARACTERS = 4096
_MAX_ID = 255
_JSON = "application/json"


def task_envelope(
    body: str, *, queue: str, message_id: str, departments: Collection[str] | None = None
) -> dict[str, Any]:
    """The Celery protocol 2 message for one SQS message received from `queue`. Never raises.

    A contract message, plain or in a Celery envelope, becomes the queue's task; so does S3's event of a file that came
    into the bucket, and S3's test of the queue becomes NOTED_TASK. Anything else becomes INVALID_TASK
    with `{"raw": the first 4096 characters, "reason": …}`, which fails at every receive until SQS moves the
    untouched message to the DLQ.
    """
    text = body.encode("utf-8", "replace").decode()
    try:
        data = _loads(text)
        if queue == names.ETL and s3_events.is_test(data):
            return _envelope(
                task=names.NOTED_TASK,
                task_id=message_id,
                queue=queue,
                message={"reason": "S3 asks whether the queue takes its events; there is nothing to do"},
                headers={names.REQUEST_ID_HEADER: message_id, names.FOREIGN_HEADER: True},
            )
        if queue == names.ETL and s3_events.is_event(data):
            data = s3_events.etl_payload(data)
        read = _plain if isinstance(data, dict) and "job_type" in data else _celery
        return read(data, queue=queue, message_id=message_id, departments=departments)
    except InvalidMessage as invalid:
        return _envelope(
            task=names.INVALID_TASK,
            task_id=message_id,
            queue=queue,
            message={"raw": text[:RAW_CHARACTERS], "reason": invalid.reason},
            headers={names.REQUEST_ID_HEADER: message_id, names.FOREIGN_HEADER: True},
        )


def ml_link(*, task_id: str, department: str, headers: Mapping[str, object]) -> dict[str, Any]:
    """The signature that follows an ETL task: Celery calls it with the ML message that the ETL task returns."""
    return {
        "task": names.ML_TASK,
        "args": [],
        "kwargs": {},
        "options": {"task_id": task_id, "headers": dict(headers), "MessageGroupId": department},
        "subtask_type": None,
        "immutable": False,
    }


def _plain(data: object, *, queue: str, message_id: str, departments: Collection[str] | None) -> dict[str, Any]:
    """A contract message as any producer may send it; the SQS MessageId is its task id over all redeliveries."""
    message = MESSAGE_OF_JOB_TYPE[queue].parse(data, departments=departments)
    headers = {names.REQUEST_ID_HEADER: message_id}
    link = ml_link(task_id=_link_id(message_id), department=message.department, headers=headers)
    return _envelope(
        task=names.TASK_OF_QUEUE[queue],
        task_id=message_id,
        queue=queue,
        message=message.as_dict(),
        headers=headers | {names.FOREIGN_HEADER: True},
        chain=[link] if queue == names.ETL else None,
    )


def _celery(data: object, *, queue: str, message_id: str, departments: Collection[str] | None) -> dict[str, Any]:
    if not isinstance(data, dict) or not {"headers", "properties", "body"} <= data.keys():
        raise InvalidMessage("the body is neither a contract message nor a Celery envelope")
    sent, properties = data["headers"], data["properties"]
    if not isinstance(sent, dict) or not isinstance(properties, dict):
        raise InvalidMessage("the envelope's headers and properties are not JSON objects")
    if data.get("content-type") != _JSON:
        raise InvalidMessage(f"content-type is {data.get('content-type')!r:.80}, expected {_JSON!r}")
    task = names.TASK_OF_QUEUE[queue]
    if sent.get("task") != task:
        raise InvalidMessage(f"the task {sent.get('task')!r:.80} is not worked on the queue {queue!r}")
    if sent.get("eta") or sent.get("expires"):
        raise InvalidMessage("eta and expires are not honoured on SQS; send the message when it is due")

    argument, embed = _arguments(data["body"], encoding=properties.get("body_encoding"))
    message = MESSAGE_OF_JOB_TYPE[queue].parse(argument, departments=departments)
    task_id = _header(sent, "id") or message_id
    headers: dict[str, object] = {
        key: value
        for key in (names.JOB_ID_HEADER, names.REQUEST_ID_HEADER, names.HELP_HEADER)
        if (value := _header(sent, key)) is not None
    }
    chain = None
    if (link := _sent_link(embed, queue=queue)) and names.HELP_HEADER not in headers:
        link_id = _header(link, "task_id") or _link_id(task_id)
        chain = [ml_link(task_id=link_id, department=message.department, headers=headers)]
    return _envelope(
        task=task,
        task_id=task_id,
        queue=queue,
        message=message.as_dict(),
        headers=headers | {names.FOREIGN_HEADER: False},
        chain=chain,
        root_id=_header(sent, "root_id"),
        parent_id=_header(sent, "parent_id"),
    )


def _arguments(body: object, *, encoding: object) -> tuple[object, dict[str, Any]]:
    """The task's only argument and Celery's `embed` part."""
    if not isinstance(body, str):
        raise InvalidMessage("the envelope's body is not text")
    if encoding == "base64":
        try:
            body = base64.b64decode(body, validate=True).decode()
        except (binascii.Error, ValueError):
            raise InvalidMessage("the envelope's body is not the base64 it claims to be") from None
    elif encoding not in {None, "utf-8"}:
        raise InvalidMessage(f"body_encoding is {encoding!r:.80}, expected none or 'base64'")
    parts = _loads(body)
    match parts:
        case [[argument], dict(kwargs), dict(embed)] if not kwargs:
            return argument, embed
    raise InvalidMessage("the task's arguments are not exactly one message")


def _sent_link(embed: Mapping[str, object], *, queue: str) -> dict[str, Any] | None:
    """The options of the sender's chain link, None where the message has no chain."""
    if any(embed.get(key) for key in ("callbacks", "errbacks", "chord")):
        raise InvalidMessage("callbacks, errbacks and chords are not part of the contract")
    chain = embed.get("chain")
    if not chain:
        return None
    match chain:
        case [{"task": names.ML_TASK, "options": dict(options)}] if queue == names.ETL:
            return options or {"task_id": None}
    raise InvalidMessage(f"only {names.ETL_TASK} followed by {names.ML_TASK} is a chain of the contract")


def _header(headers: Mapping[str, object], key: str) -> str | None:
    value = headers.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _MAX_ID:
        raise InvalidMessage(f"the header {key} is {value!r:.80}, expected 1 to {_MAX_ID} printable characters")
    return value


def _link_id(task_id: str) -> str:
    """Every run of the same ETL message publishes the ML message under the same task id."""
    return str(uuid5(NAMESPACE_OID, task_id))


def _loads(text: str) -> Any:
    """JSON, or JSON in base64 (what a Celery producer with default settings sends)."""
    for candidate in (text, _from_base64(text)):
        if candidate is not None:
            try:
                return json.loads(candidate)
            except (ValueError, RecursionError):
                continue
    raise InvalidMessage("the body is not JSON")


def _from_base64(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _envelope(
    *,
    task: str,
    task_id: str,
    queue: str,
    message: Mapping[str, str],
    headers: Mapping[str, object],
    chain: list[dict[str, Any]] | None = None,
    root_id: str | None = None,
    parent_id: str | None = None,
) -> dict[str, Any]:
    embed = {"callbacks": None, "errbacks": None, "chain": chain, "chord": None}
    return {
        "body": json.dumps([[dict(message)], {}, embed]),
        "content-type": _JSON,
        "content-encoding": "utf-8",
        "headers": {
            "lang": "py",
            "task": task,
            "id": task_id,
            "root_id": root_id or task_id,
            "parent_id": parent_id,
            "group": None,
            "retries": 0,
            "timelimit": [None, None],
            "eta": None,
            "expires": None,
            "ignore_result": True,
            "argsrepr": ascii((dict(message),))[:1024],
            "kwargsrepr": "{}",
            "origin": "sqs",
            **headers,
        },
        "properties": {
            "correlation_id": task_id,
            "delivery_mode": 2,
            "priority": 0,
            "body_encoding": None,
            # Never the sender's routing: an ack to a queue it made up stops the worker.
            "delivery_info": {"exchange": "", "routing_key": queue},
        },
    }
