"""What one installation says about its queues, in one value that producers, workers and commands share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from apps.jobs.sqs import names
from apps.jobs.sqs.client import sqs_client
from apps.jobs.sqs.queues import Queue, QueueNames

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# The account local endpoints use in their queue URLs.
LOCAL_ACCOUNT = "123456789012"
# SQS hides a message for 12 hours at most, counted from its receive; a longer task cannot be kept from running twice.
MAX_TIME_LIMIT_SECONDS = 11 * 3600
# The last failed receive only waits for SQS to move the message to the DLQ.
LAST_BACKOFF_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class TimeLimits:
    """How long a task may run: after `soft` seconds it is asked to stop, after `hard` its process is killed."""

    soft: int
    hard: int

    def __post_init__(self) -> None:
        if not 0 < self.soft < self.hard <= MAX_TIME_LIMIT_SECONDS:
            raise ValueError(
                f"the time limits {self.soft} and {self.hard} must be soft < hard <= {MAX_TIME_LIMIT_SECONDS} seconds"
            )


@dataclass(frozen=True, kw_only=True)
class SqsSettings:
    """All durations are whole seconds.

    `queue_url_base` is a queue's URL without its name; it may be left out for a local endpoint only.
    Without keys the ambient credentials are used. `backoff_seconds` are the waits after the first, second, …
    failure; the last one repeats. `stop_seconds` is what running tasks get when their worker is told to stop.
    `departments`, where given, are the only ones a message may name.
    """

    region: str
    endpoint_url: str | None = None
    queue_url_base: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    queue_prefix: str = "aetherflow"
    visibility_seconds: int = 90
    max_receives: int = 3
    backoff_seconds: tuple[int, ...] = (30, 120)
    wait_seconds: int = 2
    etl_time_limits: TimeLimits = TimeLimits(soft=3_000, hard=3_300)
    ml_time_limits: TimeLimits = TimeLimits(soft=1_500, hard=1_800)
    stop_seconds: int = 60
    departments: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.endpoint_url is None and self.queue_url_base is None:
            raise ValueError(
                "queue_url_base is not set. On AWS it is the queues' URL without their name, "
                "e.g. https://sqs.eu-central-1.amazonaws.com/123456789012"
            )
        if self.endpoint_url is not None and urlsplit(self.endpoint_url).path not in {"", "/"}:
            raise ValueError(f"endpoint_url={self.endpoint_url!r} has a path; it is scheme, host and port only")
        if not 0 <= self.wait_seconds <= 20:
            raise ValueError(f"wait_seconds={self.wait_seconds} must be 0 to 20, the SQS bounds of a long poll")
        if not self.visibility_seconds > self.wait_seconds:
            raise ValueError(f"visibility_seconds={self.visibility_seconds} must be longer than wait_seconds")
        for key in names.TASK_OF_QUEUE:
            if self.extension_cap(key) > MAX_TIME_LIMIT_SECONDS:
                raise ValueError(
                    f"the {key} time limit {self.time_limits(key).hard} and two visibility timeouts of "
                    f"{self.visibility_seconds} must come to {MAX_TIME_LIMIT_SECONDS} seconds at most"
                )
        if self.stop_seconds < 1:
            raise ValueError(f"stop_seconds={self.stop_seconds} must be at least 1")
        if self.max_receives < 1:
            raise ValueError(f"max_receives={self.max_receives} must be at least 1")
        if not self.backoff_seconds or min(self.backoff_seconds) < 0:
            raise ValueError(f"backoff_seconds={self.backoff_seconds} must be at least one wait, none below 0")

    @property
    def queues(self) -> QueueNames:
        return QueueNames(self.queue_prefix)

    @property
    def backoff_policy(self) -> dict[int, int]:
        """Receive count → seconds until the failed message is delivered again."""
        waits = {
            count: self.backoff_seconds[min(count, len(self.backoff_seconds)) - 1]
            for count in range(1, self.max_receives)
        }
        return waits | {self.max_receives: LAST_BACKOFF_SECONDS}

    def time_limits(self, queue_key: str) -> TimeLimits:
        return {names.ETL: self.etl_time_limits, names.ML: self.ml_time_limits}[queue_key]

    def extension_cap(self, queue_key: str) -> int:
        """How long the heartbeat keeps one message hidden: past the hard limit, so that the kill and its back-off
        come first, but not for ever where a worker lost track of a task."""
        return self.time_limits(queue_key).hard + 2 * self.visibility_seconds

    def queue_url(self, queue: Queue) -> str:
        base = self.queue_url_base or f"{(self.endpoint_url or '').rstrip('/')}/{LOCAL_ACCOUNT}"
        return f"{base.rstrip('/')}/{queue.name}"

    def client(self, *, connect_timeout: float = 3, read_timeout: float = 10, attempts: int = 2) -> "SQSClient":
        return sqs_client(
            region=self.region,
            endpoint_url=self.endpoint_url,
            access_key=self.access_key,
            secret_key=self.secret_key,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            attempts=attempts,
        )
