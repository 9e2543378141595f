"""Row-level security, from what each model says of its rows (`apps.accounts.rows`); docs/adr/0011.

Applied after each `migrate`, by the owner, and the same however often: a department's new table, or a new model, is out
of everybody's reach until it is held by its policy. That none was forgotten is a test's business.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, cast

import psycopg2.errors
import structlog
from django.apps import apps
from django.conf import settings
from django.db import InternalError, ProgrammingError, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import ForeignKey, Model

from apps.accounts.rows import Account, Department, Operators, Parent, RowsOf, Table
from apps.accounts.scope import EVERYBODY, GATE
from config.postgresql.cursor import SETTING, role_of_all

log = structlog.get_logger(__name__)

# Looked up once per statement: as a subquery of its own it does not depend on the row.
_SCOPE = f"(SELECT NULLIF(current_setting('{SETTING}', true), ''))"
_GATE = f"'{GATE}'"
_POLICY = "rows_of"
# Two runs of `migrate` on one server may make the roles at once.
_TRIES = 5

_GRANT_PARTITIONS = """
DO $$
DECLARE
    own regclass;
BEGIN
    FOR own IN SELECT inhrelid FROM pg_inherits WHERE inhparent = '"{table}"'::regclass LOOP
        EXECUTE format('GRANT INSERT ON %s TO {loader}', own);
    END LOOP;
END $$
"""
# Owner's functions, and who may call them.
_FUNCTIONS = {
    "clean_partition_make(text, bigint)": ("loader",),
    "clean_partition_attach(text, bigint)": ("loader",),
    "clean_partition_drop(text, bigint)": ("web", "loader"),
    "clean_piece_make(text, bigint, bigint, bigint, bigint)": ("loader",),
    "clean_piece_close(text, bigint, bigint)": ("loader",),
    "clean_pieces_attach(text, bigint, bigint[], bigint[])": ("loader",),
}

# Tables that tell nothing of a department, each with the reason.
SHARED = {
    "auth_group": "the console's roles",
    "auth_group_permissions": "what they may do",
    "auth_permission": "what can be done",
    "accounts_user_groups": "not used: an account has one role",
    "accounts_user_user_permissions": "not used",
    "django_content_type": "the tables' names",
    "accounts_ratelimit": "counts under keyed hashes",
    "datasets_uploadtally": "how much was uploaded on a day; asked of one's own",
    "jobs_workerheartbeat": "machines; a task in hand is told by its stage's row",
    "datasets_rowdigests": "hashes, which only the loader may read",
}
# Whose the rows are of tables that are not ours to declare.
_OTHERS: dict[str, RowsOf] = {
    "django_admin_log": Operators(),
    "django_session": Operators(at_gate=True),
    # Of the console's door.
    "axes_accessattempt": Operators(at_gate=True),
    "axes_accessattemptexpiration": Operators(at_gate=True),
    "axes_accessfailurelog": Operators(at_gate=True),
    "axes_accesslog": Operators(at_gate=True),
    # The keys of second factors.
    "otp_totp_totpdevice": Operators(at_gate=True),
}
# COPY refuses a table with row-level security (PostgreSQL), and these are written by COPY.
_LOADERS_OWN = frozenset({"datasets_rowdigests"})
_APPEND_ONLY = frozenset({"accounts_auditentry"})


def declared() -> dict[type[Model], RowsOf | None]:
    """What each table's model says of its rows; None where the table is shared. LookupError where nothing is said."""
    found: dict[type[Model], RowsOf | None] = {}
    for model in apps.get_models(include_auto_created=True):
        rows_of = getattr(model, "rows_of", None) or _OTHERS.get(model._meta.db_table)
        if rows_of is None and model._meta.db_table not in SHARED:
            raise LookupError(
                f"{model.__name__} does not say whose its rows are: give it `rows_of`, or its table a reason in SHARED"
            )
        found[model] = rows_of
    return found


def secure(*, using: str, **_: Any) -> None:
    """Roles, rights and policies. Receives `post_migrate`; of a connection that is no owner's it wants nothing."""
    connection = connections[using]
    if connection.settings_dict["OPTIONS"].get("assume_role"):
        return
    _make_roles(using)
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        if behind := set(MigrationExecutor(connection).loader.graph.leaf_nodes()) - set(
            MigrationRecorder(connection).applied_migrations()
        ):
            # Migrated back: what policies look at may not be there. What stands as it was is as shut as it was.
            log.warning("policies_left", behind=sorted(f"{app}.{name}" for app, name in behind))
            return
        for statement in _rights(there):
            cursor.execute(statement)
        _hold(there, using=using)


def _make_roles(using: str) -> None:
    own = settings.DATABASES["default"]
    log_in = own["USER"]
    quote = connections[using].ops.quote_name
    if not _asked(using, "SELECT 1 FROM pg_roles WHERE rolname = %s", log_in):
        _patiently(using, f"CREATE ROLE {quote(log_in)} LOGIN NOINHERIT PASSWORD %s", own["PASSWORD"])
    for role in (settings.WEB_ROLE, settings.LOADER_ROLE):
        for each in (role, role_of_all(role)):
            if not _asked(using, "SELECT 1 FROM pg_roles WHERE rolname = %s", each):
                _patiently(using, f"CREATE ROLE {quote(each)} NOLOGIN NOBYPASSRLS")
            _give(using, each, to=log_in)
        _give(using, role, to=role_of_all(role))


