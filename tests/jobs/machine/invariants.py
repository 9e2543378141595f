"""What must be true of the platform at every moment, whatever its processes are in the middle of."""

from collections import Counter, defaultdict
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from aetherflow.registry import departments
from apps.datasets.current import current_rows
from apps.datasets.models import Dataset, Overlap, RetiredPartition, RowDigests, clean_table
from apps.datasets.selectors import clean_rows
from apps.insights.models import Insight
from apps.jobs.models import ACTIVE, FINISHED, Job, JobStatus, Stage, StageEvent, StageRun, State
from apps.jobs.services.transitions import NEXT, status_of
from tests.jobs.machine.installation import Installation
from tests.jobs.machine.uploads import COLUMNS, DEPARTMENTS, Upload

Uploads = dict[UUID, Upload]

_UNDER_WAY = {JobStatus(state) for state in ACTIVE}


def check(installation: Installation, uploads: Uploads) -> None:
    assert not installation.violations, installation.violations
    check_journals()
    check_jobs()
    check_rows(uploads, undone=installation.undone, cleared=installation.cleared)
    check_insights(undone=installation.undone)


def check_journals() -> None:
    """Every run's journal is one chain along the arrows, up to where the run is; its token never falls."""
    journals: dict[int, list[StageEvent]] = defaultdict(list)
    for event in StageEvent.objects.order_by("id"):
        journals[event.run_id].append(event)
    for run in StageRun.objects.all():
        state, token = "", 0
        for event in journals[run.pk]:
            assert event.source == state, f"{run}: {event} does not follow {state}"
            assert (event.target in NEXT[State(state)]) if state else event.target == State.QUEUED, f"{run}: {event}"
            assert event.token >= token, f"{run}: the token fell from {token} to {event.token}"
            state, token = event.target, event.token
        assert (run.state, run.token) == (state, token), f"{run} is not where its journal ends"
        assert (run.finished_at is not None) == (run.state in FINISHED), run
        assert 0 <= run.attempts <= run.max_attempts, f"{run}: attempt {run.attempts} of {run.max_attempts}"
        assert run.error_message or run.state != State.FAILED, f"{run} failed without a reason"
        # A lock that somebody paused holds is the only thing put in the way that the platform has no name for.
        assert run.error_code != "internal-error" or "lock timeout" in run.traceback, run.traceback


def check_jobs() -> None:
    """A job's status follows from its stages, and a dataset has one job under way at most."""
    states: dict[UUID, dict[str, str]] = defaultdict(dict)
    for job_id, stage, state in StageRun.objects.values_list("job_id", "stage", "state"):
        states[job_id][stage] = state
    under_way: Counter[UUID] = Counter()
    for job in Job.objects.all():
        assert job.status == status_of(states[job.pk]), f"{job} is {job.status}, its stages {states[job.pk]}"
        assert (job.finished_at is not None) == (job.status not in _UNDER_WAY), job
        if states[job.pk].get(Stage.ETL) == State.SUCCEEDED:
            assert Stage.ML in states[job.pk], f"{job}: nothing follows its rows"
        under_way[job.dataset_id] += job.status in _UNDER_WAY
    assert all(count <= 1 for count in under_way.values()), under_way


def check_rows(uploads: Uploads, *, undone: set[UUID], cleared: set[UUID]) -> None:
    """Of each file all rows or none; of what a department reads, by key, the newest upload's that counts."""
    loaded = loaded_uploads()
    for department in DEPARTMENTS:
        key, price = COLUMNS[department]
        found: dict[int, list[tuple[str, int]]] = defaultdict(list)
        retired = RetiredPartition.objects.filter(department=department).values("bucket")
        stored = clean_table(department)._default_manager.exclude(bucket__in=retired)
        for number, name, value in stored.values_list("dataset_no", key, price):
            found[number].append((name, int(value)))
        current: dict[str, int] = {}
        for dataset in Dataset.objects.filter(department=department).order_by("number"):
            rows, everything = sorted(found.pop(dataset.number, [])), sorted(uploads[dataset.pk].expected().items())
            assert rows in ([], everything), f"{dataset}: {rows} of {everything}"
            assert not (rows and dataset.pk in cleared), f"{dataset} was undone and its rows are there"
            assert (dataset.deleted_at is not None) == (dataset.pk in undone), dataset
            if dataset.pk in loaded - undone:
                assert rows == everything, f"{dataset} is loaded and its rows are gone"
                assert dataset.loaded_at is not None
                current |= uploads[dataset.pk].expected()
        assert not found, f"rows of no upload: {found}"
        check_current(department, current)
        mine = {pk: upload for pk, upload in uploads.items() if upload.department == department}
        check_overlaps(mine, live=(loaded - undone) & mine.keys())
    assert not RowDigests.objects.exclude(
        dataset_no__in=Dataset.objects.exclude(loaded_at=None).values("number")
    ).exists(), "digests of no rows"


