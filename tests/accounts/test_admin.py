"""The operators' console: it has no powers of its own, the services decide."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts import services
from apps.accounts.choices import Approval, AuditAction, Role, SessionEnd
from apps.accounts.errors import FieldError
from apps.accounts.models import AuditEntry, Invitation, User
from apps.accounts.selectors import bound_to_department
from apps.insights.models import Review
from tests.accounts.factories import PASSWORD, AdminFactory, OperatorFactory, SessionFactory, UserFactory
from tests.datasets.factories import DatasetFactory

WHY = "as agreed with her manager"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]


@dataclass(frozen=True)
class Page:
    """What a step's page asked, and what was said when it was sent."""

    asked: str
    said: str


@pytest.fixture
def operator() -> User:
    admin: User = AdminFactory(email="root@example.com")
    return admin


@pytest.fixture
def console(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def take(console: Client, address: str, opening: dict[str, Any] | None = None, **given: str) -> Page:
    """Look at a step's page and send it, filled in, with its hidden fields."""
    first = console.post(address, opening) if opening else console.get(address)
    assert first.status_code == 200
    question = first.context["question"]
    body: dict[str, Any] = {name: [] for name, _ in question.hidden}
    for name, value in question.hidden:
        body[name].append(value)
    answer = console.post(address, body | {"reason": WHY} | given, follow=True)
    assert answer.status_code == 200
    return Page(asked=first.content.decode(), said=answer.content.decode())


def act(console: Client, model: str, action: str, *chosen: Any, **given: str) -> Page:
    """Of the list: the chosen ones."""
    opening = {"action": action, "_selected_action": [str(each.pk) for each in chosen]}
    return take(console, reverse(f"admin:accounts_{model}_changelist"), opening, **given)


def step(console: Client, thing: Any, name: str, **given: str) -> Page:
    """By the button on its page."""
    address = reverse(f"admin:accounts_{thing._meta.model_name}_{name}", args=[thing.pk])
    return take(console, address, **given)


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
        reverse("admin:accounts_user_password", args=[session.user.pk]),
        reverse("admin:auth_group_change", args=[Group.objects.get(name="console viewer").pk]),
        reverse("admin:accounts_session_change", args=[session.pk]),
        reverse("admin:accounts_invitation_add"),
    ):
        assert console.get(address).status_code == 200, address


def test_approving_many_counts_who_was_approved_already(console: Client, operator: User) -> None:
    waiting, approved = UserFactory(approval=Approval.PENDING), UserFactory(email="done@example.com")
    page = act(console, "user", "approve", waiting, approved)
    assert "They can log in from now on" in page.asked
    assert f'{waiting.email}</span> <span class="muted">Ada Novak, Sales, registered 2026-01-05' in page.asked
    assert "1 of 2 approved." in page.said
    assert "done@example.com is approved already." in page.said
    waiting.refresh_from_db()
    assert (waiting.approval, waiting.approved_by) == ("approved", operator)
    assert AuditEntry.objects.get(action=AuditAction.ACCOUNT_APPROVED).reason == WHY


def test_one_is_approved_from_its_page(console: Client) -> None:
    waiting = UserFactory(email="wim@example.com", approval=Approval.PENDING)
    page = console.get(reverse("admin:accounts_user_change", args=[waiting.pk])).content.decode()
    assert reverse("admin:accounts_user_approve", args=[waiting.pk]) in page
    assert "Approved: wim@example.com." in step(console, waiting, "approve").said
    page = console.get(reverse("admin:accounts_user_change", args=[waiting.pk])).content.decode()
    assert reverse("admin:accounts_user_approve", args=[waiting.pk]) not in page


def test_deactivating_says_how_many_sessions_it_ends_but_never_ones_own(console: Client, operator: User) -> None:
    session = SessionFactory(user=OperatorFactory(email="ada@example.com"))
    SessionFactory(user=session.user)
    SessionFactory(user=session.user, ended_at=timezone.now(), ended_reason=SessionEnd.LOGOUT)
    theirs = Client()
    theirs.force_login(session.user)
    DatasetFactory(uploaded_by=session.user)
    page = act(console, "user", "deactivate", session.user, operator)
    assert "This ends 2 sessions of the dashboard, 2 sessions of the console." in page.asked
    assert "work under way goes on (1 dataset)." in page.asked
    assert "1 of 2 deactivated." in page.said
    assert "shut yourself out" in page.said
    session.refresh_from_db()
    assert session.ended_reason == "access-change"
    operator.refresh_from_db()
    assert operator.is_active
    assert theirs.get(reverse("admin:index")).status_code == 302
    assert "Opened again: ada@example.com." in step(console, session.user, "reopen").said
    assert theirs.get(reverse("admin:index")).status_code == 302, "what has ended stays so"


