"""The ground of all tests: the environment, one PostgreSQL; the platform and a browser as fixtures."""

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from playwright.sync_api import Error as BrowserError

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.session import DEFAULTS, UNSET, Session, clear, run_folder

# Whatever the person's own shell is set to: the tests' answers must not depend on it.
os.environ.update(DEFAULTS)
for _name in UNSET:
    os.environ.pop(_name, None)

# With pytest-xdist only the first process has a session; its workers inherit the address.
_session: Session | None = None
if "DATABASE_URL" not in os.environ:
    _session = Session()
    os.environ["DATABASE_URL"] = _session.cluster.url()

if "pytest_django.plugin" in sys.modules:
    import django

    # Here, not in a hook: the conftest files below this one may import models.
    django.setup()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if _session and config.pluginmanager.hasplugin("django") and not config.option.collectonly:
        _session.start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if _session:
        _session.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the running platform share one, those of a module with an SQS endpoint and Celery workers of its own
    share these: a group keeps them on one worker of pytest-xdist."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if "endpoint" in parameters:
            item.add_marker(pytest.mark.xdist_group(f"{item.module.__name__} {parameters['endpoint']}"))
        if "new_line" in fixtures:
            item.add_marker(pytest.mark.stack)
        if "stack" in fixtures:
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.xdist_group("stack"))
        if "page" in fixtures:
            item.add_marker(pytest.mark.e2e)
            # Once more where the browser itself gave up, as it does on a machine that halts for seconds; the summary
            # names the test. An expectation that did not hold is not asked again.
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=[BrowserError]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test of the running platform shows what its processes said."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack:
        report.sections.append(("the platform's processes", stack.tails()))
    return report


@pytest.fixture(autouse=True)
def tests_scope() -> Iterator[None]:
    """A test makes and looks at rows of all departments, as an operator would. What it asks the platform for, by a
    request or a task, is in that one's own scope."""
    from apps.accounts.scope import all_departments

    with all_departments():
        yield


@pytest.fixture
def as_loader(db: None) -> Iterator[None]:
    """What the test writes into partitions is its own transaction's, so the loader's role comes to it."""
    from tests.support.roles import as_the_loader

    with as_the_loader():
        yield


@pytest.fixture
def plain_static_files(settings: Any) -> None:
    """The pages name their style sheets by a manifest that only `collectstatic` writes."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


# What `migrate` writes and nothing else: to empty these after a test would have all of it written again.
FROM_MIGRATE = frozenset({"auth_permission", "django_content_type"})


def keeping(tables: frozenset[str], sql_flush: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """Django's own, for the other tables."""

    def sql(style: Any, connection: Any, **options: Any) -> list[str]:
        there = connection.introspection.django_table_names
        with patch.object(connection.introspection, "django_table_names", lambda **o: {*there(**o)} - tables):
            return sql_flush(style, connection, **options)

    return sql


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: Any,
) -> Iterator[None]:
    """The database is made by its owner, and then used in the two roles that web and workers have.

    A test that commits is followed by a TRUNCATE of all tables: nobody else's right, and refused by the audit.
    """
    from django.conf import settings
    from django.core.management.commands import flush
    from django.db import connections
    from django.test.utils import setup_databases, teardown_databases

    from apps.accounts.roles import give_permissions

    verbosity = request.config.option.verbose
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=verbosity, interactive=False, aliases=set(connections))
        with connections["owner"].cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER auditentry_no_truncate")
            cursor.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {settings.WEB_ROLE}")
    # Django empties no mirrors after a test that commits: this one stands for the database from here on.
    connections["default"].settings_dict["TEST"]["MIRROR"] = None
    with (
        patch.object(flush, "sql_flush", keeping(FROM_MIGRATE, flush.sql_flush)),
        patch.object(
            flush, "emit_post_migrate_signal", lambda _verbosity, _interactive, db: give_permissions(using=db)
        ),
    ):
        yield
    with django_db_blocker.unblock():
        # Those of threads that outlive their test, such as a probe's, would keep the database from being dropped.
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        connections.close_all()
        teardown_databases(made, verbosity=verbosity)


@pytest.fixture(scope="session")
def stack(worker_id: str) -> Iterator[object]:
    """The whole platform as real processes, once per run; see `tests.support.stack.Stack`."""
    from config.local.home import Home
    from tests.support.stack import Stack, database

    home = Home(run_folder() / "stack")
    with database(os.environ["DATABASE_URL"], f"stack_{worker_id}_{os.getpid()}") as url:
        running = Stack(home, database_url=url)
        try:
            running.begin()
            yield running
        finally:
            running.close()
            clear(home.path)
            with contextlib.suppress(OSError):  # the first process keeps its PostgreSQL there
                home.path.parent.rmdir()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A page of the machine's Chromium (a Playwright `Page`)."""
    from tests.support.browser import open_page

    # Playwright keeps an event loop in this thread; Django would refuse its ORM to the test.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with open_page() as opened:
        yield opened
