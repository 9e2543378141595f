"""The three departments' insights through the API, judged by the scorers on real data: `python -m bench.insights`.

Figures of what was planted, sold or bought later come from the scorers, which compute strong baselines in the same run.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.answers import ANSWERS, insight_of
from bench.bars import BARS, Verdict, strongest_of_all
from bench.client import SELDOM_SECONDS, FailedJob, Sender, stage
from bench.data import WRITERS
from bench.memory import children
from bench.platform import platform, scratch
from bench.processor import KEPT_WORKERS, processor_seconds, spent
from bench.table import show
from config.local import ROOT
from tests.support.stack import Stack

BESIDE = ROOT.parent / "shared"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a department's sets are found: `<prefix>_<name>.csv.gz`, beside it `.<truth>.csv.gz` where it has one."""

    prefix: str
    scorer: str
    truth: str = ""


KINDS = {
    "sales": Kind(prefix="sales", scorer="score_sales.py"),
    "supply_chain": Kind(prefix="inventory", scorer="score_inventory.py", truth="truth"),
    "finance": Kind(prefix="finance", scorer="score_finance.py", truth="labels"),
}


class Missing(Exception):  # noqa: N818  (it ends the bench with this sentence)
    """The data or the scorers are not there."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=BESIDE / "data", help="folder of the sets")
    parser.add_argument("--scorers", type=Path, default=BESIDE / "score", help="folder of the scorers")
    parser.add_argument("--only", choices=sorted(KINDS), help="one department")
    parser.add_argument("--origins", type=int, default=6, help="forecast origins of each sales set")
    parser.add_argument("--keep", type=Path, help="folder in which answers and verdicts are left")
    options = parser.parse_args()
    wanted = [options.only] if options.only else list(KINDS)
    try:
        sets = {slug: sets_of(slug, options) for slug in wanted}
    except Missing as missing:
        print(missing, file=sys.stderr)
        sys.exit(2)
    with scratch() as folder, platform(folder, settings=KEPT_WORKERS) as stack:
        for slug in wanted:
            answers = (options.keep or folder / "answers") / slug
            verdicts = {}
            for path in sets[slug]:
                name = path.name.removesuffix(".csv.gz").partition("_")[2]
                # The scorer reads all that is there: no answer of an earlier run may be left.
                shutil.rmtree(answers / name, ignore_errors=True)
                (answers / name).mkdir(parents=True)
                measured = Measured(stack, slug, folder=folder)
                verdicts[name] = JUDGES[slug](measured, path, answers / name, options)
                (answers / f"{name}.verdict.json").write_text(json.dumps(verdicts[name], indent=1))
            report(slug, verdicts, origins=options.origins)


def sets_of(slug: str, options: argparse.Namespace) -> list[Path]:
    """The department's sets in the data folder. Missing where there are none, or no scorer for them."""
    kind = KINDS[slug]
    scorer = options.scorers / kind.scorer
    if not scorer.is_file():
        raise Missing(f"There is no {scorer}. Name the scorers' folder with --scorers.")
    found = [path for path in sorted(options.data.glob(f"{kind.prefix}_*.csv.gz")) if path.name.count(".") == 2]
    if not found:
        raise Missing(f"There is no {kind.prefix}_*.csv.gz in {options.data}. Name the sets' folder with --data.")
    for path in found:
        if kind.truth and not _truth(path, kind).is_file():
            raise Missing(f"There is no {_truth(path, kind)}, which says what is true of {path.name}.")
    return found


def report(slug: str, verdicts: dict[str, Verdict], *, origins: int) -> None:
    rows = [bar.row(verdicts) for bar in BARS[slug]]
    if slug == "sales":
        rows.insert(0, strongest_of_all(verdicts))
    else:
        rows.append(_beside("ML stage, CPU", verdicts, "cpu", unit="s"))
    rows.append(_beside("ML stage, wall", verdicts, "wall", unit="s"))
    if slug == "finance":
        rows.append(_beside("worth_review, injected share", verdicts, "worth_review_injected", unit=""))
        rows.append(_beside("worth_review, items", verdicts, "worth_review", unit=""))
    show(f"{slug}: {len(verdicts)} sets" + (f" at {origins} origins" if slug == "sales" else ""), rows)


