"""ZIP archives opened so that their list of files, which is read at once, cannot take the memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aetherflow.etl.rejects import FileRefused

# Each file of an archive is an object of Python's and a line in its list: a gigabyte of a list is ten of memory.
MOST_FILES = 10_000
MOST_LISTED = 4 << 20


@contextmanager
def open_zip(path: Path, *, filename: str) -> Iterator[zipfile.ZipFile]:
    """Raises FileRefused too-many-files, and zipfile's errors for what is damaged."""
    with _Bounded(path, filename=filename) as file, zipfile.ZipFile(file) as archive:
        if len(archive.filelist) > MOST_FILES:
            raise _too_many(filename)
        yield archive


class _Bounded(io.FileIO):
    """Gives out only so much at once: zipfile asks for the whole list of an archive as its end says it, for a piece of
    anything else."""

    def __init__(self, path: Path, *, filename: str) -> None:
        super().__init__(path)
        self._filename = filename

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MOST_LISTED:
            raise _too_many(self._filename)
        return super().read(size) or b""


def _too_many(filename: str) -> FileRefused:
    return FileRefused(
        f"{filename} is an archive of more files than are looked at ({MOST_FILES:,}).",
        code="too-many-files",
        hint="One upload is one file: upload the data file by itself, or save the workbook again.",
        details={"most_files": MOST_FILES},
    )
