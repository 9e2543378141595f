"""What S3 says of the bucket on the etl queue, as messages of the contract: a file that came there past the gateway."""

from typing import Any
from urllib.parse import unquote_plus

from apps.jobs.sqs.messages import InvalidMessage

# Who asks, in a message made of an event: nobody who has an account.
LANDED = "s3:ObjectCreated"


def is_event(data: object) -> bool:
    return isinstance(data, dict) and isinstance(data.get("Records"), list) and "job_type" not in data


def is_test(data: object) -> bool:
    """What S3 sends once, to see whether the queue takes it."""
    return isinstance(data, dict) and data.get("Service") == "Amazon S3" and data.get("Event") == "s3:TestEvent"


def etl_payload(data: dict[str, Any]) -> dict[str, object]:
    """The message of the etl shape, as another producer would send it; its parts are not looked at yet.

    InvalidMessage where the event is not one object that was created at raw/{department}/{dataset_id}/{file}.
    """
    match data["Records"]:
        case [
            {
                "eventName": str(name),
                "eventTime": str(time),
                "s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(quoted)}},
            }
        ]:
            pass
        case _:
            raise InvalidMessage("the event is not one record of S3 with a name, a time, a bucket and a key")
    if not name.startswith("ObjectCreated:"):
        raise InvalidMessage(f"the event is {name!r:.80}, only ObjectCreated:* starts anything")
    key = unquote_plus(quoted)
    match key.split("/"):
        case ["raw", department, dataset_id, _]:
            return {
                "job_type": "etl",
                "dataset_id": dataset_id,
                "department": department,
                "s3_bucket": bucket,
                "s3_key": key,
                "requested_by": LANDED,
                "requested_at": time,
            }
    raise InvalidMessage(f"the key is {key!r:.120}, expected raw/{{department}}/{{a new UUID}}/{{file name}}")