def _give(using: str, role: str, *, to: str) -> None:
    quote = connections[using].ops.quote_name
    if not _asked(
        using,
        "SELECT 1 FROM pg_auth_members WHERE pg_get_userbyid(roleid) = %s AND "
        "pg_get_userbyid(member) = %s AND NOT admin_option",
        role,
        to,
    ):
        _patiently(using, f"GRANT {quote(role)} TO {quote(to)}")


def _asked(using: str, query: str, *parameters: str) -> bool:
    with connections[using].cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchone() is not None


def _patiently(using: str, statement: str, *parameters: str) -> None:
    """What another process does at the same moment is done."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with connections[using].cursor() as cursor:
                cursor.execute(statement, parameters)
        except (ProgrammingError, InternalError) as error:
            if isinstance(error.__cause__, psycopg2.errors.DuplicateObject):
                return
            if not tries_left or not isinstance(error, InternalError):
                raise
        else:
            return


def _hold(there: set[str], *, using: str) -> None:
    """Give each table its policies. It waits for all who use the table, and they behind it: only where new."""
    of_all = ", ".join(role_of_all(role) for role in (settings.WEB_ROLE, settings.LOADER_ROLE))
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT relname, obj_description(pg_policy.oid, 'pg_policy') FROM pg_policy "
            "JOIN pg_class ON pg_class.oid = polrelid WHERE polname = %s AND relrowsecurity AND relforcerowsecurity",
            [_POLICY],
        )
        held = dict(cursor.fetchall())
        for model, rows_of in declared().items():
            table = model._meta.db_table
            if rows_of is None or table not in there:
                continue
            seen = seen_where(model, rows_of)
            policies = {
                _POLICY: ("PUBLIC", seen),
                # True alone, so that nothing is left of it in a plan: who may take the role sees all.
                "all_rows": (of_all, "true"),
                "owners_rows": ("CURRENT_USER", f"{_SCOPE} = '{EVERYBODY}'"),
            }
            digest = sha256(repr(policies).encode()).hexdigest()
            if held.get(table) == digest:
                continue
            with transaction.atomic(using=using):
                cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
                for name, (whose, condition) in policies.items():
                    cursor.execute(f'DROP POLICY IF EXISTS {name} ON "{table}"')
                    cursor.execute(
                        f'CREATE POLICY {name} ON "{table}" TO {whose} USING ({condition}) WITH CHECK ({condition})'
                    )
                cursor.execute(f"COMMENT ON POLICY {_POLICY} ON \"{table}\" IS '{digest}'")


def _rights(there: set[str]) -> Iterator[str]:
    web, loader = settings.WEB_ROLE, settings.LOADER_ROLE
    yield f"GRANT USAGE ON SCHEMA public TO {web}, {loader}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {web}, {loader}"
    yield f"GRANT SELECT ON django_migrations TO {web}, {loader}"
    roles = {"web": web, "loader": loader}
    for function, callers in _FUNCTIONS.items():
        yield f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {function} TO {', '.join(roles[each] for each in callers)}"
    for model, rows_of in declared().items():
        table = model._meta.db_table
        if table not in there:
            continue  # migrated back
        rights = "SELECT, INSERT" if table in _APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        yield f'GRANT {rights} ON "{table}" TO {loader}'
        if table in _LOADERS_OWN:
            yield f'GRANT SELECT (dataset_no), DELETE ON "{table}" TO {web}'
            continue
        yield f'GRANT {rights} ON "{table}" TO {web}'
        if isinstance(rows_of, Table):
            yield _GRANT_PARTITIONS.format(table=table, loader=loader)


def seen_where(model: type[Model], rows_of: RowsOf) -> str:
    """SQL: whether the scope, not that of all, sees a row of the table."""
    table = model._meta.db_table
    match rows_of:
        case Department(column=column, at_gate=at_gate):
            # An equation alone can be answered by an index; in a CASE it is asked of each row.
            return _one_of(f"{column}::text", _GATE) if at_gate else f"{column}::text = {_SCOPE}"
        case Table(department=department):
            return f"'{department}' = {_SCOPE}"
        case Account():
            other = f"{_SCOPE} = ANY (worked_in) OR ({_SCOPE} IS NOT NULL AND (role = 'admin' OR is_staff))"
            return _one_of("department::text", _GATE, other=other)
        case Operators(at_gate=at_gate):
            return _one_of(_GATE) if at_gate else "false"
        case Parent(key=key):
            field = cast("ForeignKey[Any, Any]", model._meta.get_field(key))
            parent, of = field.related_model._meta.db_table, field.target_field.column
            same = f'parent."{of}" = "{table}"."{field.column}"'
            # OFFSET: looked up for each row that is read. Else the planner may hash all parents that the scope sees,
            # for the hundred rows of a page.
            return f'EXISTS (SELECT FROM "{parent}" AS parent WHERE {same} OFFSET 0)'


def _one_of(*scopes: str, other: str = "false") -> str:
    """SQL: whether the scope is one of these, else `other`. A CASE names it once: each time costs planning."""
    return f"CASE {_SCOPE} {' '.join(f'WHEN {each} THEN true' for each in scopes)} ELSE {other} END"
