"""What a million rows cost on AWS: prices are inputs, seconds and bytes what `bench.scale` has measured."""

import argparse
from dataclasses import dataclass, fields

from bench.table import show


@dataclass(frozen=True, kw_only=True)
class Prices:
    """US dollars, on demand, us-east-1 as listed in 2025: to be looked up anew before anybody relies on them."""

    fargate_vcpu_hour: float = 0.04048
    fargate_gb_hour: float = 0.004445
    worker_vcpus: float = 2
    worker_gb: float = 4
    # db.m6g.xlarge with 4 vCPUs, in two zones.
    database_hour: float = 0.636
    database_vcpus: float = 4
    database_gb_month: float = 0.23
    s3_gb_month: float = 0.023
    s3_thousand_puts: float = 0.005
    s3_thousand_gets: float = 0.0004
    sqs_million_requests: float = 0.40
    # How much of the time that is paid for is used; the rest waits for files.
    used: float = 0.5
    rows_a_file: float = 100_000

    @classmethod
    def add_to(cls, parser: argparse.ArgumentParser) -> None:
        for each in fields(cls):
            parser.add_argument(f"--{each.name.replace('_', '-')}", type=float, default=each.default)


def prices_from(options: argparse.Namespace) -> Prices:
    return Prices(**{each.name: getattr(options, each.name) for each in fields(Prices)})


# Requests of a file's two stages: send, receive, delete, change of visibility, each twice.
_REQUESTS = 8
_GB = 1e9


def bill(prices: Prices, *, worker_seconds: float, database_seconds: float, stored: tuple[float, float]) -> None:
    """Print the price of the ETL of a million rows, and of keeping them for a month.

    `worker_seconds` of a worker's task, `database_seconds` of one of the database's processors; `stored` are the bytes
    of a row in its raw file and in its table.
    """
    million = 1_000_000
    raw, clean = (each * million / _GB for each in stored)
    files = million / prices.rows_a_file
    task_hour = prices.worker_vcpus * prices.fargate_vcpu_hour + prices.worker_gb * prices.fargate_gb_hour
    rows = {
        "workers": worker_seconds / 3600 * task_hour / prices.used,
        "database's processors": database_seconds / 3600 * prices.database_hour / prices.database_vcpus / prices.used,
        "S3 requests": files * (prices.s3_thousand_puts + prices.s3_thousand_gets) / 1000,
        "SQS requests": files * _REQUESTS * prices.sqs_million_requests / million,
        "a month of the raw files": raw * prices.s3_gb_month,
        "a month of the rows": clean * prices.database_gb_month,
    }
    remark = f"{raw:.3f} GB raw, {clean:.3f} GB in the table"
    show(
        f"US$ a million rows, {prices.used:.0%} of what is paid for being used",
        [
            *((what, f"{price:.5f}", "") for what, price in rows.items()),
            ("together", f"{sum(rows.values()):.5f}", remark),
        ],
    )
