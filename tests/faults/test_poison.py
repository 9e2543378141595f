"""Poison: what no producer of ours would send, all at once on both queues. It ends in the DLQ as it came."""

import base64
import json
import pickle
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.mailbox import Mailbox
from tests.faults.platform import SETTINGS as DEFAULTS
from tests.faults.platform import Platform
from tests.faults.settled import SECONDS, assert_nothing_is_left, assert_settled
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-poison")]

STAGES = ("etl", "ml")
OTHER = {"etl": "ml", "ml": "etl"}
MAX_RECEIVES = int(DEFAULTS["QUEUE_MAX_RECEIVES"])
LARGEST_BODY = 1024 * 1024

# Of no use in JSON, or of no use as a message.
NO_MESSAGE = {
    "not JSON": "{the quick brown fox",
    "not ASCII": "größer als ☃ und 𝄞",
    "line breaks": "a\r\n\tb\n",
    "an empty list": "[]",
    "an empty object": "{}",
    "a number": "17",
    "nothing": "null",
    "a text": '"etl"',
    "as large as can be": "x" * LARGEST_BODY,
    "deep": "[" * 100_000,
    "properties and no body": '{"properties": 1}',
    "envelope of nulls": '{"body": null, "headers": null, "properties": null}',
    "base64 of nothing useful": base64.b64encode(b"\xff\xfe\x00").decode(),
}


@dataclass(frozen=True, kw_only=True)
class Original:
    """A true message of the platform, in parts."""

    envelope: dict[str, Any]
    message: dict[str, str]
    embed: dict[str, Any]

    @classmethod
    def of(cls, body: str) -> "Original":
        envelope = json.loads(body)
        (message,), _, embed = json.loads(envelope["body"])
        return cls(envelope=envelope, message=message, embed=embed)

    def with_envelope(self, **changes: object) -> str:
        return json.dumps(self.envelope | changes)

    def without(self, key: str) -> str:
        return json.dumps({name: part for name, part in self.envelope.items() if name != key})

    def with_headers(self, **changes: object) -> str:
        return self.with_envelope(headers=self.envelope["headers"] | changes)

    def with_properties(self, **changes: object) -> str:
        return self.with_envelope(properties=self.envelope["properties"] | changes)

    def with_embed(self, **changes: object) -> str:
        return self.with_arguments([[self.message], {}, self.embed | changes])

    def with_message(self, **changes: object) -> str:
        return self.with_arguments([[self.message | changes], {}, self.embed])

    def with_arguments(self, arguments: object) -> str:
        return self.with_envelope(body=json.dumps(arguments))

    def plain(self, **changes: object) -> str:
        return json.dumps(self.message | changes)


def malformed(own: Original, others: Original) -> dict[str, str]:
    """The stage's own message, spoilt in one place each; unspoilt, it would be worked."""
    call = {"task": "celery.backend_cleanup", "args": [], "kwargs": {}, "options": {}}
    pickled = base64.b64encode(pickle.dumps(((own.message,), {}, own.embed))).decode()
    large = "x" * (LARGEST_BODY - 4096)
    return {
        "no body": own.without("body"),
        "no headers": own.without("headers"),
        "no properties": own.without("properties"),
        "no content type": own.without("content-type"),
        "unknown body encoding": own.with_properties(body_encoding="rot13"),
        "not the base64 it claims": own.with_envelope(
            body="%%%", properties=own.envelope["properties"] | {"body_encoding": "base64"}
        ),
        "arguments that are no list of three": own.with_arguments([[own.message]]),
        "arguments that are an object": own.with_arguments({"args": [own.message]}),
        "two messages in one": own.with_arguments([[own.message, own.message], {}, own.embed]),
        "keyword arguments": own.with_arguments([[own.message], {"message": own.message}, own.embed]),
        "pickled": own.with_envelope(
            body=pickled,
            **{"content-type": "application/x-python-serialize", "content-encoding": "binary"},
            properties=own.envelope["properties"] | {"body_encoding": "base64"},
        ),
        "protocol 1": json.dumps(
            {"task": own.envelope["headers"]["task"], "id": "1", "args": [own.message], "kwargs": {}, "retries": 0}
        ),
        "unregistered task": own.with_headers(task="jobs.unheard_of"),
        "task of Celery": own.with_headers(task="celery.backend_cleanup"),
        "the refusing task itself": own.with_headers(task="jobs.invalid_message"),
        "other stage's task": own.with_headers(task=others.envelope["headers"]["task"]),
        "other stage's message": json.dumps(others.envelope),
        "other stage's plain message": others.plain(),
        "other stage's job type": own.with_message(job_type=others.message["job_type"]),
        "unknown key": own.with_message(priority="9"),
        "plain with an unknown key": own.plain(priority="9"),
        "a megabyte of unknown key": own.plain(priority=large),
        "key that is missing": own.plain().replace('"requested_at"', '"requested_when"'),
        "department that is missing": own.with_message(department="legal"),
        "number for a text": own.with_message(department=7),
        "NUL": own.with_message(requested_by="a\x00b"),
        "half a character": own.with_message(requested_by="\ud800"),
        "eta": own.with_headers(eta="2030-01-01T00:00:00+00:00"),
        "expires": own.with_headers(expires="2020-01-01T00:00:00+00:00"),
        "callback": own.with_embed(callbacks=[call]),
        "errback": own.with_embed(errbacks=[call]),
        "chord": own.with_embed(chord=call),
        "chain to a task of Celery": own.with_embed(chain=[call]),
        "id without end": own.with_headers(id="i" * 300),
        "job id that is a list": own.with_headers(job_id=["1"]),
    }


