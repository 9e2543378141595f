"""The audit in the operators' console: found, followed from what it is about, exported, and never written by hand."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.admin import AuditEntryAdmin
from apps.accounts.choices import AuditAction
from apps.accounts.console import CappedPaginator, audit_address
from apps.accounts.models import AuditEntry, User
from tests.accounts.factories import LONG_AGO, PASSWORD, AdminFactory, OperatorFactory, SessionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]
LIST = reverse("admin:accounts_auditentry_changelist")
NEW = "seven-blue-teapots"
EXPORT = reverse("admin:accounts_auditentry_export")


@pytest.fixture
def root() -> User:
    admin: User = AdminFactory(email="root@example.com")
    return admin


@pytest.fixture
def console(root: User) -> Client:
    return of(root)


def of(user: User | None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def entry(**values: Any) -> AuditEntry:
    """Of a command unless an actor is given; its target's name is what a list is known by."""
    someone = {"actor_name": "rita@web-1 on the command line", "action": AuditAction.REPROCESSED}
    about = {"target_type": "dataset", "target_id": str(uuid4()), "target": "march.csv"}
    return AuditEntry.objects.create(**{"at": LONG_AGO} | someone | about | values)


def listed(console: Client, **asked: str) -> list[str]:
    """The names of the targets on the page, as they come."""
    answer = console.get(LIST, asked)
    assert answer.status_code == 200, answer.headers
    return [each.target for each in answer.context["cl"].result_list]


def exported(console: Client, **asked: str) -> list[dict[str, str]]:
    answer = console.post(f"{EXPORT}?{urlencode(asked)}")
    assert answer.status_code == 200, answer.headers
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


# --- Who may ---


def who_may(kind: str) -> User | None:
    if kind in {"nobody", "member"}:
        return UserFactory() if kind == "member" else None
    if kind == "superuser":
        superuser: User = AdminFactory()
        return superuser
    operator: User = OperatorFactory(console_role=kind)
    return operator


@pytest.mark.parametrize(
    ("kind", "looks", "exports"),
    [
        ("nobody", 302, 302),
        ("member", 302, 302),
        ("viewer", 200, 403),
        ("operator", 200, 403),
        ("admin", 200, 200),
        ("superuser", 200, 200),
    ],
)
def test_who_may_look_and_who_may_export(kind: str, looks: int, exports: int) -> None:
    page = reverse("admin:accounts_auditentry_change", args=[entry().pk])
    client = of(who_may(kind))
    answers = [client.get(LIST), client.get(page)]
    assert [each.status_code for each in answers] == [looks, looks]
    assert client.post(EXPORT).status_code == exports
    if looks == 200:
        assert ("Export what is listed" in answers[0].content.decode()) == (exports == 200)


