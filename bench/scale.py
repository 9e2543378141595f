"""More workers, more files: throughput, where it ends, and what a million rows cost: `python -m bench.scale`.

The ETL of many files by 1, 2 and 4 worker processes (each a Celery worker of its own with one process, as a task on
AWS), with what they and PostgreSQL take of the processors. From that, on paper: the curve where workers and database
have processors of their own, and the price. `--curves FOLDER` draws docs/scaling.md's pictures.
"""

import argparse
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count as count_from
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import psycopg2

from bench.client import seconds_between
from bench.curves import draw
from bench.data import write_sales
from bench.floor import floor
from bench.platform import platform, scratch
from bench.pricing import Prices, bill, prices_from
from bench.table import show, spread
from config.programs import commands
from tests.e2e.people import Person
from tests.jobs.sqs.line import eventually
from tests.support.stack import Stack

# Nobody listens there: what is uploaded stays in the outbox, until the relay sends it.
NOWHERE = "http://127.0.0.1:9"
# Workers tell when they are ready; the relay sends at once what was not sent, and all of it: with no ML worker, what
# comes after the ETL would keep a department's places.
SETTINGS = {"LOG_LEVEL": "INFO", "RELAY_GRACE_SECONDS": "1", "DEPARTMENT_IN_FLIGHT": "10000"}
MILLION = 1_000_000
_SERIES = count_from(1)
AHEAD = (1, 2, 4, 8, 16, 32, 64)


@dataclass(kw_only=True)
class Taken:
    """What a round took: rows a second, and seconds of a processor for a million rows."""

    rows_a_second: list[float] = field(default_factory=list)
    workers: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--rows", type=int, default=100_000, help="of each file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--curves", type=Path, help="a folder for the pictures")
    Prices.add_to(parser)
    options = parser.parse_args()
    with scratch() as folder, platform(folder, workers=False, settings=SETTINGS) as stack:
        found, copied, stored = measure(
            stack, folder, counts=options.workers, files=options.files, rows=options.rows, rounds=options.rounds
        )
    _tell(found, copied, options)
    one = found[min(found)]
    model = Model(alone=MILLION / median(one.rows_a_second), database=median(one.database))
    _tell_ahead(model)
    bill(prices_from(options), worker_seconds=model.alone, database_seconds=model.database, stored=stored)
    if options.curves:
        draw(options.curves, found={count: taken.rows_a_second for count, taken in found.items()}, model=model)


@dataclass(frozen=True, kw_only=True)
class Model:
    """For a million rows: how long one worker alone takes, and seconds of a processor of the database's."""

    alone: float
    database: float

    def rows_a_second(self, workers: int, *, database_cores: int) -> float:
        """Workers add up until the database's processors are taken: each file's COPY is one of them."""
        return MILLION * min(workers / self.alone, database_cores / self.database)


def measure(
    stack: Stack, folder: Path, *, counts: Sequence[int], files: int, rows: int, rounds: int
) -> tuple[dict[int, Taken], list[float], tuple[float, float]]:
    """By number of workers what their rounds took; plain COPY's rows a second; raw and stored bytes of a row."""
    found = {count: Taken() for count in counts}
    copied: list[float] = []
    stored = (0.0, 0.0)
    with (
        stack.another_web(AWS_ENDPOINT_URL_SQS=NOWHERE) as url,
        floor(stack.env["DATABASE_URL"], department="sales", folder=folder) as reference,
        closing(psycopg2.connect(stack.env["DATABASE_URL"], options="-c aetherflow.scope=*")) as own,
    ):
        own.autocommit = True
        person = Person(url, department="sales")
        postmaster = psutil.Process(own.info.backend_pid).parent()
        assert postmaster is not None
        for _ in range(rounds):
            for count in counts:
                names = start(stack, count)
                worked(stack, person, upload(person, folder, files=2 * count, rows=1_000))
                uploads = upload(person, folder, files=files, rows=rows)
                before = {whose: processor_of(whose) for whose in (*_pids(stack, names), postmaster)}
                seconds = worked(stack, person, uploads)
                taken = {whose: processor_of(whose) - spent for whose, spent in before.items()}
                millions = files * rows / MILLION
                found[count].rows_a_second.append(files * rows / seconds)
                found[count].database.append(taken.pop(postmaster) / millions)
                found[count].workers.append(sum(taken.values()) / millions)
                for name in names:
                    stack.end(name)
                reference.take_newest()
                copied.append(reference.rows / reference.plain())
                stored = ((folder / "file.csv").stat().st_size / rows, _stored(own) / reference.rows)
                for each in uploads:
                    assert person.delete(f"/datasets/{each['dataset']['id']}").status_code == 204
    return found, copied, stored


