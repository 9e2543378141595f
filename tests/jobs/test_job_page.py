"""The console's page of one job: where it is, every attempt, what went in, why it failed, and where to read on."""

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

from aetherflow.errors import AnticipatedError
from apps.accounts.console import audit_address
from apps.jobs.admin.diagram import WAYS, draw
from apps.jobs.admin.job_page import attempts_at, job_page
from apps.jobs.models import Job, JobStatus, Stage, StageEvent, StageRun, State
from apps.jobs.services.transitions import NEXT, move
from tests.accounts.factories import AdminFactory, UserFactory, operator_with
from tests.jobs.console import MONDAY, job_of, logged_in
from tests.jobs.files import row, sales
from tests.jobs.steps import deliver, taken

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]


@pytest.fixture
def console() -> Client:
    return logged_in(AdminFactory())


def page_of(job: Job, console: Client) -> str:
    answer = console.get(reverse("admin:jobs_job_change", args=[job.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# --- What it tells ---


def test_a_job_that_went_through_tells_all_of_it_and_leads_on(
    console: Client,
    upload: Callable[..., Job],
    work: Callable[[], None],
) -> None:
    job = upload(sales(*(row(n) for n in range(1, 9)), row(9, quantity="x")))
    work()
    job.refresh_from_db()
    page = page_of(job, console)
    dataset = job.dataset
    dataset.refresh_from_db()
    for told in (dataset.key, dataset.sha256, f"{dataset.size_bytes} bytes", job.request_id, dataset.uploaded_by.email):
        assert told in page
    assert re.search(r"ETL</th><td[^>]*>9</td><td[^>]*>8</td><td[^>]*>1</td>", page)
    insight = dataset.insights.get()
    for address in (
        reverse("admin:datasets_dataset_change", args=[dataset.pk]),
        reverse("admin:datasets_dataset_rows", args=[dataset.pk]),
        reverse("admin:insights_insight_change", args=[insight.pk]),
        audit_address(target_id=str(job.pk)),
    ):
        assert f'href="{address}' in page
    for other, about in (("datasets_dataset", dataset), ("insights_insight", insight)):
        back = console.get(reverse(f"admin:{other}_change", args=[about.pk])).content.decode()
        assert f"{reverse('admin:jobs_job_changelist')}?dataset={dataset.pk}" in back


def test_a_failed_job_tells_the_uploader_and_the_operator_each_their_part(
    console: Client,
    upload: Callable[..., Job],
    sqs: Any,
) -> None:
    job = upload(b"no,such,columns\n1,2,3\n")
    message, headers = taken(sqs)
    for receive in (1, 2, 3):
        with pytest.raises(AnticipatedError):
            deliver(message, headers, message_id="m", receive_count=receive)
    run = job.stages.get()
    page = page_of(job, console)
    for told in (run.error_code, run.error_hint, "Traceback (for operators)", "FileRefused", "dead-lettered"):
        assert told.replace("'", "&#x27;") in page
    assert [attempt.number for attempt in attempts_at(run, run.events.all(), at=timezone.now())] == [1, 2, 3]
    assert words(page).count("failed: missing-label") == 3


def test_a_traceback_is_for_who_may_read_it() -> None:
    job = job_of(status=JobStatus.FAILED, stage=Stage.ETL, error="internal-error")
    StageRun.objects.filter(job=job).update(traceback="Traceback: secret-path.py")
    run = StageRun.objects.get(job=job)
    looks = operator_with("jobs.view_job", "jobs.view_stagerun")
    reads = operator_with("jobs.view_job", "jobs.view_stagerun", "jobs.retry_job")
    for address in ("admin:jobs_job_change", "admin:jobs_stagerun_change"):
        about = job.pk if "job_job" in address or address.endswith("jobs_job_change") else run.pk
        seen, read = (logged_in(who).get(reverse(address, args=[about])).content.decode() for who in (looks, reads))
        assert "secret-path.py" not in seen
        assert "secret-path.py" in read
        assert "It did not work." in seen


def test_links_lead_only_where_one_may_look() -> None:
    page = page_of(job_of(), logged_in(operator_with("jobs.view_job")))
    inside = page[page.index('id="job"') :]
    assert "/admin/datasets/" not in inside
    assert "/admin/insights/" not in inside
    assert "/admin/accounts/auditentry/" not in inside


def test_nobody_writes_it_by_hand_and_an_unknown_one_leads_back(console: Client) -> None:
    job = job_of()
    assert console.post(reverse("admin:jobs_job_change", args=[job.pk]), {"status": "failed"}).status_code == 403
    for unknown in ("00000000-0000-0000-0000-000000000000", "march"):
        answer = console.get(reverse("admin:jobs_job_change", args=[unknown]))
        assert answer.status_code == 302


def test_where_the_log_lines_are_is_said_or_led_to(console: Client, settings: Any) -> None:
    job = job_of()
    assert f"request_id = {job.request_id}" in words(page_of(job, console))
    settings.LOG_LINK = "https://logs.example.com/?q={request_id}&job={job_id}"
    Job.objects.filter(pk=job.pk).update(request_id="a b&c")
    assert f'href="https://logs.example.com/?q=a%20b%26c&amp;job={job.pk}"' in page_of(job, console)


def test_a_job_of_the_platform_and_one_of_an_undone_upload(console: Client) -> None:
    job = job_of()
    by = UserFactory()
    Job.objects.filter(pk=job.pk).update(requested_by=None)
    type(job.dataset).objects.filter(pk=job.dataset_id).update(deleted_at=MONDAY, deleted_by=by)
    page = words(page_of(job, console))
    assert "the platform" in page
    assert "undone" in page


# --- The drawing and the attempts ---


def test_the_drawing_has_every_way_a_stage_can_go_and_no_other() -> None:
    assert set(WAYS) == {(source, target) for source, targets in NEXT.items() for target in targets}


def test_the_drawing_shows_where_the_stage_is_and_how_it_came_there() -> None:
    job = job_of(status=JobStatus.QUEUED, stage=Stage.ETL)
    run = job.stages.get()
    for target, note in (("processing", "etl@a"), ("failed", "x"), ("processing", "etl@b"), ("failed", "x")):
        changes = {"error_message": "m"} if target == "failed" else {}
        move(run, State(target), at=timezone.now(), note=note, changes=changes)
    drawn = draw(run, run.events.all())
    assert {node.label: node.kind.split()[0] for node in drawn.nodes} == {
        "Queued": "been", "Processing": "been", "Succeeded": "ahead", "Failed": "now",
    }  # fmt: skip
    assert {way.meaning: way.taken for way in drawn.ways if way.taken} == {
        "a worker took it": 1, "it failed": 2, "SQS delivered it again": 1,
    }  # fmt: skip
    assert drawn.said == "ETL is failed. So far: a worker took it, it failed 2 times, SQS delivered it again."


def journal(run: StageRun, *moves: tuple[str, str, int, str]) -> list[StageEvent]:
    """(from, to, seconds after Monday, note)"""
    return [
        StageEvent(
            run=run,
            source=source,
            target=target,
            token=1,
            attempts=number,
            at=MONDAY + timedelta(seconds=at),
            note=note,
        )
        for number, (source, target, at, note) in enumerate(moves)
    ]


def test_attempts_tell_how_long_each_waited_ran_and_what_came_of_it() -> None:
    run = StageRun(stage="etl", state="processing", queued_at=MONDAY, max_attempts=3, attempts=2)
    moves = [
        ("", "queued", 0, ""),
        ("queued", "processing", 5, "etl@a"),
        ("processing", "queued", 65, "etl@a lost it"),
        ("queued", "processing", 70, "etl@b"),
    ]
    first, second = attempts_at(run, journal(run, *moves), at=MONDAY + timedelta(seconds=100))
    assert (first.waited_for, first.ran_for, first.worker) == ("5.0 s", "1 min", "etl@a")
    assert first.outcome == "given up: etl@a lost it"
    assert (second.waited_for, second.ran_for, second.outcome) == ("5.0 s", "30 s", "runs")


@pytest.mark.parametrize(
    ("state", "fields", "comes_again", "said"),
    [
        ("queued", {}, False, "waits in the outbox"),
        ("queued", {"dispatched_at": MONDAY}, False, "waits for a worker"),
        ("failed", {}, True, "SQS delivers it again"),
        ("failed", {}, False, "failed: x"),
    ],
)
def test_what_comes_next_is_the_last_line(state: str, fields: dict[str, Any], comes_again: bool, said: str) -> None:
    run = StageRun(stage="etl", state=state, queued_at=MONDAY, max_attempts=3, attempts=1, **fields)
    moves = [("", "queued", 0, ""), ("queued", "processing", 5, "etl@a"), ("processing", "failed", 6, "x")]
    if state == "queued":
        moves.append(("failed", "queued", 9, "retried by root@example.com"))
    at = MONDAY + timedelta(seconds=69)
    found = attempts_at(run, journal(run, *moves), at=at, comes_again=comes_again)
    assert found[-1].outcome == said
    if state == "queued":
        assert found[-1].waited_for == "1 min"


@pytest.mark.parametrize(
    ("after", "comes"),
    [
        (lambda _: None, True),
        (lambda job: StageRun.objects.filter(job=job).update(error_code="cancelled"), False),
        (lambda job: StageRun.objects.filter(job=job).update(dead_lettered=True), False),
        (lambda job: job_of(dataset=job.dataset, at=MONDAY + timedelta(hours=1)), False),
    ],
    ids=["failed", "cancelled", "dead", "overtaken"],
)
def test_it_says_that_sqs_delivers_again_where_it_does(
    after: Callable[[Job], object], comes: bool, console: Client
) -> None:
    job = job_of(status=JobStatus.FAILED, stage=Stage.ETL, error="internal-error")
    after(job)
    assert ("SQS delivers it again" in page_of(job, console)) == comes
    listed = console.get(reverse("admin:jobs_job_changelist"), {"tries": "left"}).content.decode()
    assert (str(job.pk) in listed) == comes
    stages = console.get(reverse("admin:jobs_stagerun_changelist"), {"dead": "again"}).content.decode()
    assert (str(job.pk) in stages) == comes


def test_bars_stand_in_one_scale(console: Client) -> None:
    bars = job_page(job_of()).attempts
    assert bars[0].left == 0
    assert all(0 <= bar.left + bar.waited + bar.ran <= 100.01 for bar in bars)
    assert max(bar.left + bar.waited + bar.ran for bar in bars) == pytest.approx(100, abs=0.1)


# --- However much there is ---


def test_it_costs_the_same_however_long_the_journal_is(console: Client) -> None:
    def cost(job: Job) -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(job, console)
        return len(queries)

    short, long = job_of(), job_of()
    run = long.stages.first()
    assert run is not None
    for _ in range(30):
        StageEvent.objects.create(run=run, source="failed", target="processing", token=1, attempts=1, at=MONDAY)
        job_of(dataset=long.dataset)
    cost(short)  # the first page of a process asks for what it then keeps
    assert cost(short) == cost(long) <= 14


def test_a_journal_without_end_is_cut_and_led_to(console: Client) -> None:
    job = job_of()
    run = job.stages.first()
    assert run is not None
    StageEvent.objects.bulk_create(
        StageEvent(run=run, source="failed", target="processing", token=1, attempts=n, at=MONDAY) for n in range(250)
    )
    page = page_of(job, console)
    assert page.count("<tr><td><time") == 200
    address = f"{reverse('admin:jobs_stageevent_changelist')}?q={job.pk}"
    assert f'href="{address}"' in page
    assert console.get(address).status_code == 200
