"""Operations in the console: which there were, how far one is and what came of each item, and how one is stopped."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.choices import AuditAction, ConsoleRole
from apps.accounts.models import AuditEntry, User
from apps.jobs.models import Job, Operation, OperationItem, OperationKind, WorkerHeartbeat
from apps.jobs.services.operations import start_operation, stop_operation, work_next
from apps.jobs.services.workers import beat
from tests.accounts.factories import OperatorFactory
from tests.jobs.console import job_of, logged_in
from tests.jobs.many import failed_jobs

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]
LIST = reverse("admin:jobs_operation_changelist")
WHY = "the release of Monday failed them"


@pytest.fixture
def operator(transactional_db: None) -> User:
    operator: User = OperatorFactory(full_name="Olive Operator", email="olive@example.com")
    return operator


@pytest.fixture
def console(operator: User) -> Client:
    return logged_in(operator)


@pytest.fixture
def start(operator: User) -> Callable[..., Operation]:
    def start(kind: OperationKind = OperationKind.RETRY, **options: Any) -> Operation:
        asked: dict[str, Any] = {"by": operator, "at": timezone.now(), "reason": WHY, "rate": 60}
        asked |= {"jobs": Job.objects.all(), "filter_words": "all jobs with status Failed"}
        return start_operation(kind=kind, **asked | options)

    return start


def address(operation: Operation, page: str = "change") -> str:
    return reverse(f"admin:jobs_operation_{page}", args=[operation.pk])


def look(console: Client, operation: Operation, **asked: str) -> Any:
    answer = console.get(address(operation), asked)
    assert answer.status_code == 200
    return answer


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_the_list_tells_what_why_who_and_how_far(console: Client, start: Callable[..., Operation]) -> None:
    failed_jobs(3)
    running, stopped = start(), start(OperationKind.UNDO)
    stop_operation(operation=stopped, by=stopped.started_by, at=timezone.now())
    told = words(console.get(LIST))
    for part in (WHY, "olive@example.com", "all jobs with status Failed", "0 done, 3 wait of 3", "0 done, 3 left of 3"):
        assert part in told

    def listed(**asked: str) -> set[Operation]:
        return set(console.get(LIST, asked).context["cl"].result_list)

    assert listed(standing="runs") == listed(kind="retry") == {running}
    assert listed(standing="stopped") == {stopped}
    assert listed(standing="ended") == set()


def test_its_page_says_how_far_it_is_and_when_it_ends(
    console: Client, start: Callable[..., Operation], sqs: Any
) -> None:
    failed_jobs(3)
    operation = start(rate=1, filter_data={"status": "failed", "error": "internal-error"})
    assert work_next(at=timezone.now())
    answer = look(console, operation)
    page, told = answer.content.decode(), words(answer)
    assert 'value="1" max="3"' in page
    assert "1 done, 2 wait of 3" in told
    due = answer.context["page"].ends_at - timezone.now()
    assert timedelta(seconds=110) < due < timedelta(seconds=125), "one item in a minute, the other in two"
    assert f'{reverse("admin:jobs_job_changelist")}?error=internal-error&amp;status=failed"' in page
    assert "Queued again from etl." in told
    for item in OperationItem.objects.all():
        assert reverse("admin:jobs_job_change", args=[item.job_id]) in page
    assert f"target_id={operation.pk}" in page
    assert "No relay gives signs of life" in told
    beat(name="relay@here", queues=["relay"], slots=0, pid=1, started_at=timezone.now(), at=timezone.now())
    assert WorkerHeartbeat.objects.exists()
    assert "No relay gives signs of life" not in words(look(console, operation))


def test_its_items_are_looked_through_by_what_came_of_them(console: Client, start: Callable[..., Operation]) -> None:
    failed_jobs(120)
    failed_jobs(1, department="finance")
    start(jobs=Job.objects.filter(department="finance"))
    operation = start(OperationKind.RETRY)
    refused = look(console, operation, status="refused")
    assert [line.item.status for line in refused.context["page"].lines] == ["refused"]
    assert "Olive Operator began the same with it" in words(refused)
    first, last = look(console, operation, status="waiting"), look(console, operation, status="waiting", p="3")
    assert "Page 1 of 3" in words(first)
    assert (len(first.context["page"].lines), len(last.context["page"].lines)) == (50, 20)
    assert look(console, operation, p="999", status="nonsense").context["page"].items.number == 3


def test_uploads_lead_to_their_pages_and_a_jobs_page_to_its_operations(
    console: Client, start: Callable[..., Operation]
) -> None:
    job = next(iter(failed_jobs(1)))
    undo, retry = start(OperationKind.UNDO), start()
    assert reverse("admin:datasets_dataset_change", args=[job.dataset_id]) in look(console, undo).content.decode()
    page = console.get(reverse("admin:jobs_job_change", args=[job.pk])).content.decode()
    assert address(undo) in page
    assert address(retry) in page
    other = job_of()
    assert address(undo) not in console.get(reverse("admin:jobs_job_change", args=[other.pk])).content.decode()


def test_it_is_read_anew_by_itself_while_it_runs_and_only_when_asked(
    console: Client, start: Callable[..., Operation]
) -> None:
    failed_jobs(1)
    operation = start()
    assert "Refresh" not in look(console, operation)
    assert look(console, operation, refresh="")["Refresh"] == "5"
    stop_operation(operation=operation, by=operation.started_by, at=timezone.now())
    ended = look(console, operation, refresh="")
    assert "Refresh" not in ended
    assert "Read anew" not in words(ended)


def test_it_is_stopped_for_a_reason_and_once(console: Client, operator: User, start: Callable[..., Operation]) -> None:
    failed_jobs(3)
    operation = start()
    stop = address(operation, "stop")
    assert stop in look(console, operation).content.decode()
    asked = console.get(stop)
    assert "What waits, 3 of 3 now, stays as it is." in words(asked)
    seen = dict(asked.context["question"].hidden)
    assert "Say in a few words why." in words(console.post(stop, {**seen, "reason": ""}))
    assert not Operation.objects.exclude(ended_at=None).exists()
    answer = console.post(stop, {**seen, "reason": "wrong filter"}, follow=True)
    assert "0 done, 3 left of 3" in words(answer)
    assert stop not in answer.content.decode()
    entry = AuditEntry.objects.get(action=AuditAction.OPERATION_STOPPED)
    assert (entry.actor, entry.reason, entry.target_id) == (operator, "wrong filter", str(operation.pk))
    audit = console.get(reverse("admin:accounts_auditentry_change", args=[entry.pk])).content.decode()
    assert address(operation) in audit
    again = console.post(stop, {**seen, "reason": "me too"}, follow=True)
    assert "Nothing was done: it has changed since you looked." in words(again)
    changed = dict(console.get(stop).context["question"].hidden)
    assert "The operation has ended already." in words(console.post(stop, {**changed, "reason": "me too"}))


def test_it_goes_on_while_one_reads_what_to_stop_means(
    console: Client, start: Callable[..., Operation], sqs: Any
) -> None:
    failed_jobs(3)
    operation = start()
    seen = dict(console.get(address(operation, "stop")).context["question"].hidden)
    assert work_next(at=timezone.now())
    console.post(address(operation, "stop"), {**seen, "reason": "enough"})
    operation.refresh_from_db()
    assert (operation.done, operation.left, operation.stopped_at is None) == (1, 2, False)


def test_who_only_looks_sees_no_button_and_stops_nothing(start: Callable[..., Operation]) -> None:
    failed_jobs(1)
    operation = start()
    viewer = logged_in(OperatorFactory(console_role=ConsoleRole.VIEWER))
    assert address(operation, "stop") not in look(viewer, operation).content.decode()
    assert viewer.post(address(operation, "stop"), {"reason": "r"}).status_code == 403


def test_the_home_shows_those_that_run(console: Client, start: Callable[..., Operation]) -> None:
    home = reverse("admin:index")
    assert "Operations that run" not in words(console.get(home))
    failed_jobs(2)
    operation = start()
    page = console.get(home)
    assert "Operations that run: 1" in words(page)
    assert address(operation) in page.content.decode()
    assert "2 of 2 wait, begun by olive@example.com" in words(page)


def test_a_page_costs_the_same_queries_however_many_items_there_are(
    console: Client, start: Callable[..., Operation]
) -> None:
    def cost(operation: Operation) -> int:
        with CaptureQueriesContext(connection) as queries:
            look(console, operation)
        return len(queries)

    failed_jobs(1)
    one = start()
    look(console, one)
    failed_jobs(40, code="other")
    many = start(OperationKind.CANCEL)
    assert cost(one) == cost(many) <= 10
