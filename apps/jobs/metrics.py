"""What Prometheus is told of the platform, read from database, SQS and S3 at every scrape (docs/metrics.md).

The numbers are the platform's, not the process': whichever web process is asked tells the same.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import TypeVar

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from aetherflow.registry import departments
from apps.jobs import clock, probes
from apps.jobs.broker import sqs_settings
from apps.jobs.models import DURATION_BOUNDS, Outcome, Stage, StageTally
from apps.jobs.probes import Probe, answer_of, beating
from apps.jobs.readiness import RELAY
from apps.jobs.selectors import UNFINISHED, Waiting, unfinished_jobs, waiting_stages
from apps.jobs.sqs import names
from apps.jobs.sqs.queues import QueueStats

log = structlog.get_logger(__name__)
Found = TypeVar("Found")

# Half of the platform told in time is worth more than all of it too late: Prometheus drops a late answer whole.
WITHIN_SECONDS = 0.8
# queue → the part of the platform its processes are.
_PART_OF = {names.ETL: "worker-etl", names.ML: "worker-ml", RELAY: "relay"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """What the database knows of the line at one moment."""

    at: datetime
    tallies: list[StageTally]
    unfinished: dict[tuple[str, str], int]
    waiting: dict[str, Waiting]
    processes: Counter[str]

    def seconds_since(self, moments: Iterable[datetime | None]) -> float:
        """The age of the oldest; 0 where there is none."""
        return max(((self.at - moment).total_seconds() for moment in moments if moment), default=0.0)


def line() -> Line:
    """Five queries, however much there is."""
    # The database's clock, by which the times were written that are compared with it.
    at = clock.now()
    return Line(
        at=at,
        tallies=list(StageTally.objects.all()),
        unfinished=unfinished_jobs(),
        waiting=waiting_stages(),
        processes=beating(at),
    )


_database = Probe(line)


class PlatformCollector(Collector):
    """A source that is away, or hangs, leaves its own metrics out and no others."""

    def collect(self) -> Iterator[Metric]:
        until = time.monotonic() + WITHIN_SECONDS
        database, queues, storage = _database.begin(), probes.queues.begin(), probes.storage.begin()
        known = _answer("database", database, until=until)
        counts = _answer("queues", queues, until=until)
        answered = {
            "database": known is not None,
            "queues": counts is not None,
            "storage": _answer("storage", storage, until=until) is not None,
        }
        yield _gauge("scrape_ok", "1: the source has answered this scrape in time.", ["source"], answered.items())
        alive = {part: known.processes[queue] > 0 for queue, part in _PART_OF.items()} if known else {}
        yield _gauge("up", "1: this part of the platform does its work.", ["part"], (answered | alive).items())
        if known:
            yield from _of_line(known)
        if counts is not None:
            yield _messages(counts)


def _answer(source: str, look: Future[Found], *, until: float) -> Found | None:
    try:
        return answer_of(look, until=until)
    except Exception as error:  # noqa: BLE001  (whatever it is, the other sources are still to be told of)
        log.warning("not_scraped", source=source, error=f"{type(error).__name__}: {error}"[:300])
        return None


def _of_line(known: Line) -> Iterator[Metric]:
    # Told as 0 before the first one: Prometheus sees an increase only of what it has seen before.
    slugs = sorted({*departments(), *(tally.department for tally in known.tallies)})
    yield _attempts(known.tallies, slugs)
    yield _durations(known.tallies)
    yield _rows(known.tallies, slugs)
    unfinished = {key: known.unfinished.get(key, 0) for key in product(slugs, UNFINISHED)}
    yield _gauge("jobs", "Jobs that are not finished.", ["department", "status"], unfinished.items())
    yield _gauge(
        "workers",
        "Live worker processes by queue; relay: live relays.",
        ["queue"],
        [(queue, known.processes[queue]) for queue in _PART_OF],
    )
    yield _gauge(
        "outbox_waiting",
        "Queued stages whose message is not sent yet.",
        ["stage"],
        [(stage, known.waiting[stage].count if stage in known.waiting else 0) for stage in Stage.values],
    )
    lag = known.seconds_since(waiting.since for waiting in known.waiting.values())
    yield _gauge("outbox_lag_seconds", "Age of the oldest queued stage whose message is not sent yet.", [], [((), lag)])
    yield _gauge(
        "queue_oldest_seconds",
        "How long ago the oldest message was sent that no worker has begun.",
        ["queue"],
        [
            (queue, known.seconds_since([known.waiting[queue].sent_since] if queue in known.waiting else []))
            for queue in Stage.values  # a queue is called like its stage
        ],
    )


def _attempts(tallies: Iterable[StageTally], slugs: Iterable[str]) -> Metric:
    family = CounterMetricFamily(
        "aetherflow_stage_attempts", "Attempts at a stage that have ended.", labels=["stage", "department", "outcome"]
    )
    counted = {(tally.stage, tally.department, tally.outcome): tally.attempts for tally in tallies}
    for key in product(Stage.values, slugs, Outcome.values):
        family.add_metric(key, counted.get(key, 0))
    return family


def _durations(tallies: Iterable[StageTally]) -> Metric:
    family = HistogramMetricFamily(
        "aetherflow_stage_duration_seconds",
        "How long an attempt at a stage took, from its claim to its end.",
        labels=["stage", "department", "outcome"],
    )
    bounds = [floatToGoString(bound) for bound in DURATION_BOUNDS]
    for tally in tallies:
        family.add_metric(
            [tally.stage, tally.department, tally.outcome],
            buckets=list(zip(bounds, tally.duration_buckets, strict=True)),
            sum_value=tally.seconds_total,
        )
    return family


def _rows(tallies: Iterable[StageTally], slugs: Iterable[str]) -> Metric:
    family = CounterMetricFamily(
        "aetherflow_rows", "Rows of the files that were taken in.", labels=["department", "outcome"]
    )
    counted: defaultdict[tuple[str, str], int] = defaultdict(int)
    for tally in tallies:
        counted[tally.department, "read"] += tally.rows_read
        counted[tally.department, "loaded"] += tally.rows_loaded
        counted[tally.department, "rejected"] += tally.rows_rejected
        counted[tally.department, "duplicate"] += tally.rows_duplicate
    for key in product(slugs, ("read", "loaded", "rejected", "duplicate")):
        family.add_metric(key, counted[key])
    return family


def _messages(counts: Iterable[QueueStats]) -> Metric:
    """The queues by the names workers know them by (etl, etl-dlq …), the same whatever the installation's prefix."""
    keys: dict[str, str] = {}
    for queue in sqs_settings().queues.all:
        keys |= {queue.name: queue.key, queue.dead_letter_name: f"{queue.key}-dlq"}
    values = [
        ((keys[found.name], state), count)
        for found in counts
        for state, count in (("visible", found.visible), ("in_flight", found.in_flight), ("delayed", found.delayed))
    ]
    return _gauge("queue_messages", "Messages in a queue, about, as SQS counts them.", ["queue", "state"], values)


def _gauge(
    name: str, documentation: str, labels: list[str], values: Iterable[tuple[str | tuple[str, ...], float]]
) -> Metric:
    """`values`: (label's value, or one for each label; number)."""
    family = GaugeMetricFamily(f"aetherflow_{name}", documentation, labels=labels)
    for key, value in values:
        family.add_metric([key] if isinstance(key, str) else key, value)
    return family