def _beside(what: str, verdicts: dict[str, Verdict], key: str, *, unit: str) -> tuple[str, str, str]:
    return what, "", ", ".join(f"{name} {verdict[key]:.2f} {unit}".rstrip() for name, verdict in verdicts.items())


class Measured:
    """Uploads of one department, each undone before the next; the most CPU and wall seconds an ML stage took."""

    def __init__(self, stack: Stack, slug: str, *, folder: Path) -> None:
        self.slug, self.folder = slug, folder
        self.cpu = self.wall = 0.0
        self._stack = stack
        self._sender = Sender(stack, department=slug)
        # The pool's processes take turns, and import what they need with the first job: two files warm both of them.
        write = WRITERS[slug]
        warm = [self._sender.send(write(folder / f"warm-{at}.csv", rows=2_000, series=at).path) for at in (1, 2)]
        for answer in warm:
            self._sender.until_done(answer)
        for answer in warm:
            self._sender.undo(answer)

    def answer(self, file: Path) -> Any:
        """What the insight says of this upload alone, in the scorers' words."""
        kind, in_their_words = ANSWERS[self.slug]
        pids = children(self._stack.pid("worker-ml"))
        before = processor_seconds(pids)
        sent = self._sender.send(file)
        job = self._sender.until_done(sent, every=SELDOM_SECONDS)
        if job["partial"]:
            raise FailedJob(f"Rows of {file.name} were rejected: {json.dumps(job)}")
        self.cpu = max(self.cpu, spent(before, processor_seconds(pids)))
        self.wall = max(self.wall, stage(job, "ml")["duration_ms"] / 1000)
        insight = insight_of(self._sender.person, kind)
        said = in_their_words(self._sender.person, insight)
        self._sender.undo(sent)
        return said


def judge_sales(measured: Measured, path: Path, answers: Path, options: argparse.Namespace) -> Verdict:
    """Every origin is an upload of its own: what was known at that day and nothing else."""
    script = options.scorers / KINDS["sales"].scorer
    for origin in run(script, "origins", path, options.origins).split():
        upload = measured.folder / f"{origin}.csv"
        run(script, "cut", path, origin, upload)
        (answers / f"{origin}.json").write_text(json.dumps(measured.answer(upload)))
        upload.unlink()
    return {**json.loads(run(script, "score", path, answers)), "cpu": measured.cpu, "wall": measured.wall}


def judge_whole(measured: Measured, path: Path, answers: Path, options: argparse.Namespace) -> Verdict:
    """One upload, and the scorer's verdict on it."""
    kind = KINDS[measured.slug]
    upload = measured.folder / path.name.removesuffix(".gz")
    with gzip.open(path) as packed, upload.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    said = measured.answer(upload)
    upload.unlink()
    answer = answers / "answer.json"
    answer.write_text(json.dumps(said))
    truth = _truth(path, kind)
    verdict = json.loads(run(options.scorers / kind.scorer, path, truth, answer))
    if measured.slug == "finance":
        verdict |= _review(said, truth)
    return {**verdict, "cpu": measured.cpu, "wall": measured.wall}


JUDGES: dict[str, Callable[[Measured, Path, Path, argparse.Namespace], Verdict]] = {
    "sales": judge_sales,
    "supply_chain": judge_whole,
    "finance": judge_whole,
}


def run(script: Path, *arguments: object) -> str:
    """What the scorer prints. FailedJob with its own words where it fails."""
    done = subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FailedJob(f"{script.name} failed: {done.stderr}")
    return done.stdout


def _review(said: list[dict[str, Any]], truth: Path) -> dict[str, float]:
    """How many items are shown as worth a person's time, and which share of them was planted."""
    with gzip.open(truth, "rt") as lines:
        planted = {line.split(",", 1)[0] for line in lines}
    shown = [item["txn_id"] in planted for item in said if item["worth_review"]]
    return {"worth_review": len(shown), "worth_review_injected": sum(shown) / max(len(shown), 1)}


def _truth(path: Path, kind: Kind) -> Path:
    return path.with_name(path.name.replace(".csv.gz", f".{kind.truth}.csv.gz"))


if __name__ == "__main__":
    main()