def misfits(own: Original, other: Original, *, stage: str) -> dict[str, str]:
    """Messages of the contract that fit nothing that is recorded; `other` is another department's."""
    stranger = str(uuid.uuid4())
    deleted: dict[str, object] = {"dataset_id": stranger}
    elsewhere: dict[str, object] = {"department": other.message["department"]}
    if stage == "etl":
        deleted["s3_key"] = own.message["s3_key"].replace(own.message["dataset_id"], stranger)
        elsewhere["s3_key"] = own.message["s3_key"].replace(own.message["department"], other.message["department"], 1)
    found = {
        "dataset that is gone": own.with_message(**deleted),
        "plain, dataset that is gone": own.plain(**deleted),
        "wrong department": own.with_message(**elsewhere),
        "plain, wrong department": own.plain(**elsewhere),
        "another dataset's job": own.with_headers(job_id=other.envelope["headers"]["job_id"]),
        "job that is gone": own.with_headers(job_id=stranger),
        "job id that is none": own.with_headers(job_id="job-17"),
    }
    if stage == "etl":
        key = own.message["s3_key"].rpartition("/")[0] + "/another.csv"
        found |= {
            "another dataset's key": own.with_message(s3_key=other.message["s3_key"]),
            "plain, another dataset's key": own.plain(s3_key=other.message["s3_key"]),
            "another key of the dataset": own.with_message(s3_key=key),
            "plain, another key of the dataset": own.plain(s3_key=key),
            "another bucket": own.with_message(s3_bucket="not-ours"),
            "plain, another bucket": own.plain(s3_bucket="not-ours"),
            "key that climbs": own.plain(s3_key=own.message["s3_key"].rpartition("/")[0] + "/../../finance/x.csv"),
        }
    return found


def odd(own: Original) -> dict[str, str]:
    """Strange, but plain enough: what is strange is not handed on, and the message is a late duplicate."""
    return {
        "foreign routing": own.with_properties(delivery_info={"exchange": "nowhere", "routing_key": "nowhere"}),
        "no routing": own.with_properties(delivery_info=None),
        "no body encoding": own.with_envelope(
            properties={key: part for key, part in own.envelope["properties"].items() if key != "body_encoding"}
        ),
        "reply to a queue that is missing": own.with_properties(reply_to="nowhere"),
        "unknown header": own.with_headers(shadow=["celery.backend_cleanup"], timelimit="soon", retries="many"),
        "all in base64": base64.b64encode(json.dumps(own.envelope).encode()).decode(),
    }


