"""Many files while everything fails that can: what was accepted, what became of it. `python -m bench.soak`.

Ends with exit code 1 where an accepted upload was lost or worked twice in effect.
"""

import argparse
import os
import random
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import requests

from aetherflow.registry import departments
from bench.chaos import Chaos
from bench.platform import scratch
from bench.table import show
from tests.faults import files, injection
from tests.faults.injection import POINTS, Fault
from tests.faults.platform import Platform
from tests.faults.settled import clean_rows
from tests.faults.uploads import Upload
from tests.support.session import DEFAULTS

MAX_RECEIVES = 5
UNFINISHED_AT_MOST = 60
Fate = Literal["finish", "refused", "lost worker", "undo"]
# Of 100 files: most shall finish, of these a third with a fault of their own on top of what fails for all.
FATES: tuple[tuple[Fate, int], ...] = (("finish", 88), ("refused", 5), ("lost worker", 2), ("undo", 5))
CODES = {"refused": "missing-label", "lost worker": "worker-lost"}
# Of a dataset's jobs: an undo elsewhere, say, has another one computed anew, which is in charge then.
NEWEST = "NOT EXISTS (SELECT FROM jobs_job n WHERE n.dataset_id = j.dataset_id AND n.created_at > j.created_at)"
KINDS = ("kill-child", "kill-child", "kill-worker", "raise", "sleep:6")


@dataclass
class Tally:
    sent: int = 0
    finished: int = 0
    failed_as_expected: int = 0
    undone: int = 0
    retried: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sent:
    upload: Upload
    fate: Fate


