"""A department's insights computed once from the platform's own database, part by part: timed for
`bench.insights_speed` in a process of its own.

`python -m bench.insights_parts DEPARTMENT [--profile]` prints JSON; the database is DATABASE_URL's.
"""

import argparse
import cProfile
import json
import os
import pstats
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402  (models need the setup above)

from aetherflow.registry import department as find_department  # noqa: E402
from apps.accounts.scope import enter_all_departments  # noqa: E402  (models need the setup above)
from apps.jobs.services.ml import rows_for  # noqa: E402

enter_all_departments("bench")

SHOWN = 30


def measure(slug: str, *, profile: bool) -> dict[str, float]:
    """Seconds of the parts, and of `COPY (SELECT ...) TO` of the same cells, which is the least a read takes."""
    department = find_department(slug)
    columns = tuple(dict.fromkeys(column for insight in department.insights for column in insight.columns))
    seconds: dict[str, float] = {}
    with transaction.atomic():
        with timed(seconds, "copy"), connection.cursor() as cursor, open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            cells = ", ".join(f'"{name}"' for name in columns)
            cursor.copy_expert(f"COPY (SELECT {cells} FROM clean_{slug}) TO STDOUT (FORMAT csv)", nowhere)
        with timed(seconds, "read"):
            frames, count = rows_for(department)
    profiler = cProfile.Profile()
    for insight in department.insights:
        with timed(seconds, "compute"):
            rows = frames[insight.kind]
            result = (
                profiler.runcall(insight.compute, rows, insight.given())
                if profile
                else insight.compute(rows, insight.given())
            )
        with timed(seconds, "encode"):
            encoded = json.dumps([result.data, list(result.items or ())])
        seconds["megabytes"] = seconds.get("megabytes", 0.0) + len(encoded) / 1e6
    if profile:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("cumulative").print_stats(SHOWN)
    return {**seconds, "rows": count}


@contextmanager
def timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    began = time.perf_counter()
    computed = time.process_time()
    yield
    seconds[what] = seconds.get(what, 0.0) + time.perf_counter() - began
    seconds[f"{what} CPU"] = seconds.get(f"{what} CPU", 0.0) + time.process_time() - computed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("department")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    print(json.dumps(measure(options.department, profile=options.profile)))
