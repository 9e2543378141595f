"""A changed password, a moved member, a shut account end sessions. And the department rule."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.errors import ConflictError, ForbiddenError, NotFoundError
from aetherflow.registry import departments
from apps.accounts import services
from apps.accounts.choices import Role
from apps.accounts.errors import FieldError
from apps.accounts.models import Session, User
from apps.accounts.selectors import departments_of, require_department
from tests.accounts.factories import PASSWORD, AdminFactory, SessionFactory, UserFactory, bearer

pytestmark = pytest.mark.django_db
PASSWORD_ROUTE, LOGIN, ME = (f"/api/v1/auth/{name}" for name in ("password", "login", "me"))
NEW = "seven-blue-teapots"
Problem = Callable[..., dict[str, Any]]


def test_a_password_change_ends_every_session_of_the_user_alone(api: APIClient, problem: Problem) -> None:
    user, colleague = UserFactory(email="ada@example.com"), UserFactory()
    elsewhere, theirs, here = SessionFactory(user=user), SessionFactory(user=colleague), bearer(user)
    answer = api.post(PASSWORD_ROUTE, {"current_password": PASSWORD, "new_password": NEW}, **here)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.cookies["aetherflow_refresh"]["max-age"] == 0
    assert set(Session.objects.filter(user=user).values_list("ended_reason", flat=True)) == {"password-change"}
    elsewhere.refresh_from_db()
    theirs.refresh_from_db()
    assert elsewhere.ended_at is not None
    assert theirs.ended_at is None
    problem(api.get(ME, **here), 401, "session-ended")
    problem(api.post(LOGIN, {"email": user.email, "password": PASSWORD}), 401, "invalid-credentials")
    assert api.post(LOGIN, {"email": user.email, "password": NEW}).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"current_password": "wrong", "new_password": NEW}, "/current_password", "wrong-password"),
        ({"current_password": PASSWORD, "new_password": "short"}, "/new_password", "weak-password"),
        ({"current_password": PASSWORD, "new_password": PASSWORD}, "/new_password", "weak-password"),
    ],
)
def test_a_refused_password_change_changes_nothing(
    api: APIClient, problem: Problem, body: dict[str, str], pointer: str, code: str
) -> None:
    user = UserFactory()
    here = bearer(user)
    errors = problem(api.post(PASSWORD_ROUTE, body, **here), 422, "invalid-request")["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [(pointer, code)]
    assert api.get(ME, **here).status_code == 200


def test_a_password_is_changed_only_by_who_is_logged_in(api: APIClient, problem: Problem) -> None:
    problem(
        api.post(PASSWORD_ROUTE, {"current_password": PASSWORD, "new_password": NEW}),
        401,
        "not-authenticated",
    )


def test_of_two_password_changes_at_once_the_slower_is_told() -> None:
    user = UserFactory()
    slower = User.objects.get(pk=user.pk)
    services.change_password(user=user, current=PASSWORD, new=NEW, at=timezone.now())
    with pytest.raises(ConflictError) as refusal:
        services.change_password(user=slower, current=PASSWORD, new="ten-red-balloons", at=timezone.now())
    assert refusal.value.code == "changed-meanwhile"
    assert User.objects.get(pk=user.pk).check_password(NEW)


def test_moving_a_member_ends_their_sessions(api: APIClient, problem: Problem) -> None:
    user = UserFactory(department="sales")
    here = bearer(user)
    assert services.set_department(user=user, department="finance", by=AdminFactory(), at=timezone.now())
    assert user.department == "finance"
    assert user.sessions.get().ended_reason == "access-change"
    problem(api.get(ME, **here), 401, "department-changed")


def test_moving_a_member_to_where_they_are_ends_nothing() -> None:
    session = SessionFactory(user__department="sales")
    assert not services.set_department(user=session.user, department="sales", by=None, at=timezone.now())
    session.refresh_from_db()
    assert session.ended_at is None


def test_nobody_is_moved_to_a_department_that_is_not() -> None:
    user = UserFactory(department="sales")
    with pytest.raises(FieldError) as refusal:
        services.set_department(user=user, department="marketing", by=None, at=timezone.now())
    assert refusal.value.code == "unknown-department"


def test_the_console_comes_and_goes_with_the_role() -> None:
    user = UserFactory(department="sales")
    for role, staff in ((Role.ADMIN, True), (Role.MEMBER, False)):
        services.set_access(
            user=user, department="sales", role=role, is_active=True, by=AdminFactory(), at=timezone.now()
        )
        assert (user.console_role, user.is_staff, user.is_superuser) == ("admin" if staff else "", staff, False)


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.MEMBER}])
def test_an_admin_does_not_shut_themselves_out(change: dict[str, Any]) -> None:
    admin = AdminFactory(department="sales")
    wanted: dict[str, Any] = {"department": "sales", "role": Role.ADMIN, "is_active": True} | change
    with pytest.raises(ConflictError) as refusal:
        services.set_access(user=admin, **wanted, by=admin, at=timezone.now())
    assert refusal.value.code == "own-account"


def test_a_decision_on_an_account_somebody_else_has_changed_is_refused() -> None:
    user = UserFactory(department="sales")
    stale = User.objects.get(pk=user.pk)
    services.set_department(user=user, department="finance", by=None, at=timezone.now())
    with pytest.raises(ConflictError) as refusal:
        services.set_department(user=stale, department="supply_chain", by=None, at=timezone.now())
    assert refusal.value.code == "changed-meanwhile"
    assert User.objects.get(pk=user.pk).department == "finance"


def test_approving_twice_is_refused() -> None:
    with pytest.raises(ConflictError) as refusal:
        services.approve(user=UserFactory(), by=AdminFactory(), at=timezone.now())
    assert refusal.value.code == "already-approved"


def test_a_member_sees_one_department_an_admin_all() -> None:
    assert departments_of(UserFactory(department="finance")) == ("finance",)
    assert departments_of(AdminFactory()) == tuple(departments())


def test_a_member_cannot_tell_a_foreign_department_from_one_that_is_not() -> None:
    member = UserFactory(department="sales")
    require_department(member, "sales")
    refusals = []
    for slug in ("finance", "marketing", "", "SALES"):
        with pytest.raises(ForbiddenError) as refusal:
            require_department(member, slug)
        refusals.append((refusal.value.code, refusal.value.hint, refusal.value.message.replace(repr(slug), "")))
    assert len(set(refusals)) == 1
    assert refusals[0][0] == "foreign-department"


def test_an_admin_is_told_that_a_department_is_not() -> None:
    admin = AdminFactory()
    for slug in departments():
        require_department(admin, slug)
    with pytest.raises(NotFoundError) as refusal:
        require_department(admin, "marketing")
    assert refusal.value.code == "unknown-department"
    assert "sales" in refusal.value.hint
