"""One throw-away PostgreSQL per test run, started by the first process and shared by all of its workers."""

import os
import shutil
import tempfile
from pathlib import Path

from config.local.home import Home
from config.local.postgres import Cluster
from config.local.processes import Register, started

PREFIX = "aetherflow-tests-"

# So that the settings load. With these keys nothing can reach a real account.
DEFAULTS = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "of-no-use-outside-of-the-tests-0123456789abcdefghijklmnopqrstuvwxyz",
    "STORAGE": "s3",
    "QUEUE_URL_BASE": "https://sqs.us-east-1.amazonaws.com/123456789012",
    "REGISTRATION_POLICY": "open",
    "LOG_LEVEL": "WARNING",
    "LOG_FORMAT": "console",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}
UNSET = (
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS", "AWS_PROFILE", "DEBUG", "HTTPS", "RAW_ROOT"),
    # Hundreds of processes are started: each would compile the platform anew.
    "PYTHONDONTWRITEBYTECODE",
)


def run_folder() -> Path:
    """The folder of this process for the run; its name says whose it is, so that the next run can sweep."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}{os.getpid()}"


class Session:
    """The run's folder and database. The address is known at once: settings load before the start."""

    def __init__(self) -> None:
        self.home = Home(run_folder())
        self.cluster = Cluster(self.home, throwaway=True)
        self.cluster.port = self.home.port("postgres")

    def start(self) -> None:
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            owner = folder.name.removeprefix(PREFIX)
            if owner.isdecimal() and started(int(owner)) is None and folder.stat().st_uid == os.geteuid():
                clear(folder)
        self.cluster.start()

    def stop(self) -> None:
        self.cluster.stop()
        clear(self.home.path)


def clear(folder: Path) -> None:
    """Remove a run's folder, and first what a killed run has left running in it."""
    for register in folder.rglob("processes.json"):
        Register(register).end_leftovers()
    for data in folder.rglob("postgres/data"):
        Cluster(Home(folder)).stop_survivor(data)
    shutil.rmtree(folder, ignore_errors=True)
