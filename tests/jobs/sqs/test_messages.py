"""The contract messages: exactly their keys, and nothing that could lead one department to another's file."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from apps.jobs.sqs.messages import EtlMessage, InvalidMessage, MlMessage
from tests.jobs.sqs.line import make_etl_payload, make_ml_payload

DATASET = "0f8fad5b-d9cb-469f-a165-70867728950e"


def test_an_etl_message_is_read_and_written_back_key_for_key() -> None:
    payload = make_etl_payload(dataset_id=DATASET)
    message = EtlMessage.parse(json.loads(json.dumps(payload)), departments={"sales"})
    assert message.dataset_id == UUID(DATASET)
    assert message.requested_at == datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
    assert message.as_dict() == payload
    assert tuple(message.as_dict()) == EtlMessage.keys


def test_an_ml_message_is_read_and_written_back_key_for_key() -> None:
    payload = make_ml_payload(dataset_id=DATASET)
    message = MlMessage.parse(payload)
    assert message.as_dict() == payload
    assert tuple(message.as_dict()) == MlMessage.keys


@pytest.mark.parametrize("filename", ["a.csv", "Größe_März (2).csv", "..csv", "no extension"])
def test_any_printable_file_name_may_be_in_the_key(filename: str) -> None:
    key = f"raw/sales/{DATASET}/{filename}"
    assert EtlMessage.parse(make_etl_payload(dataset_id=DATASET, s3_key=key)).s3_key == key


@pytest.mark.parametrize("payload", [None, [], "etl", 7, {}, {"job_type": "ml"}, {"job_type": ["etl"]}])
def test_what_is_not_an_etl_message_is_refused(payload: object) -> None:
    with pytest.raises(InvalidMessage):
        EtlMessage.parse(payload)


@pytest.mark.parametrize("key", EtlMessage.keys)
def test_a_missing_key_is_named(key: str) -> None:
    payload = make_etl_payload()
    del payload[key]
    with pytest.raises(InvalidMessage, match=key):
        EtlMessage.parse(payload)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dataset_id", "7"),
        ("dataset_id", DATASET.upper()),
        ("dataset_id", DATASET.replace("-", "")),
        ("dataset_id", 7),
        ("department", "Sales"),
        ("department", "sales/../finance"),
        ("department", ""),
        ("department", None),
        ("s3_bucket", "No Bucket"),
        ("s3_bucket", ""),
        ("requested_by", ""),
        ("requested_by", "  "),
        ("requested_by", "7\n8"),
        ("requested_by", "x" * 256),
        ("requested_by", 7),
        ("requested_at", "2026-03-31"),
        ("requested_at", "2026-03-31T09:30:00"),
        ("requested_at", "yesterday"),
        ("requested_at", 1774949400),
        ("s3_key", f"raw/finance/{DATASET}/a.csv"),
        ("s3_key", "raw/sales/7c9e6679-7425-40de-944b-e07fc1f90ae7/a.csv"),
        ("s3_key", f"raw/sales/{DATASET}/"),
        ("s3_key", f"raw/sales/{DATASET}/.."),
        ("s3_key", f"raw/sales/{DATASET}/../a.csv"),
        ("s3_key", f"raw/sales/{DATASET}/b/a.csv"),
        ("s3_key", f"raw/sales/{DATASET}/b\\a.csv"),
        ("s3_key", f"raw/sales/{DATASET}/a\x00.csv"),
        ("s3_key", f"raw/sales/{DATASET}/a\ud800.csv"),
        ("s3_key", f"raw/sales/{DATASET}/{'ä' * 500}.csv"),
        ("s3_key", f"/raw/sales/{DATASET}/a.csv"),
        ("s3_key", None),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_was_expected(key: str, value: Any) -> None:
    payload = make_etl_payload(dataset_id=DATASET) | {key: value}
    with pytest.raises(InvalidMessage, match=key) as refusal:
        EtlMessage.parse(payload)
    assert len(refusal.value.reason) < 400, "a huge value must not fill the log"


def test_a_key_of_nobody_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="priority"):
        EtlMessage.parse(make_etl_payload() | {"priority": "9"})
    with pytest.raises(InvalidMessage, match="s3_key"):
        MlMessage.parse(make_ml_payload() | {"s3_key": "raw/x"})


def test_an_unknown_department_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidMessage, match="finance, supply_chain"):
        MlMessage.parse(make_ml_payload(), departments={"finance", "supply_chain"})


@pytest.mark.parametrize("written", ["2026-03-31T09:30:00Z", "2026-03-31T11:30:00+02:00"])
def test_a_time_is_the_same_moment_in_any_zone(written: str) -> None:
    moment = MlMessage.parse(make_ml_payload(requested_at=written)).requested_at
    assert moment == datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
