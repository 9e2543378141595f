"""Acting on jobs from their list: on ticked ones and on all that match a filter, each after a page that says what it
comes to; nothing is begun that was not confirmed."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.choices import AuditAction, ConsoleRole
from apps.accounts.models import AuditEntry, User
from apps.jobs.admin.effects import ACTS
from apps.jobs.models import Job, JobStatus, Operation, OperationKind, StageRun
from apps.jobs.services.operations import work_next
from tests.accounts.factories import OperatorFactory, UserFactory, operator_with
from tests.jobs.console import WHY, AskedPage, logged_in
from tests.jobs.many import failed_jobs
from tests.support.timing import at_most

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]
LIST = reverse("admin:jobs_job_changelist")
FAILED = "status=failed&error=internal-error"
KINDS = list(OperationKind)


@pytest.fixture
def operator(transactional_db: None) -> User:
    operator: User = OperatorFactory(full_name="Olive Operator")
    return operator


@pytest.fixture
def console(operator: User) -> Client:
    return logged_in(operator)


def ask(console: Client, kind: OperationKind, *, query: str = "", ticked: list[Job] | None = None) -> AskedPage:
    """From the list with this filter; of all that match it, where none is ticked."""
    address = f"{LIST}?{query}"
    return AskedPage(console, address, console.post(address, asked(kind, ticked)))


def asked(kind: OperationKind, ticked: list[Job] | None) -> dict[str, Any]:
    ids = [job.pk for job in ticked] if ticked else [Job.objects.values_list("pk", flat=True)[0]]
    action = kind.value.replace("-", "_")
    return {"action": action, "index": 0, "select_across": int(ticked is None), "_selected_action": ids}


# --- From the list ---


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_match_the_filter_become_an_operation(console: Client, operator: User, kind: OperationKind) -> None:
    failed_jobs(60)
    failed_jobs(3, department="finance")
    failed_jobs(2, code="missing-label")
    page = ask(console, kind, query=FAILED)
    noun = "jobs" if kind in {OperationKind.RETRY, OperationKind.CANCEL} else "uploads"
    assert page.question.title == f"{kind.label}: 63 {noun}"
    for told in (
        f"It acts on 63 {noun}",
        "3 of Finance, 60 of Sales.",
        "Chosen: all jobs with status Failed; error code internal-error. Their status now: 63 failed.",
        "At 120 a minute its last item is worked 31 s from now",
        *ACTS[kind].effects,
        ACTS[kind].refused,
    ):
        assert told in page.words.replace("&#x27;", "'")
    assert not Operation.objects.exists(), "nothing is begun by a look"
    assert len(page.hidden) <= 7, "the filter is in the address, not the ids in the page"
    answer = page.send()
    operation = Operation.objects.get()
    assert answer.redirect_chain == [(f"{reverse('admin:jobs_operation_change', args=[operation.pk])}?refresh", 302)]
    assert (operation.kind, operation.total, operation.rate, operation.reason) == (kind, 63, 60, WHY)
    assert operation.filter == {"status": "failed", "error": "internal-error"}
    assert operation.filter_words == "all jobs with status Failed; error code internal-error"
    told_of = AuditEntry.objects.get(action=AuditAction.OPERATION_STARTED)
    assert (told_of.actor, told_of.reason) == (operator, WHY)
    assert told_of.address == "127.0.0.1"


@pytest.mark.parametrize("kind", KINDS)
def test_ticked_jobs_become_an_operation_be_it_of_one(console: Client, kind: OperationKind) -> None:
    one, two, *_ = failed_jobs(4)
    page = ask(console, kind, query="status=failed", ticked=[one, two])
    assert [name for name, _ in page.question.items] == [two.dataset.name, one.dataset.name]
    assert "2 ticked jobs (1.csv, 0.csv)" in page.words
    page.send()
    operation = Operation.objects.get()
    assert (operation.total, operation.filter) == (2, {})
    ask(console, kind, ticked=[next(iter(failed_jobs(1)))]).send()
    assert Operation.objects.first().total == 1  # type: ignore[union-attr]


def test_a_retry_of_all_that_failed_queues_them_and_each_is_in_the_audit(console: Client, sqs: Any) -> None:
    failed_jobs(3)
    ask(console, OperationKind.RETRY, query=FAILED).send(rate=1200)
    at = timezone.now()
    while Operation.objects.update(next_at=at) and work_next(at=at):
        pass
    assert set(Job.objects.values_list("status", flat=True)) == {JobStatus.QUEUED}
    entries = AuditEntry.objects.filter(action=AuditAction.JOB_RETRIED)
    assert entries.count() == 3
    assert {entry.reason for entry in entries} == {WHY}
    operation = Operation.objects.get()
    found = console.get(reverse("admin:accounts_auditentry_changelist"), {"q": operation.request_id})
    assert found.context["cl"].result_count == 4, "what was done by it is found by its request"


def test_the_whole_list_without_a_filter_is_said_to_be_that(console: Client) -> None:
    failed_jobs(2)
    assert "Chosen: all jobs there are." in ask(console, OperationKind.CANCEL).words
    page = ask(console, OperationKind.UNDO, query="q=csv&department=sales&from=2026-11-01&tries=none&o=6&p=0")
    said = "all jobs with tries failed for good (dead letter); department Sales; requested from 2026-11-01"
    for part in said.removeprefix("all jobs with ").split("; "):
        assert part in page.words
    assert "found by “csv”" in page.words
    page.send()
    assert Operation.objects.get().filter == {"q": "csv", "department": "sales", "from": "2026-11-01", "tries": "none"}


# --- Refused ---


def test_a_filter_that_matches_others_by_then_begins_nothing_and_is_shown_anew(console: Client) -> None:
    failed_jobs(3)
    page = ask(console, OperationKind.RETRY, query=FAILED)
    failed_jobs(1)
    anew = page.again()
    assert "The filter matches 4 now, 3 were confirmed." in anew.words
    assert anew.question.title == "Retry: 4 jobs"
    assert WHY in anew.words, "what was typed stays"
    assert not Operation.objects.exists()
    anew.send()
    assert Operation.objects.get().total == 4


def test_as_many_others_are_not_those_that_were_confirmed(console: Client) -> None:
    failed_jobs(3)
    page = ask(console, OperationKind.RETRY, query=FAILED)
    StageRun.objects.filter(job=Job.objects.order_by("created_at").first()).update(error_code="other")
    failed_jobs(1)
    anew = page.again()
    assert "The filter matches 3 as before, but not the same ones." in anew.words
    assert not Operation.objects.exists()
    anew.send()
    assert Operation.objects.get().total == 3


def test_a_filter_that_matches_nothing_any_more_says_so(console: Client) -> None:
    failed_jobs(2)
    page = ask(console, OperationKind.RETRY, query=FAILED)
    StageRun.objects.update(error_code="other")
    assert "The filter matches 0 now, 2 were confirmed." in page.send().content.decode()
    assert not Operation.objects.exists()


def test_of_two_operators_the_second_is_told(console: Client) -> None:
    jobs = list(failed_jobs(3))
    first, second = ask(console, OperationKind.RETRY, query=FAILED), ask(console, OperationKind.RETRY, query=FAILED)
    first.send()
    anew = second.again()
    assert "All 3 wait for the same already" in anew.words
    assert "3 of them wait for the same in another operation already" in anew.words
    assert Operation.objects.count() == 1
    other = logged_in(OperatorFactory(full_name="Otto Other"))
    failed_jobs(1)
    page = ask(other, OperationKind.RETRY, query=FAILED)
    page.send()
    newest = Operation.objects.first()
    assert newest is not None
    assert (newest.total, newest.refused) == (4, 3)
    shown = other.get(reverse("admin:jobs_operation_change", args=[newest.pk]), {"status": "refused"}).content.decode()
    assert shown.count("Olive Operator began the same with it on") == len(jobs)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": "  "}, "Say in a few words why."),
        ({"rate": 0}, "greater than or equal to 1"),
        ({"rate": 1201}, "less than or equal to 1200"),
        ({"rate": "fast"}, "Enter a whole number."),
    ],
)
def test_what_is_missing_or_out_of_bounds_is_said_at_its_field(console: Client, given: Any, said: str) -> None:
    failed_jobs(2)
    page = ask(console, OperationKind.RETRY, query=FAILED).again(**given)
    assert said in page.words
    assert "Nothing was done yet." in page.words
    assert not Operation.objects.exists()


@pytest.mark.parametrize("confirmed", ["", "-1", "all", "²", "9" * 12])
def test_what_is_no_count_of_the_page_was_not_confirmed(console: Client, confirmed: str) -> None:
    failed_jobs(2)
    page = ask(console, OperationKind.RETRY, query=FAILED).again(confirmed=confirmed)
    assert page.question.title == "Retry: 2 jobs"
    assert not Operation.objects.exists()


def test_a_filter_that_cannot_be_followed_does_not_become_all_jobs(console: Client) -> None:
    failed_jobs(2)
    answer = console.post(f"{LIST}?ended=ever", asked(OperationKind.UNDO, None) | {"confirmed": 2, "reason": WHY})
    assert answer.status_code == 302
    assert not Operation.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["member", ConsoleRole.VIEWER, "another's permission"])
def test_who_may_not_do_it_begins_nothing(kind: OperationKind, role: str) -> None:
    failed_jobs(1)
    permission = next(act.permission for act in ACTS.values() if act.permission != ACTS[kind].permission)
    user = {
        "member": UserFactory,
        ConsoleRole.VIEWER: lambda: OperatorFactory(console_role=ConsoleRole.VIEWER),
        "another's permission": lambda: operator_with("jobs.view_job", permission),
    }[role]()
    answer = logged_in(user).post(LIST, asked(kind, None) | {"confirmed": 1, "reason": WHY, "rate": 60})
    # Led to the log-in, or back to the list.
    assert "question" not in (answer.context or {})
    assert not Operation.objects.exists()


# --- However many ---


def test_fifty_thousand_are_confirmed_and_begun_in_one_request_each(console: Client) -> None:
    failed_jobs(50_000)
    with at_most(seconds=60):
        page = ask(console, OperationKind.RETRY, query=FAILED)
    assert page.question.title == "Retry: 50,000 jobs"
    assert len("".join(value for _, value in page.hidden)) < 500
    with at_most(seconds=60):
        page.send(rate=1200)
    assert Operation.objects.get().total == 50_000
    listed = console.get(LIST, {"status": "failed"}).content.decode()
    assert "Select all that match, more than 10000 jobs" in listed


def test_the_page_costs_the_same_queries_however_many_match(console: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            ask(console, OperationKind.UNDO, query=FAILED)
        return len(queries)

    failed_jobs(1)
    cost()
    one = cost()
    failed_jobs(30)
    assert cost() == one <= 16
