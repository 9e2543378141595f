"""Where raw files live: S3, or a folder under the same keys. Nothing else of the platform knows which.

raw/{department}/{dataset_id}/{original_filename}
"""

import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, cast
from uuid import UUID

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages
from storages.backends.s3 import S3Storage

from aetherflow.errors import NotFoundError, UnavailableError

_UNSAFE = re.compile(r"[^\w.()+ -]", re.UNICODE)
_CHUNK = 1024 * 1024
_MIB = 1024 * 1024


class RawStorage(Protocol):
    def save(self, name: str, content: File) -> str: ...
    def open(self, name: str, mode: str = "rb") -> File: ...
    def exists(self, name: str) -> bool: ...
    def delete(self, name: str) -> None: ...
    def download(self, name: str, target: Path) -> None: ...
    def prepare(self) -> str: ...
    def ping(self) -> str: ...


class S3RawStorage(S3Storage):
    """S3 with bounded memory: 8 MiB parts, two at a time (+100 MB for a file of any size)."""

    def __init__(self, **overrides: Any) -> None:
        super().__init__(
            bucket_name=settings.RAW_BUCKET,
            endpoint_url=settings.AWS_ENDPOINT_URL_S3,
            region_name=settings.AWS_REGION,
            addressing_style="path" if settings.AWS_ENDPOINT_URL_S3 else "auto",
            signature_version="s3v4",
            default_acl=None,
            # The dataset id in the key makes it unique; asking S3 first would be one more call an upload.
            file_overwrite=True,
            querystring_expire=900,
            max_memory_size=8 * _MIB,
            transfer_config=TransferConfig(
                multipart_threshold=8 * _MIB, multipart_chunksize=8 * _MIB, max_concurrency=2
            ),
            **overrides,
        )

    def download(self, name: str, target: Path) -> None:
        body = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=name)["Body"]
        with target.open("wb") as out:
            for chunk in body.iter_chunks(_CHUNK):
                out.write(chunk)

    def prepare(self) -> str:
        """Make the bucket where it is missing; returns what was done."""
        client = self.connection.meta.client
        try:
            client.head_bucket(Bucket=self.bucket_name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
                raise
            region = {} if settings.AWS_REGION == "us-east-1" else {"LocationConstraint": settings.AWS_REGION}
            client.create_bucket(Bucket=self.bucket_name, **({"CreateBucketConfiguration": region} if region else {}))
            return f"created bucket {self.bucket_name}"
        return f"bucket {self.bucket_name} is there"

    def ping(self) -> str:
        self.connection.meta.client.head_bucket(Bucket=self.bucket_name)
        return "the bucket answers"


class DiskRawStorage(FileSystemStorage):
    """A folder for one machine; the files' paths are the S3 keys."""

    def download(self, name: str, target: Path) -> None:
        with self.open(name) as source, target.open("wb") as out:
            for chunk in source.chunks(_CHUNK):
                out.write(chunk)

    def prepare(self) -> str:
        Path(self.location).mkdir(parents=True, exist_ok=True)
        return f"folder {self.location} is there"

    def ping(self) -> str:
        if not os.access(self.location, os.W_OK):
            raise PermissionError(f"{self.location} cannot be written")
        return "the folder can be written"


def raw_storage() -> RawStorage:
    return cast("RawStorage", storages["raw"])


def clean_filename(name: str) -> str:
    """A file name that is safe in a key, a path and a header, and still recognised by the one who chose it.

    Path parts, control characters and text-direction overrides go; at most 150 characters stay.
    """
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(each for each in base if unicodedata.category(each)[0] != "C")
    safe = _UNSAFE.sub("_", visible).strip(" .")
    stem, dot, suffix = safe.rpartition(".")
    if dot and len(suffix) <= 10:
        return f"{stem[: 149 - len(suffix)]}.{suffix}" if stem else f"upload.{suffix}"
    return safe[:150] or "upload"


def raw_key(*, department: str, dataset_id: UUID, filename: str) -> str:
    return f"raw/{department}/{dataset_id}/{filename}"


def open_raw(key: str) -> File:
    """The raw file for reading. NotFoundError where it is no longer kept, UnavailableError where the store is away."""
    try:
        found = raw_storage().open(key) if raw_storage().exists(key) else None
    except (ClientError, BotoCoreError, Boto3Error, OSError) as error:
        raise UnavailableError(
            "The store does not answer.", code="storage-unavailable", hint="Try again in a minute."
        ) from error
    if found is None:
        raise NotFoundError(
            "The raw file is not in the store any more.",
            code="raw-file-missing",
            hint="It may have passed its retention. The clean rows can still be downloaded.",
        )
    return found


@contextmanager
def local_copy(key: str) -> Iterator[Path]:
    """The raw file on this machine's disk while it is read. UnavailableError where the store cannot give it."""
    with TemporaryDirectory(prefix="aetherflow-") as folder:
        path = Path(folder) / "raw"
        try:
            raw_storage().download(key, path)
        except (ClientError, BotoCoreError, Boto3Error, OSError) as error:
            raise UnavailableError(
                "The uploaded file could not be read from the store.",
                code="storage-unavailable",
                hint="The platform tries again by itself. If it stays, tell the operators.",
                details={"key": key, "cause": str(error)[:300]},
            ) from error
        yield path
