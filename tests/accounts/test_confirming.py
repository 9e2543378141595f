"""Between asking for something in the console and doing it stands a page: nothing is done unseen or without a why."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.account_steps import Approve
from apps.accounts.choices import Approval
from apps.accounts.models import AuditEntry, User
from tests.accounts.factories import AdminFactory, OperatorFactory, UserFactory, operator_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]
LIST = reverse("admin:accounts_user_changelist")
WAITING = f"{LIST}?approval__exact=pending"
WHY = "known to the head of sales"


@pytest.fixture
def console() -> Client:
    client = Client()
    client.force_login(AdminFactory())
    return client


def pending(**values: Any) -> User:
    user: User = UserFactory(approval=Approval.PENDING, **values)
    return user


def choose(*users: User, **more: str) -> dict[str, Any]:
    return {"action": "approve", "_selected_action": [str(each.pk) for each in users]} | more


def answer_of(page: Any, **given: str) -> dict[str, Any]:
    """The page's form as a browser sends it."""
    body: dict[str, Any] = {}
    for name, value in page.context["question"].hidden:
        body.setdefault(name, []).append(value)
    return body | {"reason": WHY} | given


def approved() -> set[str]:
    return set(User.objects.filter(approval=Approval.APPROVED, role="member").values_list("email", flat=True))


def test_to_choose_an_action_does_nothing_yet(console: Client) -> None:
    one, two = pending(), pending()
    page = console.post(WAITING, choose(one, two))
    assert "Approve: 2 users" in page.content.decode()
    assert console.get(reverse("admin:accounts_user_approve", args=[one.pk])).status_code == 200
    assert console.post(reverse("admin:accounts_user_approve", args=[one.pk]), {"reason": WHY}).status_code == 200
    assert not approved()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_nothing_is_done_without_a_reason_that_can_be_kept(console: Client, reason: str) -> None:
    one = pending()
    page = console.post(WAITING, choose(one))
    again = console.post(WAITING, answer_of(page, reason=reason))
    assert again.status_code == 200
    assert "Nothing was done yet." in again.content.decode()
    assert not approved()
    assert console.post(WAITING, answer_of(again)).status_code == 302
    assert approved() == {one.email}


def test_one_returns_to_the_list_as_it_was_filtered(console: Client) -> None:
    page = console.post(WAITING, choose(pending()))
    assert f'href="{WAITING}" class="button">Cancel' in page.content.decode()
    assert console.post(WAITING, answer_of(page))["Location"] == WAITING


def test_what_changed_since_one_looked_is_shown_before_it_is_done(console: Client) -> None:
    one = pending(department="sales")
    address = reverse("admin:accounts_user_approve", args=[one.pk])
    page = console.get(address)
    assert "Ada Novak, Sales" in page.content.decode()
    User.objects.filter(pk=one.pk).update(department="finance")
    again = console.post(address, answer_of(page))
    assert "it has changed since you looked" in again.content.decode()
    assert "Ada Novak, Finance" in again.content.decode()
    assert WHY in again.content.decode(), "what was typed in stays"
    assert not approved()
    assert console.post(address, answer_of(again)).status_code == 302
    assert approved() == {one.email}


def test_of_two_operators_at_once_the_slower_is_told(console: Client) -> None:
    one, two = pending(), pending()
    page = console.post(WAITING, choose(one, two))
    User.objects.filter(pk=one.pk).update(approval=Approval.APPROVED, approved_at=one.created_at)
    again = console.post(WAITING, answer_of(page))
    assert "it has changed since you looked" in again.content.decode()
    assert f"Approve: {two.email}" in again.content.decode()
    assert approved() == {one.email}


def test_who_is_last_to_do_it_to_all_is_told_that_nothing_is_left(console: Client) -> None:
    one = pending()
    page = console.post(WAITING, choose(one))
    User.objects.filter(pk=one.pk).update(approval=Approval.APPROVED, approved_at=one.created_at)
    again = console.post(WAITING, answer_of(page), follow=True)
    assert again.redirect_chain == [(WAITING, 302)]
    assert "what was chosen is not in this list any more" in again.content.decode()
    assert not AuditEntry.objects.exists()


