"""The console's screens of the dead letters: what they show, who may do what there, and what comes of it."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import AuditAction, AuditEntry, User
from apps.jobs import status
from apps.jobs.admin import letters as screens
from apps.jobs.dead_letters import letter_box
from apps.jobs.models import Job, JobStatus, State
from apps.jobs.services import dead_letters as service
from apps.jobs.services.again import retry, undo
from apps.jobs.services.dead_letters import redrive
from apps.jobs.sqs.letters import Held
from config.local.home import free_port
from tests.accounts.factories import OperatorFactory, operator_with
from tests.jobs.console import logged_in
from tests.jobs.letters import BAD_FILE, Upload, bodies, dead_letter_of, put, refuse, run_of, settled, work_all

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]
WHY = "the bucket was away"
DLQ = "aetherflow-etl-dlq"
ROLES = ("viewer", "operator", "admin")


def address(act: str = "", queue: str = "etl") -> str:
    name = f"jobs_letters_{act.replace('-', '_') or 'queue'}"
    return reverse(f"admin:{name}", args=[queue])


def console(role: str = "admin") -> Client:
    return logged_in(OperatorFactory(console_role=role, full_name=f"Rita, {role}"))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer than a person should wait."""
    monkeypatch.setattr(screens, "WITHIN_SECONDS", 10.0)


@pytest.fixture
def calm() -> Iterator[None]:
    """The next test must not share a look that hangs in this one."""
    yield
    deadline = time.monotonic() + 15
    for probe in screens._looks.values():
        while probe._under_way is not None and not probe._under_way.done():
            assert time.monotonic() < deadline, "it never came back"
            time.sleep(0.05)


def shown(client: Client, queue: str = "etl") -> tuple[screens.Screen, str]:
    answer = client.get(address(queue=queue))
    assert answer.status_code == 200
    return answer.context["screen"], answer.content.decode()


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index('id="letters"') :]))


def answer_of(page: Any, **given: str) -> dict[str, Any]:
    """The page's form as a browser sends it."""
    body: dict[str, Any] = {}
    for name, value in page.context["question"].hidden:
        body.setdefault(name, []).append(value)
    return body | {"reason": WHY} | given


def ask(client: Client, act: str, *ids: str) -> Any:
    page = client.post(address(act), {"letter": ids}) if ids else client.get(address(act))
    assert page.status_code == 200
    return page


def told(page: Any) -> dict[str, tuple[str, str]]:
    """Of each letter on a page: what came, or will come, of it and why."""
    return {line.outcome.message_id: (str(line.said), line.outcome.words) for line in page.context["lines"]}


def entries() -> list[tuple[str, str, str]]:
    acts = (AuditAction.REDRIVEN, AuditAction.DISCARDED, AuditAction.PURGED)
    found = AuditEntry.objects.filter(action__in=acts).order_by("id")
    return [(entry.action, entry.actor_name.partition(",")[0], entry.reason) for entry in found]


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
    away: str, hanging: str, settings: Any, calm: None, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "WITHIN_SECONDS", status.WITHIN_SECONDS)
    settings.AWS_ENDPOINT_URL_SQS = hanging if away == "hanging" else f"http://127.0.0.1:{free_port()}"
    client = console()
    shown(client)  # the first look of a process imports and connects
    began = time.monotonic()
    screen, page = shown(client)
    took = time.monotonic() - began
    assert (screen.look, screen.letters) == (None, [])
    assert "The dead letters are not known." in page
    assert "127.0.0.1" not in page, "addresses belong in the log"
    assert took < 2, "its own limit is below 1 s, a silent endpoint's above 3 s"
    began = time.monotonic()
    for act in ("redrive", "redrive-all", "discard", "discard-settled", "purge"):
        answer = client.post(address(act), {"letter": "x", "seen": "x", "reason": WHY}, follow=True)
        assert answer.redirect_chain == [(address(), 302)]
        assert "Nothing was done: SQS does not answer." in answer.content.decode()
    assert time.monotonic() - began < 5 * 2 * 2, "each, and the page it leads to, within their limits"


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
