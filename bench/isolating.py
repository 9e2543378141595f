"""The API's lists with row-level security and without, for `bench.isolation` in a process of its own; the database is
DATABASE_URL's. `python -m bench.isolating JOBS ROUNDS` prints one JSON object: by list its milliseconds, `held` and
`free`.

Without: the tables have no policy, and no statement says its scope.
"""

import json
import sys
from collections import defaultdict

import psycopg2.extensions

from bench.consoling import have, timed  # it sets Django up

from django.conf import settings  # isort: skip
from django.db import connection, connections  # isort: skip
from django.test import Client  # isort: skip

from apps.accounts.models import User  # isort: skip
from apps.datasets.models import Dataset  # isort: skip
from config.postgresql.cursor import scoped_cursor  # isort: skip
from config.postgresql.isolation import declared  # isort: skip
from tests.accounts.factories import UserFactory, bearer  # isort: skip

# A list is asked for so often in a turn; the quickest of them counts.
TIMES = 3
ROWS, FAULTS = 50_000, 20_000

_ROWS = """
INSERT INTO clean_sales (bucket, dataset_no, line, transaction_id, date, store_id, region, product_category, sku,
    quantity, unit_price)
SELECT 0, %s, n + 1, 'T-' || n, current_date - n %% 400, 'S-' || n %% 40, 'North', 'Books', 'SKU-' || n %% 900, 1, 2
FROM generate_series(1, %s) n
"""
_REJECTS = """
INSERT INTO datasets_reject (dataset_id, line, "column", value, code, message, hint, cells)
SELECT %s, n + 1, 'quantity', 'x', 'not-a-number', 'It is no number.', '', '{{}}' FROM generate_series(1, %s) n
"""


def addresses(dataset: Dataset) -> dict[str, str]:
    api = "/api/v1"
    return {
        "datasets": f"{api}/datasets",
        "datasets, page 100": f"{api}/datasets?limit=50&offset=5000",
        "datasets by name": f"{api}/datasets?search=week+7",
        "jobs": f"{api}/jobs",
        "jobs that failed": f"{api}/jobs?status=failed",
        "clean rows": f"{api}/datasets/{dataset.pk}/rows?limit=100",
        "rejects": f"{api}/datasets/{dataset.pk}/rejects?limit=100",
        "dashboard": f"{api}/dashboards/sales",
    }


def measure(*, jobs: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    have(jobs=jobs)
    member: User = UserFactory(department="sales")
    dataset = Dataset.objects.filter(department="sales").order_by("-number")[0]
    with connections["owner"].cursor() as cursor:
        cursor.execute(_ROWS, [dataset.number, ROWS])
        cursor.execute(_REJECTS.replace("{{}}", "{}"), [dataset.pk, FAULTS])
        cursor.execute("VACUUM ANALYZE")
    client, header = Client(SERVER_NAME="127.0.0.1"), bearer(member)
    asked = addresses(dataset)
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for turn in range(rounds):
        for name, address in asked.items():
            # Each list at once after the other: what else the machine does meets both.
            for how in ("held", "free") if turn % 2 else ("free", "held"):
                _put(held=how == "held")
                client.get(address, **header)  # the tables were altered: what is known of them is looked up anew
                took = []
                for _ in range(TIMES):
                    with timed() as one:
                        answer = client.get(address, **header)
                    assert answer.status_code == 200, (address, answer.content[:300])
                    took += one
                found[name][how].append(min(took))
    return found


def _put(*, held: bool) -> None:
    connection.ensure_connection()
    connection.connection.cursor_factory = scoped_cursor(settings.WEB_ROLE) if held else psycopg2.extensions.cursor
    verb = "ENABLE" if held else "DISABLE"
    with connections["owner"].cursor() as cursor:
        for model, rows_of in declared().items():
            if rows_of is not None:
                cursor.execute(f'ALTER TABLE "{model._meta.db_table}" {verb} ROW LEVEL SECURITY')


if __name__ == "__main__":
    count, times = sys.argv[1:]
    print(json.dumps(measure(jobs=int(count), rounds=int(times))))