def test_all_that_match_are_those_that_were_shown(console: Client) -> None:
    first, *others = (pending() for _ in range(3))
    page = console.post(WAITING, choose(first, index="0", select_across="1"))
    assert "Approve: 3 users" in page.content.decode()
    unseen = pending()
    console.post(WAITING, answer_of(page))
    assert approved() == {each.email for each in (first, *others)}
    assert unseen.email not in approved()


def test_more_than_a_page_can_show_are_refused(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Approve, "most", 2)
    first, *_ = (pending() for _ in range(3))
    page = console.post(WAITING, choose(first, index="0", select_across="1"), follow=True)
    assert "At most 2 at once, and more are chosen. Nothing was done" in page.content.decode()


def test_as_many_as_a_page_shows_can_be_sent(console: Client) -> None:
    """Django refuses a form of more than a thousand fields."""
    same = {"full_name": "A", "department": "sales", "approval": "pending"}
    now = UserFactory().created_at
    made = User.objects.bulk_create(
        User(email=f"w{n}@example.com", created_at=now, **same) for n in range(Approve.most)
    )
    page = console.post(WAITING, choose(made[0], index="0", select_across="1"))
    assert console.post(WAITING, answer_of(page)).status_code == 302
    assert not User.objects.filter(approval=Approval.PENDING).exists()


def test_a_page_costs_the_same_however_many_are_chosen(console: Client) -> None:
    def cost(*users: User) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert console.post(LIST, choose(*users) | {"action": "move"}).status_code == 200
        return len(queries)

    assert cost(UserFactory()) == cost(*(UserFactory() for _ in range(5)))


def test_an_object_that_is_not_there_has_no_page(console: Client) -> None:
    address = reverse("admin:accounts_user_approve", args=["5a4a0d52-6a9c-5a55-9b43-6a7f0f5e2f10"])
    for answer in (console.get(address), console.post(address, {"reason": WHY})):
        assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert console.get(reverse("admin:accounts_user_approve", args=["nonsense"])).status_code == 302


def test_a_name_is_text_on_the_page(console: Client) -> None:
    page = console.post(WAITING, choose(pending(full_name="<script>alert(1)</script>"))).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_form_of_another_site_does_nothing() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(AdminFactory())
    one = pending()
    address = reverse("admin:accounts_user_approve", args=[one.pk])
    page = strict.get(address)
    assert strict.post(address, answer_of(page)).status_code == 403
    assert not approved()


def test_who_lost_the_permission_since_they_looked_does_nothing(console: Client) -> None:
    admin = OperatorFactory(console_role="admin")
    client, one = Client(), pending()
    client.force_login(admin)
    address = reverse("admin:accounts_user_approve", args=[one.pk])
    by_page, by_list = answer_of(client.get(address)), answer_of(client.post(WAITING, choose(one)))
    User.objects.filter(pk=admin.pk).update(console_role="operator")
    assert client.post(address, by_page).status_code == 403
    assert client.post(WAITING, by_list).status_code == 200, "the list, as if nothing had been asked"
    assert one.email not in approved()


def test_a_step_asks_for_its_own_permission_and_no_other() -> None:
    client, one = Client(), pending()
    client.force_login(operator_with("accounts.view_user", "accounts.move_user"))
    page = client.get(reverse("admin:accounts_user_change", args=[one.pk]))
    assert [step["label"] for step in page.context["steps"]] == ["Move to another department"]
    assert client.get(reverse("admin:accounts_user_move", args=[one.pk])).status_code == 200
    assert client.get(reverse("admin:accounts_user_approve", args=[one.pk])).status_code == 403


def test_who_may_not_do_it_is_offered_neither_button_nor_action() -> None:
    client, one = Client(), pending()
    client.force_login(OperatorFactory())
    page = client.get(reverse("admin:accounts_user_change", args=[one.pk])).content.decode()
    assert reverse("admin:accounts_user_approve", args=[one.pk]) not in page
    assert 'value="approve"' not in client.get(LIST).content.decode()