def check_overlaps(uploads: Uploads, *, live: set[UUID]) -> None:
    """Of each two uploads of a department that count it is known how many keys they share."""
    keys = {each.number: uploads[each.pk].expected().keys() for each in Dataset.objects.filter(pk__in=live)}
    shared = {(older, newer): len(keys[older] & keys[newer]) for older in keys for newer in keys if older < newer}
    stored = Overlap.objects.filter(Q(older__in=live) | Q(newer__in=live))
    found = {
        (older, newer): rows for older, newer, rows in stored.values_list("older__number", "newer__number", "rows")
    }
    assert found == {pair: rows for pair, rows in shared.items() if rows}, f"{found} are stored of {shared}"


def check_current(department: str, expected: dict[str, int]) -> None:
    columns = COLUMNS[department]
    with transaction.atomic():
        read = current_rows(department, columns=columns)
    found = sorted((key, int(price)) for key, price in read[list(columns)].itertuples(index=False))
    assert found == sorted(expected.items()), f"{department} reads {found}, its uploads say {expected}"


def check_insights(*, undone: set[UUID]) -> None:
    """A dataset has one whole set of insights or none, and nothing undone is in any."""
    sets: dict[UUID, list[Insight]] = defaultdict(list)
    for insight in Insight.objects.all():
        sets[insight.dataset_id].append(insight)
        resting_on = {UUID(pk) for pk in insight.basis["datasets"]} | {insight.dataset_id}
        assert not resting_on & undone, f"{insight} still shows what was undone"
    for insights in sets.values():
        department = departments()[insights[0].department]
        assert sorted(each.kind for each in insights) == sorted(each.kind for each in department.insights)
        assert len({each.computed_at for each in insights}) == 1


def loaded_uploads() -> set[UUID]:
    """Those of which some run's ETL stage has succeeded."""
    done = StageRun.objects.filter(stage=Stage.ETL, state=State.SUCCEEDED)
    return set(done.values_list("job__dataset_id", flat=True))


def check_settled(installation: Installation) -> None:
    """Nothing is in work and nothing waits; what did not succeed says why."""
    assert installation.is_idle()
    unfinished = list(StageRun.objects.filter(state__in=ACTIVE))
    assert not unfinished, f"{unfinished} will never end"
    assert not Job.objects.filter(status__in=_UNDER_WAY).exists()
    for dataset in Dataset.objects.exclude(deleted_at=None):
        assert not clean_rows(dataset).exists(), f"{dataset} was undone and its rows are there"


def check_nothing_is_lost(uploads: Uploads, *, undone: set[UUID]) -> None:
    """Every upload that counts is loaded, or was refused for what is in it; each department's insights show it all."""
    for pk, upload in uploads.items():
        newest = Job.objects.filter(dataset_id=pk).order_by("-created_at").first()
        assert newest is not None
        if pk not in undone:
            expected = JobStatus.FAILED if upload.refused else JobStatus.SUCCEEDED
            why = list(newest.stages.values_list("stage", "state", "error_code", "traceback"))
            assert newest.status == expected, f"{newest} of {upload} is {newest.status}: {why}"
    for department in DEPARTMENTS:
        live = {pk for pk, upload in uploads.items() if upload.department == department and not upload.refused} - undone
        shown = Insight.objects.filter(department=department).order_by("-computed_at").first()
        resting_on = {UUID(pk) for pk in shown.basis["datasets"]} if shown else set()
        assert resting_on == live, f"{department} is shown {resting_on}, its uploads are {live}"