def test_sessions_are_ended_from_either_list(console: Client) -> None:
    one, two = SessionFactory(), SessionFactory()
    act(console, "user", "end-sessions", one.user)
    act(console, "session", "end", two)
    for session in (one, two):
        session.refresh_from_db()
        assert session.ended_reason == "admin"
    reasons = AuditEntry.objects.filter(action=AuditAction.SESSIONS_ENDED).values_list("reason", flat=True)
    assert list(reasons) == [WHY, WHY]


def test_moving_says_what_ends_and_what_stays(console: Client, operator: User) -> None:
    session = SessionFactory(user__department="sales", user__email="ada@example.com")
    ada = session.user
    for _ in range(2):
        dataset = DatasetFactory(uploaded_by=ada)
    DatasetFactory(uploaded_by=UserFactory())
    now, about = timezone.now(), {"department": "sales", "kind": "listing", "subject": ["S1"]}
    Review.objects.create(
        **about, subject_key=dataset.pk, verdict="expected", item={}, reviewed_by=ada, reviewed_at=now
    )
    page = step(console, ada, "move", department="finance")
    assert "This ends 1 session of the dashboard, 0 sessions of the console." in page.asked
    assert "under their name (2 datasets, 1 review)" in page.asked
    assert "Admins of all departments" not in page.asked
    assert "Moved: ada@example.com." in page.said
    session.refresh_from_db()
    ada.refresh_from_db()
    assert (ada.department, session.ended_reason) == ("finance", "access-change")
    entry = AuditEntry.objects.get(action=AuditAction.ACCOUNT_MOVED)
    assert (entry.actor, entry.reason) == (operator, WHY)
    assert (
        "Not moved: ada@example.com. Nothing had to be changed."
        in step(console, ada, "move", department="finance").said
    )


def test_what_stays_is_what_is_of_the_department_they_leave(console: Client) -> None:
    ada = UserFactory(department="sales")
    DatasetFactory(uploaded_by=ada, deleted_by=ada, deleted_at=timezone.now())
    ada.department = "finance"
    ada.save(update_fields=["department"])
    assert not bound_to_department([ada])
    DatasetFactory(uploaded_by=ada, department="finance")
    assert bound_to_department([ada]) == {"dataset": 1}


def test_a_role_and_with_it_the_console_is_given_and_taken(console: Client) -> None:
    session = SessionFactory(user__department="sales")
    ada = session.user
    page = step(console, ada, "role", role="member", department="")
    assert "A member needs a department" in page.said
    step(console, ada, "role", role="admin", department="")
    ada.refresh_from_db()
    assert (ada.role, ada.department, ada.console_role) == ("admin", "", "admin")
    step(console, ada, "role", role="member", department="finance")
    ada.refresh_from_db()
    assert (ada.role, ada.department, ada.console_role) == ("member", "finance", "")


def test_a_role_in_the_console_is_given_to_many(console: Client) -> None:
    one, two = UserFactory(), AdminFactory()
    page = act(console, "user", "console-role", one, two, console_role="operator")
    assert "The console shows all departments" in page.asked
    assert "Whoever is a superuser is none any more" in page.asked
    assert "2 of 2 given the role in the console." in page.said
    for user in (one, two):
        user.refresh_from_db()
        assert (user.console_role, user.is_superuser) == ("operator", False)


def test_a_refusal_of_the_service_is_a_sentence_on_the_page(console: Client, operator: User) -> None:
    for page in (
        step(console, operator, "deactivate"),
        step(console, operator, "role", role="member", department="sales"),
        step(console, operator, "console_role", console_role="viewer"),
    ):
        assert "You would shut yourself out. Let another admin do this." in page.said
        assert WHY in page.said, "what was typed in stays"
    operator.refresh_from_db()
    assert (operator.role, operator.is_active, operator.console_role) == ("admin", True, "admin")


def test_ones_own_password_is_not_given_without_the_present_one(console: Client, operator: User) -> None:
    page = step(console, operator, "password", password1="another long sentence", password2="another long sentence")
    assert "“Change password”" in page.said
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)
    assert not AuditEntry.objects.exists()


def test_nobody_is_moved_to_a_department_that_was_not_chosen(console: Client) -> None:
    page = step(console, UserFactory(department="sales"), "move")
    assert '<option value="" selected>choose one</option>' in page.asked
    assert "This field is required." in page.said
    assert set(User.objects.filter(role="member").values_list("department", flat=True)) == {"sales"}


def test_the_form_changes_the_name_alone(console: Client) -> None:
    session = SessionFactory(user__department="sales")
    address = reverse("admin:accounts_user_change", args=[session.user.pk])
    wished = {"email": "Ada.Byron@Example.com", "full_name": "Ada Byron", "department": "finance", "role": "admin",
              "console_role": "admin", "is_active": ""}  # fmt: skip
    assert console.post(address, wished).status_code == 302
    session.refresh_from_db()
    session.user.refresh_from_db()
    assert (session.user.email, session.user.full_name) == ("ada.byron@example.com", "Ada Byron")
    assert (session.user.department, session.user.role, session.user.console_role) == ("sales", "member", "")
    assert session.ended_at is None


