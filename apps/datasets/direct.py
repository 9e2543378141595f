"""Direct uploads: begun here, sent to the store by whoever has the file, and here given up where it does not come.

What becomes of one that has come is the pipeline's business (`apps.jobs.services.direct`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction

from aetherflow.errors import AnticipatedError, ConflictError, InvalidError, NotFoundError
from aetherflow.etl import ReadOptions
from apps.accounts.models import User
from apps.accounts.selectors import departments_of
from apps.datasets.models import Dataset, DirectUpload, UploadState
from apps.datasets.multipart import Multipart, Part
from apps.datasets.names import clean_filename, raw_key, refuse_what_runs
from apps.datasets.quotas import give_back
from apps.datasets.uploads import empty_file, too_large

log = structlog.get_logger(__name__)

_MIB = 1024 * 1024
# S3 takes none below 5 MiB but the last, and lists a thousand at a time: one page tells of all that have arrived.
_SMALLEST_PART = 8 * _MIB
MOST_PARTS = 1_000


@dataclass(frozen=True, kw_only=True)
class SignedPart:
    number: int
    size_bytes: int
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Begun:
    upload: DirectUpload
    replayed: bool = False


def upload_for(user: User, upload_id: UUID) -> DirectUpload:
    """One's own. NotFoundError for another's, a colleague's too, just as for one that never was."""
    mine = DirectUpload.objects.filter(user=user, department__in=departments_of(user))
    found = mine.select_related("corrects").filter(pk=upload_id).first()
    if found is None:
        raise NotFoundError("There is no such upload.", hint="Begin it again, or upload the file in one piece.")
    return found


def begin(
    *,
    filename: str,
    size_bytes: int,
    sha256: str,
    department: str,
    name: str,
    description: str,
    on_error: str,
    max_reject_share: float | None,
    options: ReadOptions,
    corrects: Dataset | None,
    by: User,
    at: datetime,
    idempotency_key: str = "",
    set_aside: Sequence[str] = (),
) -> Begun:
    """Reserve the place of a file that is to come. With an idempotency key the same request is answered by the same
    upload; InvalidError where the key comes with another.

    Raises what an ordinary upload does for an empty file, one too large, and the name of a program or a web page.
    """
    if not size_bytes:
        raise empty_file()
    if size_bytes > settings.MAX_UPLOAD_BYTES:
        raise too_large(settings.MAX_UPLOAD_BYTES)
    filename = clean_filename(filename)
    refuse_what_runs(filename)
    dataset_id = uuid4()
    key = raw_key(department=department, dataset_id=dataset_id, filename=filename)
    upload = DirectUpload(
        department=department,
        user=by,
        dataset_id=dataset_id,
        filename=filename,
        key=key,
        size_bytes=size_bytes,
        part_size=part_size(size_bytes),
        sha256=sha256,
        name=name,
        description=description,
        on_error=on_error,
        max_reject_share=max_reject_share,
        read_options=options.said(),
        corrects=corrects,
        idempotency_key=idempotency_key,
        set_aside=list(set_aside),
        created_at=at,
        expires_at=at + settings.DIRECT_UPLOAD_LIFETIME,
    )
    if idempotency_key and (earlier := _earlier(upload)):
        return Begun(upload=earlier, replayed=True)
    # An upload at the store that nobody knows of costs less than a row of one that is not there.
    parts = Multipart(key)
    parts.store_id = upload.store_id = parts.begin()
    try:
        with transaction.atomic():
            upload.save(force_insert=True)
    except IntegrityError:
        parts.discard()
        if idempotency_key and (earlier := _earlier(upload)):  # of the same moment
            return Begun(upload=earlier, replayed=True)
        raise
    return Begun(upload=upload)


