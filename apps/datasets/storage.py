"""Where raw files live: S3, or a folder under the same keys. Nothing else of the platform knows which.

raw/{department}/{dataset_id}/{original_filename}
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar, cast

import structlog
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages
from storages.backends.s3 import S3Storage

from aetherflow.errors import NotFoundError, UnavailableError
from aetherflow.etl import Held
from apps.datasets.scratch import scratch_folder

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

# What a store that is away, or refuses, raises.
STORE_ERRORS = (ClientError, BotoCoreError, Boto3Error, OSError)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CHUNK = 1024 * 1024
# On what the platform itself puts into the bucket: the event of it may be there before the dataset is recorded.
OURS = {"taken-in-by": "aetherflow"}
_MIB = 1024 * 1024


class RawStream:
    """A stored file's bytes, a piece of at most 1 MiB at a time; `close` gives the connection or the file back."""

    def __init__(self, body: IO[bytes] | StreamingBody, *, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.body.read(_CHUNK):
            yield piece

    def close(self) -> None:
        self.body.close()


class RawStorage(Protocol):
    def save(self, name: str, content: File) -> str: ...
    def open(self, name: str, mode: str = "rb") -> File: ...
    def exists(self, name: str) -> bool: ...
    def delete(self, name: str) -> None: ...
    def stream(self, name: str) -> RawStream:
        """Opened, so that an error comes here and not after the first byte. FileNotFoundError where it is not kept."""
        ...

    def fetch(self, name: str, to: Path) -> None:
        """Put the file, to be read only, at a path that is not there yet. Raises what `stream` does."""
        ...

    def fetch_range(self, name: str, to: Path, *, start: int, end: int) -> int:
        """Put the bytes from `start` to before `end`, at least, to be read only, at a path that is not there yet; which
        byte of the file comes first there. Raises what `stream` does."""
        ...

    def is_ours(self, name: str) -> bool:
        """Whether the platform has put it there, or has it put there. Raises what `stream` does."""
        ...

    def prepare(self) -> str: ...
    def ping(self) -> str: ...


class S3RawStorage(S3Storage):
    """S3 with bounded memory: 8 MiB parts, two at a time, one more read ahead, for a file of any size."""

    def __init__(self, **overrides: Any) -> None:
        super().__init__(
            bucket_name=settings.RAW_BUCKET,
            endpoint_url=settings.AWS_ENDPOINT_URL_S3,
            region_name=settings.AWS_REGION,
            client_config=Config(
                s3={"addressing_style": "path" if settings.AWS_ENDPOINT_URL_S3 else "auto"},
                signature_version="s3v4",
                # A store that does not answer must not hold every web thread for boto's minutes.
                connect_timeout=3,
                read_timeout=20,
                retries={"total_max_attempts": 2, "mode": "standard"},
            ),
            default_acl=None,
            object_parameters={"Metadata": OURS},
            # The dataset id in the key makes it unique; asking S3 first would be one more call an upload.
            file_overwrite=True,
            querystring_expire=900,
            max_memory_size=8 * _MIB,
            transfer_config=TransferConfig(
                multipart_threshold=8 * _MIB, multipart_chunksize=8 * _MIB, max_concurrency=2
            ),
            **overrides,
        )
        # For a file object boto3 holds up to ten parts in memory, and has no argument for fewer.
        self.transfer_config.max_in_memory_upload_chunks = 1

    def stream(self, name: str) -> RawStream:
        return self._get(name)

    def _get(self, name: str, **options: str) -> RawStream:
        try:
            found = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=name, **options)
        except ClientError as error:
            # A missing bucket is a 404 too, but that is the store's fault and not the file's.
            if error.response["Error"]["Code"] == "NoSuchKey":
                raise FileNotFoundError(name) from error
            raise
        return RawStream(found["Body"], size_bytes=found["ContentLength"])

    def fetch(self, name: str, to: Path) -> None:
        _copy(self.stream(name), to)

    def fetch_range(self, name: str, to: Path, *, start: int, end: int) -> int:
        _copy(self._get(name, Range=f"bytes={start}-{end - 1}"), to)
        return start

    def is_ours(self, name: str) -> bool:
        try:
            found = self.connection.meta.client.head_object(Bucket=self.bucket_name, Key=name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                raise FileNotFoundError(name) from error
            raise
        return OURS.items() <= found["Metadata"].items()

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

    def _save(self, name: str, content: File) -> str:
        try:
            saved: str = super()._save(name, content)  # type: ignore[misc]  # the stubs leave it out
        except OSError:
            # Of a file that did not fit a part was written: nobody knows of it, and it would keep the disk full.
            path = Path(self.path(name))
            path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()
            raise
        return saved

    def delete(self, name: str) -> None:
        super().delete(name)
        # The folder was made for this one file.
        with suppress(OSError):
            Path(self.path(name)).parent.rmdir()

    def stream(self, name: str) -> RawStream:
        body = Path(self.path(name)).open("rb")  # noqa: SIM115  (closed by the stream's reader)
        return RawStream(body, size_bytes=os.fstat(body.fileno()).st_size)

    def fetch(self, name: str, to: Path) -> None:
        if not self._link(name, to):
            _copy(self.stream(name), to)

    def fetch_range(self, name: str, to: Path, *, start: int, end: int) -> int:
        if self._link(name, to):
            return 0
        with Path(self.path(name)).open("rb") as file:
            file.seek(start)
            to.write_bytes(file.read(end - start))
        return start

    def _link(self, name: str, to: Path) -> bool:
        """Give it a second name, which stays when the first is deleted; False where they are on two file systems, and
        where it is not kept."""
        try:
            to.hardlink_to(self.path(name))
        except OSError:
            return False
        return True

    def is_ours(self, name: str) -> bool:  # noqa: ARG002  (nothing else writes there)
        return True

    def prepare(self) -> str:
        Path(self.location).mkdir(parents=True, exist_ok=True)
        return f"folder {self.location} is there"

    def ping(self) -> str:
        if not os.access(self.location, os.W_OK):
            raise PermissionError(f"{self.location} cannot be written")
        return "the folder can be written"


def _copy(stream: RawStream, to: Path) -> None:
    with closing(stream), to.open("wb") as copy:
        copy.writelines(stream)


def raw_storage() -> RawStorage:
    return cast("RawStorage", storages["raw"])


def is_full(error: BaseException) -> bool:
    """Whether a disk had no room left, or its user none of the quota."""
    return isinstance(error, OSError) and error.errno in _FULL


def open_raw(key: str) -> RawStream:
    """The raw file for reading. NotFoundError where it is no longer kept, UnavailableError where the store is away."""
    try:
        return raw_storage().stream(key)
    except FileNotFoundError:
        raise NotFoundError(
            "The raw file is not in the store any more.",
            code="raw-file-missing",
            hint="It may have passed its retention. The clean rows can still be downloaded.",
        ) from None
    except STORE_ERRORS as error:
        log.warning("raw_file_not_opened", key=key, error=str(error)[:300])
        raise UnavailableError(
            "The store does not answer.", code="storage-unavailable", hint="Try again in a minute."
        ) from error


def is_put_by_platform(key: str) -> bool:
    """True for what is gone, too: there is nothing to take in. UnavailableError where the store is away."""
    try:
        return raw_storage().is_ours(key)
    except FileNotFoundError:
        return True
    except STORE_ERRORS as error:
        log.warning("raw_file_not_looked_at", key=key, error=str(error)[:300])
        raise UnavailableError(
            "The store does not answer.", code="storage-unavailable", hint="The platform tries again by itself."
        ) from error


@contextmanager
def local_copy(key: str) -> Iterator[Path]:
    """The raw file on this machine's disk while it is read. UnavailableError where the store cannot give it, OSError
    where the disk is full."""
    with _fetched(key, raw_storage().fetch) as (path, _):
        yield path


@contextmanager
def local_split(key: str, *, start: int, end: int) -> Iterator[Held]:
    """As `local_copy`, of its bytes at least those from `start` to before `end`."""
    with _fetched(key, partial(raw_storage().fetch_range, start=start, end=end)) as (path, begins_at):
        yield Held(path=path, begins_at=begins_at)


@contextmanager
def _fetched(key: str, fetch: Callable[[str, Path], _T]) -> Iterator[tuple[Path, _T]]:
    with scratch_folder() as folder:
        path = folder / "raw"
        try:
            came = fetch(key, path)
        except STORE_ERRORS as error:
            if is_full(error):
                raise
            # The cause names hosts, buckets and folders: it is the operators', the uploader sees the rest.
            log.warning("raw_file_not_read", key=key, error=str(error)[:300])
            raise UnavailableError(
                "The uploaded file could not be read from the store.",
                code="storage-unavailable",
                hint="The platform tries again by itself. If it stays, tell the operators.",
                details={"key": key},
            ) from error
        yield path, came