def test_a_member_without_a_department_is_refused_by_the_form(console: Client) -> None:
    page = add(console, department="")
    assert "A member needs a department" in page
    assert not User.objects.filter(email="new@example.com").exists()


def add(console: Client, **given: str) -> str:
    person = {"email": "New@Example.com", "full_name": "New", "password1": PASSWORD, "password2": PASSWORD}
    access = {"department": "sales", "role": "member", "console_role": "", "reason": WHY}
    answer = console.post(reverse("admin:accounts_user_add"), person | access | given, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("console_role", ["", "operator"])
def test_an_account_is_added_ready_to_log_in(console: Client, operator: User, console_role: str) -> None:
    add(console, console_role=console_role)
    user = User.objects.get(email="new@example.com")
    assert user.check_password(PASSWORD)
    assert (user.approval, user.approved_by, user.console_role) == ("approved", operator, console_role)
    assert AuditEntry.objects.get(action=AuditAction.ACCOUNT_CREATED).reason == WHY


def test_an_account_is_not_added_without_a_reason(console: Client) -> None:
    assert "Say in a few words why" in add(console, reason=" ")
    assert not User.objects.filter(email="new@example.com").exists()


def test_a_new_password_ends_the_users_sessions(console: Client) -> None:
    session = SessionFactory()
    weak = step(console, session.user, "password", password1="short", password2="short")
    assert "too short" in weak.said
    unlike = step(console, session.user, "password", password1="seven-blue-teapots", password2="seven-red-teapots")
    assert "match." in unlike.said
    done = step(console, session.user, "password", password1="seven-blue-teapots", password2="seven-blue-teapots")
    assert "Given another password:" in done.said
    assert "seven-blue-teapots" not in weak.said + unlike.said + done.said
    session.refresh_from_db()
    session.user.refresh_from_db()
    assert session.ended_reason == "password-change"
    assert session.user.check_password("seven-blue-teapots")


def test_an_invitation_shows_its_token_once(console: Client, operator: User) -> None:
    address = reverse("admin:accounts_invitation_add")
    given = {"email": "New@Example.com", "department": "sales", "role": "member", "console_role": "viewer"}
    assert "Say in a few words why" in console.post(address, given).content.decode()
    answer = console.post(address, given | {"reason": WHY}, follow=True)
    token = re.search(r"shown only now: ([\w-]{43})", answer.content.decode())
    assert token, answer.content.decode()
    made = Invitation.objects.get()
    assert (made.email, made.invited_by, made.console_role) == ("new@example.com", operator, "viewer")
    assert AuditEntry.objects.get(action=AuditAction.INVITED).reason == WHY
    listed = console.get(reverse("admin:accounts_invitation_changelist")).content.decode()
    assert token[1] not in listed
    assert "open" in listed


def test_an_invitation_is_withdrawn_and_opens_nothing_any_more(console: Client) -> None:
    at = timezone.now()
    issued = services.invite(email="", department="sales", role=Role.MEMBER, by=None, at=at)
    assert "Withdrawn: invitation" in step(console, issued.invitation, "withdraw").said
    person = {"email": "new@example.com", "password": PASSWORD, "full_name": "New", "department": ""}
    with pytest.raises(FieldError, match="not valid"):
        services.register(policy=services.Policy.INVITE, **person, invitation=issued.token, at=at)
    assert "withdrawn before" in step(console, issued.invitation, "withdraw").said
    assert console.post(
        reverse("admin:accounts_invitation_delete", args=[issued.invitation.pk]), {"post": "yes"}
    ).status_code == 403  # fmt: skip


def test_the_invitations_of_an_admin_who_is_shut_out_are_void_and_said_to_be(console: Client) -> None:
    admin = OperatorFactory(console_role="admin")
    services.invite(email="", department="sales", role=Role.MEMBER, by=admin, at=timezone.now())
    page = step(console, admin, "deactivate")
    assert "Open invitations that they made are void from then on." in page.asked
    listed = console.get(reverse("admin:accounts_invitation_changelist")).content.decode()
    assert "void: who made it administers the console no more" in listed


def test_what_happened_cannot_be_edited(console: Client) -> None:
    session = SessionFactory()
    assert console.post(reverse("admin:accounts_session_change", args=[session.pk]), {}).status_code == 403
    assert console.get(reverse("admin:accounts_session_add")).status_code == 403
    assert console.get(reverse("admin:accounts_user_delete", args=[session.user.pk])).status_code == 403


def test_a_member_has_no_console() -> None:
    client = Client()
    client.force_login(UserFactory())
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 302
