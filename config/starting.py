"""What the roles of the image need before they start: awaited for a bounded time, and said where it is not there."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import structlog
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import Error, connection, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader

from apps.accounts.scope import all_departments
from apps.datasets.storage import STORE_ERRORS, raw_storage
from apps.jobs.sqs import names
from config.doctor import Check, Finding, Standing, found_by
from config.doctor.services import database, mend_storage, migrations, of_a_newer_release, queues

log = structlog.get_logger(__name__)

_AGAIN_AFTER_SECONDS = 1


class CannotStart(Exception):  # noqa: N818  (it is a sentence for whoever starts the container, not a fault)
    """Why a role cannot start, and what to do about it."""


def _release() -> Iterator[Finding]:
    yield from of_a_newer_release(MigrationLoader(connection))


def _storage() -> Iterator[Finding]:
    try:
        yield Finding.ok(raw_storage().ping())
    except STORE_ERRORS as error:
        yield Finding.fault(f"The raw store does not answer, or refuses: {error}", mend_storage())


# In the order in which one would mend.
_TABLES: dict[str, Check] = {"database": database, "release": _release, "migrations": migrations}
# What a role has to do with; all of it for the web server too: a release with a wrong address should stop when it is
# rolled out, not at the first upload.
_NEEDS: dict[str, dict[str, Check]] = {
    "web": {**_TABLES, "storage": _storage, "queues": queues},
    "worker-etl": {**_TABLES, "storage": _storage, "queues": partial(queues, only={names.ETL})},
    "worker-ml": {**_TABLES, "queues": partial(queues, only={names.ML})},
    "relay": {**_TABLES, "queues": queues},
}
# Waiting does not make them better.
_FINAL = frozenset({"release"})


def await_needs(role: str) -> None:
    """Come back when all is there. Raises CannotStart after START_WAIT_SECONDS, or at once where time mends nothing."""
    _until_none(lambda: _first_fault(role))


def migrate(*, provision: bool) -> None:
    """Bring the tables, and if asked the raw store and the queues, to where this release wants them.

    Raises CannotStart. Each migration is one transaction: after a stop in the middle the next run goes on from there.
    """
    _until_none(_owners_fault)
    with all_departments():
        try:
            call_command("migrate", interactive=False, verbosity=1)
        except (CommandError, Error, InconsistentMigrationHistory) as error:
            log.exception("migrate_failed")
            raise CannotStart(
                f"A migration failed: {_line(error).rstrip('.')}. Those before it are applied, of this one nothing is "
                "left. Mend what the error names, then run `migrate` again; other roles wait for it."
            ) from None
        if provision:
            _until_none(_not_provisioned)


def _until_none(look: Callable[[], Finding | None]) -> None:
    until, told = time.monotonic() + settings.START_WAIT_SECONDS, ""
    while fault := look():
        sentence = f"{fault.detail.rstrip('.')}. {fault.fix}".strip()
        if fault.check in _FINAL:
            raise CannotStart(sentence)
        if time.monotonic() > until:
            raise CannotStart(f"{sentence} (Waited for {settings.START_WAIT_SECONDS} s, START_WAIT_SECONDS.)")
        if sentence != told:
            log.warning("start_waits", reason=sentence)
            told = sentence
        time.sleep(_AGAIN_AFTER_SECONDS)


def _first_fault(role: str) -> Finding | None:
    try:
        with all_departments():
            found = (finding for name, check in _NEEDS[role].items() for finding in found_by(name, check))
            return next((finding for finding in found if finding.standing == Standing.FAULT), None)
    finally:
        connections.close_all()


def _owners_fault() -> Finding | None:
    owner = connections["owner"]
    try:
        return next((finding.of("release") for finding in of_a_newer_release(MigrationLoader(owner))), None)
    except Error as error:
        fix = "Check OWNER_DATABASE_URL, that the database runs, and the network to it."
        return Finding.fault(f"The database does not answer: {_line(error)}", fix).of("database")
    finally:
        owner.close()


def _not_provisioned() -> Finding | None:
    try:
        call_command("provision", verbosity=1)
    except CommandError as refusal:
        return Finding.fault(str(refusal), "").of("provision")
    return None


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
