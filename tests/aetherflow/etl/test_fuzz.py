"""Half a minute of the fuzz of the reader; `python -m bench.fuzz` takes ten."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECONDS = 30


def test_no_file_ends_the_reader_hangs_it_or_loses_a_row(tmp_path: Path) -> None:
    """Other files each time: what is found has a seed, with which it is found again."""
    at = secrets.randbelow(1_000_000_000)
    fuzz = [sys.executable, "-m", "tests.aetherflow.etl.fuzz", "--seed", str(at), "--folder", str(tmp_path)]
    done = subprocess.run(
        [*fuzz, "--seconds", str(SECONDS)], cwd=ROOT, capture_output=True, text=True, timeout=20 * SECONDS, check=False
    )
    found = f"seed {(tmp_path / 'seed').read_text()}, the file is in {tmp_path}\n{done.stderr[-4_000:]}"
    assert done.returncode == 0, found
    became = json.loads(done.stdout)["became"]
    assert sum(count for what, count in became.items() if what.startswith("read ")) > 0
    assert len(became) > 3, became
