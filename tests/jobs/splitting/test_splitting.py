"""A large file that several workers share comes to what one would have made of it, whoever helps and whatever ends."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import F
from django.utils import timezone

from aetherflow.etl import FileRefused
from apps.accounts.models import User
from apps.accounts.scope import all_departments, department_scope
from apps.datasets.models import Dataset, RetiredPartition, clean_table
from apps.datasets.partitions import drop_retired
from apps.datasets.splits import Assembly
from apps.datasets.storage import raw_storage
from apps.jobs.models import Job, SplitState, Stage, StageRun, StageSplit, State
from apps.jobs.selectors import workers_seen
from apps.jobs.services import splitting
from apps.jobs.services.again import reprocess, undo
from apps.jobs.services.cancelling import cancel
from apps.jobs.services.rescue import rescue
from apps.jobs.services.splitting import SplitLost, help_with
from apps.jobs.sqs.messages import EtlMessage
from tests.jobs.beside import in_another_connection
from tests.jobs.large_files import FILES, ROWS
from tests.jobs.line import messages_of
from tests.jobs.splitting.sharing import is_whole, when_called
from tests.jobs.steps import deliver, rows_of, taken
from tests.jobs.told import tables_of, told_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def anew(job: Job, sqs: Any) -> tuple[Job, EtlMessage, dict[str, Any]]:
    """The same file's next job, and its message."""
    by = job.requested_by
    assert by is not None
    cancel(job=job, by=by, reason="for another", at=timezone.now())
    messages_of(sqs, "ml")
    again = reprocess(dataset=job.dataset, first=Stage.ETL, by=by, at=timezone.now())
    message, headers = taken(sqs)
    return again, message, headers


