"""What `manage.py doctor` looks at: every setting, every service, this machine; what is wrong, and what to do."""

from collections.abc import Iterable, Iterator

from django.db import Error

from config.doctor.finding import Check, Finding, Standing
from config.doctor.machine import clocks, disk, memory, pages
from config.doctor.services import accounts, database, migrations, queues, roles, storage, workers
from config.doctor.settings import environment, packages, settings_said
from config.doctor.uploads import uploads

__all__ = ["CHECKS", "Check", "Finding", "Standing", "examine", "found_by"]

# In the order in which one would mend: what stands below leans on what stands above.
CHECKS: dict[str, Check] = {
    "settings": settings_said,
    "environment": environment,
    "packages": packages,
    "pages": pages,
    "disk": disk,
    "memory": memory,
    "database": database,
    "migrations": migrations,
    "roles": roles,
    "accounts": accounts,
    "storage": storage,
    "uploads": uploads,
    "queues": queues,
    "clocks": clocks,
    "workers": workers,
}


def examine(*, without: Iterable[str] = ()) -> Iterator[Finding]:
    """A finding after the other, as it is found: whoever waits sees for what."""
    for name, check in CHECKS.items():
        if name not in without:
            yield from found_by(name, check)


def found_by(name: str, check: Check) -> Iterator[Finding]:
    """What one check finds; that it breaks is a finding too."""
    try:
        for finding in check():
            yield finding.of(name)
    except Error as error:
        fix = "See to the database first, then look again."
        if name == "database":
            fix = "Check DATABASE_URL, that the database runs, and the network to it."
        yield Finding.fault(f"The database does not answer: {_first_line(error)}", fix).of(name)
    except Exception as error:  # noqa: BLE001  (whatever it is: the others are still to be looked at)
        told = f"It could not be looked at: {type(error).__name__}: {_first_line(error)}"
        yield Finding.fault(told, "Mend what the error names, then look again.").of(name)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