@dataclass(frozen=True, kw_only=True)
class Poisoned:
    """What was put into the queues, by stage and name → message id."""

    good: list[Upload]
    meanwhile: list[Upload]
    pids: dict[str, int]
    before: list[dict[str, Any]]
    bodies: dict[str, str]
    refused: dict[tuple[str, str], str]
    dropped: dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def poisoned(platform: Platform) -> Poisoned:
    good = [platform.upload(department) for department in ("sales", "finance")]
    for upload in good:
        assert_settled(platform, upload)
    originals = {stage: [original(platform, upload, stage) for upload in good] for stage in STAGES}
    before, pids = recorded(platform), {stage: platform.pid(f"worker-{stage}") for stage in STAGES}
    bodies: dict[str, str] = {}
    refused: dict[tuple[str, str], str] = {}
    dropped: dict[tuple[str, str], str] = {}
    for stage, (own, other) in originals.items():
        mailbox = Mailbox(platform, stage)
        poison = NO_MESSAGE | malformed(own, originals[OTHER[stage]][0]) | misfits(own, other, stage=stage)
        for ids, named in ((refused, poison), (dropped, odd(own))):
            for name, body in named.items():
                ids[stage, name] = mailbox.put(body)
                bodies[ids[stage, name]] = body
    meanwhile = [platform.upload(department) for department in ("sales", "supply_chain", "finance")]
    return Poisoned(
        good=good,
        meanwhile=meanwhile,
        pids=pids,
        before=before,
        bodies=bodies,
        refused=refused,
        dropped=dropped,
    )


def original(platform: Platform, upload: Upload, stage: str) -> Original:
    (letter,) = [
        letter for letter in platform.sqs_proxy.letters(upload.dataset_id) if letter.queue == f"aetherflow-{stage}"
    ]
    return Original.of(letter.body)


def recorded(platform: Platform) -> list[dict[str, Any]]:
    """Every job and its dataset, in the order of the uploads."""
    return platform.query(
        "SELECT j.id::text, j.status, d.number FROM jobs_job j JOIN datasets_dataset d ON d.id = j.dataset_id"
        " ORDER BY d.number, j.id"
    )


def test_a_good_file_goes_its_way_between_the_poison(platform: Platform, poisoned: Poisoned) -> None:
    for upload in poisoned.meanwhile:
        job = assert_settled(platform, upload)
        assert [stage["attempts"] for stage in job["stages"]] == [1, 1]


def test_poison_is_dead_lettered_as_it_came_after_the_last_receive(platform: Platform, poisoned: Poisoned) -> None:
    wanted = {message_id: name for name, message_id in poisoned.refused.items()}
    eventually(lambda: wanted.keys() <= platform.dead_letters().keys(), within=SECONDS, what="all poison in the DLQs")
    dead = platform.dead_letters()
    assert {name for message_id, name in wanted.items() if dead[message_id] != poisoned.bodies[message_id]} == set()
    ledger = {letter.id: letter for letter in platform.sqs_proxy.letters("")}
    receives = {name: ledger[message_id].receives for message_id, name in wanted.items()}
    assert receives == dict.fromkeys(receives, MAX_RECEIVES)
    assert not any(ledger[message_id].deleted for message_id in wanted)


def test_a_strange_envelope_is_not_handed_on(platform: Platform, poisoned: Poisoned) -> None:
    """It is acknowledged where it came from, at its first receive."""
    ledger = {letter.id: letter for letter in platform.sqs_proxy.letters("")}
    found = {name: ledger[message_id] for name, message_id in poisoned.dropped.items()}
    eventually(lambda: all(letter.deleted for letter in found.values()), within=SECONDS, what="all are acknowledged")
    assert {name for name, letter in found.items() if letter.receives != 1} == set()


def test_nothing_came_of_it(platform: Platform, poisoned: Poisoned) -> None:
    assert_nothing_is_left(platform, within=SECONDS)
    ours = {upload.job_id for upload in poisoned.meanwhile}
    assert [row for row in recorded(platform) if row["id"] not in ours] == poisoned.before
    for upload in poisoned.good:
        assert_settled(platform, upload, earlier_dead_letters=None)


def test_both_workers_live_through_it(platform: Platform, poisoned: Poisoned) -> None:
    assert_nothing_is_left(platform, within=SECONDS)
    assert {stage: platform.pid(f"worker-{stage}") for stage in STAGES} == poisoned.pids
    assert platform.restarts == dict.fromkeys(platform.restarts, 0)
    for stage in STAGES:
        assert "Unrecoverable error" not in platform.logs(f"worker-{stage}")