@pytest.mark.parametrize("helped", [False, True], ids=["alone", "helped"])
@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_it_comes_to_what_one_would_have_made_of_it(
    content: bytes,
    helped: bool,
    upload: Callable[..., Job],
    sqs: Any,
    two_workers: None,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    before, job = tables_of("sales"), upload(content, max_reject_share=0.5)
    message, headers = taken(sqs)
    settings.SPLIT_FROM_BYTES = len(content) + 1
    assert deliver(message, headers)
    expected = told_of(job)
    settings.SPLIT_FROM_BYTES = len(content)
    again, message, headers = anew(job, sqs)
    splits: list[int] = []
    if helped:
        # One split after each of the caller's own: then somebody waits.
        monkeypatch.setattr(splitting, "_somebody_waits", lambda: bool(splits.append(1)) or len(splits) > 1)
        monkeypatch.setattr(
            splitting._Caller, "where_it_helps", lambda caller: help_with(caller._run, worker="etl-2@test")
        )
    assert deliver(message, headers)
    assert told_of(again) == expected
    assert not helped or len(splits) > 3 or content == FILES["line breaks in cells"]
    assert not StageSplit.objects.exists()
    drop_retired(at=timezone.now() + timedelta(days=2))
    bucket = Dataset.objects.get(pk=job.dataset_id).rows_bucket
    left = {name for name in tables_of("sales") - before if name.split("$")[1] != str(bucket)}
    assert not left, "of what was given up"
    assert told_of(again)["rows"] == expected["rows"]


# --- While it is shared ---


def test_one_who_helps_at_the_same_time_loads_some_of_it(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job, message, headers = plain
    threads: list[threading.Thread] = []
    workers: list[str] = []
    monkeypatch.setattr(splitting, "_somebody_waits", lambda: False)
    when_called(
        monkeypatch,
        lambda run: threads.append(in_another_connection(lambda: help_with(run, worker="etl-2@test"))),
    )
    load = splitting._load
    monkeypatch.setattr(splitting, "_load", lambda split, **of: workers.append(split.worker) or load(split, **of))
    assert deliver(message, headers, worker="etl-1@test")
    threads[0].join(30)
    assert is_whole(job)
    assert set(workers) == {"etl-1@test", "etl-2@test"}
    assert [each["line"] for each in rows_of(job).values("line")] == list(range(2, ROWS + 2))


def test_the_split_of_one_who_died_is_taken_again_and_comes_too_late(
    plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, message, headers = plain
    held: list[StageSplit] = []

    def die(run: StageRun) -> None:
        found = splitting._take(run, worker="etl-2@test")
        assert found is not None
        held.append(found)
        StageSplit.objects.filter(pk=found.pk).update(held_until=timezone.now() - timedelta(seconds=1))

    when_called(monkeypatch, die)
    finish = Assembly.finish

    def late(*of: Any, **options: Any) -> Any:
        """The dead one was only slow, and writes what came of its split after somebody else has."""
        with (
            splitting.local_split(job.dataset.key, start=held[0].start, end=held[0].end) as fetched,
            pytest.raises(SplitLost),
        ):
            splitting._load(held[0], dataset=job.dataset, held=fetched, tell=splitting._nobody)
        return finish(*of, **options)

    monkeypatch.setattr(Assembly, "finish", late)
    before = tables_of("sales")
    assert deliver(message, headers)
    assert is_whole(job)
    bucket = Dataset.objects.get(pk=job.dataset_id).rows_bucket
    pieces = {name for name in tables_of("sales") - before if name != f"clean_sales${bucket}"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass", [f'"clean_sales${bucket}"'])
        assert cursor.fetchone() == (len(pieces),), "each table that was made is one of its pieces"


def test_nothing_is_left_of_one_that_is_undone_meanwhile(
    plain: Any, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, message, headers = plain
    monkeypatch.setattr("apps.jobs.services.etl._PROGRESS_EVERY_SECONDS", -1.0)
    monkeypatch.setattr(splitting, "_TELL_EVERY_SECONDS", -1.0)
    when_called(
        monkeypatch, lambda _: undo(dataset=job.dataset, by=seller, at=timezone.now(), request_id="request-0002")
    )
    assert deliver(message, headers) is None
    assert job.stages.get(stage=Stage.ETL).error_code == "upload-undone"
    assert not StageSplit.objects.exists()
    assert clean_table("sales")._default_manager.count() == 0
    before = tables_of("sales")
    assert drop_retired(at=timezone.now() + timedelta(days=2)) == 1
    assert not RetiredPartition.objects.exists()
    assert tables_of("sales") <= before


def test_one_that_is_cancelled_meanwhile_is_left(plain: Any, seller: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job, message, headers = plain
    monkeypatch.setattr("apps.jobs.services.etl._PROGRESS_EVERY_SECONDS", -1.0)
    monkeypatch.setattr(splitting, "_TELL_EVERY_SECONDS", -1.0)
    when_called(monkeypatch, lambda _: cancel(job=job, by=seller, reason="wrong file", at=timezone.now()))
    assert deliver(message, headers) is None
    assert not StageSplit.objects.exists()
    assert clean_table("sales")._default_manager.count() == 0


def test_who_takes_the_stage_over_shares_it_anew(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job, message, headers = plain
    done: list[Any] = []
    monkeypatch.setattr("apps.jobs.services.etl._PROGRESS_EVERY_SECONDS", -1.0)
    monkeypatch.setattr(splitting, "_TELL_EVERY_SECONDS", -1.0)

    def take_over(_: StageRun) -> None:
        done.append(deliver(message, headers, message_id="m-1", receive_count=2))
        StageSplit.objects.create(
            run=job.stages.get(stage=Stage.ETL),
            token=2,
            number=0,
            release="",
            plan={},
            bucket=1,
            start=0,
            end=1,
            first_line=2,
            after_line=3,
        )

    when_called(monkeypatch, take_over)
    with pytest.raises(Exception, match="is not ours any more"):
        deliver(message, headers, message_id="m-1")
    assert done[0] is not None
    assert StageSplit.objects.get().token == 2, "what is another's was left"
    StageSplit.objects.all().delete()
    assert is_whole(job)


def test_what_goes_wrong_with_help_is_not_the_files_fault(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job, message, headers = plain
    load, failed = splitting.load_split, []

    def of_a_helper(**options: Any) -> Any:
        if not failed:
            failed.append(1)
            raise OSError("the disk is gone")
        return load(**options)

    monkeypatch.setattr(splitting, "load_split", of_a_helper)
    when_called(monkeypatch, lambda run: help_with(run, worker="etl-2@test"))
    assert deliver(message, headers)
    assert failed
    assert is_whole(job)


def test_nothing_is_taken_of_a_file_that_has_changed(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job, message, headers = plain

    def change(run: StageRun) -> None:
        raw_storage().save(job.dataset.key, ContentFile(FILES["plain"].replace(b"SKU-1", b"SKU-2")))
        help_with(run, worker="etl-2@test")
        assert set(StageSplit.objects.values_list("state", flat=True)) == {SplitState.LOADED}

    when_called(monkeypatch, change)
    before = tables_of("sales")
    assert deliver(message, headers)
    assert is_whole(job)
    assert set(rows_of(job).values_list("sku", flat=True)) == {"SKU-1"}
    drop_retired(at=timezone.now() + timedelta(days=2))
    assert {name.count("$") for name in tables_of("sales") - before} <= {1}, "its pieces are gone"


def test_while_one_is_not_in_the_others_wait(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller holds what came of a few, and hands in the rest, however long the first takes."""
    job, message, headers = plain
    when_called(monkeypatch, lambda run: splitting._take(run, worker="etl-2@test"))
    waiting: list[bool] = []

    def looked(_seconds: float) -> None:
        splits = StageSplit.objects.filter(state=SplitState.LOADED)
        waiting.extend(bool(keys) for keys in splits.values_list("keys", flat=True))
        StageSplit.objects.update(held_until=timezone.now() - timedelta(seconds=1))

    monkeypatch.setattr(splitting.time, "sleep", looked)
    assert deliver(message, headers, worker="etl-1@test")
    assert waiting == [False] * splitting._HELD + [True] * (len(waiting) - splitting._HELD)
    assert any(waiting)
    assert is_whole(job)
    assert [each["line"] for each in rows_of(job).values("line")] == list(range(2, ROWS + 2))


def test_the_last_splits_are_small(settings: Any) -> None:
    left, sizes = 4_000_000, []
    while left:
        sizes.append(min(splitting._size_of(left, hands=3), left))
        left -= sizes[-1]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-2]) == (splitting._LARGEST * settings.SPLIT_BYTES, settings.SPLIT_BYTES)


def test_what_another_release_has_split_is_not_touched(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job, message, headers = plain

    def of_another(run: StageRun) -> None:
        StageSplit.objects.update(release="0, polars 0")
        help_with(run, worker="etl-2@test")
        assert set(StageSplit.objects.values_list("state", flat=True)) == {SplitState.WAITING}
        StageSplit.objects.update(release=splitting._RELEASE)

    when_called(monkeypatch, of_another)
    assert deliver(message, headers)
    assert is_whole(job)


def test_a_file_that_is_refused_is_refused_as_by_one(upload: Callable[..., Job], sqs: Any, two_workers: None) -> None:
    job = upload(FILES["plain"] + b'T-x,2026-03-02,S-1,"open')
    message, headers = taken(sqs)
    with pytest.raises(FileRefused, match=f"line {ROWS + 2:,} is not closed"):
        deliver(message, headers)
    assert job.stages.get(stage=Stage.ETL).error_code == "quote-error"
    assert not StageSplit.objects.exists()
    assert clean_table("sales")._default_manager.count() == 0


def test_what_a_killed_caller_left_goes(plain: Any, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def kill(_: StageRun) -> None:
        monkeypatch.setattr(splitting, "_of", lambda _: StageSplit.objects.none())
        raise Killed

    job, message, headers = plain
    when_called(monkeypatch, kill)
    with pytest.raises(Killed):
        deliver(message, headers)
    assert StageSplit.objects.exists()
    rescue(at=timezone.now())
    assert StageSplit.objects.exists(), "its message may come again"
    StageRun.objects.filter(job=job, stage=Stage.ETL).update(token=F("token") + 1)
    rescue(at=timezone.now())
    assert not StageSplit.objects.exists()
    assert job.stages.get(stage=Stage.ETL).state == State.PROCESSING


def test_who_helps_is_shown_with_what_it_helps_with(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job, message, headers = plain
    shown: dict[str, list[UUID]] = {}

    def look(run: StageRun) -> None:
        splitting._take(run, worker="etl-2@test")
        with all_departments():
            shown.update({seen.name: [each.job_id for each in seen.runs] for seen in workers_seen(at=timezone.now())})
        StageSplit.objects.update(held_until=timezone.now() - timedelta(seconds=1))

    when_called(monkeypatch, look)
    assert deliver(message, headers, worker="etl-1@test")
    assert shown == {"etl-1@test": [job.pk], "etl-2@test": [job.pk]}


def test_splits_are_their_departments_own(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, message, headers = plain
    seen: list[int] = []

    def look(_: StageRun) -> None:
        for department in ("sales", "finance"):
            with department_scope(department):
                seen.append(StageSplit.objects.count())

    when_called(monkeypatch, look)
    assert deliver(message, headers)
    assert (seen[0] > 1, seen[1]) == (True, 0)
