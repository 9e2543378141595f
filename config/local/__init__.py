"""The whole platform on one bare machine: embedded PostgreSQL, local SQS and S3 endpoints, and the processes.

`python -m config.local up` is what `make up` runs. The tests start the same parts one by one. Nothing in here
knows Django: it starts programs, gives them their environment, and stops them in the right order.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class CannotStart(Exception):  # noqa: N818  (it is a sentence for the person at the terminal, not a fault)
    """Why the platform cannot start here, and what to do about it, in one or two plain sentences."""
