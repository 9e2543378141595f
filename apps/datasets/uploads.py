"""Taking a file in: bounded by size while it arrives, hashed and stored in one pass."""

import errno
import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

from aetherflow.errors import InvalidError, TooLargeError, UnavailableError
from apps.datasets.names import clean_filename, raw_key, refuse_what_runs
from apps.datasets.storage import STORE_ERRORS, is_full, raw_storage

log = structlog.get_logger(__name__)

# Boundaries and form fields around the file itself.
_MULTIPART_OVERHEAD = 64 * 1024


def too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"The file is larger than the limit of {limit / 1024**2:,.0f} MB.",
        code="file-too-large",
        hint="Split the file, or ask the operators to raise MAX_UPLOAD_BYTES.",
        details={"limit_bytes": limit},
    )


def empty_file() -> InvalidError:
    return InvalidError("The file is empty.", code="empty-file", hint="Choose a file that has a header line and rows.")


class SizeLimitUploadHandler(FileUploadHandler):
    """Refuses a file over the limit while it arrives, before it fills the disk."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002, N803
        if content_length > settings.MAX_UPLOAD_BYTES + _MULTIPART_OVERHEAD:
            raise too_large(settings.MAX_UPLOAD_BYTES)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.taken = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:  # noqa: ARG002
        self.taken += len(raw_data)
        if self.taken > settings.MAX_UPLOAD_BYTES:
            raise too_large(settings.MAX_UPLOAD_BYTES)
        return raw_data

    def file_complete(self, file_size: int) -> None:  # noqa: ARG002
        return None


class SpoolUploadHandler(TemporaryFileUploadHandler):
    """Django's, but for a full disk: what was written goes at once, not when memory is tidied up next."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with self._gone_on_failure():
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        with self._gone_on_failure():
            return super().file_complete(file_size)

    @contextmanager
    def _gone_on_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            with suppress(OSError):  # closing writes what is still buffered, and then removes the file
                self.file.close()
            raise


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    dataset_id: uuid.UUID
    filename: str
    key: str
    size_bytes: int
    sha256: str
    # Nobody but its uploader has seen all of the bytes yet.
    sha256_claimed: bool = False


def digest(file: File) -> str:
    """SHA-256 of the file's bytes; the file is left at its start."""
    sha256 = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks(1024 * 1024):
        sha256.update(chunk)
    file.seek(0)
    return sha256.hexdigest()


def keep(file: File, *, department: str, sha256: str) -> StoredFile:
    """Store the bytes under their contract key. UnavailableError when the store is away: nothing was taken.

    InvalidError for an empty file, for the name of a program or a web page, and for one longer than the store can hold.
    """
    if not file.size:
        raise empty_file()
    filename = clean_filename(file.name or "")
    refuse_what_runs(filename)
    dataset_id = uuid.uuid4()
    key = raw_key(department=department, dataset_id=dataset_id, filename=filename)
    try:
        raw_storage().save(key, file)
    except STORE_ERRORS as error:
        # Trying again would not help here: some file systems hold less than `clean_filename` leaves.
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            raise InvalidError(
                f"The file's name is too long for the store ({len(filename.encode())} bytes).",
                code="name-too-long",
                hint="Give the file a shorter name and upload it again.",
            ) from error
        log.warning("raw_file_not_stored", key=key, error=str(error)[:300])
        if is_full(error):
            raise UnavailableError(
                "The store has no room for the file; nothing was recorded.",
                code="storage-full",
                hint="Tell the operators, and upload the file again once they have made room.",
            ) from error
        raise UnavailableError(
            "The file could not be stored; nothing was recorded.",
            code="storage-unavailable",
            hint="Try again in a minute. If it stays, tell the operators.",
        ) from error
    return StoredFile(dataset_id=dataset_id, filename=filename, key=key, size_bytes=file.size, sha256=sha256)
