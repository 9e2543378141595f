"""The console's job list among many jobs, for `bench.console` in a process of its own; the database is DATABASE_URL's.

`python -m bench.consoling JOBS ROUNDS` prints one JSON object: by page its milliseconds, those of its queries and those
of the reference.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection, connections  # noqa: E402  (models need the setup above)
from django.db.backends.utils import CursorWrapper  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.accounts.scope import enter_all_departments  # noqa: E402  (models need the setup above)
from tests.accounts.factories import AdminFactory, UserFactory  # noqa: E402

enter_all_departments("bench")

LIST = "/admin/jobs/job/"
PAGE = 50
UPLOADERS = 200
# Codes and how many of a thousand jobs failed by them: from an everyday one to one seen five times ever.
CODES = {"missing-label": 30, "too-many-rejects": 20, "internal-error": 15, "time-limit": 8, "worker-lost": 2}
RARE = "disk-full"

# What a row of the list shows; the reference reads the same.
_SHOWN = """
    SELECT job.*, dataset.name, uploader.email
    FROM (SELECT job_id FROM reference WHERE asked = %s ORDER BY place LIMIT 50) AS page
    JOIN jobs_job job ON job.id = page.job_id
    JOIN datasets_dataset dataset ON dataset.id = job.dataset_id
    JOIN accounts_user uploader ON uploader.id = dataset.uploaded_by_id
    ORDER BY job.created_at DESC, job.id DESC
"""
_STAGES = """
    SELECT id, job_id, stage, state, attempts, max_attempts, dead_lettered, error_code, rows_rejected
    FROM jobs_stagerun WHERE job_id = ANY(%s) ORDER BY stage
"""


@dataclass(frozen=True)
class Page:
    """What is asked for, by its name in the report, and the same as a condition of plain SQL."""

    name: str
    address: str
    condition: str


def pages(*, jobs: int) -> list[Page]:
    code = "job.id IN (SELECT job_id FROM jobs_stagerun WHERE state = 'failed' AND error_code = '{}')"
    busy, quiet = "uploader1@example.com", f"uploader{UPLOADERS - 1}@example.com"
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT id, dataset_id FROM jobs_job ORDER BY created_at OFFSET %s LIMIT 1", [jobs // 2])
        job_id, dataset_id = cursor.fetchone()
    return [
        Page("the newest", "", "true"),
        Page("page 150 of them", "p=150", "true"),
        Page("failed", "status=failed", "job.status = 'failed'"),
        Page("processing", "status=processing", "job.status = 'processing'"),
        Page("at ETL", "stage=etl", "job.stage = 'etl'"),
        Page("a small department's", "department=finance", "job.department = 'finance'"),
        Page(
            "failed of a department",
            "department=finance&status=failed",
            "job.department = 'finance' AND job.status = 'failed'",
        ),
        Page("a common error", "error=missing-label", code.format("missing-label")),
        Page("a rare error", f"error={RARE}", code.format(RARE)),
        Page(
            "dead letters",
            "tries=none",
            "job.id IN (SELECT job_id FROM jobs_stagerun WHERE state = 'failed' AND dead_lettered)",
        ),
        Page("of a busy uploader", f"uploader={busy}", f"uploader.email = '{busy}'"),
        Page("of a quiet uploader", f"uploader={quiet}", f"uploader.email = '{quiet}'"),
        Page("of nobody", "uploader=nobody@example.com", "false"),
        Page("a dataset", f"dataset={dataset_id}", f"dataset.id = '{dataset_id}'"),
        Page("datasets by a part of their name", "dataset=week+7", "dataset.name ILIKE '%week 7%'"),
        Page("datasets of a name nobody gave", "dataset=xylophone", "false"),
        Page("of a day 100 days ago", "{day}", "job.created_at::date = current_date - 100"),
        Page("ended in the last 24 hours", "ended=24h", "job.finished_at >= now() - interval '1 day'"),
        Page("search: an id", f"q={job_id}", f"job.id = '{job_id}'"),
        Page("search: words", "q=store+week+7", "dataset.name ILIKE '%store%' AND dataset.name ILIKE '%week%'"),
        Page("search: words nobody used", "q=purple+xylophone", "false"),
    ]


def have(*, jobs: int) -> User:
    """Jobs of half a year, four in five of a dataset of its own, as they are after the workers have been at them."""
    people = [UserFactory(email=f"uploader{n}@example.com") for n in range(UPLOADERS)]
    failing = []
    for code, share in CODES.items():
        failing += [code] * share
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE failing (place int PRIMARY KEY, code text)")
        cursor.executemany("INSERT INTO failing VALUES (%s, %s)", list(enumerate(failing)))
        cursor.execute("CREATE TEMP TABLE people (place int PRIMARY KEY, id uuid)")
        cursor.executemany("INSERT INTO people VALUES (%s, %s)", [(n, one.pk) for n, one in enumerate(people)])
        cursor.execute(_DATASETS, {"datasets": jobs * 4 // 5, "uploaders": UPLOADERS})
        cursor.execute(_JOBS, {"jobs": jobs, "datasets": jobs * 4 // 5, "shares": len(failing)})
        cursor.execute(_CODES, {"shares": len(failing), "rare": RARE})
        cursor.execute(_RUNS)
        for table in ("datasets_dataset", "jobs_job", "jobs_stagerun", "accounts_user"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    return AdminFactory()


# As wide as after a load: what is found of a file stands in the row, what its columns hold does not (TOAST).
_DATASETS = """
INSERT INTO datasets_dataset (id, department, name, description, original_filename, bucket, key, size_bytes, sha256,
    on_error, max_reject_share, read_options, uploaded_by_id, uploaded_at, reading, rows_read, rows_loaded,
    rows_rejected, rows_duplicate, rejects_by_code, rejects_by_column, rejected_lines, listed_lines, listed_faults,
    rows_bucket, digest_version, loaded_at)