class Soak:
    """`dice` decides all that is chance, so that a seed names a run (but for the timing of the machine)."""

    def __init__(self, platform: Platform, *, dice: random.Random, rows: int) -> None:
        self.platform = platform
        self.dice = dice
        self.rows = rows
        self.sent: list[Sent] = []
        self.tally = Tally()

    def send(self, count: int, *, until: float) -> None:
        slugs = sorted(departments())
        for number in range(count):
            while self._unfinished() > UNFINISHED_AT_MOST and time.monotonic() < until:
                time.sleep(0.5)
            if time.monotonic() > until:
                return
            (fate,) = self.dice.choices([fate for fate, _ in FATES], [weight for _, weight in FATES])
            self._send_one(slugs[number % len(slugs)], fate=fate)
            if number % 100 == 99:
                print(f"{number + 1} sent, {self._unfinished()} under way", flush=True)

    def _send_one(self, department: str, *, fate: Fate) -> None:
        mark = uuid.uuid4().hex[:12]
        faults = self._faults(fate)
        for fault in faults:
            injection.arm(self.platform.faults, fault, request_id=f"soak-{mark}")
        content = b"date;amount\n1;2\n" if fate == "refused" else files.MAKERS[department](mark, rows=self.rows)
        answer = self._insist(department, content, mark=mark)
        upload = Upload(
            department=department,
            content=content,
            request_id=f"soak-{mark}",
            job_id=answer["job"]["id"],
            dataset_id=answer["dataset"]["id"],
            faults=faults,
        )
        self.sent.append(Sent(upload, fate))
        self.tally.sent += 1
        if fate == "undo":
            time.sleep(self.dice.random())
            self._until_answered(lambda: self.platform.person(department).delete(f"/datasets/{upload.dataset_id}"))

    def _faults(self, fate: Fate) -> tuple[Fault, ...]:
        if fate == "lost worker":
            return (Fault(point="etl.claimed", do="kill-child", times=MAX_RECEIVES),)
        if fate != "refused" and self.dice.random() < 1 / 3:
            point = self.dice.choice(POINTS)
            # In the main process, only its own death is a fault of this world.
            do = "kill-worker" if point.endswith(".acking") else self.dice.choice(KINDS)
            return (Fault(point=point, do=do),)
        return ()

    def _insist(self, department: str, content: bytes, *, mark: str) -> dict[str, Any]:
        """As a careful client does: the same Idempotency-Key until there is an answer."""
        headers = {"X-Request-ID": f"soak-{mark}", "Idempotency-Key": mark}
        response = self._until_answered(
            lambda: self.platform.person(department).post(
                "/datasets/upload", files={"file": (f"{mark}.csv", content)}, headers=headers
            ),
            # Its first try died with the web process, before it was accepted: a new key is a new try.
            again=lambda: headers.update({"Idempotency-Key": uuid.uuid4().hex}),
        )
        assert response.status_code == 202, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def _until_answered(self, ask: Any, *, again: Any = lambda: None) -> requests.Response:
        for _ in range(120):
            try:
                response: requests.Response = ask()
            except requests.RequestException:
                time.sleep(0.5)
                continue
            if response.status_code < 500 and response.status_code not in {409, 429}:
                return response
            if response.status_code == 409:
                again()
            time.sleep(0.5)
        raise AssertionError("no answer in a minute")

    def settle(self, *, until: float) -> None:
        """No more faults. What failed for another reason than its own file is retried, as its owner would."""
        self.platform.await_ready(seconds=120)
        while time.monotonic() < until:
            if not self._unfinished() and not self._retry_failed():
                return
            time.sleep(1)

    def _unfinished(self) -> int:
        waiting = (
            "SELECT count(*) AS n FROM jobs_stagerun r JOIN jobs_job j ON j.id = r.job_id"
            " WHERE r.state IN ('queued', 'processing')"
            f" OR (r.state = 'failed' AND NOT r.dead_lettered AND r.error_code <> 'upload-undone' AND {NEWEST})"
        )
        for _ in range(60):
            try:
                return int(self.platform.query(waiting)[0]["n"])
            except Exception:  # noqa: BLE001  (the database is away just now)
                time.sleep(0.5)
        raise AssertionError("the database did not come back")

    def _retry_failed(self) -> int:
        found = self.platform.query(
            "SELECT j.dataset_id::text AS dataset, j.id::text AS job, r.error_code AS code"
            " FROM jobs_stagerun r JOIN jobs_job j ON j.id = r.job_id"
            f" WHERE r.state = 'failed' AND r.error_code <> 'upload-undone' AND {NEWEST}"
        )
        failed = {row["dataset"]: (row["job"], row["code"]) for row in found}
        retried = 0
        for sent in self.sent:
            job, code = failed.get(sent.upload.dataset_id, (None, ""))
            if job is None or code == CODES.get(sent.fate) or sent.fate == "undo":
                continue
            answer = self.platform.person(sent.upload.department).post(f"/jobs/{job}/retry")
            assert answer.status_code in {202, 409}, answer.text
            self.tally.retried[code] += 1
            retried += 1
        return retried

    def count(self) -> Tally:
        """What became of every accepted upload, by SQL alone."""
        newest = f"SELECT dataset_id::text AS dataset, status FROM jobs_job j WHERE {NEWEST}"
        status = {row["dataset"]: row["status"] for row in self.platform.query(newest)}
        datasets = [row["id"] for row in self.platform.query("SELECT id::text AS id FROM datasets_dataset")]
        accepted = {sent.upload.dataset_id for sent in self.sent}
        self.tally.doubled += [f"dataset {pk} that nobody sent" for pk in datasets if pk not in accepted]
        for sent in self.sent:
            self._count_one(sent, status=status.get(sent.upload.dataset_id, "gone"))
        return self.tally

    def _count_one(self, sent: Sent, *, status: str) -> None:
        upload, tally = sent.upload, self.tally
        # One that loses its worker at every attempt is worked like a redrive where a copy of its message comes later.
        whole = sent.fate == "finish" or (sent.fate == "lost worker" and status == "succeeded")
        expected = upload.rows() if whole else []
        found = clean_rows(self.platform, upload)
        insights = self.platform.query(
            "SELECT kind FROM insights_insight WHERE dataset_id = %s ORDER BY kind", upload.dataset_id
        )
        kinds = sorted(insight.kind for insight in departments()[upload.department].insights) if whole else []
        name = f"{sent.fate} {upload.request_id}: job {status}, {len(found)} of {len(expected)} rows, {insights}"
        if len(found) > len(expected) or len(insights) > len(kinds):
            tally.doubled.append(name)
        elif found != expected or [row["kind"] for row in insights] != kinds:
            tally.lost.append(name)
        elif sent.fate == "undo":
            tally.undone += 1
        elif status == ("succeeded" if whole else "failed"):
            tally.finished += whole
            tally.failed_as_expected += not whole
        else:
            tally.lost.append(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument(
        "--minutes", type=float, default=30, help="the most it may take; what was not sent by then is not"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with scratch() as folder:
        tally, broken = _run(folder, options, until=began + options.minutes * 60)
    show(
        f"{options.files} files of {len(departments())} departments under faults, seed {options.seed}",
        [
            ("sent and accepted", str(tally.sent), f"in {(time.monotonic() - began) / 60:.1f} min"),
            ("finished", str(tally.finished), ""),
            ("failed as expected", str(tally.failed_as_expected), ""),
            ("undone", str(tally.undone), ""),
            (
                "retried by their owner",
                str(tally.retried.total()),
                ", ".join(f"{n} {c}" for c, n in tally.retried.items()),
            ),
            *((what, str(count), "") for what, count in sorted(broken.items())),
            ("lost", str(len(tally.lost)), "target 0"),
            ("doubled", str(len(tally.doubled)), "target 0"),
        ],
    )
    wrong = [*tally.lost, *tally.doubled]
    if tally.sent < options.files:
        wrong.append(f"only {tally.sent} of {options.files} files were sent: it had too little time (--minutes)")
    for what in wrong:
        print(what)
    sys.exit(bool(wrong))


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())


def _run(folder: Path, options: argparse.Namespace, *, until: float) -> tuple[Tally, Counter[str]]:
    # The keys of the tests: none of them can reach a real account.
    os.environ.update(DEFAULTS)
    dice = random.Random(options.seed)
    platform = Platform(folder, settings={"QUEUE_MAX_RECEIVES": str(MAX_RECEIVES), "LOG_LEVEL": "WARNING"})
    try:
        platform.begin()
        soak = Soak(platform, dice=dice, rows=options.rows)
        for slug in departments():
            platform.person(slug)
        with Chaos(platform, dice=random.Random(options.seed + 1)) as chaos:
            soak.send(options.files, until=until - 300)
        soak.settle(until=until)
        broken = chaos.done + Counter({f"restarts of {name}": count for name, count in platform.restarts.items()})
        broken["faults of single files"] = sum(platform.fired(sent.upload) for sent in soak.sent if sent.upload.faults)
        return soak.count(), broken
    finally:
        platform.close()


if __name__ == "__main__":
    main()
