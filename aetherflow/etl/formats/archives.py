"""gzip and zip around a file."""

from __future__ import annotations

import gzip
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from aetherflow.etl.formats.damage import OF_AN_ARCHIVE, damage_is
from aetherflow.etl.formats.kinds import ARCHIVES, Kind, kind_of
from aetherflow.etl.formats.limits import Limits
from aetherflow.etl.formats.scratch import Scratch
from aetherflow.etl.formats.zips import open_zip
from aetherflow.etl.rejects import FileRefused

CHUNK = 1 << 20
# Of those told of; in an archive a name may have 64 kB.
_LONGEST_NAME = 200
Compression = Literal["gzip", "zip"]


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """The file inside, or the file itself where nothing was packed."""

    path: Path
    kind: Kind
    compression: Compression | None


def unpack(path: Path, *, filename: str, scratch: Scratch, limits: Limits) -> Unpacked:
    """Raises FileRefused: archive-error, too-large-expanded, too-many-files, and what kind_of does."""
    kind = kind_of(path, filename=filename)
    if kind not in {"gzip", "zip"}:
        return Unpacked(path=path, kind=kind, compression=None)
    inside = scratch.path("unpacked")
    damaged = _refusal(
        f"{filename} cannot be unpacked: the {kind} archive is damaged, incomplete or packed in an unusual way.",
        "Pack the file again, or upload it without packing it.",
    )
    with damage_is(damaged, *OF_AN_ARCHIVE):
        if kind == "gzip":
            name = filename[:-3] if filename.lower().endswith(".gz") else filename
            with gzip.open(path) as packed:
                _copy(packed, inside, limits=limits)
        else:
            with open_zip(path, filename=filename) as archive:
                member = _only_member(archive, filename=filename)
                name = member.filename
                with archive.open(member) as packed:
                    _copy(packed, inside, limits=limits)
    return Unpacked(path=inside, kind=_kind_inside(inside, name=name, filename=filename), compression=kind)


def _only_member(archive: zipfile.ZipFile, *, filename: str) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir() and not _is_hidden(member.filename)]
    if len(members) == 1:
        if members[0].flag_bits & 1:
            raise _refusal(f"{filename} is protected by a password.", "Pack the file again without a password.")
        return members[0]
    if not members:
        raise _refusal(f"{filename} holds no file.", "Pack the data file again, or upload it without packing it.")
    names = [member.filename for member in members]
    shown = ", ".join(name[:_LONGEST_NAME] for name in names[:10]) + (
        f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    )
    raise _refusal(
        f"{filename} holds {len(names):,} files, and one upload is one file: {shown[:500]}.",
        "Upload each of them by itself.",
        files=[name[:_LONGEST_NAME] for name in names[:100]],
    )


def _is_hidden(name: str) -> bool:
    """What macOS and Windows add by themselves."""
    path = PurePosixPath(name.replace("\\", "/"))
    return "__MACOSX" in path.parts or path.name.startswith(".") or path.name.lower() in {"thumbs.db", "desktop.ini"}


def _copy(packed: IO[bytes] | gzip.GzipFile, inside: Path, *, limits: Limits) -> None:
    expanded = 0
    with inside.open("wb") as plain:
        while chunk := packed.read(CHUNK):
            expanded += len(chunk)
            limits.check(expanded)
            plain.write(chunk)


def _kind_inside(inside: Path, *, name: str, filename: str) -> Kind:
    with inside.open("rb") as file:
        head = file.read(512)
    nested = any(head.startswith(signature) for signature, _ in ARCHIVES) or head[257:262] == b"ustar"
    kind = None if nested else kind_of(inside, filename=name)
    if kind is None or kind in {"gzip", "zip"}:
        raise _refusal(
            f"{filename} holds an archive inside the archive.", "Pack the data file once only, or upload it as it is."
        )
    return kind


def _refusal(message: str, hint: str, **details: object) -> FileRefused:
    return FileRefused(message, code="archive-error", hint=hint, details=details)
