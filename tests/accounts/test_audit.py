"""The audit: nobody can change it, every service that does something for a person writes it, and neither is there
without the other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import services
from apps.accounts.authentication import address_of
from apps.accounts.choices import Approval, AuditAction, ConsoleRole, Role, SessionEnd
from apps.accounts.models import AuditEntry, Invitation, Session, User
from apps.accounts.origin import Origin, asked_from, command_line
from apps.accounts.services.auditing import account, record
from apps.accounts.tokens import mint_refresh
from tests.accounts.factories import LONG_AGO, PASSWORD, AdminFactory, SessionFactory, UserFactory, bearer
from tests.support.roles import as_owner

pytestmark = pytest.mark.django_db
NEW = "seven-blue-teapots"
REASON = "as agreed with her manager"


@pytest.fixture
def ada() -> User:
    user: User = UserFactory(email="ada@example.com", department="sales")
    return user


@pytest.fixture
def root() -> User:
    admin: User = AdminFactory(email="root@example.com", full_name="Rita Root")
    return admin


def entry(**values: Any) -> AuditEntry:
    someone = {"actor_name": "Rita", "action": AuditAction.INVITED, "target_type": "user"}
    return AuditEntry.objects.create(**{"at": LONG_AGO} | someone | values)


# --- It is only added to ---


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda kept: AuditEntry.objects.update(reason="none"), id="ORM update"),
        pytest.param(lambda kept: AuditEntry.objects.all().delete(), id="ORM delete"),
        pytest.param(lambda kept: AuditEntry(pk=kept.pk, at=LONG_AGO, actor_name="Eve").save(), id="ORM save"),
        pytest.param(lambda kept: sql("UPDATE accounts_auditentry SET actor_name = 'Eve'"), id="UPDATE"),
        pytest.param(lambda kept: sql("DELETE FROM accounts_auditentry"), id="DELETE"),
        pytest.param(
            lambda kept: sql(
                "INSERT INTO accounts_auditentry SELECT * FROM accounts_auditentry "
                "ON CONFLICT (id) DO UPDATE SET actor_name = 'Eve'"
            ),
            id="upsert",
        ),
    ],
)
def test_no_entry_is_changed_or_taken_out(change: Callable[[AuditEntry], object]) -> None:
    kept = entry()
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        change(kept)
    # Nor by the owner, whom no right holds back.
    with (
        as_owner(),
        pytest.raises(IntegrityError, match="only added to, so that it can be believed"),
        transaction.atomic(),
    ):
        change(kept)
    assert AuditEntry.objects.get() == kept
    assert AuditEntry.objects.get().actor_name == "Rita"


def test_it_is_not_emptied_either() -> None:
    """The trigger is the migration's; the suite has switched it off, to empty its own tables."""
    entry()
    with as_owner(), pytest.raises(IntegrityError, match="TRUNCATE is refused"), transaction.atomic():
        sql("ALTER TABLE accounts_auditentry ENABLE TRIGGER auditentry_no_truncate; TRUNCATE accounts_auditentry")
    assert AuditEntry.objects.exists()


def test_an_account_that_goes_leaves_its_entries_as_they_are(ada: User) -> None:
    entry(actor=ada, actor_name="Ada Novak <ada@example.com>", target_id=str(ada.pk))
    was = ada.pk
    ada.delete()
    left = AuditEntry.objects.get()
    assert (left.actor_id, left.actor_name, left.target_id) == (was, "Ada Novak <ada@example.com>", str(was))


def test_somebody_did_it() -> None:
    with pytest.raises(IntegrityError, match="auditentry_somebody_did_it"), transaction.atomic():
        entry(actor_name="")


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


# --- What writes it ---


@dataclass(frozen=True)
class World:
    """Ada works in sales, Wim waits to be let in, Rita is the operator."""

    ada: User
    wim: User
    root: User
    session: Session
    invitation: str

    def do(self, service: Callable[..., object], **arguments: Any) -> None:
        service(**arguments, at=timezone.now())


@pytest.fixture
def world(ada: User, root: User) -> World:
    session = SessionFactory(user=ada)
    wim = UserFactory(email="wim@example.com", approval=Approval.PENDING)
    now = timezone.now()
    issued = services.invite(email="new@example.com", department="finance", role=Role.MEMBER, by=root, at=now)
    return World(ada, wim, root, session, issued.token)


