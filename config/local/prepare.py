"""What a start does to the database and the queues, in one process: Django takes a second to come up.

Run as `python -m config.local.prepare [--recover]` with the platform's environment.
"""

import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError

from apps.accounts.scope import all_departments


def prepare(*, recover: bool) -> None:
    """Bring tables, static files, bucket and queues to where the code wants them. Safe to repeat."""
    call_command("migrate", interactive=False, verbosity=0)
    # Compressing them, as production does once per image, takes 40 seconds; nobody waits for bytes on one machine.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("provision", verbosity=0)
    if recover:
        # The local queue forgets its messages when it stops; the stages that were under way are sent again.
        call_command("relay", recover=True, verbosity=0)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
        with all_departments():
            prepare(recover="--recover" in sys.argv[1:])
    except (ImproperlyConfigured, CommandError) as refusal:
        sys.exit(str(refusal))  # written for the person who starts the platform: the trace would only hide it
    except OperationalError as failure:
        sys.exit(f"The database of DATABASE_URL does not do: {failure}")