@pytest.mark.parametrize("kind", ["viewer", "superuser"])
def test_nobody_writes_it_by_hand(kind: str) -> None:
    kept = entry()
    client = of(who_may(kind))
    for verb in ("change", "delete"):
        address = reverse(f"admin:accounts_auditentry_{verb}", args=[kept.pk])
        assert client.post(address, {"post": "yes", "actor_name": "Eve"}).status_code == 403
    assert client.post(reverse("admin:accounts_auditentry_add"), {"actor_name": "Eve"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [str(kept.pk)], "post": "yes"}
    client.post(LIST, chosen)
    kept.refresh_from_db()
    assert kept.actor_name.startswith("rita@")


def test_an_export_is_asked_for_not_stumbled_upon(console: Client) -> None:
    assert console.get(EXPORT).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(AdminFactory())
    assert strict.post(EXPORT).status_code == 403


# --- Found ---


def test_it_is_filtered_by_what_was_done_where_and_by_whom(console: Client, root: User) -> None:
    entry(target="a", department="sales")
    entry(target="b", department="finance", action=AuditAction.UNDONE, actor=root)
    assert listed(console, department__exact="sales") == ["a"]
    assert listed(console, action__exact="undone") == ["b"]
    assert listed(console, actor=str(root.pk)) == ["b"]
    assert listed(console, actor="command") == ["a"]
    assert listed(console, department__exact="sales", action__exact="undone") == []


def test_it_is_filtered_by_day_both_ends_included(console: Client) -> None:
    for day in range(1, 5):
        entry(target=f"{day}", at=datetime(2026, 3, day, 23, 59, tzinfo=UTC))
    assert listed(console, **{"from": "2026-03-02", "until": "2026-03-03"}) == ["3", "2"]
    assert listed(console, **{"from": "2026-03-04"}) == ["4"]
    assert listed(console, until="2026-03-01") == ["1"]
    assert listed(console, **{"from": "", "until": ""}) == ["4", "3", "2", "1"]
    page = console.get(LIST, {"from": "2026-03-02", "q": "3", "department__exact": "sales"}).content.decode()
    assert 'name="from" value="2026-03-02"' in page
    assert '<input type="hidden" name="department__exact" value="sales">' in page


@pytest.mark.parametrize("asked", [{"from": "yesterday"}, {"until": "2026-02-30"}, {"actor": "ada"}])
def test_a_filter_that_cannot_be_followed_shows_the_whole_list(console: Client, asked: dict[str, str]) -> None:
    assert console.get(LIST, asked)["Location"].endswith("?e=1")
    assert console.post(f"{EXPORT}?{urlencode(asked)}")["Location"].endswith("?e=1")
    assert not AuditEntry.objects.filter(action=AuditAction.AUDIT_EXPORTED).exists()


def test_it_is_searched_by_who_what_why_and_request(console: Client) -> None:
    entry(target="a", actor_name="Ada Novak <ada@example.com>")
    entry(target="b", reason="the release of Monday wrote wrong rows")
    entry(target="c.csv", request_id="request-0001")
    assert listed(console, q="novak") == ["a"]
    assert listed(console, q="monday rows") == ["b"]
    assert listed(console, q="c.csv") == ["c.csv"]
    assert listed(console, q="request-0001") == ["c.csv"]
    assert listed(console, q="nothing of this") == []


def test_an_id_finds_what_it_was_done_to_by_whom_and_the_request(console: Client, root: User) -> None:
    sought = uuid4()
    entry(target="to it", target_id=str(sought))
    entry(target="in its request", request_id=str(sought))
    entry(target="neither", reason=f"not about {sought}")
    assert listed(console, q=f" {str(sought).upper()} ") == ["in its request", "to it"]
    entry(target="by it", actor=root)
    assert listed(console, q=str(root.pk)) == ["by it"]


def test_one_entry_tells_all_of_it_and_leads_on(console: Client, root: User) -> None:
    ada = UserFactory(email="ada@example.com")
    kept = entry(
        actor=root,
        actor_name="Rita <root@example.com>",
        target_type="user",
        target_id=str(ada.pk),
        target="ada@example.com",
        reason="as agreed",
        details={"department_before": "sales", "department": "finance"},
        address="192.0.2.7",
        request_id="request-0001",
    )
    page = console.get(reverse("admin:accounts_auditentry_change", args=[kept.pk])).content.decode()
    for told in ("2026-01-05 08:00:00", "Rita &lt;root@example.com&gt;", "as agreed", "192.0.2.7", "request-0001"):
        assert told in page
    assert "department: finance, department before: sales" in page
    assert reverse("admin:accounts_user_change", args=[ada.pk]) in page
    assert audit_address(actor=str(root.pk)) in page
    assert audit_address(target_id=str(ada.pk)) in page


@pytest.mark.parametrize("about", [{"target_type": "queue", "target_id": ""}, {"target_type": "session"}])
def test_what_has_no_page_is_named_all_the_same(console: Client, about: dict[str, str]) -> None:
    kept = entry(actor_id=uuid4(), target="aetherflow-etl-dlq", **about)
    page = console.get(reverse("admin:accounts_auditentry_change", args=[kept.pk]))
    assert f"{about['target_type']} aetherflow-etl-dlq" in page.content.decode()


def test_an_account_leads_to_what_was_done_to_it_and_what_it_did(console: Client) -> None:
    ada = UserFactory()
    page = console.get(reverse("admin:accounts_user_change", args=[ada.pk])).content.decode()
    entry(target="to her", target_id=str(ada.pk))
    entry(target="by her", actor=ada)
    for asked, found in (({"target_id": str(ada.pk)}, "to her"), ({"actor": str(ada.pk)}, "by her")):
        address = audit_address(**asked)
        assert address in page
        answer = console.get(address)
        assert [each.target for each in answer.context["cl"].result_list] == [found]


# --- However many there are ---


def test_it_counts_no_further_than_it_shows(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CappedPaginator, "most", 4)
    monkeypatch.setattr(AuditEntryAdmin, "list_per_page", 2)
    for number in range(6):
        entry(target=f"{number}", department="sales")
    page = console.get(LIST, {"department__exact": "sales"})
    assert page.context["cl"].result_count == 4
    assert "More than 4 entries match" in page.content.decode()
    assert listed(console, department__exact="sales", p="2") == ["3", "2"]
    assert console.get(LIST, {"department__exact": "sales", "p": "3"}).status_code == 302
    assert len(exported(console, department__exact="sales")) == 6
    entry(target="needle")
    fewer = console.get(LIST, {"q": "needle"})
    assert fewer.context["cl"].result_count == 1
    assert "More than" not in fewer.content.decode()


def test_a_page_costs_the_same_however_many_entries_it_shows(console: Client, root: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert console.get(LIST).status_code == 200
        counts = [each["sql"] for each in queries if "COUNT(" in each["sql"] and "auditentry" in each["sql"]]
        assert len(counts) == 1
        assert f"LIMIT {CappedPaginator.most + 1}" in counts[0]
        return len(queries)

    entry(actor=root)
    few = cost()
    for _ in range(30):
        entry(actor=root)
    assert cost() == few


# --- Exported ---


def test_an_export_holds_what_the_filter_matches_and_is_an_entry(console: Client, root: User) -> None:
    entry(target="a", department="sales", details={"job": "1"}, address="192.0.2.7", at=LONG_AGO + timedelta(days=1))
    entry(target="b", department="sales", reason="why")
    entry(target="c", department="finance")
    rows = exported(console, department__exact="sales")
    assert [row["target"] for row in rows] == ["a", "b"]
    assert rows[0]["at"] == "2026-01-06 08:00:00+00:00"
    assert (rows[0]["details"], rows[0]["address"], rows[1]["reason"]) == ('{"job": "1"}', "192.0.2.7", "why")
    written = AuditEntry.objects.get(action=AuditAction.AUDIT_EXPORTED)
    assert (written.actor, written.target_type, written.target) == (root, "audit", "department__exact=sales")
    (again,) = exported(console, action__exact="audit-exported")
    assert again["target"] == "department__exact=sales"


def test_an_export_is_safe_to_open_in_a_spreadsheet(console: Client) -> None:
    entry(target='=HYPERLINK("http://evil.example")', reason="@SUM(A1)", actor_name="+cmd|' /C calc'!A0")
    row = exported(console)[-1]
    assert row["target"].startswith("'=")
    assert row["reason"].startswith("'@")
    assert row["actor_name"].startswith("'+")


# --- What is done in the console ---


def test_logging_in_to_the_console_and_out_is_told_with_the_address() -> None:
    ada = AdminFactory(email="root@example.com")
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.post(reverse("admin:login"), {"username": "root@example.com", "password": "wrong"})
    assert not AuditEntry.objects.exists()
    client.post(reverse("admin:login"), {"username": "root@example.com", "password": PASSWORD})
    assert client.get(reverse("admin:login")).status_code == 302, "it leads on"
    assert client.get(reverse("admin:logout")).status_code == 405
    client.post(reverse("admin:logout"))
    client.post(reverse("admin:logout"))
    left, entered = AuditEntry.objects.all()
    assert [(each.actor, each.address) for each in (entered, left)] == [(ada, "192.0.2.7")] * 2
    assert (entered.action, left.action) == (AuditAction.CONSOLE_ENTERED, AuditAction.CONSOLE_LEFT)


def test_a_refused_log_in_to_the_console_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    ada = UserFactory(email="ada@example.com")
    for email, password, whom in (
        ("Ada@example.com", "wrong", str(ada.pk)),
        ("ada@example.com", PASSWORD, str(ada.pk)),
        ("nobody@example.com", PASSWORD, "None"),
        ("a\0b", PASSWORD, "None"),
    ):
        caplog.clear()
        answer = Client().post(reverse("admin:login"), {"username": email, "password": password})
        assert answer.status_code == 200
        assert f"'user_id': {whom}" in caplog.text.replace(f"'{whom}'", whom)
        assert "'event': 'session.refused'" in caplog.text
        assert password not in caplog.text
    assert not AuditEntry.objects.exists()


def test_a_log_in_that_cannot_be_written_down_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    AdminFactory(email="root@example.com")
    monkeypatch.setattr(AuditEntry.objects, "create", lambda **_: 1 / 0)
    client = Client(raise_request_exception=False)
    answer = client.post(reverse("admin:login"), {"username": "root@example.com", "password": PASSWORD})
    assert answer.status_code == 500
    assert client.get(LIST).status_code == 302


def test_the_own_password_is_changed_by_the_service_and_told_of(console: Client, root: User) -> None:
    session, address = SessionFactory(user=root), reverse("admin:password_change")
    for new, said in ((PASSWORD, "The new password is the present one."), ("short", "too short")):
        given = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert said in console.post(address, given).content.decode()
    given = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert "Password change successful" in console.post(address, given, follow=True).content.decode()
    session.refresh_from_db()
    root.refresh_from_db()
    assert session.ended_reason == "password-change"
    assert root.check_password(NEW)
    assert AuditEntry.objects.get(action=AuditAction.PASSWORD_CHANGED).actor == root
    assert console.get(LIST).status_code == 200, "the console's own session goes on"


def test_what_a_form_changes_is_told_of(console: Client, root: User) -> None:
    ada = UserFactory(email="ada@example.com")
    changed = {"email": "Byron@Example.com", "full_name": "Ada Byron"}
    console.post(reverse("admin:accounts_user_change", args=[ada.pk]), changed)
    renamed = AuditEntry.objects.get(target_id=str(ada.pk))
    assert (renamed.actor, renamed.action) == (root, AuditAction.ACCOUNT_RENAMED)
    assert renamed.details == {
        "email_before": "ada@example.com",
        "email": "byron@example.com",
        "full_name_before": "Ada Novak",
        "full_name": "Ada Byron",
    }


def test_an_address_taken_meanwhile_is_a_sentence_and_changes_nothing(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserFactory(email="taken@example.com")
    ada = UserFactory(email="ada@example.com")
    monkeypatch.setattr(User, "validate_unique", lambda *_, **__: None)  # as the form saw it a moment ago
    address = reverse("admin:accounts_user_change", args=[ada.pk])
    page = console.post(address, {"email": "taken@example.com", "full_name": "Ada"}, follow=True).content.decode()
    assert "There is an account of this e-mail address already." in page
    ada.refresh_from_db()
    assert (ada.email, ada.full_name) == ("ada@example.com", "Ada Novak")
    assert not AuditEntry.objects.filter(target_id=str(ada.pk)).exists()