def access(world: World, **changes: Any) -> None:
    same = {"department": "sales", "role": Role.MEMBER, "is_active": True}
    world.do(services.set_access, user=world.ada, **same | changes, by=world.root, reason=REASON)


PERSON = {"email": "new@example.com", "full_name": "New", "password": PASSWORD}
# What is done → the entries it leaves: action, by whom, to whom; and what else they tell.
ACTS: dict[str, tuple[Callable[[World], object], AuditAction, str, str, dict[str, Any]]] = {
    "registers": (
        lambda w: w.do(services.register, policy=services.Policy.APPROVAL, **PERSON, department="sales"),
        AuditAction.REGISTERED, "new@example.com", "new@example.com",
        {"department": "sales", "details": {"policy": "approval"}},
    ),
    "registers with an invitation": (
        lambda w: w.do(
            services.register, policy=services.Policy.INVITE, **PERSON, department="", invitation=w.invitation
        ),
        AuditAction.REGISTERED, "new@example.com", "new@example.com", {"department": "finance"},
    ),
    "makes an account": (
        lambda w: w.do(
            services.create_account, **PERSON, department="sales", role=Role.MEMBER, by=w.root, reason=REASON
        ),
        AuditAction.ACCOUNT_CREATED, "root@example.com", "new@example.com",
        {"reason": REASON, "details": {"role": "member"}},
    ),
    "approves": (
        lambda w: w.do(services.approve, user=w.wim, by=w.root, reason=REASON),
        AuditAction.ACCOUNT_APPROVED, "root@example.com", "wim@example.com", {"reason": REASON},
    ),
    "renames": (
        lambda w: w.do(services.rename, user=w.ada, email="a.byron@example.com", full_name="Ada Novak", by=w.root),
        AuditAction.ACCOUNT_RENAMED, "root@example.com", "a.byron@example.com",
        {"details": {"email_before": "ada@example.com", "email": "a.byron@example.com"}},
    ),
    "moves": (
        lambda w: access(w, department="finance"),
        AuditAction.ACCOUNT_MOVED, "root@example.com", "ada@example.com",
        {
            "department": "finance",
            "reason": REASON,
            "details": {"department_before": "sales", "department": "finance", "sessions_ended": 1},
        },
    ),
    "gives a role": (
        lambda w: access(w, role=Role.ADMIN, console_role=ConsoleRole.NONE),
        AuditAction.ROLE_CHANGED, "root@example.com", "ada@example.com",
        {"details": {"role_before": "member", "role": "admin", "sessions_ended": 1}},
    ),
    "gives a role in the console": (
        lambda w: w.do(
            services.set_console_role, user=w.ada, console_role=ConsoleRole.VIEWER, by=w.root, reason=REASON
        ),
        AuditAction.CONSOLE_ROLE_CHANGED, "root@example.com", "ada@example.com",
        {
            "reason": REASON,
            "details": {"console_role_before": "", "console_role": "viewer", "sessions_ended": 0},
        },
    ),
    "deactivates": (
        lambda w: w.do(services.deactivate, user=w.ada, by=w.root, reason=REASON),
        AuditAction.ACCOUNT_DEACTIVATED, "root@example.com", "ada@example.com", {"reason": REASON},
    ),
    "changes the own password": (
        lambda w: w.do(services.change_password, user=w.ada, current=PASSWORD, new=NEW),
        AuditAction.PASSWORD_CHANGED, "ada@example.com", "ada@example.com", {"details": {"sessions_ended": 1}},
    ),
    "resets a password": (
        lambda w: w.do(services.reset_password, user=w.ada, password=NEW, by=w.root, reason=REASON),
        AuditAction.PASSWORD_RESET, "root@example.com", "ada@example.com", {"reason": REASON},
    ),
    "invites": (
        lambda w: w.do(services.invite, email="", department="sales", role=Role.MEMBER, by=w.root, reason=REASON),
        AuditAction.INVITED, "root@example.com", "whoever holds it", {"department": "sales", "reason": REASON},
    ),
    "withdraws an invitation": (
        lambda w: w.do(services.withdraw, invitation=Invitation.objects.get(), by=w.root, reason=REASON),
        AuditAction.INVITATION_WITHDRAWN, "root@example.com", "new@example.com",
        {"department": "finance", "reason": REASON},
    ),
    "logs in": (
        lambda w: w.do(services.log_in, email="ada@example.com", password=PASSWORD, user_agent=""),
        AuditAction.LOGGED_IN, "ada@example.com", "ada@example.com", {"department": "sales"},
    ),
    "logs out": (
        lambda w: w.do(services.log_out, refresh=mint_refresh(session=w.session, at=timezone.now()), access=None),
        AuditAction.LOGGED_OUT, "ada@example.com", "ada@example.com", {},
    ),
    "ends an own session": (
        lambda w: w.do(services.end_session, session_id=w.session.pk, reason=SessionEnd.OWNER, by=w.ada),
        AuditAction.SESSIONS_ENDED, "ada@example.com", "ada@example.com", {},
    ),
    "ends another's sessions": (
        lambda w: w.do(services.end_sessions, user=w.ada, reason=SessionEnd.ADMIN, by=w.root, why=REASON),
        AuditAction.SESSIONS_ENDED, "root@example.com", "ada@example.com",
        {"reason": REASON, "details": {"sessions_ended": 1}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_a_service_says_who_did_what_to_whom(world: World, act: str) -> None:
    do, action, by, to, told = ACTS[act]
    before = last()
    do(world)
    (written,) = AuditEntry.objects.filter(pk__gt=before)
    assert written.actor is not None
    assert (written.action, written.actor.email, written.target) == (action, by, to)
    assert written.actor_name == f"{written.actor.full_name} <{by}>"
    assert {name: getattr(written, name) for name in told} == told


@pytest.mark.parametrize("act", ACTS)
def test_what_cannot_be_written_down_is_not_done(world: World, act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise OSError("the disk is full")

    before = stored()
    monkeypatch.setattr(AuditEntry.objects, "create", fail)
    with pytest.raises(OSError, match="disk is full"):
        ACTS[act][0](world)
    assert stored() == before


@pytest.mark.parametrize("act", ACTS)
def test_what_is_taken_back_leaves_no_entry(world: World, act: str) -> None:
    before = last()
    with transaction.atomic():
        ACTS[act][0](world)
        transaction.set_rollback(True)
    assert last() == before


def test_several_changes_at_once_are_an_entry_each(world: World) -> None:
    before = last()
    access(world, department="finance", is_active=False)
    written = AuditEntry.objects.filter(pk__gt=before)
    assert {each.action for each in written} == {AuditAction.ACCOUNT_MOVED, AuditAction.ACCOUNT_DEACTIVATED}


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(access, id="the same access"),
        pytest.param(
            lambda w: w.do(services.rename, user=w.ada, email="Ada@example.com", full_name=" Ada  Novak", by=w.root),
            id="the same name",
        ),
        pytest.param(
            lambda w: w.do(services.end_sessions, user=w.wim, reason=SessionEnd.ADMIN, by=w.root), id="no sessions"
        ),
        pytest.param(lambda w: w.do(services.log_out, refresh="stale", access=None), id="no session to log out of"),
        pytest.param(
            lambda w: w.do(
                services.register,
                policy=services.Policy.APPROVAL,
                **PERSON | {"email": "ada@example.com"},
                department="sales",
            ),
            id="a taken address",
        ),
    ],
)
def test_what_changes_nothing_leaves_no_entry(world: World, nothing: Callable[[World], object]) -> None:
    before = last()
    nothing(world)
    assert last() == before


def test_a_refused_log_in_leaves_none_lest_strangers_fill_it(world: World, api: APIClient) -> None:
    before = last()
    wrong = {"email": "ada@example.com", "password": "wrong"}
    assert api.post("/api/v1/auth/login", wrong).status_code == 401
    assert last() == before


def test_a_session_that_ends_by_itself_was_ended_by_nobody(world: World) -> None:
    before = last()
    world.do(services.end_session, session_id=world.session.pk, reason=SessionEnd.REUSE)
    assert last() == before


def last() -> int:
    newest = AuditEntry.objects.order_by("pk").last()
    return newest.pk if newest else 0


def stored() -> dict[str, list[dict[str, Any]]]:
    return {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in (User, Session, Invitation)
    }


# --- Who, from where ---


@pytest.mark.parametrize(
    ("proxies", "address"),
    [
        pytest.param(0, "192.0.2.7", id="what a stranger writes there is not believed"),
        pytest.param(1, "203.0.113.9", id="behind a proxy of ours"),
    ],
)
def test_a_request_is_found_by_its_address_and_id(
    api: APIClient, ada: User, settings: Any, proxies: int, address: str
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    answer = api.post(
        "/api/v1/auth/login",
        {"email": ada.email, "password": PASSWORD},
        headers={"X-Forwarded-For": "203.0.113.9", "X-Request-ID": "request-of-ada"},
        REMOTE_ADDR="192.0.2.7",
    )
    assert answer["X-Request-ID"] == "request-of-ada"
    written = AuditEntry.objects.get()
    assert (written.action, written.actor, written.address) == (AuditAction.LOGGED_IN, ada, address)
    assert written.request_id == "request-of-ada"


def test_the_next_request_has_an_address_of_its_own(api: APIClient, ada: User) -> None:
    here = bearer(ada)
    api.post("/api/v1/auth/password", {"current_password": PASSWORD, "new_password": NEW}, REMOTE_ADDR="::1", **here)
    api.post("/api/v1/auth/login", {"email": ada.email, "password": NEW}, REMOTE_ADDR="192.0.2.8")
    logged_in, changed = AuditEntry.objects.all()
    assert (changed.action, changed.address) == (AuditAction.PASSWORD_CHANGED, "::1")
    assert (logged_in.action, logged_in.address) == (AuditAction.LOGGED_IN, "192.0.2.8")
    assert logged_in.request_id != changed.request_id
    services.log_in(email=ada.email, password=NEW, user_agent="", at=timezone.now())
    assert AuditEntry.objects.order_by("pk").last().address is None  # type: ignore[union-attr]


@pytest.mark.parametrize("told", [None, "", "unix:"])
def test_where_the_server_tells_no_address_there_is_none(told: str | None) -> None:
    request = RequestFactory().get("/")
    request.META["REMOTE_ADDR"] = told
    assert address_of(request) is None
    del request.META["REMOTE_ADDR"]
    assert address_of(request) is None


def test_a_command_writes_who_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW_PASSWORD", PASSWORD)
    monkeypatch.setenv("USER", "somebody-else")
    asked = ("--email", "ada@example.com", "--department", "sales", "--password-env", "NEW_PASSWORD")
    call_command("create_user", *asked, "--dry-run")
    assert not AuditEntry.objects.exists()
    call_command("create_user", *asked)
    written = AuditEntry.objects.get()
    assert (written.actor, written.actor_name) == (None, command_line())
    assert written.actor_name.endswith(" on the command line")
    assert "somebody-else" not in written.actor_name


def test_what_a_command_does_in_a_users_name_is_not_laid_at_their_door(ada: User) -> None:
    with asked_from(Origin(operator="deploy@web-1 on the command line")):
        written = record(AuditAction.UPLOADED, account(ada), by=ada, at=LONG_AGO)
    assert written.actor == ada
    assert written.actor_name == "deploy@web-1 on the command line, as Ada Novak <ada@example.com>"


def test_what_is_longer_than_its_column_is_cut(ada: User) -> None:
    long = services.Target(type="dataset", name="x" * 1_000)
    with asked_from(Origin(operator="y" * 1_000)):
        written = record(AuditAction.UPLOADED, long, by=ada, at=LONG_AGO)
    written.refresh_from_db()
    assert (len(written.target), len(written.actor_name)) == (300, 500)


@pytest.mark.django_db(transaction=True)
def test_an_entry_belongs_into_a_transaction() -> None:
    ada = UserFactory()
    with pytest.raises(transaction.TransactionManagementError, match="belongs into the transaction"):
        record(AuditAction.UPLOADED, account(ada), by=ada, at=LONG_AGO)


def test_the_newest_come_first(ada: User) -> None:
    late, early = entry(at=LONG_AGO + timedelta(days=1)), entry(at=LONG_AGO)
    assert list(AuditEntry.objects.all()) == [late, early]
