"""A direct upload that has come: the store is asked whether it is what was announced, and then it is a dataset."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from aetherflow.errors import ConflictError, InvalidError
from aetherflow.etl import FileRefused, ReadOptions
from aetherflow.etl.formats.kinds import HEAD, refuse_unread
from apps.accounts.models import User
from apps.datasets.direct import abort, close, ended, multipart_of, require_open, throw_away
from apps.datasets.models import DirectUpload, UploadState
from apps.datasets.multipart import Multipart, Part, composite
from apps.datasets.uploads import StoredFile
from apps.jobs.models import Job
from apps.jobs.services.submission import Submission, record_upload

_MOST_NAMED = 20


def complete(
    upload: DirectUpload, *, sha256: str, parts: Mapping[int, str], by: User, at: datetime, request_id: str
) -> Submission:
    """Join the parts, given as number → SHA-256, and queue the dataset's first stage. Once, however often it is asked.

    What can be mended (parts that are missing, or others than meant) leaves the upload open. InvalidError for an object
    that is not what was announced: it goes, and so does the upload. The SHA-256 of the whole file is the uploader's
    word until the worker reads the file: nobody else sees all of its bytes.
    """
    if upload.state == UploadState.COMPLETED:
        return _replayed(upload)
    require_open(upload, at=at)
    if upload.sha256 and upload.sha256 != sha256:
        raise InvalidError(
            "The upload was begun for a file with another SHA-256.",
            code="hash-mismatch",
            hint="Choose the very same file again, or begin a new upload.",
        )
    _require_all(parts, upload=upload)
    multipart = multipart_of(upload)
    try:
        _join(multipart, upload=upload, parts=parts)
    except _NotAsAnnounced:
        abort(upload, at=at)
        raise
    stored = StoredFile(
        dataset_id=upload.dataset_id,
        filename=upload.filename,
        key=upload.key,
        size_bytes=upload.size_bytes,
        sha256=sha256,
        sha256_claimed=True,
    )
    with transaction.atomic():
        # Of two that complete it the second waits here, and finds it done.
        if close(upload, UploadState.COMPLETED, at=at):
            return Submission(job=_record(upload, stored=stored, by=by, at=at, request_id=request_id))
    upload.refresh_from_db()
    if upload.state == UploadState.COMPLETED:
        return _replayed(upload)
    throw_away(upload)  # given up meanwhile, and the object made after its parts were thrown away
    raise ended(upload)


class _NotAsAnnounced(InvalidError):  # noqa: N818  (named for what happened)
    """What came of the parts, and cannot be mended."""


def _require_all(parts: Mapping[int, str], *, upload: DirectUpload) -> None:
    missing = [number for number in range(1, upload.part_count + 1) if number not in parts]
    if missing or len(parts) != upload.part_count:
        raise InvalidError(
            f"The upload has the parts 1 to {upload.part_count}, and these were not named all, or others too.",
            code="parts-missing",
            hint="Name every part once, with its SHA-256.",
            details={"parts": missing[:_MOST_NAMED]},
        )


def _join(multipart: Multipart, *, upload: DirectUpload, parts: Mapping[int, str]) -> None:
    """Raises _NotAsAnnounced."""
    # None: joined before, by somebody whose answer was lost or who died then.
    arrived = multipart.arrived()
    if arrived is not None:
        _require_arrived(arrived, upload=upload, parts=parts)
        multipart.join(arrived)
    whole = multipart.whole()
    if whole is None:
        raise _NotAsAnnounced("The store has thrown the parts away.", code="parts-gone", hint="Begin the upload again.")
    if whole.size_bytes != upload.size_bytes:
        raise _NotAsAnnounced(
            f"The file in the store has {whole.size_bytes:,} bytes, {upload.size_bytes:,} were announced.",
            code="size-mismatch",
            hint="Begin the upload again.",
        )
    if whole.composite != composite(parts):
        raise _NotAsAnnounced(
            "The file in the store is not the one whose parts were named.",
            code="hash-mismatch",
            hint="Begin the upload again.",
        )
    try:
        refuse_unread(multipart.beginning(HEAD), filename=upload.filename)
    except FileRefused as error:
        raise _NotAsAnnounced(error.message, code=error.code, hint=error.hint) from None


def _require_arrived(arrived: Sequence[Part], *, upload: DirectUpload, parts: Mapping[int, str]) -> None:
    there = {each.number: each for each in arrived}
    if missing := [number for number in parts if number not in there]:
        raise ConflictError(
            f"{len(missing):,} of {upload.part_count:,} parts have not arrived.",
            code="parts-missing",
            hint="Send them and complete the upload again.",
            details={"parts": sorted(missing)[:_MOST_NAMED]},
        )
    others = [
        number
        for number, each in there.items()
        if each.size_bytes != upload.size_of_part(number) or each.sha256 not in {"", parts[number]}
    ]
    if others:
        raise ConflictError(
            f"{len(others):,} of {upload.part_count:,} parts in the store are others than were named.",
            code="parts-mismatch",
            hint="Send them again and complete the upload again.",
            details={"parts": others[:_MOST_NAMED]},
        )


def _record(upload: DirectUpload, *, stored: StoredFile, by: User, at: datetime, request_id: str) -> Job:
    return record_upload(
        stored=stored,
        department=upload.department,
        name=upload.name,
        description=upload.description,
        on_error=upload.on_error,
        max_reject_share=upload.max_reject_share,
        options=ReadOptions(**upload.read_options),
        corrects=upload.corrects,
        by=by,
        at=at,
        request_id=request_id,
    )


def _replayed(upload: DirectUpload) -> Submission:
    """The job that was recorded with the dataset; of later ones nobody has asked."""
    return Submission(job=Job.objects.filter(dataset_id=upload.dataset_id).earliest("created_at"), replayed=True)
