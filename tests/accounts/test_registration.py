"""Registration under each policy, and invitations."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.registry import departments
from apps.accounts import services
from apps.accounts.choices import Approval, Role
from apps.accounts.errors import FieldError
from apps.accounts.models import Invitation, User
from tests.accounts.blocking import wait_for_blocked_backends
from tests.accounts.factories import AdminFactory, UserFactory
from tests.support.threads import in_scope

pytestmark = pytest.mark.django_db
REGISTER, LOGIN, CONFIG = (f"/api/v1/auth/{name}" for name in ("register", "login", "config"))
ADA = {
    "email": "Ada@Example.com",
    "password": "seven-blue-teapots",
    "full_name": " Ada  Novak ",
    "department": "sales",
}
Problem = Callable[..., dict[str, Any]]

open_to_all = override_settings(REGISTRATION_POLICY="open")
by_approval = override_settings(REGISTRATION_POLICY="approval")
by_invitation = override_settings(REGISTRATION_POLICY="invite")


def log_in(api: APIClient) -> Any:
    return api.post(LOGIN, {"email": ADA["email"], "password": ADA["password"]})


@pytest.mark.parametrize("policy", ["open", "approval", "invite"])
def test_the_page_can_ask_for_the_policy_and_the_departments(api: APIClient, policy: str) -> None:
    with override_settings(REGISTRATION_POLICY=policy):
        answer = api.get(CONFIG).json()
    assert answer["registration_policy"] == policy
    assert {each["slug"] for each in answer["departments"]} == set(departments())
    assert all(each["label"] for each in answer["departments"])


def test_the_page_can_ask_what_a_password_must_fulfil(api: APIClient) -> None:
    rules = {rule["code"]: rule for rule in api.get(CONFIG).json()["password_rules"]}
    assert set(rules) == {"user-attribute-similarity", "minimum-length", "common-password", "numeric-password"}
    assert "10 characters" in rules["minimum-length"]["text"]
    assert {code: rule["least_characters"] for code, rule in rules.items() if rule["least_characters"]} == {
        "minimum-length": 10
    }
    with override_settings(AUTH_PASSWORD_VALIDATORS=[]):
        assert api.get(CONFIG).json()["password_rules"] == []


@open_to_all
def test_open_lets_in_at_once(api: APIClient) -> None:
    answer = api.post(REGISTER, ADA)
    assert answer.status_code == 201
    body = answer.json()
    user = User.objects.get()
    assert body["id"] == str(user.pk)
    assert (body["email"], body["full_name"], body["department"]) == ("ada@example.com", "Ada Novak", "sales")
    assert (body["role"], body["approval"]) == ("member", "approved")
    assert "password" not in body
    assert log_in(api).status_code == 200


@open_to_all
def test_open_says_plainly_that_an_address_is_taken(api: APIClient, problem: Problem) -> None:
    UserFactory(email="ada@example.com")
    errors = problem(api.post(REGISTER, ADA), 422, "invalid-request")["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [("/email", "email-taken")]
    assert User.objects.count() == 1


@by_approval
def test_approval_lets_in_when_an_admin_has_approved(api: APIClient, problem: Problem) -> None:
    answer = api.post(REGISTER, ADA)
    assert (answer.status_code, answer.json()["approval"]) == (201, "pending")
    problem(log_in(api), 403, "approval-pending")
    admin, at = AdminFactory(), timezone.now()
    user = User.objects.get(email="ada@example.com")
    services.approve(user=user, by=admin, at=at)
    assert (user.approval, user.approved_by, user.approved_at) == ("approved", admin, at)
    assert log_in(api).status_code == 200


@by_approval
@pytest.mark.parametrize("state", [{}, {"is_active": False}, {"approval": Approval.PENDING}])
def test_approval_does_not_tell_that_an_address_is_taken(api: APIClient, state: dict[str, Any]) -> None:
    fresh = api.post(REGISTER, ADA | {"email": "free@example.com"}).json()
    owner = UserFactory(email="ada@example.com", department="finance", **state)
    before = User.objects.filter(pk=owner.pk).values().get()
    answer = api.post(REGISTER, ADA)
    assert answer.status_code == 201
    varying = {"id", "email", "created_at"}
    assert {k: v for k, v in answer.json().items() if k not in varying} == {
        k: v for k, v in fresh.items() if k not in varying
    }
    assert answer.json()["id"] not in {str(owner.pk), fresh["id"]}
    assert User.objects.filter(pk=owner.pk).values().get() == before
    assert User.objects.count() == 2


@by_invitation
def test_invite_refuses_who_was_not_invited(api: APIClient, problem: Problem) -> None:
    problem(api.post(REGISTER, ADA), 403, "invitation-required")
    assert not User.objects.exists()


def invitation(**changes: Any) -> services.Issued:
    values = {"email": "ada@example.com", "department": "finance", "role": Role.MEMBER, "by": None}
    return services.invite(**(values | {"at": timezone.now()} | changes))


@pytest.mark.parametrize("policy", ["open", "approval", "invite"])
def test_an_invitation_lets_in_and_decides_the_department(api: APIClient, policy: str) -> None:
    admin = AdminFactory()
    token = invitation(by=admin).token
    with override_settings(REGISTRATION_POLICY=policy):
        answer = api.post(REGISTER, ADA | {"department": "", "invitation": token})
    assert answer.status_code == 201, answer.json()
    user = User.objects.get(email="ada@example.com")
    assert (user.department, user.role, user.approval, user.approved_by) == (
        "finance",
        "member",
        "approved",
        admin,
    )
    used = Invitation.objects.get()
    assert (used.used_by, used.used_at is None) == (user, False)
    assert log_in(api).status_code == 200


@by_invitation
def test_an_admin_can_be_invited(api: APIClient) -> None:
    token = invitation(department="", role=Role.ADMIN).token
    assert api.post(REGISTER, ADA | {"department": "", "invitation": token}).json()["role"] == "admin"
    assert User.objects.get().is_staff


@by_invitation
def test_an_invitation_is_good_once(api: APIClient, problem: Problem) -> None:
    token = invitation(email="").token
    assert api.post(REGISTER, ADA | {"department": "finance", "invitation": token}).status_code == 201
    again = ADA | {"email": "bob@example.com", "department": "", "invitation": token}
    errors = problem(api.post(REGISTER, again), 422, "invalid-request")["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [("/invitation", "invitation-invalid")]


@by_invitation
@pytest.mark.parametrize("trouble", ["run out", "another address", "made up", "replaced"])
def test_a_bad_invitation_is_refused_without_saying_why(api: APIClient, problem: Problem, trouble: str) -> None:
    if trouble == "run out":
        token = invitation(at=timezone.now() - timedelta(days=8)).token
    elif trouble == "another address":
        token = invitation(email="bob@example.com").token
    elif trouble == "replaced":
        token = invitation().token
        invitation()
    else:
        token = "made-up"
    answer = api.post(REGISTER, ADA | {"department": "", "invitation": token})
    errors = problem(answer, 422, "invalid-request")["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [("/invitation", "invitation-invalid")]
    assert not User.objects.exists()


@by_invitation
def test_an_invitation_for_finance_does_not_open_sales(api: APIClient, problem: Problem) -> None:
    answer = api.post(REGISTER, ADA | {"department": "sales", "invitation": invitation().token})
    errors = problem(answer, 422, "invalid-request")["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [("/department", "not-invited")]


@by_invitation
def test_a_failed_registration_does_not_spend_the_invitation(api: APIClient) -> None:
    UserFactory(email="ada@example.com")
    token = invitation(email="").token
    body = ADA | {"department": "", "invitation": token}
    assert api.post(REGISTER, body).json()["errors"][0]["code"] == "email-taken"
    assert api.post(REGISTER, body | {"password": "short"}).status_code == 422
    assert Invitation.objects.get().used_at is None
    assert api.post(REGISTER, body | {"email": "bob@example.com"}).status_code == 201


def test_the_token_of_an_invitation_is_not_kept() -> None:
    issued = invitation()
    row = Invitation.objects.filter(pk=issued.invitation.pk).values().get()
    assert issued.token not in map(str, row.values())


def test_who_has_an_account_is_not_invited() -> None:
    UserFactory(email="ada@example.com")
    with pytest.raises(FieldError) as refusal:
        invitation()
    assert refusal.value.code == "email-taken"


@open_to_all
def test_an_unknown_department_is_answered_with_the_known_ones(api: APIClient, problem: Problem) -> None:
    document = problem(api.post(REGISTER, ADA | {"department": "marketing"}), 422, "invalid-request")
    assert [(e["pointer"], e["code"]) for e in document["errors"]] == [("/department", "unknown-department")]
    assert "sales" in document["errors"][0]["detail"]
    assert document["details"]["departments"] == list(departments())


@open_to_all
@pytest.mark.parametrize(
    ("change", "status", "refused"),
    [
        ({"password": "short"}, 422, ("/password", "weak-password")),
        ({"password": "1234567890123"}, 422, ("/password", "weak-password")),
        ({"password": "ada@example.com"}, 422, ("/password", "weak-password")),
        ({"email": "not an address"}, 400, ("/email", "invalid")),
        ({"full_name": "  "}, 400, ("/full_name", "blank")),
        ({"department": ""}, 400, ("/department", "required")),
        ({"full_name": "A\x00B"}, 400, ("/full_name", "null-characters-not-allowed")),
        ({"password": "x" * 2000}, 400, ("/password", "max-length")),
    ],
)
def test_a_refused_value_is_pointed_at(
    api: APIClient, problem: Problem, change: dict[str, str], status: int, refused: tuple[str, str]
) -> None:
    errors = problem(api.post(REGISTER, ADA | change), status, "invalid-request")["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [refused]
    assert not User.objects.exists()


@pytest.mark.parametrize("since", [{"is_active": False}, {"console_role": "viewer", "is_superuser": False}])
def test_who_is_shut_out_does_not_come_back_by_an_invitation_of_their_own(since: dict[str, Any]) -> None:
    admin = AdminFactory()
    values = ADA | {"department": "", "invitation": invitation(email="", role=Role.ADMIN, by=admin).token}
    User.objects.filter(pk=admin.pk).update(**since)
    with pytest.raises(FieldError) as refusal:
        services.register(policy=services.Policy.INVITE, **values, at=timezone.now())
    assert refusal.value.code == "invitation-invalid"
    assert User.objects.get() == admin
    User.objects.filter(pk=admin.pk).update(is_active=True, console_role="admin")
    assert services.register(policy=services.Policy.INVITE, **values, at=timezone.now()).role == Role.ADMIN


@open_to_all
def test_one_cannot_make_oneself_an_admin(api: APIClient) -> None:
    wished = {"role": "admin", "is_staff": True, "is_superuser": True, "approval": "approved"}
    assert api.post(REGISTER, ADA | wished).json()["role"] == "member"
    user = User.objects.get()
    assert (user.role, user.is_staff, user.is_superuser) == ("member", False, False)


@open_to_all
def test_the_spaces_of_a_password_are_part_of_it(api: APIClient) -> None:
    body = ADA | {"password": "  seven blue teapots  "}
    assert api.post(REGISTER, body).status_code == 201
    credentials = {"email": ADA["email"], "password": body["password"]}
    assert api.post(LOGIN, credentials).status_code == 200
    assert api.post(LOGIN, credentials | {"password": body["password"].strip()}).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_two_who_hold_one_invitation_do_not_both_get_in() -> None:
    token = invitation(email="").token
    outcomes: list[str] = []

    def register(email: str) -> None:
        values = ADA | {"email": email, "department": "", "invitation": token}
        try:
            services.register(policy=services.Policy.INVITE, **values, at=timezone.now())
            outcomes.append("in")
        except FieldError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    holders = [threading.Thread(target=in_scope(register), args=[f"{name}@example.com"]) for name in ("ada", "bob")]
    with transaction.atomic():
        Invitation.objects.select_for_update().get()
        for holder in holders:
            holder.start()
        wait_for_blocked_backends(2)
    for holder in holders:
        holder.join(timeout=10)
    assert sorted(outcomes) == ["in", "invitation-invalid"]
    assert User.objects.count() == 1
