"""The console's job list: found by what an operator knows of a job, shared by its address, kept as a view."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.console import CappedPaginator, span
from apps.accounts.models import User
from apps.jobs.models import Job, JobStatus, SavedView, Stage, StageRun, State
from tests.accounts.factories import AdminFactory, UserFactory, operator_with
from tests.datasets.factories import DatasetFactory
from tests.jobs.console import MONDAY, job_of, logged_in, somebody
from tests.jobs.many import failed_jobs
from tests.support.roles import as_owner

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]
LIST = reverse("admin:jobs_job_changelist")
SAVE = reverse("admin:jobs_job_save_view")


@pytest.fixture
def console() -> Client:
    return logged_in(AdminFactory())


def listed(console: Client, **asked: str) -> list[str]:
    """The names of the datasets of the jobs on the page, as they come."""
    answer = console.get(LIST, asked)
    assert answer.status_code == 200, answer.headers
    return [job.dataset.name for job in answer.context["cl"].result_list]


# --- Who may ---


@pytest.mark.parametrize(
    ("kind", "status"), [("nobody", 302), ("member", 302), ("operator", 403), ("viewer", 200), ("superuser", 200)]
)
def test_who_may_look(kind: str, status: int) -> None:
    client = logged_in(somebody(kind, "jobs.view_job"))
    assert client.get(LIST).status_code == status
    assert client.get(reverse("admin:jobs_job_change", args=[job_of().pk])).status_code == status
    kept = client.post(SAVE, {"name": "mine", "query": "status=failed"})
    assert kept.status_code == (302 if status == 200 else status)
    assert SavedView.objects.exists() == (status == 200)


# --- What it shows ---


def test_a_row_tells_what_became_of_the_job(console: Client) -> None:
    job = job_of(
        name="march.csv",
        status=JobStatus.FAILED,
        stage=Stage.ETL,
        error="missing-label",
        dead=True,
        took=timedelta(minutes=3),
    )
    StageRun.objects.filter(job=job).update(attempts=3)
    row = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", console.get(LIST).content.decode()))
    for told in (
        "march.csv",
        "Failed",
        "ETL, attempt 3 of 3, dead letter",
        "missing-label",
        job.dataset.uploaded_by.email,
    ):
        assert told in row
    assert "2026-11-23 09:00:00" in row
    assert "3 min" in row


def test_the_newest_come_first_and_the_oldest_when_asked(console: Client) -> None:
    for day in (1, 3, 2):
        job_of(name=f"{day}", at=MONDAY + timedelta(days=day))
    assert listed(console) == ["3", "2", "1"]
    assert listed(console, o="6") == ["1", "2", "3"]


# --- Found ---


def test_it_is_filtered_by_what_the_job_is(console: Client) -> None:
    job_of(name="done")
    job_of(name="failed", status=JobStatus.FAILED, stage=Stage.ETL, error="x")
    job_of(name="finance", department="finance", status=JobStatus.QUEUED, stage=Stage.ETL)
    assert listed(console, status="failed") == ["failed"]
    assert sorted(listed(console, stage="etl")) == ["failed", "finance"]
    assert listed(console, department="finance") == ["finance"]
    assert listed(console, department="finance", status="failed") == []


def test_it_is_filtered_by_the_error_of_the_stage_that_has_failed(console: Client) -> None:
    job_of(name="labels", status=JobStatus.FAILED, stage=Stage.ETL, error="missing-label", dead=True)
    job_of(name="ours", status=JobStatus.FAILED, error="internal-error")
    again = job_of(name="again", status=JobStatus.QUEUED, stage=Stage.ETL)
    StageRun.objects.filter(job=again).update(error_code="missing-label")
    assert listed(console, error="missing-label") == ["labels"]
    assert listed(console, tries="none") == ["labels"]
    assert listed(console, tries="left") == ["ours"]
    page = console.get(LIST, {"error": "gone-by-now"}).content.decode()
    assert '<option value="gone-by-now" selected>' in page
    assert '<option value="internal-error">' in page


def test_it_is_filtered_by_who_uploaded_whoever_asked_for_the_job(console: Client) -> None:
    ada = UserFactory(email="ada@example.com")
    job = job_of(name="hers", uploaded_by=ada)
    Job.objects.filter(pk=job.pk).update(requested_by=AdminFactory())
    job_of(name="another's")
    assert listed(console, uploader="ada@example.com") == ["hers"]
    assert listed(console, uploader="ADA@") == ["hers"]
    assert listed(console, uploader="nobody@example.com") == []


def test_it_is_filtered_by_dataset(console: Client) -> None:
    march = DatasetFactory(name="March 100% final.csv")
    job_of(dataset=march)
    job_of(name="April.csv")
    assert listed(console, dataset=str(march.pk)) == ["March 100% final.csv"]
    assert listed(console, dataset="0% FINAL") == ["March 100% final.csv"]
    assert listed(console, dataset=str(uuid4())) == []


def test_it_is_filtered_by_time(console: Client) -> None:
    for day in range(4):
        job_of(name=f"{23 + day}", at=MONDAY + timedelta(days=day))
    assert listed(console, **{"from": "2026-11-24", "until": "2026-11-25"}) == ["25", "24"]
    job_of(name="now", at=timezone.now() - timedelta(minutes=30))
    job_of(name="running", at=timezone.now(), status=JobStatus.PROCESSING)
    job_of(name="yesterday", at=timezone.now() - timedelta(hours=23))
    assert listed(console, ended="1h") == ["now"]
    assert listed(console, ended="24h") == ["now", "yesterday"]


@pytest.mark.parametrize("asked", [{"from": "yesterday"}, {"ended": "ever"}, {"tries": "many"}])
def test_a_filter_that_cannot_be_followed_shows_the_whole_list(console: Client, asked: dict[str, str]) -> None:
    assert console.get(LIST, asked)["Location"].endswith("?e=1")


def test_an_id_finds_the_job_its_dataset_and_its_request(console: Client) -> None:
    job = job_of(name="sought")
    job_of(name=f"about {job.pk}")
    for known in (job.pk, job.dataset_id, job.request_id, f" {str(job.pk).upper()} "):
        assert listed(console, q=str(known)) == ["sought"]
    Job.objects.filter(pk=job.pk).update(request_id="nightly.2026-11")
    assert listed(console, q="nightly.2026-11") == ["sought"]
    assert listed(console, q=str(uuid4())) == []


def test_words_find_the_names_of_datasets(console: Client) -> None:
    job_of(name="Store 7 week 12")
    job_of(name="Store 7 week 13")
    assert listed(console, q="STORE 12") == ["Store 7 week 12"]
    assert listed(console, q="week-2026") == []
    job_of(name="Août (final) 100%.csv")
    for sought in ("AOÛT", "(final)", "100%.csv", "final 100", "nal) 1"):
        assert listed(console, q=sought) == ["Août (final) 100%.csv"]
    assert listed(console, q=".*") == []


def test_search_and_filters_hold_together_and_the_address_says_only_what_is_asked(console: Client) -> None:
    job_of(name="march", status=JobStatus.FAILED, error="x")
    job_of(name="march done")
    assert listed(console, q="march", status="failed") == ["march"]
    empty = {"status": "failed", "stage": "", "uploader": "", "q": "march"}
    assert console.get(LIST, empty)["Location"] == f"{LIST}?status=failed&q=march"
    assert '<option value="failed" selected>' in console.get(LIST, {"status": "failed"}).content.decode()


# --- Kept ---


def keep(console: Client, name: str, query: str = "status=failed", **more: str) -> str:
    return console.post(SAVE, {"name": name, "query": query, **more}, follow=True).content.decode()


def test_a_view_is_kept_opened_and_taken_away(console: Client) -> None:
    page = keep(console, " Failed  today ", "status=failed&ended=24h&p=3&stage=&_popup=1")
    assert "The view “Failed today” is kept." in page
    assert 'href="?ended=24h&amp;status=failed"' in page
    view = SavedView.objects.get()
    assert (view.name, view.query, view.shared) == ("Failed today", "ended=24h&status=failed", False)
    opened = console.get(f"{LIST}?{view.query}").content.decode()
    assert re.search(r'href="\?ended=24h&amp;status=failed" aria-current="true"', opened)
    keep(console, "Failed today", "status=queued")
    assert SavedView.objects.get().query == "status=queued"
    gone = console.post(reverse("admin:jobs_job_remove_view", args=[view.pk]), {"query": "status=queued"})
    assert gone["Location"] == f"{LIST}?status=queued"
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [("  ", "a=1", "needs a name"), ("x" * 61, "a=1", "has 61 characters"), ("long", "q=" + "x" * 2_000, "too long")],
)
def test_a_view_that_cannot_be_kept_says_why(console: Client, name: str, query: str, said: str) -> None:
    assert said in keep(console, name, query)
    assert not SavedView.objects.exists()


def test_a_views_name_is_what_can_be_kept_and_seen_of_it(console: Client) -> None:
    assert "is kept" in keep(console, "late\0 \u202eones\t")
    assert SavedView.objects.get().name == "late ones"
    assert "needs a name" in keep(console, "\0")


def test_ones_own_views_are_ones_own_and_shared_ones_everybodys() -> None:
    ada, kim, boss = (
        operator_with("jobs.view_job"),
        operator_with("jobs.view_job"),
        operator_with("jobs.view_job", "jobs.share_savedview"),
    )
    keep(logged_in(ada), "hers")
    assert "may not share views" in keep(logged_in(ada), "for all", shared="yes")
    keep(logged_in(boss), "for all", shared="yes")
    seen = logged_in(kim).get(LIST).content.decode()
    assert "for all" in seen
    assert "hers" not in seen
    hers, shared = SavedView.objects.get(name="hers"), SavedView.objects.get(name="for all")
    assert "There is no such view." in remove(kim, hers)
    assert "somebody else" in remove(kim, shared)
    another = operator_with("jobs.view_job", "jobs.share_savedview")
    assert "is taken away" in remove(another, shared)
    assert list(SavedView.objects.values_list("name", flat=True)) == ["hers"]


def remove(by: User, view: SavedView) -> str:
    return logged_in(by).post(reverse("admin:jobs_job_remove_view", args=[view.pk]), follow=True).content.decode()


def test_views_are_changed_on_purpose_only(console: Client) -> None:
    keep(console, "mine")
    address = reverse("admin:jobs_job_remove_view", args=[SavedView.objects.get().pk])
    assert {console.get(SAVE).status_code, console.get(address).status_code} == {405}
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(AdminFactory())
    assert strict.post(SAVE, {"name": "x"}).status_code == 403


# --- However many there are ---


def test_a_page_costs_the_same_however_many_jobs_there_are(console: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert console.get(LIST).status_code == 200
        return len(queries)

    job_of()
    one = cost()
    for _ in range(5):
        job_of(status=JobStatus.FAILED, error="x")
    assert cost() == one <= 9


def test_it_counts_no_further_than_it_shows(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CappedPaginator, "most", 3)
    for _ in range(4):
        job_of()
    answer = console.get(LIST)
    assert answer.context["cl"].result_count == 3
    assert "More than 3 match." in answer.content.decode()


@pytest.mark.parametrize("asked", ["error=internal-error", "tries=none", "tries=left"])
def test_what_the_statistics_do_not_know_yet_is_not_compared_each_with_each(console: Client, asked: str) -> None:
    """A bad release fails thousands with a code that PostgreSQL has never counted: it believes there are none."""
    failed_jobs(2_000, code="missing-label")
    Job.objects.update(status=JobStatus.SUCCEEDED)
    StageRun.objects.update(state=State.SUCCEEDED, dead_lettered=False)
    with as_owner() as cursor:
        cursor.execute("ANALYZE")
    failed_jobs(2_000)
    changelist = console.get(f"{LIST}?status=failed&{asked}").context["cl"]
    plan = changelist.queryset.order_by().explain()
    assert "hashed SubPlan" in plan
    assert "Nested Loop" not in re.split(r"^\s+SubPlan \d+$", plan, flags=re.MULTILINE)[0]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "-"), (-1, "0 s"), (0, "0 s"), (0.0443, "44 ms"), (0.44, "0.4 s"), (12.3, "12 s"),
     (59.6, "1 min"), (200, "3 min 20 s"),
     (7_500, "2 h 5 min"), (3 * 86_400 + 4 * 3_600, "3 d 4 h")],
)  # fmt: skip
def test_how_long_it_took_is_said_as_a_person_would(seconds: float | None, said: str) -> None:
    assert span(seconds) == said
