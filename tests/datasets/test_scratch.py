"""Folders of work: gone at the end, or when their process was killed; never taken from a living one."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from apps.datasets.scratch import PREFIX, scratch_folder

HOLDER = """
import sys, time
from apps.datasets.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "raw").write_text("rows")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def grow_old(folder: Path) -> None:
    os.utime(folder, (time.time() - 3600,) * 2)


def folders(place: Path) -> list[Path]:
    return sorted(place.glob(f"{PREFIX}*"))


def test_a_folder_is_gone_at_the_end_of_its_work_be_it_good_or_bad(own_place: Path) -> None:
    def work(*, good: bool) -> None:
        with scratch_folder() as folder:
            (folder / "raw").write_text("rows")
            assert folders(own_place) == [folder]
            assert good, "bad"

    work(good=True)
    assert folders(own_place) == []
    with pytest.raises(AssertionError, match="bad"):
        work(good=False)
    assert folders(own_place) == []


def test_the_folder_of_a_killed_process_is_removed_by_the_next_and_a_living_ones_is_not(own_place: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        held = Path(holder.stdout.readline().strip())
        grow_old(held)
        with scratch_folder():
            assert (held / "raw").read_text() == "rows", "its process lives"
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert held.exists(), "nobody has tidied up yet"
    with scratch_folder() as folder:
        assert folders(own_place) == [folder]


def test_a_folder_that_was_made_just_now_may_not_be_locked_yet(own_place: Path) -> None:
    (own_place / f"{PREFIX}new").mkdir()
    with scratch_folder():
        assert (own_place / f"{PREFIX}new").exists()


def test_what_is_not_ours_to_remove_stops_nobody(own_place: Path) -> None:
    stranger = own_place / f"{PREFIX}file"
    stranger.write_text("not a folder")
    grow_old(stranger)
    with scratch_folder() as folder:
        assert folder.is_dir()
    assert stranger.exists()