def start(stack: Stack, count: int) -> list[str]:
    program = commands(port=0, etl_concurrency=1)["worker-etl"]
    names = [f"worker-etl-{at}" for at in range(count)]
    for at, name in enumerate(names):
        stack.also(name, [part.replace("etl@%h", f"etl-{at}@%h") for part in program])
        said = len(stack.logs(name))
        stack.start(name)
        eventually(lambda name=name, said=said: " ready." in stack.logs(name)[said:], within=60, what="it is ready")  # type: ignore[misc]
    return names


def upload(person: Person, folder: Path, *, files: int, rows: int) -> list[dict[str, Any]]:
    """Files of which no two are the same; what they are answered."""
    file = folder / "file.csv"
    return [
        person.upload(write_sales(file, rows=rows, series=next(_SERIES)).path, filename=f"file-{at}.csv")
        for at in range(files)
    ]


def worked(stack: Stack, person: Person, uploads: list[dict[str, Any]]) -> float:
    """Send what waits; seconds from the first ETL stage's begin to the last one's end."""
    time.sleep(1.5)  # RELAY_GRACE_SECONDS
    stack.manage("relay")
    deadline = time.monotonic() + 300
    while True:
        stages = [person.get(f"/jobs/{each['job']['id']}").json()["stages"][0] for each in uploads]
        assert not any(stage["status"] == "failed" for stage in stages), stages
        assert time.monotonic() < deadline, stages
        if all(stage["status"] == "succeeded" for stage in stages):
            break
        time.sleep(1)
    return seconds_between(min(stage["started_at"] for stage in stages), max(stage["finished_at"] for stage in stages))


def _pids(stack: Stack, names: list[str]) -> list[psutil.Process]:
    return [psutil.Process(stack.pid(name)) for name in names]


def processor_of(process: psutil.Process) -> float:
    """Seconds of a processor of a process, of those it started, and of those of them that have ended."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        spent = each.cpu_times()
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def _stored(connection: "psycopg2.extensions.connection") -> float:
    """Bytes of the newest partition, with its key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_total_relation_size(inhrelid) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
            "WHERE inhparent = 'clean_sales'::regclass ORDER BY inhrelid DESC LIMIT 1"
        )
        return float((cursor.fetchone() or (0,))[0])


def _tell(found: dict[int, Taken], copied: list[float], options: argparse.Namespace) -> None:
    first = found[min(found)].rows_a_second
    rows = []
    for count, taken in found.items():
        against = [each / one for each, one in zip(taken.rows_a_second, first, strict=True)]
        spent = f"worker {spread(taken.workers, unit='s')}, database {spread(taken.database, unit='s')} a million rows"
        rows.append((f"{count} worker(s), rows/s", spread(taken.rows_a_second, unit="", digits=0), spent))
        if count > 1:
            rows.append(("  / 1 worker", spread(against, unit="x"), ""))
    rows.append(("plain COPY, one connection, rows/s", spread(copied, unit="", digits=0), "key and two indexes"))
    show(f"{options.files} sales files of {options.rows:,} rows, {options.rounds} rounds", rows)


def _tell_ahead(model: Model) -> None:
    rows = []
    for cores in (2, 4, 8, 16):
        curve = [model.rows_a_second(count, database_cores=cores) for count in AHEAD]
        full = cores * model.alone / model.database
        rows.append(
            (f"database with {cores} cores", " ".join(f"{each / 1000:.0f}k" for each in curve), f"full at {full:.0f}")
        )
    show(f"On paper, rows/s with {', '.join(map(str, AHEAD))} workers, each with processors of its own", rows)


if __name__ == "__main__":
    main()
