"""The second layer, asked without the first: PostgreSQL shows a statement the rows of its scope, of no scope none."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction

from apps.accounts import rows
from apps.accounts.models import User
from apps.accounts.scope import all_departments, carried, department_scope, enter_department, gate, no_scope
from apps.datasets.clean import clean_table
from apps.datasets.models import Dataset, HeaderMapping
from apps.datasets.partitions import partition_name
from apps.jobs.models import Job
from config.postgresql.cursor import ScopedCursor, role_of_all
from config.postgresql.isolation import SHARED, declared
from tests.isolation.actors import Who
from tests.isolation.conftest import Town
from tests.isolation.matrix import wrong_with
from tests.isolation.routes import routes

pytestmark = pytest.mark.xdist_group("isolation")

HELD = {model._meta.db_table: said for model, said in declared().items() if said is not None}
# Nothing in the two departments' lives has left rows in these.
EMPTY = {
    "accounts_invitation",
    "accounts_recoverycode",
    "axes_accessattempt",
    "axes_accessattemptexpiration",
    "axes_accessfailurelog",
    "axes_accesslog",
    "clean_sales",
    "datasets_overlap",
    "datasets_retiredpartition",
    "django_admin_log",
    "django_session",
    "jobs_operation",
    "jobs_operationitem",
    "jobs_savedview",
    "jobs_stagelog",
    "jobs_stagesplit",
    "otp_totp_totpdevice",
}


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608  (our own)
        return int(cursor.fetchone()[0])


@contextmanager
def refused(words: str = "row-level security|permission denied|not in the scope") -> Iterator[None]:
    with pytest.raises(ProgrammingError, match=words), transaction.atomic():
        yield


def test_every_table_is_held_or_says_why_not(town: Town) -> None:
    assert set(SHARED) <= {model._meta.db_table for model in declared()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relkind IN ('r', 'p') "
            "AND relnamespace = 'public'::regnamespace AND NOT relispartition"
        )
        forced = dict(cursor.fetchall())
    del forced["django_migrations"]
    assert {table for table, is_held in forced.items() if not is_held} == set(SHARED)
    assert {table for table, is_held in forced.items() if is_held} == set(HELD)


@pytest.mark.parametrize("table", sorted(HELD))
def test_without_a_scope_a_table_has_no_row(town: Town, table: str) -> None:
    with all_departments():
        assert count(table) or table in EMPTY
    with no_scope():
        assert count(table) == 0


@pytest.mark.parametrize("table", sorted(name for name, said in HELD.items() if said == rows.Department()))
def test_in_a_department_a_table_has_its_rows_alone(town: Town, table: str) -> None:
    told: dict[str, int] = {}
    for department in (town.home.department, town.abroad.department):
        with department_scope(department), connection.cursor() as cursor:
            cursor.execute(f'SELECT DISTINCT department FROM "{table}"')  # noqa: S608
            assert cursor.fetchall() in ([(department,)], [])
            told[department] = count(table)
    with all_departments():
        assert sum(told.values()) == count(table)


@pytest.mark.parametrize("table", sorted(name for name, said in HELD.items() if isinstance(said, rows.Parent)))
def test_what_hangs_on_a_row_is_seen_with_it(town: Town, table: str) -> None:
    told = 0
    for department in (town.home.department, town.abroad.department):
        with department_scope(department):
            told += count(table)
    with all_departments():
        # Of people some work for all departments, and are seen in each.
        assert told == count(table) or HELD[table] == rows.Parent("user")


def test_clean_rows_are_their_departments(town: Town) -> None:
    for house, other in ((town.home, town.abroad), (town.abroad, town.home)):
        with department_scope(house.department):
            assert count(f"clean_{house.department}") > 0
            assert count(f"clean_{other.department}") == 0


def test_colleagues_are_seen_and_who_was_one_and_who_works_for_all(town: Town) -> None:
    people = town.actors.people
    with department_scope(town.home.department):
        seen = set(User.objects.values_list("pk", flat=True))
    assert {people[who].pk for who in (Who.OWN, Who.SHUT, Who.MOVED, Who.ADMIN)} <= seen
    assert people[Who.OTHER].pk not in seen


def test_at_the_gate_there_are_accounts_and_nothing_of_a_department(town: Town) -> None:
    with gate():
        assert User.objects.filter(pk=town.home.person.pk).exists()
        assert not any(count(table) for table, said in HELD.items() if said == rows.Department())


def test_nothing_is_written_into_another_department(town: Town) -> None:
    given = {"shape": "x" * 64, "mapping": {}, "given_by": town.abroad.person, "given_at": town.home.newest.uploaded_at}
    with department_scope(town.abroad.department):
        with refused():
            HeaderMapping.objects.create(department=town.home.department, **given)
        assert not Dataset.objects.filter(pk=town.home.newest.pk).update(name="mine")
        assert not Job.objects.filter(pk=town.home.failed.pk).delete()[0]
        mine = Dataset.objects.filter(pk=town.abroad.newest.pk)
        with refused():
            mine.update(department=town.home.department)
    assert Dataset.objects.get(pk=town.home.newest.pk).name == town.home.newest.name


def test_a_partition_is_reached_through_its_parent_alone(town: Town) -> None:
    partition = partition_name(town.home.department, bucket=0)
    for act in ("SELECT * FROM", "DELETE FROM"):
        with refused(), connection.cursor() as cursor:
            cursor.execute(f'{act} "{partition}"')
    with department_scope(town.abroad.department), refused(), connection.cursor() as cursor:
        cursor.execute("SELECT clean_partition_drop(%s, 1)", [clean_table(town.home.department)._meta.db_table])


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE jobs_job DISABLE ROW LEVEL SECURITY",
        "DROP POLICY rows_of ON jobs_job",
        "CREATE TABLE mine (id int)",
        "SELECT digests FROM datasets_rowdigests",
        "UPDATE accounts_auditentry SET reason = ''",
        "DELETE FROM accounts_auditentry",
        "SELECT clean_partition_make('clean_sales', 1)",
    ],
)
def test_the_webs_role_may_not(town: Town, statement: str) -> None:
    with refused("permission denied|must be owner"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_no_role_of_the_platform_owns_a_table_or_is_above_policies(town: Town) -> None:
    roles = [each for role in (settings.LOADER_ROLE, settings.WEB_ROLE) for each in (role, role_of_all(role))]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = ANY (%s) ORDER BY 1",
            [roles],
        )
        assert cursor.fetchall() == [(role, False, False, False) for role in roles]
        cursor.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        ((owner,),) = cursor.fetchall()
        assert owner not in roles


def test_all_departments_are_a_roles_to_see_and_not_a_settings(town: Town) -> None:
    with connection.cursor() as cursor:
        own = type(cursor.cursor)
        assert issubclass(own, ScopedCursor)
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (own.role_of_all,)
        with no_scope():
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == (own.role,)
            cursor.execute("SELECT set_config('aetherflow.scope', '*', true); SELECT count(*) FROM datasets_dataset")
            assert cursor.fetchone() == (0,)


def test_what_the_policy_says_is_a_condition_of_an_index(town: Town) -> None:
    with department_scope(town.home.department), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN (COSTS OFF) SELECT count(*) FROM jobs_job")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(r"Index Cond: .*department.* = \(?\$0", plan), plan


def test_to_who_works_for_all_departments_a_policy_costs_nothing(town: Town) -> None:
    with connection.cursor() as cursor:
        for table in HELD:
            cursor.execute(f'EXPLAIN (COSTS OFF) SELECT FROM "{table}"')
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert not re.search("Filter|InitPlan", plan), plan


def test_a_scope_ends_with_its_statement_and_its_block(town: Town) -> None:
    with department_scope(town.home.department):
        assert Dataset.objects.exists()
        with no_scope():
            assert not Dataset.objects.exists()
        assert {each.department for each in Dataset.objects.all()} == {town.home.department}


def test_what_is_sent_in_pieces_is_made_in_the_scope_it_was_begun_in(town: Town) -> None:
    with no_scope():
        enter_department(town.home.department)
        pieces = carried(each.department for each in Dataset.objects.iterator(chunk_size=1))
    with no_scope():
        assert set(pieces) == {town.home.department}
        assert not Dataset.objects.exists()


@pytest.mark.parametrize("name", ["", "*", "@gate", "sales'; DROP TABLE jobs_job; --", "Sales", "x" * 41])
def test_no_scope_is_named_but_a_department(name: str) -> None:
    with pytest.raises(ValueError, match="no department's name"), department_scope(name):
        pass
    with no_scope(), pytest.raises(ValueError, match="no department's name"):
        enter_department(name)


def test_where_policies_are_off_selectors_still_hold(without_policies: None, town: Town) -> None:
    with no_scope():
        assert Dataset.objects.exists(), "they are off"
    assert not [fault for route in routes() for fault in wrong_with(town, route, asking=[Who.OTHER])]
