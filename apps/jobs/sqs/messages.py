"""The two messages of the queue contract: a task's only argument, exactly these keys and no others."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

_SLUG = re.compile(r"[a-z][a-z0-9_]{0,62}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MAX_KEY_BYTES = 1024  # S3's own bound on an object key
_MAX_TEXT = 255


class InvalidMessage(ValueError):  # noqa: N818 - the contract's name for it
    """A message that is not of the contract; `reason` says in plain words which part of it is not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class EtlMessage:
    """Work the raw file at `s3_bucket`/`s3_key` into clean rows."""

    job_type: ClassVar[str] = "etl"
    keys: ClassVar[tuple[str, ...]] = (
        "job_type",
        "dataset_id",
        "department",
        "s3_bucket",
        "s3_key",
        "requested_by",
        "requested_at",
    )

    dataset_id: UUID
    department: str
    s3_bucket: str
    s3_key: str
    requested_by: str
    requested_at: datetime

    @classmethod
    def parse(cls, payload: object, *, departments: Collection[str] | None = None) -> Self:
        """The message in `payload`; with `departments`, the department must be one of them.

        Raises InvalidMessage.
        """
        fields = _fields(payload, job_type=cls.job_type, keys=cls.keys)
        dataset_id = _uuid(fields)
        department = _department(fields, known=departments)
        return cls(
            dataset_id=dataset_id,
            department=department,
            s3_bucket=_bucket(fields),
            s3_key=_raw_key(fields, department=department, dataset_id=dataset_id),
            requested_by=_text(fields, "requested_by"),
            requested_at=_time(fields),
        )

    def as_dict(self) -> dict[str, str]:
        return {
            "job_type": self.job_type,
            "dataset_id": str(self.dataset_id),
            "department": self.department,
            "s3_bucket": self.s3_bucket,
            "s3_key": self.s3_key,
            "requested_by": self.requested_by,
            "requested_at": self.requested_at.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class MlMessage:
    """Compute the department's insights over its clean rows."""

    job_type: ClassVar[str] = "ml"
    keys: ClassVar[tuple[str, ...]] = ("job_type", "dataset_id", "department", "requested_by", "requested_at")

    dataset_id: UUID
    department: str
    requested_by: str
    requested_at: datetime

    @classmethod
    def parse(cls, payload: object, *, departments: Collection[str] | None = None) -> Self:
        """The message in `payload`; with `departments`, the department must be one of them.

        Raises InvalidMessage.
        """
        fields = _fields(payload, job_type=cls.job_type, keys=cls.keys)
        return cls(
            dataset_id=_uuid(fields),
            department=_department(fields, known=departments),
            requested_by=_text(fields, "requested_by"),
            requested_at=_time(fields),
        )

    def as_dict(self) -> dict[str, str]:
        return {
            "job_type": self.job_type,
            "dataset_id": str(self.dataset_id),
            "department": self.department,
            "requested_by": self.requested_by,
            "requested_at": self.requested_at.isoformat(),
        }


Message = EtlMessage | MlMessage
MESSAGE_OF_JOB_TYPE: dict[str, type[EtlMessage] | type[MlMessage]] = {
    message.job_type: message for message in (EtlMessage, MlMessage)
}


def _fields(payload: object, *, job_type: str, keys: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(payload, dict):
        raise InvalidMessage(f"the message is a JSON {type(payload).__name__}, not an object")
    if payload.get("job_type") != job_type:
        raise InvalidMessage(f"job_type is {payload.get('job_type')!r:.80}, expected {job_type!r}")
    missing = [key for key in keys if key not in payload]
    if missing:
        raise InvalidMessage(f"keys are missing: {', '.join(missing)}")
    unknown = sorted(str(key) for key in payload if key not in keys)
    if unknown:
        raise InvalidMessage(f"keys are not known: {', '.join(unknown):.200}")
    return payload


def _text(fields: Mapping[str, object], key: str) -> str:
    value = fields[key]
    # isprintable also keeps out NUL, line breaks and lone surrogates, which no log, row or S3 key can hold.
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _MAX_TEXT:
        raise InvalidMessage(f"{key} is {value!r:.80}, expected 1 to {_MAX_TEXT} printable characters")
    return value


def _uuid(fields: Mapping[str, object]) -> UUID:
    value = fields["dataset_id"]
    try:
        parsed = UUID(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    # UUID() also reads braces and missing dashes; the id stands in the S3 key, so one spelling only.
    if parsed is None or str(parsed) != value:
        raise InvalidMessage(f"dataset_id is {value!r:.80}, expected a UUID in lower case with dashes")
    return parsed


def _department(fields: Mapping[str, object], *, known: Collection[str] | None) -> str:
    value = fields["department"]
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise InvalidMessage(f"department is {value!r:.80}, expected a department's key, e.g. 'supply_chain'")
    if known is not None and value not in known:
        raise InvalidMessage(f"department {value!r} is not known; the departments are {', '.join(sorted(known))}")
    return value


def _bucket(fields: Mapping[str, object]) -> str:
    value = fields["s3_bucket"]
    if not isinstance(value, str) or not _BUCKET.fullmatch(value):
        raise InvalidMessage(f"s3_bucket is {value!r:.80}, expected the name of an S3 bucket")
    return value


def _raw_key(fields: Mapping[str, object], *, department: str, dataset_id: UUID) -> str:
    """The key, only where it lies in the message's own department and dataset: else one department's worker
    could be sent to read the file of another."""
    value = fields["s3_key"]
    folder = f"raw/{department}/{dataset_id}/"
    if not isinstance(value, str) or not value.startswith(folder):
        raise InvalidMessage(f"s3_key is {value!r:.120}, expected it below {folder!r}")
    filename = value.removeprefix(folder)
    if filename in {"", ".", ".."} or "/" in filename or "\\" in filename or not filename.isprintable():
        raise InvalidMessage(f"s3_key ends in {filename!r:.80}, expected one file name")
    if len(value.encode()) > _MAX_KEY_BYTES:
        raise InvalidMessage(f"s3_key is longer than {_MAX_KEY_BYTES} bytes")
    return value


def _time(fields: Mapping[str, object]) -> datetime:
    value = fields["requested_at"]
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None or parsed.utcoffset() is None:
        raise InvalidMessage(
            f"requested_at is {value!r:.80}, expected an ISO 8601 time with its zone, e.g. '2026-03-31T09:30:00+00:00'"
        )
    return parsed
