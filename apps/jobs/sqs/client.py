"""boto3 clients with bounded waits: botocore's own defaults hold a caller for minutes on a dead network."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def sqs_client(
    *,
    region: str,
    endpoint_url: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    connect_timeout: float = 3,
    read_timeout: float = 10,
    attempts: int = 2,
) -> "SQSClient":
    """An SQS client. Timeouts in seconds; `attempts` counts the first try.

    Without keys the ambient credentials (environment, profile, role) are used; without an endpoint, AWS itself.
    A long poll must wait less than `read_timeout`.
    """
    return boto3.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region).client(
        "sqs",
        endpoint_url=endpoint_url,
        config=Config(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"total_max_attempts": attempts},
        ),
    )
