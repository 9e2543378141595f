"""A folder for what is unpacked, beside the file it comes from and only while it is read."""

from __future__ import annotations

import tempfile
from pathlib import Path


class Scratch:
    """Made when it is first needed, since most files need none."""

    def __init__(self, beside: Path) -> None:
        self._beside = beside
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def path(self, name: str) -> Path:
        """Where a file of this name may be written."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(dir=self._beside.parent, prefix=".aetherflow-unpacked-")
        return Path(self._folder.name) / name

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
