"""Files that come into the bucket in parts, past the gateway: what the store is asked, and nothing of what it means."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings

from aetherflow.errors import ConflictError, UnavailableError
from apps.datasets.storage import OURS, STORE_ERRORS, S3RawStorage, raw_storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

log = structlog.get_logger(__name__)

# How long a signed address is good for: a part on a slow line, and little more for whoever finds it in a log.
ADDRESS_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class Part:
    """One that has arrived. `sha256` in hexadecimal; empty where the store keeps none (those of the tests)."""

    number: int
    size_bytes: int
    sha256: str
    etag: str


@dataclass(frozen=True, kw_only=True)
class Whole:
    """The object that the parts became. `composite`: the SHA-256 of the parts' SHA-256."""

    size_bytes: int
    composite: str


def composite(parts: Mapping[int, str]) -> str:
    """What S3 calls the checksum of an object in parts, from the parts' own in hexadecimal."""
    return _base64(hashlib.sha256(b"".join(bytes.fromhex(parts[number]) for number in sorted(parts))).hexdigest())


class Multipart:
    """The parts of one key. UnavailableError where the store does not answer."""

    def __init__(self, key: str, *, store_id: str = "") -> None:
        self.key = key
        self.store_id = store_id
        storage = raw_storage()
        if not (settings.DIRECT_UPLOAD and isinstance(storage, S3RawStorage)):
            raise ConflictError(
                "Files cannot be sent straight to the store here.",
                code="direct-upload-not-offered",
                hint="Upload the file by POST /datasets/upload.",
            )
        self._storage = storage

    def begin(self) -> str:
        """The store's id of the upload."""
        with self._asking():
            return self._client.create_multipart_upload(**self._named, ChecksumAlgorithm="SHA256", Metadata=OURS)[
                "UploadId"
            ]

    def address(self, number: int, *, size_bytes: int, sha256: str) -> str:
        """Good for this part alone, of this length and with these bytes: all three are signed."""
        asked = self._of_upload | {
            "PartNumber": number,
            "ContentLength": size_bytes,
            "ChecksumSHA256": _base64(sha256),
        }
        return self._outside.generate_presigned_url("upload_part", Params=asked, ExpiresIn=ADDRESS_SECONDS)

    def headers(self, sha256: str) -> dict[str, str]:
        """What has to be sent along with such a part."""
        return {"x-amz-checksum-sha256": _base64(sha256)}

    def put(self, number: int, content: bytes, *, sha256: str) -> None:
        """Send a part from here."""
        with self._asking():
            self._client.upload_part(**self._of_upload, PartNumber=number, Body=content, ChecksumSHA256=_base64(sha256))

    def arrived(self) -> list[Part] | None:
        """By number; None where the store knows the upload no more, as its parts became an object or were thrown away.

        One call, and one page of it: an upload has no more parts than that.
        """
        with self._asking():
            try:
                found = self._client.list_parts(**self._of_upload).get("Parts", [])
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchUpload":
                    return None
                raise
        return [
            Part(
                number=each["PartNumber"],
                size_bytes=each["Size"],
                sha256=base64.b64decode(each.get("ChecksumSHA256", "")).hex(),
                etag=each["ETag"],
            )
            for each in found
        ]

    def join(self, parts: Sequence[Part]) -> None:
        """Make the object of them. Done already: nothing."""
        listed: list[CompletedPartTypeDef] = []
        for each in parts:
            listed.append({"PartNumber": each.number, "ETag": each.etag})
            if each.sha256:
                listed[-1]["ChecksumSHA256"] = _base64(each.sha256)
        with self._asking():
            try:
                self._client.complete_multipart_upload(**self._of_upload, MultipartUpload={"Parts": listed})
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchUpload":
                    raise

    def whole(self) -> Whole | None:
        with self._asking():
            try:
                found = self._client.head_object(**self._named, ChecksumMode="ENABLED")
            except ClientError as error:
                if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                    return None
                raise
        # With the number of parts behind a hyphen.
        checksum = found.get("ChecksumSHA256", "").partition("-")[0]
        return Whole(size_bytes=found["ContentLength"], composite=checksum)

    def beginning(self, size_bytes: int) -> bytes:
        with self._asking():
            found = self._client.get_object(**self._named, Range=f"bytes=0-{size_bytes - 1}")
            return found["Body"].read()

    def discard(self) -> None:
        """Parts and object, where they are. UnavailableError: some may be left, which the bucket's own rule takes."""
        with self._asking():
            with suppress(self._client.exceptions.NoSuchUpload):
                self._client.abort_multipart_upload(**self._of_upload)
            # Of one that was never joined there is none, and the gateway may have no right to delete.
            if self.whole() is not None:
                self._client.delete_object(**self._named)

    @property
    def _client(self) -> "S3Client":
        return self._storage.connection.meta.client

    @property
    def _outside(self) -> "S3Client":
        """The store under the address that clients reach it by, for signing alone: nothing is asked of it."""
        endpoint = settings.DIRECT_UPLOAD_ENDPOINT
        if endpoint and endpoint == settings.AWS_ENDPOINT_URL_S3:
            return self._client
        in_path = endpoint or "." in self._storage.bucket_name
        return _signer(endpoint, settings.AWS_REGION, "path" if in_path else "virtual")

    @property
    def _named(self) -> dict[str, Any]:
        return {"Bucket": self._storage.bucket_name, "Key": self.key}

    @property
    def _of_upload(self) -> dict[str, Any]:
        return self._named | {"UploadId": self.store_id}

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except STORE_ERRORS as error:
            log.warning("multipart_not_answered", key=self.key, error=str(error)[:300])
            raise UnavailableError(
                "The store does not answer.", code="storage-unavailable", hint="Try again in a minute."
            ) from error


@cache
def _signer(endpoint: str | None, region: str, style: Literal["path", "virtual"]) -> "S3Client":
    """Of the region's own address, which the page is told of: left to itself boto signs for the one of all regions.

    To make a client takes longer than all else that is done to sign.
    """
    config = Config(s3={"addressing_style": style, "us_east_1_regional_endpoint": "regional"}, signature_version="s3v4")
    return boto3.client("s3", endpoint_url=endpoint, region_name=region, config=config)


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()
