"""Folders for files while they are worked.

A process that is killed cannot tidy up: what it leaves would fill the disk, one upload after the other. Each folder is
locked by its process, the lock ends with it, and the next process that needs a folder removes those that nobody holds.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "aetherflow-raw-"
# A folder is there before its lock is.
_UNLOCKED_AT_MOST_SECONDS = 60


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of this process, gone at the end, or after the process' death at the next call on this machine."""
    remove_orphans()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(folder)


def remove_orphans() -> None:
    """Remove the folders that no living process holds; those of other users are left to them."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # gone meanwhile, in use, or not ours to touch
            if time.time() - path.stat().st_mtime > _UNLOCKED_AT_MOST_SECONDS:
                _remove_unless_held(path)


def _remove_unless_held(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path)
    finally:
        os.close(folder)