SELECT id, department, 'Store ' || n %% 97 || ' week ' || n %% 53 || ' of ' || department, '', 'week.csv', 'raw',
    'raw/' || department || '/' || id || '/week.csv', 100000, md5(n::text) || md5(id::text), 'quarantine', 0.2, '{}',
    (SELECT people.id FROM people
     WHERE place = floor(%(uploaders)s * power(n / %(datasets)s.0, 3))::int %% %(uploaders)s),
    now() - interval '180 days' * (1 - n / %(datasets)s.0),
    jsonb_build_object('summary', (SELECT string_agg(md5((n * 50 + k)::text), '') FROM generate_series(1, 36) k)),
    1000, 1000, 0, 0, '{}', '[]', 0, 0, 0, 0, 1, now()
FROM (
    SELECT n, gen_random_uuid() AS id,
        CASE WHEN n %% 10 < 6 THEN 'sales' WHEN n %% 10 < 9 THEN 'supply_chain' ELSE 'finance' END AS department
    FROM generate_series(1, %(datasets)s) n
) AS made
"""
# Those of the last hour are under way, and each newest job of its dataset is the one that may be.
_JOBS = """
INSERT INTO jobs_job (id, dataset_id, department, cause, status, stage, requested_by_id, request_id, created_at,
    finished_at)
SELECT gen_random_uuid(), dataset.id, dataset.department, CASE WHEN again THEN 'reprocess' ELSE 'upload' END, status,
    CASE WHEN status = 'failed' AND n %% 3 > 0 OR status = 'queued' THEN 'etl' ELSE 'ml' END, dataset.uploaded_by_id,
    md5(n::text || 'request'), at, CASE WHEN status IN ('succeeded', 'failed') THEN at + interval '40 seconds' END
FROM (
    SELECT n, n > %(datasets)s AS again,
        CASE WHEN n > %(datasets)s - 20 AND n <= %(datasets)s THEN 'processing'
             WHEN n > %(datasets)s - 300 AND n <= %(datasets)s THEN 'queued'
             WHEN n %% 1000 < %(shares)s THEN 'failed' ELSE 'succeeded' END AS status,
        now() - interval '180 days' * (1 - (n - 1) %% %(datasets)s / %(datasets)s.0)
            + CASE WHEN n > %(datasets)s THEN interval '1 day' ELSE interval '0' END AS at,
        row_number() OVER () AS place
    FROM generate_series(1, %(jobs)s) n
) AS made
JOIN (SELECT id, department, uploaded_by_id, row_number() OVER (ORDER BY number) AS place FROM datasets_dataset) dataset
    ON dataset.place = (n - 1) %% %(datasets)s + 1
