"""What is done to dead letters from their screens, and what comes of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.jobs.admin import letters as screens
from apps.jobs.models import Job, JobStatus, State
from apps.jobs.services import dead_letters as service
from apps.jobs.services.again import retry
from apps.jobs.services.dead_letters import redrive
from apps.jobs.sqs.letters import Held
from tests.accounts.factories import OperatorFactory
from tests.jobs.dead_letter_screens import (
    DLQ,
    WHY,
    address,
    answer_of,
    ask,
    console,
    entries,
    told,
    words,
)
from tests.jobs.letters import BAD_FILE, Upload, bodies, dead_letter_of, put, refuse, run_of, settled, work_all

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]


# --- Redrive ---


def test_chosen_letters_are_put_back_when_that_is_confirmed(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    other = put(sqs, "poison")
    client = console("operator")
    page = ask(client, "redrive", message_id)
    assert told(page) == {message_id: ("will be put back into the queue", "")}
    assert (settled(job), entries()) == (JobStatus.FAILED, []), "to ask does nothing"
    unsaid = client.post(address("redrive"), answer_of(page, reason=" "))
    assert "Nothing was done yet." in unsaid.content.decode()
    assert settled(job) == JobStatus.FAILED
    done = client.post(address("redrive"), answer_of(unsaid))
    assert told(done) == {message_id: ("put back into the queue", "")}
    assert reverse("admin:jobs_job_change", args=[job.pk]) in done.content.decode()
    assert entries() == [(AuditAction.REDRIVEN, "Rita", WHY)]
    assert settled(job) == JobStatus.QUEUED
    work_all(sqs)
    assert run_of(job).state == State.SUCCEEDED
    assert list(bodies(sqs, "etl", dead=True)) == [other]
    again = client.post(address("redrive"), answer_of(page))
    assert told(again)[message_id][0] == "gone", "to send it twice does nothing twice"
    assert len(entries()) == 1


def test_all_are_put_back_and_each_that_is_refused_says_why(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    poison = put(sqs, "poison")
    client = console("operator")
    page = ask(client, "redrive-all")
    assert page.context["title"] == f"Redrive all: 1 letter of {DLQ}"
    assert told(page)[message_id][0] == "will be put back into the queue"
    assert told(page)[poison][0] == "refused"
    assert "It is no message of the platform" in told(page)[poison][1]
    done = client.post(address("redrive-all"), answer_of(page))
    assert done.context["title"] == "Redrive all: 1 of 2 letters put back into the queue"
    assert {each: said for each, (said, _) in told(done).items()} == {
        message_id: "put back into the queue",
        poison: "refused",
    }
    assert settled(job) == JobStatus.QUEUED
    assert list(bodies(sqs, "etl", dead=True)) == [poison]


def test_nothing_is_put_back_that_was_not_read(dead: tuple[Job, str], upload: Upload, sqs: Any) -> None:
    client = console("operator")
    page = ask(client, "redrive-all")
    late = upload(BAD_FILE + b"9")
    dead_letter_of(late, sqs)
    again = client.post(address("redrive-all"), answer_of(page))
    assert "the letters have changed since you looked" in again.content.decode()
    assert len(told(again)) == 2
    assert entries() == []
    client.post(address("redrive-all"), answer_of(again))
    assert {settled(dead[0]), settled(late)} == {JobStatus.QUEUED}


def test_of_two_operators_the_slower_is_told_that_it_is_gone(dead: tuple[Job, str], sqs: Any, operator: User) -> None:
    _, message_id = dead
    client = console("operator")
    page = ask(client, "redrive", message_id)
    redrive("etl", [message_id], by=operator, reason="quicker")
    late = client.post(address("redrive"), answer_of(page))
    assert "the letters have changed since you looked" in late.content.decode()
    said, why = told(late)[message_id]
    assert (said, why.startswith("It is not in the queue any more")) == ("gone", True)
    assert len(entries()) == 1


def test_a_letter_that_goes_between_the_look_and_the_act_is_gone(
    dead: tuple[Job, str], sqs: Any, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, (_, message_id) = console("operator"), dead
    page = ask(client, "redrive", message_id)
    each = service._each

    def after_another(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(service, "_each", each)
        redrive("etl", [message_id], by=operator, reason="quicker")
        return each(*args, **kwargs)

    monkeypatch.setattr(service, "_each", after_another)
    done = client.post(address("redrive"), answer_of(page))
    assert done.context["title"] == "Redrive: 0 of 1 letter put back into the queue"
    assert told(done)[message_id][0] == "gone"


def test_what_stops_it_halfway_is_said(upload: Upload, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [upload(BAD_FILE + b"%d" % number) for number in range(2)]
    work_all(sqs)
    client = console("operator")
    page = ask(client, "redrive-all")
    send, sent = Held.send_on, []

    def once(held: Held, *args: Any, **kwargs: Any) -> str:
        if sent:
            return refuse()
        sent.append(True)
        return send(held, *args, **kwargs)

    monkeypatch.setattr(Held, "send_on", once)
    done = client.post(address("redrive-all"), answer_of(page))
    assert "It was not finished: SQS does not answer (Timeout). Try again." in words(done.content.decode())
    assert sorted(said for said, _ in told(done).values()) == ["put back into the queue", "refused"]
    assert sorted(settled(job) for job in jobs) == [JobStatus.FAILED, JobStatus.QUEUED]


@pytest.mark.parametrize("act", ["redrive", "redrive-all"])
def test_sqs_that_goes_away_after_the_question_does_nothing(
    act: str, dead: tuple[Job, str], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, (job, message_id) = console("operator"), dead
    page = ask(client, act, *([message_id] if act == "redrive" else []))
    with monkeypatch.context() as patched:
        patched.setattr(Held, "send_on", refuse)
        answer = client.post(address(act), answer_of(page), follow=True)
    assert answer.redirect_chain == [(address(), 302)]
    assert "SQS does not answer (Timeout). Try again." in answer.content.decode()
    assert (settled(job), entries()) == (JobStatus.FAILED, [])
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]


@pytest.mark.parametrize("act", ["redrive", "discard"])
def test_nothing_chosen_is_nothing_done(act: str, dead: tuple[Job, str], sqs: Any) -> None:
    client = console()
    for answer in (client.get(address(act), follow=True), client.post(address(act), {"reason": WHY}, follow=True)):
        assert answer.redirect_chain == [(address(), 302)]
        assert "no letter was chosen" in answer.content.decode()
    assert entries() == []


def test_more_than_a_request_can_do_are_refused(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "MOST", 1)
    put(sqs, "one")
    put(sqs, "two")
    for act in ("redrive-all", "discard-settled"):
        answer = console().get(address(act), follow=True)
        assert "there are about 2 letters, and a page acts on 1 at most" in answer.content.decode()


# --- Discard ---


def test_chosen_letters_are_thrown_away_for_a_reason(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    poison = put(sqs, "<b>poison</b>")
    client = console()
    page = ask(client, "discard", message_id, poison)
    assert "<b>poison" not in page.content.decode()
    assert "Nothing was done yet." in client.post(address("discard"), answer_of(page, reason="")).content.decode()
    done = client.post(address("discard"), answer_of(page, reason="known to be broken"))
    assert told(done) == {message_id: ("thrown away", ""), poison: ("thrown away", "")}
    assert entries() == [(AuditAction.DISCARDED, "Rita", "known to be broken")] * 2
    assert bodies(sqs, "etl", dead=True) == {}
    assert settled(job) == JobStatus.FAILED


def test_what_is_settled_is_thrown_away_and_nothing_else(dead: tuple[Job, str], sqs: Any, operator: User) -> None:
    job, message_id = dead
    poison = put(sqs, "poison")
    client = console()
    assert "There is no letter for which" in words(ask(client, "discard-settled").content.decode())
    retry(job=job, by=operator, at=timezone.now())
    work_all(sqs)
    page = ask(client, "discard-settled")
    assert list(told(page)) == [message_id]
    done = client.post(address("discard-settled"), answer_of(page))
    assert told(done) == {message_id: ("thrown away", "")}
    assert list(bodies(sqs, "etl", dead=True)) == [poison]


# --- Purge ---


@pytest.mark.parametrize("typed", ["", "etl", "aetherflow-ml-dlq"])
def test_a_purge_needs_the_queues_name(typed: str, dead: tuple[Job, str], sqs: Any) -> None:
    client = console()
    given = {"typed_name": typed, "reason": WHY}
    page = client.post(address("purge"), given).content.decode()
    assert "Nothing was done yet." in page
    assert ("type the queue&#x27;s name: aetherflow-etl-dlq" in page) == bool(typed)
    assert list(bodies(sqs, "etl", dead=True)) == [dead[1]]
    assert entries() == []


def test_a_purge_takes_all_and_says_what_is_lost(dead: tuple[Job, str], upload: Callable[..., Job], sqs: Any) -> None:
    put(sqs, "poison")
    put(sqs, "poison", queue="ml")
    client = console()
    page = words(ask(client, "purge").content.decode())
    assert f"All letters of {DLQ} are deleted for good, about 2" in page
    given = {"typed_name": DLQ, "reason": WHY}
    assert "Nothing was done yet." in client.post(address("purge"), given | {"reason": ""}).content.decode()
    done = client.post(address("purge"), given, follow=True)
    assert f"Thrown away: all letters of {DLQ}, about 2." in done.content.decode()
    assert [len(bodies(sqs, queue, dead=True)) for queue in ("etl", "ml")] == [0, 1]
    assert entries() == [(AuditAction.PURGED, "Rita", WHY)]
    again = client.post(address("purge"), given)
    assert "was purged less than a minute ago." in again.content.decode()


def test_a_form_of_another_site_does_nothing(dead: tuple[Job, str], sqs: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(OperatorFactory(console_role="admin"))
    assert strict.post(address("purge"), {"typed_name": DLQ, "reason": WHY}).status_code == 403
    assert list(bodies(sqs, "etl", dead=True)) == [dead[1]]
