"""The operators' console: it has no powers of its own, the services decide."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Approval, Invitation, User
from tests.accounts.factories import PASSWORD, AdminFactory, SessionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]


@pytest.fixture
def operator() -> User:
    admin: User = AdminFactory(email="root@example.com")
    return admin


@pytest.fixture
def console(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def act(console: Client, model: str, action: str, *chosen: Any) -> str:
    answer = console.post(
        reverse(f"admin:accounts_{model}_changelist"),
        {"action": action, "_selected_action": [str(each.pk) for each in chosen]},
        follow=True,
    )
    assert answer.status_code == 200
    return answer.content.decode()


def change(console: Client, user: User, **values: str) -> str:
    body = {
        "email": user.email,
        "full_name": user.full_name,
        "department": user.department,
        "role": user.role,
    }
    body |= {"is_active": "on"} | values
    answer = console.post(
        reverse("admin:accounts_user_change", args=[user.pk]),
        {name: value for name, value in body.items() if value is not None},
        follow=True,
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_operator_logs_in_with_the_address_in_any_case(operator: User) -> None:
    client = Client()
    answer = client.post(reverse("admin:login"), {"username": "Root@Example.com", "password": PASSWORD})
    assert answer.status_code == 302


@pytest.mark.parametrize("model", ["user", "session", "invitation"])
def test_every_list_and_page_can_be_looked_at(console: Client, model: str) -> None:
    SessionFactory()
    assert console.get(reverse(f"admin:accounts_{model}_changelist")).status_code == 200


def test_the_pages_of_one_account_open(console: Client) -> None:
    session = SessionFactory()
    for address in (
        reverse("admin:accounts_user_add"),
        reverse("admin:accounts_user_change", args=[session.user.pk]),
        reverse("admin:auth_user_password_change", args=[session.user.pk]),
        reverse("admin:accounts_session_change", args=[session.pk]),
        reverse("admin:accounts_invitation_add"),
    ):
        assert console.get(address).status_code == 200, address


def test_approving_counts_who_was_approved_already(console: Client, operator: User) -> None:
    waiting, approved = UserFactory(approval=Approval.PENDING), UserFactory(email="done@example.com")
    said = act(console, "user", "approve", waiting, approved)
    assert "1 of 2 approved." in said
    assert "done@example.com is approved already." in said
    waiting.refresh_from_db()
    assert (waiting.approval, waiting.approved_by) == ("approved", operator)


def test_deactivating_ends_sessions_but_never_ones_own(console: Client, operator: User) -> None:
    session = SessionFactory()
    said = act(console, "user", "deactivate", session.user, operator)
    assert "1 of 2 deactivated." in said
    assert "shut yourself out" in said
    session.refresh_from_db()
    assert session.ended_reason == "access-change"
    operator.refresh_from_db()
    assert operator.is_active


def test_sessions_are_ended_from_either_list(console: Client) -> None:
    one, two = SessionFactory(), SessionFactory()
    act(console, "user", "end_sessions", one.user)
    act(console, "session", "end", two)
    for session in (one, two):
        session.refresh_from_db()
        assert session.ended_reason == "admin"


def test_moving_a_member_in_the_form_ends_their_sessions(console: Client) -> None:
    session = SessionFactory(user__department="sales")
    change(console, session.user, department="finance", full_name="Ada Byron", email="Ada.Byron@Example.com")
    session.refresh_from_db()
    session.user.refresh_from_db()
    assert (session.user.department, session.user.full_name) == ("finance", "Ada Byron")
    assert session.user.email == "ada.byron@example.com"
    assert session.ended_reason == "access-change"


def test_a_refusal_of_the_service_is_a_sentence(console: Client, operator: User) -> None:
    assert "shut yourself out" in change(console, operator, role="member", department="sales")
    operator.refresh_from_db()
    assert operator.role == "admin"


def test_a_member_without_a_department_is_refused_by_the_form(console: Client) -> None:
    user = UserFactory()
    assert "A member needs a department" in change(console, user, department="")


def test_an_account_is_added_ready_to_log_in(console: Client, operator: User) -> None:
    answer = console.post(
        reverse("admin:accounts_user_add"),
        {
            "email": "New@Example.com",
            "full_name": "New",
            "department": "sales",
            "role": "member",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
        follow=True,
    )
    assert answer.status_code == 200
    user = User.objects.get(email="new@example.com")
    assert user.check_password(PASSWORD)
    assert (user.approval, user.approved_by) == ("approved", operator)


def test_a_new_password_ends_the_users_sessions(console: Client) -> None:
    session = SessionFactory()
    answer = console.post(
        reverse("admin:auth_user_password_change", args=[session.user.pk]),
        {"password1": "seven-blue-teapots", "password2": "seven-blue-teapots", "set-password": "1"},
        follow=True,
    )
    assert "Password changed" in answer.content.decode()
    session.refresh_from_db()
    session.user.refresh_from_db()
    assert session.ended_reason == "password-change"
    assert session.user.check_password("seven-blue-teapots")


def test_an_invitation_shows_its_token_once(console: Client, operator: User) -> None:
    address = reverse("admin:accounts_invitation_add")
    answer = console.post(address, {"email": "New@Example.com", "department": "sales", "role": "member"}, follow=True)
    token = re.search(r"shown only now: ([\w-]{43})", answer.content.decode())
    assert token, answer.content.decode()
    made = Invitation.objects.get()
    assert (made.email, made.invited_by) == ("new@example.com", operator)
    assert token[1] not in console.get(reverse("admin:accounts_invitation_changelist")).content.decode()


def test_what_happened_cannot_be_edited(console: Client) -> None:
    session = SessionFactory()
    assert console.post(reverse("admin:accounts_session_change", args=[session.pk]), {}).status_code == 403
    assert console.get(reverse("admin:accounts_session_add")).status_code == 403
    assert console.get(reverse("admin:accounts_user_delete", args=[session.user.pk])).status_code == 403


def test_a_member_has_no_console() -> None:
    client = Client()
    client.force_login(UserFactory())
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 302
