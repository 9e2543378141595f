"""The console's roles: which permission is whose, how one is given and taken away, and that the API's is another."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from aetherflow.errors import ConflictError
from apps.accounts import services
from apps.accounts.choices import Approval, AuditAction, ConsoleRole, Role, SessionEnd
from apps.accounts.models import AuditEntry, ConsoleSession, Session, User
from apps.accounts.roles import give_permissions, group_of, least_role
from apps.accounts.selectors import departments_of
from tests.accounts.blocking import wait_for_blocked_backends
from tests.accounts.factories import PASSWORD, AdminFactory, OperatorFactory, SessionFactory, UserFactory, bearer
from tests.support.migrating import migrate, newest
from tests.support.threads import in_scope

OURS = ("accounts", "datasets", "insights", "jobs")
ROLES = (ConsoleRole.VIEWER, ConsoleRole.OPERATOR, ConsoleRole.ADMIN)
# Every permission but that to look: whose it is first. One that is not here fails the suite.
FIRST_OF = {
    "jobs.retry_job": ConsoleRole.OPERATOR,
    "jobs.cancel_job": ConsoleRole.OPERATOR,
    "jobs.rescue_job": ConsoleRole.OPERATOR,
    "jobs.stop_operation": ConsoleRole.OPERATOR,
    "jobs.share_savedview": ConsoleRole.OPERATOR,
    "jobs.redrive_deadletter": ConsoleRole.OPERATOR,
    "jobs.discard_deadletter": ConsoleRole.ADMIN,
    "jobs.purge_deadletter": ConsoleRole.ADMIN,
    "datasets.reprocess_dataset": ConsoleRole.OPERATOR,
    "datasets.undo_dataset": ConsoleRole.OPERATOR,
    "accounts.add_user": ConsoleRole.ADMIN,
    "accounts.change_user": ConsoleRole.ADMIN,
    "accounts.approve_user": ConsoleRole.ADMIN,
    "accounts.deactivate_user": ConsoleRole.ADMIN,
    "accounts.move_user": ConsoleRole.ADMIN,
    "accounts.grant_user": ConsoleRole.ADMIN,
    "accounts.end_session": ConsoleRole.ADMIN,
    "accounts.add_invitation": ConsoleRole.ADMIN,
    "accounts.withdraw_invitation": ConsoleRole.ADMIN,
    "accounts.export_auditentry": ConsoleRole.ADMIN,
}
# Django makes these for every model; the rows are the services' to write.
NOBODYS = ("add", "change", "delete")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]


def declared() -> list[str]:
    return [
        f"{model._meta.app_label}.{codename}"
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        for codename in (
            *(f"{verb}_{model._meta.model_name}" for verb in model._meta.default_permissions),
            *(codename for codename, _ in model._meta.permissions),
        )
    ]


def set_role(user: User, role: ConsoleRole, by: User | None = None, reason: str = "") -> bool:
    return services.set_console_role(user=user, console_role=role, by=by, at=timezone.now(), reason=reason)


def browser(user: User) -> Client:
    client = Client()
    assert client.login(username=user.email, password=PASSWORD)
    return client


# --- Which permission is whose ---


@pytest.mark.parametrize("permission", declared())
def test_every_permission_is_some_roles_and_all_the_higher_ones(permission: str) -> None:
    verb = permission.partition(".")[2].partition("_")[0]
    first = FIRST_OF.get(permission)
    if verb == "view":
        first = ConsoleRole.VIEWER
    elif first is None:
        assert verb in NOBODYS, "say in FIRST_OF whose it is"
    assert least_role(permission) == first
    for role in ROLES:
        may = User(console_role=role).has_perm(permission)
        assert may == (first is not None and role.rank >= first.rank), role


def test_no_permission_is_told_of_that_is_not_there() -> None:
    assert set(declared()) >= set(FIRST_OF)


def test_the_groups_are_put_right_by_each_migrate() -> None:
    viewers = Group.objects.get(name=group_of(ConsoleRole.VIEWER))
    was = set(viewers.permissions.values_list("codename", flat=True))
    purge, look = (Permission.objects.get(codename=name) for name in ("purge_deadletter", "view_job"))
    viewers.permissions.add(purge)
    viewers.permissions.remove(look)
    Group.objects.get(name=group_of(ConsoleRole.ADMIN)).delete()
    for _ in range(2):
        call_command("migrate", database="default", verbosity=0)
        assert set(viewers.permissions.values_list("codename", flat=True)) == was
        assert Group.objects.count() == len(ROLES)
    assert User(console_role=ConsoleRole.ADMIN).has_perm("jobs.purge_deadletter")


def test_a_permission_that_comes_later_finds_its_roles() -> None:
    later = Permission.objects.create(
        codename="retry_everything", content_type=Permission.objects.get(codename="retry_job").content_type
    )
    give_permissions(using="default")
    assert set(later.group_set.values_list("name", flat=True)) == {"console operator", "console admin"}


def test_what_a_role_may_is_read_without_a_query_for_each_permission(django_assert_num_queries: Any) -> None:
    operator = OperatorFactory()
    with django_assert_num_queries(2):  # the role's, and what was given to the account by hand
        assert [operator.has_perm(name) for name in ("jobs.retry_job", "jobs.view_job", "jobs.purge_deadletter")] == [
            True,
            True,
            False,
        ]


def test_a_group_that_is_not_the_accounts_role_gives_nothing() -> None:
    user = UserFactory()
    user.groups.add(Group.objects.get(name=group_of(ConsoleRole.ADMIN)))
    assert not user.has_perm("jobs.view_job")


# --- Apart from the role in the API ---


def test_an_operator_of_a_department_sees_all_of_them_in_the_console_and_their_own_in_the_dashboard() -> None:
    operator = OperatorFactory(department="sales")
    assert departments_of(operator) == ("sales",)
    page = browser(operator).get(reverse("admin:datasets_dataset_changelist"))
    assert page.status_code == 200


@pytest.mark.parametrize(
    ("role", "said", "console"),
    [
        (Role.MEMBER, None, ConsoleRole.NONE),
        (Role.ADMIN, None, ConsoleRole.ADMIN),
        (Role.MEMBER, ConsoleRole.VIEWER, ConsoleRole.VIEWER),
        (Role.ADMIN, ConsoleRole.NONE, ConsoleRole.NONE),
    ],
)
def test_a_new_account_has_the_console_it_is_given_or_what_comes_with_its_role(
    role: Role, said: ConsoleRole | None, console: ConsoleRole
) -> None:
    what = {"department": "sales", "role": role, "console_role": said, "by": None, "at": timezone.now()}
    person = {"full_name": "New", "password": PASSWORD}
    made = services.create_account(email="made@example.com", **person, **what)
    token = services.invite(email="invited@example.com", **what).token
    invited = services.register(
        policy=services.Policy.INVITE,
        email="invited@example.com",
        department="",
        invitation=token,
        at=timezone.now(),
        **person,
    )
    for user in (made, invited):
        user.refresh_from_db()
        assert (user.console_role, user.is_staff, user.is_superuser) == (console, bool(console), False)


def test_who_registers_has_no_console() -> None:
    at = timezone.now()
    user = services.register(
        policy=services.Policy.OPEN,
        email="a@example.com",
        full_name="A",
        department="sales",
        password=PASSWORD,
        at=at,
    )
    assert (user.console_role, user.is_staff) == ("", False)


# --- Given and taken away ---


def test_to_give_more_of_the_console_ends_no_session_and_to_take_some_away_ends_all() -> None:
    session = SessionFactory(user=OperatorFactory(console_role=ConsoleRole.VIEWER))
    user, root = session.user, AdminFactory()
    client = browser(user)
    page = reverse("admin:index")
    assert set_role(user, ConsoleRole.OPERATOR, root, "on call from Monday")
    session.refresh_from_db()
    assert session.ended_at is None
    assert client.get(page).status_code == 200
    assert set_role(user, ConsoleRole.VIEWER, root, "not on call any more")
    session.refresh_from_db()
    assert session.ended_reason == SessionEnd.ACCESS_CHANGE
    assert client.get(page).status_code == 302
    assert browser(user).get(page).status_code == 200
    taken, given = AuditEntry.objects.filter(action=AuditAction.CONSOLE_ROLE_CHANGED)
    assert (taken.actor, taken.reason, given.reason) == (root, "not on call any more", "on call from Monday")
    assert taken.details == {"console_role_before": "operator", "console_role": "viewer", "sessions_ended": 2}
    assert given.details == {"console_role_before": "viewer", "console_role": "operator", "sessions_ended": 0}


def test_the_same_role_again_changes_nothing() -> None:
    session = SessionFactory(user=OperatorFactory())
    assert not set_role(session.user, ConsoleRole.OPERATOR)
    session.refresh_from_db()
    assert session.ended_at is None
    assert not AuditEntry.objects.exists()


def test_whoever_is_given_a_role_is_no_superuser_any_more() -> None:
    root, other = AdminFactory(), AdminFactory()
    assert services.set_department(user=other, department="sales", by=root, at=timezone.now())
    assert other.is_superuser, "to be moved is to be given no role"
    assert set_role(other, ConsoleRole.ADMIN, root)
    assert (other.console_role, other.is_superuser) == (ConsoleRole.ADMIN, False)
    told = AuditEntry.objects.get(action=AuditAction.CONSOLE_ROLE_CHANGED).details
    assert (told["is_superuser_before"], told["is_superuser"]) == (True, False)


def test_nobody_takes_the_console_from_themselves() -> None:
    admin = OperatorFactory(console_role=ConsoleRole.ADMIN)
    with pytest.raises(ConflictError) as refusal:
        set_role(admin, ConsoleRole.OPERATOR, admin)
    assert refusal.value.code == "own-account"
    assert services.set_department(user=admin, department="finance", by=admin, at=timezone.now())


def test_only_a_superuser_gives_a_superuser_another_password() -> None:
    root, admin = AdminFactory(), OperatorFactory(console_role=ConsoleRole.ADMIN)
    client = Client()
    client.force_login(admin)
    address = reverse("admin:accounts_user_password", args=[root.pk])
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', client.get(address).content.decode())
    given = {"password1": "nine-red-bottles", "password2": "nine-red-bottles", "reason": "lost", "seen": seen}
    page = client.post(address, given)
    assert "a superuser&#x27;s account" in page.content.decode()
    root.refresh_from_db()
    assert root.check_password(PASSWORD)
    assert not AuditEntry.objects.filter(action=AuditAction.PASSWORD_RESET).exists()
    for by in (AdminFactory(), None):
        services.reset_password(user=root, password="nine-red-bottles", by=by, at=timezone.now())
        assert root.check_password("nine-red-bottles")


def test_of_two_who_give_a_role_at_once_the_slower_is_told() -> None:
    user = UserFactory()
    stale = User.objects.get(pk=user.pk)
    set_role(user, ConsoleRole.VIEWER)
    with pytest.raises(ConflictError) as refusal:
        set_role(stale, ConsoleRole.ADMIN)
    assert refusal.value.code == "changed-meanwhile"
    assert User.objects.get(pk=user.pk).console_role == ConsoleRole.VIEWER


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("shut", [True, False])
def test_of_two_admins_who_shut_out_each_other_at_once_one_stays(shut: bool) -> None:
    one, other = (OperatorFactory(console_role=ConsoleRole.ADMIN) for _ in range(2))
    refused: list[str] = []

    def shut_out(user: User, by: User) -> None:
        try:
            if shut:
                services.deactivate(user=user, by=by, at=timezone.now())
            else:
                set_role(user, ConsoleRole.VIEWER, by)
        except ConflictError as refusal:
            refused.append(refusal.code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            list(User.objects.select_for_update())
            both = [pool.submit(in_scope(shut_out), one, other), pool.submit(in_scope(shut_out), other, one)]
            wait_for_blocked_backends(2)
        for each in both:
            each.result(20)
    assert refused == ["last-admin"]
    assert User.objects.filter(console_role=ConsoleRole.ADMIN, is_active=True).count() == 1


# --- Sessions of the console ---


def test_a_session_of_the_console_is_its_accounts() -> None:
    operator = OperatorFactory()
    browser(operator)
    Client().get(reverse("admin:login"))
    assert ConsoleSession.objects.get().user == operator


def test_what_shuts_an_account_ends_its_sessions_of_the_console_for_good() -> None:
    operator, colleague = OperatorFactory(), OperatorFactory()
    mine, theirs = browser(operator), browser(colleague)
    services.deactivate(user=operator, by=None, at=timezone.now())
    services.activate(user=operator, by=None, at=timezone.now())
    page = reverse("admin:index")
    assert mine.get(page).status_code == 302
    assert theirs.get(page).status_code == 200
    assert browser(operator).get(page).status_code == 200


def test_to_end_all_sessions_of_an_account_ends_those_of_the_console() -> None:
    operator = OperatorFactory()
    client = browser(operator)
    assert services.end_sessions(user=operator, reason=SessionEnd.ADMIN, by=AdminFactory(), at=timezone.now()) == 1
    assert client.get(reverse("admin:index")).status_code == 302
    assert AuditEntry.objects.get(action=AuditAction.SESSIONS_ENDED).details == {"sessions_ended": 1}


def test_to_end_the_others_in_the_dashboard_leaves_the_console_alone() -> None:
    operator = OperatorFactory()
    client, here = browser(operator), bearer(operator)
    ended = services.end_sessions(
        user=operator,
        reason=SessionEnd.OWNER,
        besides=Session.objects.get(),
        by=operator,
        at=timezone.now(),
    )
    assert ended == 0
    assert here
    assert client.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("shut", [{"approval": Approval.PENDING, "approved_at": None}, {"is_active": False}])
def test_a_role_opens_nothing_to_who_may_not_enter(shut: dict[str, Any]) -> None:
    operator = OperatorFactory(**shut)
    assert not Client().login(username=operator.email, password=PASSWORD)
    client = Client()
    client.force_login(operator)
    assert client.get(reverse("admin:index")).status_code == 302


# --- What is there already ---


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_admins_of_before_keep_their_console() -> None:
    try:
        before = migrate("accounts", "0003_audit")
        now, people = timezone.now(), before.get_model("accounts", "User").objects
        same = {"approval": "approved", "approved_at": now, "created_at": now}
        people.create(email="root@example.com", role="admin", is_staff=True, is_superuser=True, **same)
        people.create(email="reads@example.com", role="admin", **same)
        people.create(email="ada@example.com", role="member", department="sales", **same)
        invitations = before.get_model("accounts", "Invitation").objects
        for number, role in enumerate(("admin", "member")):
            invitations.create(
                role=role,
                department="sales",
                token_sha256=f"{number}",
                created_at=now,
                expires_at=now.replace(year=now.year + 1),
            )
        migrate("accounts", newest("accounts"))
        found = {user.email: (user.console_role, user.is_staff) for user in User.objects.all()}
        assert found == {
            "root@example.com": ("admin", True),
            "reads@example.com": ("", False),
            "ada@example.com": ("", False),
        }
        after = apps.get_model("accounts", "Invitation").objects
        assert dict(after.values_list("role", "console_role")) == {"admin": "admin", "member": ""}
        User.objects.filter(email="ada@example.com").update(console_role="viewer", is_staff=True)
        back = migrate("accounts", "0003_audit").get_model("accounts", "User").objects
        assert dict(back.values_list("email", "is_staff")) == {
            "root@example.com": True,
            "reads@example.com": False,
            "ada@example.com": False,
        }
    finally:
        migrate("accounts", newest("accounts"))
