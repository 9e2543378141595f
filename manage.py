#!/usr/bin/env python
"""Django's command line; every operator command of the platform is reached through it."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415  (settings must be named first)
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    from apps.accounts.scope import all_departments  # noqa: PLC0415

    try:
        # An operator's, who works across departments.
        with all_departments():
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))  # it says what to set; the trace would only hide it


if __name__ == "__main__":
    main()
