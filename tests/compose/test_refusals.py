"""What is wrong stops a container with one sentence that says what to do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from config.role import EX_CONFIG
from tests.compose.platform import Platform

pytestmark = pytest.mark.timeout(600)


def test_a_missing_setting_stops_the_start(platform: Platform) -> None:
    code, told = platform.start_once("web", SECRET_KEY="")
    assert code == EX_CONFIG
    assert told.startswith("web does not start: SECRET_KEY is not set. Set it in the environment")


def test_a_wrong_setting_stops_the_start(platform: Platform) -> None:
    code, told = platform.start_once("worker-etl", QUEUE_MAX_RECEIVES="many")
    assert code == EX_CONFIG
    assert told.startswith("worker-etl does not start: QUEUE_MAX_RECEIVES='many' cannot be read. It is a whole number")


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        (
            "DATABASE_URL",
            "postgres://x:y@nowhere:5432/z",
            "Check DATABASE_URL, that the database runs, and the network",
        ),
        ("AWS_ENDPOINT_URL_S3", "http://nowhere:1", "Check RAW_BUCKET, the endpoint, the credentials"),
        ("AWS_ENDPOINT_URL_SQS", "http://nowhere:1", "Check QUEUE_URL_BASE or AWS_ENDPOINT_URL_SQS"),
        ("RAW_BUCKET", "nobodys-bucket", "`manage.py provision` makes a bucket that is missing."),
        ("QUEUE_PREFIX", "nobodys", "The queue nobodys-etl does not exist. Run `manage.py provision`."),
    ],
)
def test_what_does_not_answer_is_awaited_and_then_named(
    platform: Platform, variable: str, value: str, says: str
) -> None:
    began = time.monotonic()
    code, told = platform.start_once("worker-etl", START_WAIT_SECONDS="4", **{variable: value})
    assert code == EX_CONFIG
    assert says in told
    assert 4 < time.monotonic() - began < 60


@contextmanager
def unrecorded(platform: Platform, *, since: str) -> Iterator[None]:
    """A database that does not know of the jobs' migrations from that one on."""
    those = f"app = 'jobs' AND name >= '{since}'"
    names = platform.sql(f"SELECT string_agg(name, ' ' ORDER BY name) FROM django_migrations WHERE {those}").split()  # noqa: S608
    assert names[0] == since
    forget = f"DELETE FROM django_migrations WHERE {those}"  # noqa: S608  (ours)
    platform.sql(forget)
    try:
        yield
    finally:
        platform.sql(forget)
        for name in names:
            platform.sql(f"INSERT INTO django_migrations (app, name, applied) VALUES ('jobs', '{name}', now())")  # noqa: S608


def test_without_its_migrations_nothing_starts(platform: Platform) -> None:
    newest = platform.sql("SELECT max(name) FROM django_migrations WHERE app = 'jobs'")
    with unrecorded(platform, since=newest):
        code, told = platform.start_once("web", START_WAIT_SECONDS="2")
    assert code == EX_CONFIG
    assert f"Not applied: jobs.{newest}." in told
    assert "then run `manage.py migrate`." in told


@pytest.mark.parametrize("role", ["web", "migrate"])
def test_an_image_older_than_the_database_does_not_start(platform: Platform, role: str) -> None:
    platform.sql("INSERT INTO django_migrations (app, name, applied) VALUES ('jobs', '0999_of_tomorrow', now())")
    try:
        code, told = platform.start_once(role)
    finally:
        platform.sql("DELETE FROM django_migrations WHERE name = '0999_of_tomorrow'")
    assert code == EX_CONFIG
    assert "The database has migrations this release does not: jobs.0999_of_tomorrow. Deploy the newer release." in told


def test_a_migration_that_fails_leaves_nothing_and_can_be_run_again(platform: Platform) -> None:
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    before = platform.sql(tables)
    with unrecorded(platform, since="0011_splits"):
        # Its table is there already.
        code, told = platform.start_once("migrate")
    assert code == EX_CONFIG
    assert told.startswith("migrate does not start: A migration failed: ")
    assert "already exists. Those before it are applied, of this one nothing is left." in told
    assert platform.sql(tables) == before
    code, told = platform.start_once("migrate")
    assert code == 0, told
