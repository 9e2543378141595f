"""How long one department's single file waits behind another's burst: `python -m bench.fairness`."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.client import seconds_between, stage
from bench.platform import platform, scratch
from bench.table import show
from tests.e2e.people import Person
from tests.faults import files

TARGET = 3
# So many of a department's stages may be in flight that the share never counts: what a plain queue would do.
NO_SHARE = {"DEPARTMENT_IN_FLIGHT": "1000000"}


@dataclass(frozen=True, kw_only=True)
class Waited:
    """Seconds: from 202 to dashboard, of these not in work, and one burst file's own work; files queued before it."""

    total: float
    idle: float
    work: float
    ahead: int

    @property
    def in_files(self) -> float:
        return self.idle / self.work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--burst", type=int, default=200, help="sales files that are queued when the other file comes")
    parser.add_argument("--rows", type=int, default=300)
    options = parser.parse_args()
    with scratch() as folder:
        fair = measure(folder / "fair", options, settings={})
        plain = measure(folder / "plain", options, settings=NO_SHARE)
    show(
        f"one finance file behind {fair.ahead} queued sales files of {options.rows} rows",
        [
            ("one sales file's work (ETL + ML)", f"{fair.work:.2f} s", ""),
            ("finance: 202 to dashboard", f"{fair.total:.2f} s", ""),
            ("finance: waiting, in files' work", f"{fair.in_files:.1f}", f"target <= {TARGET}"),
            ("the same without a share", f"{plain.in_files:.1f}", f"{plain.total:.2f} s behind {plain.ahead} files"),
            ("without / with", f"{plain.total / fair.total:.0f} x", ""),
        ],
    )


def measure(folder: Path, options: argparse.Namespace, *, settings: dict[str, str]) -> Waited:
    with platform(folder, settings=settings) as stack:
        sales, finance = (Person(stack.url, department=slug) for slug in ("sales", "finance"))
        queued = 0
        sent = 0
        # The workers are at work meanwhile: send until enough are waiting.
        while queued < options.burst:
            for _ in range(min(options.burst - queued, 50)):
                sales.upload(files.sales(f"burst-{sent}", rows=options.rows), filename=f"{sent}.csv")
                sent += 1
            queued = sales.get("/jobs?status=queued").json()["count"]
        answer = finance.upload(files.finance("single", rows=options.rows), filename="single.csv")
        job = finance.watch(answer["job"]["id"], seconds=900)
        assert job["status"] == "succeeded", job
        burst = sales.get("/jobs?status=succeeded&ordering=-created_at").json()["results"]
        return Waited(
            total=seconds_between(job["created_at"], job["finished_at"]),
            idle=seconds_between(job["created_at"], job["finished_at"]) - work(job),
            work=median(work(other) for other in burst),
            ahead=queued,
        )


def work(job: dict[str, Any]) -> float:
    return sum(stage(job, name)["duration_ms"] for name in ("etl", "ml")) / 1000


if __name__ == "__main__":
    main()