"""
_CODES = """
CREATE TEMP TABLE codes AS
SELECT made.id, CASE WHEN made.place <= 5 THEN %(rare)s ELSE failing.code END AS code
FROM (SELECT id, row_number() OVER (ORDER BY created_at) AS place FROM jobs_job WHERE status = 'failed') made
JOIN failing ON failing.place = made.place %% %(shares)s
"""
_RUNS = """
INSERT INTO jobs_stagerun (job_id, department, stage, state, token, attempts, max_attempts, message_id, worker,
    queued_at, send_after, dispatched_at, started_at, finished_at, dead_lettered, progress_done, progress_total,
    progress_unit, rows_read, rows_loaded, rows_rejected, rows_duplicate, error_code, error_message, error_hint,
    error_details, traceback)
SELECT job.id, job.department, part.stage, part.state, 1, CASE WHEN part.state = 'failed' THEN 3 ELSE 1 END, 3,
    gen_random_uuid()::text, 'etl@host-' || extract(second from job.created_at)::int % 8, job.created_at,
    job.created_at, job.created_at, CASE WHEN part.state <> 'queued' THEN job.created_at END,
    CASE WHEN part.state IN ('succeeded', 'failed') THEN coalesce(job.finished_at, job.created_at) END,
    part.state = 'failed' AND random() < 0.8,
    0, 0, '', 1000, 1000, 0, 0, CASE WHEN part.state = 'failed' THEN codes.code ELSE '' END,
    CASE WHEN part.state = 'failed' THEN 'It did not work.' ELSE '' END, '', '{}',
    CASE WHEN part.state = 'failed' THEN repeat(md5(job.id::text), 60) ELSE '' END
FROM jobs_job job LEFT JOIN codes USING (id)
CROSS JOIN LATERAL (VALUES
    ('etl', CASE WHEN job.stage = 'ml' THEN 'succeeded' ELSE job.status END),
    ('ml', CASE WHEN job.stage = 'ml' THEN job.status END)
) AS part (stage, state)
WHERE part.state IS NOT NULL
"""


def measure(*, jobs: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    operator = have(jobs=jobs)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(operator)
    asked = pages(jobs=jobs)
    with connections["owner"].cursor() as cursor:
        cursor.execute('SELECT to_char(current_date - 100, \'"from="YYYY-MM-DD"&until="YYYY-MM-DD\')')
        day = cursor.fetchone()[0]
        _prepare(cursor, asked)
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        client.get(LIST)  # templates are read, connections made
        for _ in range(rounds):
            for page in asked:
                with CaptureQueriesContext(connection) as queries, timed() as took:
                    answer = client.get(f"{LIST}?{page.address.format(day=day)}")
                assert answer.status_code == 200, (page, answer.headers)
                found[page.name]["page"].append(took[0])
                found[page.name]["queries"].append(sum(float(query["time"]) for query in queries) * 1000)
                found[page.name]["reference"].append(_reference(cursor, page))
                found[page.name]["rows"] = [answer.content.count(b'class="data-row')]
    return found


def _prepare(cursor: CursorWrapper, asked: list[Page]) -> None:
    """The perfect index: for each question the first jobs of its answer in order, ready to be read."""
    cursor.execute(
        "CREATE TABLE reference (asked text, place int, job_id uuid, PRIMARY KEY (asked, place) INCLUDE (job_id))"
    )
    for page in asked:
        skipped = (int(page.address.removeprefix("p=")) - 1) * PAGE if page.address.startswith("p=") else 0
        cursor.execute(
            f"""
            INSERT INTO reference
            SELECT %s, row_number() OVER (ORDER BY job.created_at DESC, job.id DESC), job.id
            FROM jobs_job job JOIN datasets_dataset dataset ON dataset.id = job.dataset_id
            JOIN accounts_user uploader ON uploader.id = dataset.uploaded_by_id
            WHERE {page.condition.replace("%", "%%")}
            ORDER BY job.created_at DESC, job.id DESC LIMIT {PAGE} OFFSET {skipped}
            """,
            [page.name],
        )
    cursor.execute("VACUUM ANALYZE reference")


def _reference(cursor: CursorWrapper, page: Page) -> float:
    """The same page by plain SQL, found by its index and by nothing else."""
    with timed() as took:
        cursor.execute(_SHOWN, [page.name])
        rows = cursor.fetchall()
        cursor.execute(_STAGES, [[row[0] for row in rows]])
        cursor.fetchall()
    return took[0]


@contextmanager
def timed() -> Iterator[list[float]]:
    """Milliseconds, in the list when it is left."""
    took: list[float] = []
    began = time.perf_counter()
    yield took
    took.append((time.perf_counter() - began) * 1000)


if __name__ == "__main__":
    count, times = sys.argv[1:]
    print(json.dumps(measure(jobs=int(count), rounds=int(times))))
