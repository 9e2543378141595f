"""`python -m config.role web|worker-etl|worker-ml|relay|migrate`: what a container of the image does.

It waits a bounded time for what the role needs, and becomes the role's program; or stops, with one sentence that says
what to do.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.programs import commands

# sysexits.h, as of a worker that refuses its queue: to be started again mends nothing.
EX_CONFIG = 78
MIGRATE = "migrate"
PROVISION = "--provision"


def main(arguments: Sequence[str]) -> None:
    programs = commands(host=os.environ.get("BIND", "127.0.0.1"), port=_port())
    role, options = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if role not in {*programs, MIGRATE} or (options and (role, options) != (MIGRATE, [PROVISION])):
        _stop(f"usage: {'|'.join(programs)}, or {MIGRATE} [{PROVISION}]", code=os.EX_USAGE)
    if role != MIGRATE:
        # What runs from here on owns no table.
        os.environ.pop("OWNER_DATABASE_URL", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
    except ImproperlyConfigured as refusal:
        _stop(f"{role} does not start: {refusal}")
    from config import starting  # noqa: PLC0415  (models are there only now)

    try:
        if role == MIGRATE:
            starting.migrate(provision=PROVISION in options)
            return
        starting.await_needs(role)
    except starting.CannotStart as refusal:
        _stop(f"{role} does not start: {refusal}")
    _mark(role)
    os.chdir(settings.BASE_DIR)
    sys.stdout.flush()
    os.execv(programs[role][0], programs[role])  # noqa: S606  (our own program, without a shell)


def _port() -> int:
    text = os.environ.get("PORT", "") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        _stop(f"PORT={text!r} is no port number. Use one between 1 and 65535, e.g. PORT=8000")
    return int(text)


def _mark(role: str) -> None:
    """By the file the health check knows whose it is; one may be left of the container's last run."""
    if not settings.ALIVE_FILE:
        return
    file = Path(settings.ALIVE_FILE)
    file.unlink(missing_ok=True)
    if role != "web":
        file.touch()


def _stop(sentence: str, *, code: int = EX_CONFIG) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
