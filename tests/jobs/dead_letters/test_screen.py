"""The console's screens of the dead letters: what they show, and who may do what there."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.jobs import status
from apps.jobs.admin import letters as screens
from apps.jobs.dead_letters import letter_box
from apps.jobs.models import Job, JobStatus
from apps.jobs.services.again import undo
from apps.jobs.sqs.letters import Held
from config.local.home import free_port
from tests.accounts.factories import operator_with
from tests.jobs.console import logged_in
from tests.jobs.dead_letter_screens import (
    DLQ,
    ROLES,
    WHY,
    address,
    answer_of,
    ask,
    console,
    entries,
    shown,
    told,
    words,
)
from tests.jobs.letters import bodies, put, settled
from tests.support.timing import SOON, at_most

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]


@pytest.fixture
def calm() -> Iterator[None]:
    """The next test must not share a look that hangs in this one."""
    yield
    deadline = time.monotonic() + 15
    for probe in screens._looks.values():
        while probe._under_way is not None and not probe._under_way.done():
            assert time.monotonic() < deadline, "it never came back"
            time.sleep(0.05)


# --- What is shown ---


def test_a_letter_is_shown_with_its_job_and_leads_on(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    screen, page = shown(console("viewer"))
    (letter,) = screen.letters
    assert (letter.message_id, screen.name, screen.problem, screen.unseen) == (message_id, DLQ, None, 0)
    for link in (
        reverse("admin:jobs_job_change", args=[job.pk]),
        reverse("admin:datasets_dataset_change", args=[job.dataset_id]),
        address(queue="ml"),
    ):
        assert f'href="{link}"' in page
    said = words(page)
    assert "missing-label: " in said
    assert "ETL (1)" in said
    assert "worked again" in said
    assert shown(console("viewer"))[0].letters, "a look gives it back"
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]
    assert "No dead letters." in words(shown(console("viewer"), "ml")[1])


def test_home_menu_and_job_lead_here(dead: tuple[Job, str], sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "WITHIN_SECONDS", 10.0)
    client = console("viewer")
    home = client.get(reverse("admin:index"))
    etl, ml = home.context["home"].queues
    assert (etl.dead.value, etl.dead.href, ml.dead.href) == (1, address(), address(queue="ml"))
    assert f'href="{reverse("admin:jobs_letters")}"' in home.content.decode()
    assert client.get(reverse("admin:jobs_letters"))["Location"] == address()
    job = reverse("admin:jobs_job_change", args=[dead[0].pk])
    assert f'href="{address()}">dead-lettered' in client.get(job).content.decode()
    stranger = logged_in(operator_with("jobs.view_job"))
    assert "/admin/jobs/letters/" not in stranger.get(job).content.decode()
    assert {queue.dead.href for queue in stranger.get(reverse("admin:index")).context["home"].queues} == {""}


def test_links_lead_only_where_one_may_look(dead: tuple[Job, str], sqs: Any) -> None:
    client = logged_in(operator_with("jobs.view_deadletter", "jobs.redrive_deadletter"))
    pages = [shown(client)[1], ask(client, "redrive", dead[1]).content.decode()]
    for page in pages:
        inside = page[page.index('id="letters"') :]
        assert str(dead[0].pk)[:8] in inside
        assert "/admin/jobs/job/" not in inside
        assert "/admin/datasets/" not in inside
    assert "Discard" not in pages[0]
    assert "Purge" not in pages[0]


def test_a_foreign_letter_is_text(sqs: Any) -> None:
    put(sqs, "<script>alert(1)</script>" + "x" * 1000)
    _, page = shown(console())
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;xxx" in page
    assert "x" * 400 not in page
    assert "No message of ours: the body is not JSON" in words(page)


def test_the_letters_of_what_is_gone_say_so(dead: tuple[Job, str], sqs: Any, operator: User) -> None:
    job, message_id = dead
    undo(dataset=job.dataset, by=operator, at=timezone.now(), request_id="r")
    client = console()
    assert "refused The upload was undone. Discard it." in words(shown(client)[1])
    page = ask(client, "redrive", message_id)
    assert told(page) == {message_id: ("refused", "The upload was undone. Discard it.")}
    assert "There is no letter for which this would do anything." in words(page.content.decode())
    forced = client.post(address("redrive"), answer_of(page, letter=message_id))
    assert told(forced)[message_id][0] == "refused", "also where the form is sent all the same"
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]


def test_what_others_hold_and_what_was_not_read_is_said(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        put(sqs, f"letter {number}")
    with letter_box("etl").hold(seconds=30, at_most=1) as held:
        assert len(list(held)) == 1
        screen, page = shown(console())
    assert screen.look is not None
    assert (screen.look.total, screen.look.held, len(screen.letters), screen.unseen) == (12, 1, 11, 0)
    assert "In somebody else's hands 1" in words(page).replace("&#x27;", "'")
    # As if the time were over after the first ten.
    moments = iter([False])
    monkeypatch.setattr(Held, "_is_late", lambda _: next(moments, True))
    screen, page = shown(console())
    assert (len(screen.letters), screen.unseen) == (10, 2)
    assert "2 more were not read for this page." in words(page)


@pytest.mark.parametrize("away", ["refusing", "hanging"])
def test_without_sqs_the_page_opens_within_a_second_and_says_so(
    away: str, calm: None, hanging: str, settings: Any, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "WITHIN_SECONDS", status.WITHIN_SECONDS)
    settings.AWS_ENDPOINT_URL_SQS = hanging if away == "hanging" else f"http://127.0.0.1:{free_port()}"
    client = console()
    shown(client)  # the first look of a process imports and connects
    screen, page = shown(client)
    assert (screen.look, screen.letters) == (None, [])
    assert "The dead letters are not known." in page
    assert "127.0.0.1" not in page, "addresses belong in the log"
    with at_most(seconds=SOON):
        shown(client)
    for act in ("redrive", "redrive-all", "discard", "discard-settled", "purge"):
        with at_most(seconds=SOON):
            answer = client.post(address(act), {"letter": "x", "seen": "x", "reason": WHY}, follow=True)
        assert answer.redirect_chain == [(address(), 302)]
        assert "Nothing was done: SQS does not answer." in answer.content.decode()


def test_there_are_no_other_queues(sqs: Any) -> None:
    for act in ("", "redrive-all", "purge"):
        assert console().get(address(act, "sales")).status_code == 404


# --- Who may what ---


@pytest.mark.parametrize(
    ("act", "first"),
    [
        ("redrive", "operator"),
        ("redrive-all", "operator"),
        ("discard", "admin"),
        ("discard-settled", "admin"),
        ("purge", "admin"),
    ],
)
def test_each_act_is_for_its_roles(act: str, first: str, dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    for role in ROLES:
        client, may = console(role), ROLES.index(role) >= ROLES.index(first)
        _, page = shown(client)
        assert (f'formaction="{act}/"' in page or f'href="{address(act)}"' in page) == may
        given = {"letter": message_id, "reason": WHY, "typed_name": DLQ, "seen": "x"}
        if not may:
            assert client.get(address(act)).status_code == 403
            assert client.post(address(act), given).status_code == 403
    assert entries() == []
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]
    assert settled(job) == JobStatus.FAILED


@pytest.mark.parametrize("who", [None, "member"])
def test_others_are_led_to_the_log_in(who: str | None, dead: tuple[Job, str], seller: User, sqs: Any) -> None:
    client = logged_in(seller if who else None)
    for act in ("", "redrive", "redrive-all", "discard", "discard-settled", "purge"):
        for answer in (client.get(address(act)), client.post(address(act), {"letter": dead[1], "reason": WHY})):
            assert answer.status_code == 302
            assert answer["Location"].startswith(reverse("admin:login"))
    assert list(bodies(sqs, "etl", dead=True)) == [dead[1]]
