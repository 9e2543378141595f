"""Files made to do harm, ten minutes of them, each read in time and memory, no row lost: `python -m bench.fuzz`."""

import argparse
import json
import secrets
import subprocess
import sys
import time
from pathlib import Path

from bench.platform import scratch
from bench.table import show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000_000), help="as a run before has told it"
    )
    parser.add_argument("--keep", type=Path, help="a folder for the file that something is wrong with")
    options = parser.parse_args()
    with scratch() as folder:
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
        measure(options.keep or folder, minutes=options.minutes, seed=options.seed)


def measure(folder: Path, *, minutes: float, seed: int) -> None:
    """Ends with exit code 1 where a file ended the reader, hung it or lost a row."""
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.aetherflow.etl.fuzz", "--seconds", str(60 * minutes), "--seed", str(seed)]
    done = subprocess.run([*command, "--folder", str(folder)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        at, name = (folder / "seed").read_text(), (folder / "current.name").read_text()
        kept = f"; it is {folder / 'current'}" if folder.exists() else ""
        raise SystemExit(f"{name} ended it with {done.returncode}{kept}. Again: --seed {at}, --keep DIR for the file.")
    found = json.loads(done.stdout)
    became = sorted(found["became"].items(), key=lambda each: -each[1])
    read = sum(count for what, count in became if what.startswith("read "))
    show(
        f"{found['files']:,} files in {(time.monotonic() - started) / 60:.1f} min, seeds {found['seeds']}",
        [
            ("ended, hung or lost a row", "0", "target 0"),
            ("read", f"{read:,}", ", ".join(f"{what[5:]} {count}" for what, count in became if what[:4] == "read")),
            *((f"refused: {what}", f"{count:,}", "") for what, count in became if what[:4] != "read"),
        ],
    )


if __name__ == "__main__":
    main()