def part_size(size_bytes: int) -> int:
    """Whole MiB, so many that the parts are not too many."""
    return max(_SMALLEST_PART, -(-size_bytes // (MOST_PARTS * _MIB)) * _MIB)


def sign(upload: DirectUpload, *, parts: Mapping[int, str], at: datetime) -> list[SignedPart]:
    """Addresses to send these parts to, by number with their SHA-256. ConflictError where the upload has ended."""
    require_open(upload, at=at)
    if wrong := [number for number in parts if not 1 <= number <= upload.part_count]:
        raise InvalidError(
            f"The upload has the parts 1 to {upload.part_count}; there is no part {wrong[0]}.",
            code="no-such-part",
            hint=f"Cut the file into parts of {upload.part_size} bytes; the last one is the rest.",
        )
    multipart = multipart_of(upload)
    return [
        SignedPart(
            number=number,
            size_bytes=upload.size_of_part(number),
            url=multipart.address(number, size_bytes=upload.size_of_part(number), sha256=sha256),
            headers=multipart.headers(sha256),
        )
        for number, sha256 in sorted(parts.items())
    ]


def arrived(upload: DirectUpload) -> list[Part]:
    """What the store has of it; nothing of one that has ended."""
    if upload.state != UploadState.OPEN:
        return []
    return multipart_of(upload).arrived() or []


def unfinished(
    *,
    sha256: str,
    filename: str,
    department: str,
    on_error: str,
    options: ReadOptions,
    corrects: Dataset | None,
    by: User,
    at: datetime,
) -> DirectUpload | None:
    """One's own upload of this very file, said the same of, that can go on; the newest."""
    same = DirectUpload.objects.filter(
        user=by,
        department=department,
        state=UploadState.OPEN,
        expires_at__gt=at,
        sha256=sha256,
        filename=clean_filename(filename),
        on_error=on_error,
        read_options=options.said(),
        corrects=corrects,
    )
    return same.order_by("-created_at").first()


def send(upload: DirectUpload, file: File) -> dict[int, str]:
    """From this machine those parts of the file that have not arrived; of all of them number → SHA-256."""
    multipart = multipart_of(upload)
    there = {each.number: (each.size_bytes, each.sha256) for each in multipart.arrived() or []}
    parts = {}
    file.seek(0)
    for number in range(1, upload.part_count + 1):
        content = file.read(upload.part_size)
        parts[number] = hashlib.sha256(content).hexdigest()
        # A store that keeps no sums is compared with when all is joined.
        if there.get(number) not in {(len(content), parts[number]), (len(content), "")}:
            multipart.put(number, content, sha256=parts[number])
    return parts


def multipart_of(upload: DirectUpload) -> Multipart:
    return Multipart(upload.key, store_id=upload.store_id)


def require_open(upload: DirectUpload, *, at: datetime) -> None:
    """ConflictError `upload-ended`."""
    if upload.state != UploadState.OPEN or upload.expires_at <= at:
        raise ended(upload)


def ended(upload: DirectUpload) -> ConflictError:
    over = "has run out" if upload.state in {UploadState.OPEN, UploadState.EXPIRED} else f"was {upload.state}"
    return ConflictError(f"The upload {over}.", code="upload-ended", hint="Begin it again.")


def close(upload: DirectUpload, state: UploadState, *, at: datetime) -> bool:
    """False where it has ended already: of all who would end it, one does."""
    ours = DirectUpload.objects.filter(pk=upload.pk, state=UploadState.OPEN)
    return bool(ours.update(state=state, finished_at=at))


def abort(upload: DirectUpload, *, at: datetime, state: UploadState = UploadState.ABORTED) -> bool:
    """Give it up: its parts go, and what it was counted for is given back. False where it has ended already."""
    with transaction.atomic():
        if not close(upload, state, at=at):
            return False
        give_back(whose=upload.set_aside, size_bytes=upload.size_bytes, at=upload.created_at)
        transaction.on_commit(lambda: throw_away(upload))
    return True


def throw_away(upload: DirectUpload) -> None:
    """What the store has of one that has ended; a store that refuses, or is away, keeps nobody waiting."""
    try:
        multipart_of(upload).discard()
    except AnticipatedError as error:
        # Nobody's row leads there any more: the bucket's own rule for parts that nobody joins takes them.
        log.warning("direct_upload_not_discarded", upload_id=str(upload.pk), error=error.message)


def _earlier(upload: DirectUpload) -> DirectUpload | None:
    """What the key stands for already. InvalidError where that is another file, or the same one said otherwise."""
    earlier = DirectUpload.objects.filter(user=upload.user, idempotency_key=upload.idempotency_key).first()
    if earlier and _said_of(earlier) != _said_of(upload):
        raise InvalidError(
            "This Idempotency-Key was used for another upload.",
            code="idempotency-key-reused",
            hint="Use a new key for a new upload.",
        )
    return earlier


def _said_of(upload: DirectUpload) -> tuple[object, ...]:
    return (
        upload.filename,
        upload.size_bytes,
        upload.sha256,
        upload.department,
        upload.name,
        upload.description,
        upload.on_error,
        upload.max_reject_share,
        upload.read_options,
        upload.corrects_id,
    )
