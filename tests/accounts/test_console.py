"""The frame of the operators' console: who sees which menu, and that its pages ask nobody else for anything."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from apps.accounts.choices import ConsoleRole
from apps.accounts.models import AuditEntry
from tests.accounts.factories import AdminFactory, OperatorFactory, operator_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]


def page_of(address: str, *permissions: str, superuser: bool = False) -> str:
    client = Client()
    client.force_login(AdminFactory() if superuser else operator_with(*permissions))
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def menu(page: str) -> list[str]:
    inside = page[page.index('id="nav-sidebar-apps"') : page.index('id="user-links"')]
    return re.findall(r'<a href="(/admin/[^"]*)"', inside)


def test_the_menu_leads_where_one_may_look_and_nowhere_else() -> None:
    page = page_of(reverse("admin:jobs_job_changelist"), "jobs.view_job", "accounts.view_auditentry")
    assert menu(page) == ["/admin/", "/admin/jobs/job/", "/admin/accounts/auditentry/"]
    assert re.search(r'href="/admin/jobs/job/" class="active" aria-current="page"', page)


def test_a_superusers_menu_leads_to_pages_that_are_there() -> None:
    operator = AdminFactory()
    client = Client()
    client.force_login(operator)
    found = menu(client.get(reverse("admin:index")).content.decode())
    assert len(found) > 10
    assert {client.get(address, follow=True).status_code for address in found} == {200}


@pytest.mark.parametrize("name", ["admin:login", "admin:index", "admin:accounts_user_changelist"])
def test_a_page_takes_nothing_from_elsewhere(name: str) -> None:
    page = (
        Client().get(reverse(name)).content.decode()
        if name == "admin:login"
        else page_of(reverse(name), superuser=True)
    )
    asked = re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="([^"]+)"', page)
    assert asked
    assert [address for address in asked if not address.startswith("/")] == []
    missing = [a for a in asked if a.startswith("/static/") and not finders.find(a.removeprefix("/static/"))]
    assert missing == []


def test_the_style_sheet_brings_its_faces() -> None:
    sheet = finders.find("console/console.css")
    assert isinstance(sheet, str)
    with open(sheet, encoding="utf-8") as file:  # noqa: PTH123
        faces = re.findall(r"url\(([^)]+)\)", file.read())
    assert faces
    assert all(finders.find(f"console/{face}") for face in faces)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OperationalError("connection refused, to postgres://secret"), 503, "The database does not answer"),
        (RuntimeError("secret"), 500, "Something broke on our side"),
    ],
)
def test_what_breaks_is_said_on_a_page_with_the_id_to_ask_about(
    error: Exception, status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("apps.accounts.site.ConsoleSite.each_context", broken)
    client = Client(raise_request_exception=False)
    client.force_login(AdminFactory())
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == status
    page = answer.content.decode()
    assert said in page
    assert answer["X-Request-ID"] in page
    assert "secret" not in page


NO_QUESTIONS = [
    "status=%00",
    "uploader=a%00",
    "error=%00",
    "q=1&%00=1",
    "until=2026-02-30",
    "tries=many",
    "created_at=x",
]


@pytest.mark.parametrize("question", NO_QUESTIONS)
def test_what_cannot_be_asked_leads_to_the_whole_list_and_says_so(question: str) -> None:
    client = Client()
    client.force_login(operator_with("jobs.view_job"))
    page = client.get(f"{reverse('admin:jobs_job_changelist')}?{question}", follow=True)
    assert page.redirect_chain == [(f"{reverse('admin:jobs_job_changelist')}?e=1", 302)]
    assert "the filter was left out" in page.content.decode()


def viewer() -> Client:
    client = Client()
    client.force_login(OperatorFactory(console_role=ConsoleRole.VIEWER))
    return client


def test_nobodys_session_of_the_console_is_found_by_asking_for_its_key() -> None:
    Client().force_login(root := AdminFactory())
    key = root.console_sessions.get().session_key
    users = reverse("admin:accounts_user_changelist")
    for lookup in ("console_sessions__session_key__startswith", "console_sessions", "console_sessions__in"):
        assert viewer().get(f"{users}?{lookup}={key}").status_code == 400
    assert viewer().get(f"{users}?password__startswith=argon2").status_code == 400
    assert viewer().get(f"{users}?console_role__exact=admin").status_code == 200


@pytest.mark.parametrize(
    ("model", "columns"),
    [("stagerun", ["traceback", "error_details__why"]), ("job", ["request_id", "stages__traceback"])],
)
def test_a_list_with_a_form_is_asked_by_its_form_alone(model: str, columns: list[str]) -> None:
    address = reverse(f"admin:jobs_{model}_changelist")
    for column in columns:
        assert viewer().get(f"{address}?{column}__startswith=T")["Location"] == f"{address}?e=1"


@pytest.mark.django_db(transaction=True)
def test_what_the_database_cannot_read_is_no_question_either() -> None:
    client = Client()
    client.force_login(AdminFactory())
    page = client.get(f"{reverse('admin:accounts_auditentry_changelist')}?target__regex=(", follow=True)
    assert "the filter was left out" in page.content.decode()
    assert not AuditEntry.objects.exists()
    export = client.post(f"{reverse('admin:accounts_auditentry_export')}?target__regex=(")
    assert (export.status_code, AuditEntry.objects.exists()) == (302, False)


@pytest.mark.parametrize("until", ["9999-12-31", "0001-01-01"])
def test_a_period_may_end_on_any_day_there_is(until: str) -> None:
    page_of(f"{reverse('admin:accounts_auditentry_changelist')}?until={until}", superuser=True)


def test_who_is_refused_reads_why_and_finds_home() -> None:
    step = reverse("admin:accounts_user_move", args=[AdminFactory().pk])
    other = Client(enforce_csrf_checks=True)
    other.force_login(AdminFactory())
    for refused, said in (
        (viewer().get(step), "Your account may not do this"),
        (other.post(step), "This was not sent from a page of this console"),
    ):
        assert refused.status_code == 403
        assert f"<h1>{said}</h1>" in refused.content.decode()
        assert '<a href="/admin/">home</a>' in refused.content.decode()
