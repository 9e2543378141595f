"""The list of one's sessions: seen and ended by their owner only, and what is ended is out at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from apps.accounts.choices import Approval, SessionEnd
from apps.accounts.models import Session, User
from tests.accounts.factories import PASSWORD, AdminFactory, SessionFactory, UserFactory, bearer

pytestmark = pytest.mark.django_db
SESSIONS = "/api/v1/auth/sessions"
ME = "/api/v1/auth/me"
Problem = Callable[..., dict[str, Any]]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@pytest.fixture
def ada() -> User:
    return UserFactory(email="ada@example.com")


def log_in(**request: Any) -> tuple[APIClient, dict[str, Any]]:
    """A browser of Ada's with its cookie, and the header of its access token."""
    browser = APIClient()
    answer = browser.post("/api/v1/auth/login", {"email": "ada@example.com", "password": PASSWORD}, **request)
    assert answer.status_code == 200, answer.content
    return browser, {"headers": {"Authorization": f"Bearer {answer.json()['access']}"}}


def listed(api: APIClient, asking: dict[str, Any]) -> list[dict[str, Any]]:
    answer = api.get(SESSIONS, **asking)
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


# --- The list ---


def test_it_shows_from_where_and_with_what_each_session_began_and_which_one_asks(api: APIClient, ada: User) -> None:
    _, laptop = log_in(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="192.0.2.7")
    _, phone = log_in(headers={"User-Agent": "a phone"}, REMOTE_ADDR="2001:db8::1")
    shown = {each["user_agent"]: each for each in listed(api, laptop)}
    assert shown[FIREFOX]["current"] is True
    assert shown[FIREFOX]["ip"] == "192.0.2.7"
    assert shown["a phone"]["current"] is False
    assert shown["a phone"]["ip"] == "2001:db8::1"
    assert {each["user_agent"]: each["current"] for each in listed(api, phone)} == {FIREFOX: False, "a phone": True}
    assert set(shown[FIREFOX]) == {"id", "user_agent", "ip", "created_at", "last_used_at", "expires_at", "current"}


def test_it_begins_with_the_one_used_last_and_has_pages(api: APIClient, ada: User) -> None:
    now = timezone.now()
    for days in (3, 1, 2):
        SessionFactory(user=ada, created_at=now - timedelta(days=5), last_used_at=now - timedelta(days=days))
    asking = bearer(ada)
    used = [each["last_used_at"] for each in listed(api, asking)]
    assert used == sorted(used, reverse=True)
    page = api.get(f"{SESSIONS}?limit=2", **asking).json()
    assert (page["count"], len(page["results"])) == (4, 2)
    assert page["next"]


@pytest.mark.parametrize("owner", [UserFactory, AdminFactory], ids=["colleague", "admin"])
def test_it_shows_ones_own_only(api: APIClient, ada: User, owner: Callable[[], User]) -> None:
    theirs = SessionFactory(user=ada)
    asking = owner()
    seen = [each["id"] for each in listed(api, bearer(asking))]
    assert str(theirs.pk) not in seen
    assert seen == [str(session.pk) for session in asking.sessions.all()]


def test_it_shows_none_that_has_ended_or_run_out(api: APIClient, ada: User) -> None:
    now = timezone.now()
    SessionFactory(user=ada, ended_at=now, ended_reason=SessionEnd.LOGOUT)
    SessionFactory(user=ada, created_at=now - timedelta(days=20), expires_at=now - timedelta(days=6))
    assert [each["current"] for each in listed(api, bearer(ada))] == [True]


@pytest.mark.parametrize("method", ["get", "delete"])
def test_nobody_and_who_may_not_come_in_see_and_end_nothing(
    api: APIClient, ada: User, problem: Problem, method: str
) -> None:
    running = SessionFactory(user=ada)
    path = f"{SESSIONS}/{running.pk}" if method == "delete" else SESSIONS
    problem(getattr(api, method)(path), 401, "not-authenticated")
    for shut in ({"is_active": False}, {"approval": Approval.PENDING, "approved_at": None}):
        asking = bearer(ada)
        User.objects.filter(pk=ada.pk).update(**shut)
        problem(getattr(api, method)(path, **asking), 401, "account-inactive")
        User.objects.filter(pk=ada.pk).update(is_active=True, approval=Approval.APPROVED, approved_at=timezone.now())
    running.refresh_from_db()
    assert running.ended_at is None


# --- Ending one ---


def test_an_ended_session_is_out_at_once_and_its_cookie_is_no_way_back(
    api: APIClient, ada: User, problem: Problem
) -> None:
    _, laptop = log_in()
    lost, stolen = log_in(headers={"User-Agent": "a lost phone"})
    (target,) = [each for each in listed(api, laptop) if each["user_agent"] == "a lost phone"]
    assert api.get(ME, **stolen).status_code == 200
    assert api.delete(f"{SESSIONS}/{target['id']}", **laptop).status_code == 204
    problem(api.get(ME, **stolen), 401, "session-ended")
    problem(lost.post("/api/v1/auth/refresh", headers={"X-Requested-With": "AetherFlow"}), 401, "session-ended")
    assert api.get(ME, **laptop).status_code == 200
    assert Session.objects.get(pk=target["id"]).ended_reason == SessionEnd.OWNER
    assert target["id"] not in [each["id"] for each in listed(api, laptop)]


def test_ones_own_is_ended_like_a_log_out(ada: User, problem: Problem) -> None:
    browser, asking = log_in()
    (only,) = listed(browser, asking)
    answer = browser.delete(f"{SESSIONS}/{only['id']}", **asking)
    assert answer.status_code == 204
    assert answer.cookies[settings.REFRESH_COOKIE_NAME].value == ""
    problem(browser.get(ME, **asking), 401, "session-ended")


@pytest.mark.parametrize("asker", [UserFactory, AdminFactory], ids=["colleague", "admin"])
def test_anothers_session_is_not_there(api: APIClient, ada: User, problem: Problem, asker: Callable[[], User]) -> None:
    running, asking = SessionFactory(user=ada), bearer(asker())
    foreign = problem(api.delete(f"{SESSIONS}/{running.pk}", **asking), 404, "not-found")
    unknown = problem(api.delete(f"{SESSIONS}/{uuid4()}", **asking), 404, "not-found")
    told = [{key: value for key, value in one.items() if key != "request_id"} for one in (foreign, unknown)]
    assert told[0] == told[1]
    running.refresh_from_db()
    assert running.ended_at is None


def test_one_that_has_ended_is_not_there_and_keeps_its_reason(api: APIClient, ada: User, problem: Problem) -> None:
    ended = SessionFactory(user=ada, ended_at=timezone.now(), ended_reason=SessionEnd.REUSE)
    problem(api.delete(f"{SESSIONS}/{ended.pk}", **bearer(ada)), 404, "not-found")
    ended.refresh_from_db()
    assert ended.ended_reason == SessionEnd.REUSE


# --- Ending all others ---


def test_all_others_end_and_nobody_elses(api: APIClient, ada: User, problem: Problem) -> None:
    _, first = log_in()
    _, second = log_in()
    _, here = log_in()
    colleague = bearer(UserFactory())
    answer = api.delete(SESSIONS, **here)
    assert (answer.status_code, answer.json()) == (200, {"ended": 2})
    for there in (first, second):
        problem(api.get(ME, **there), 401, "session-ended")
    assert api.get(ME, **here).status_code == 200
    assert api.get(ME, **colleague).status_code == 200
    assert api.delete(SESSIONS, **here).json() == {"ended": 0}


def test_who_ended_what_stands_in_the_log(api: APIClient, ada: User) -> None:
    other, asking = SessionFactory(user=ada), bearer(ada)
    with capture_logs() as lines:
        api.delete(f"{SESSIONS}/{other.pk}", **asking)
        SessionFactory(user=ada)
        api.delete(SESSIONS, **asking)
    one, all_others = (line for line in lines if line["event"] in {"session.ended", "sessions.ended"})
    assert one == one | {"session_id": str(other.pk), "reason": "owner", "by": str(ada.pk)}
    assert all_others == all_others | {"user_id": str(ada.pk), "count": 1, "reason": "owner", "by": str(ada.pk)}


# --- From where ---


@pytest.mark.parametrize(
    ("proxies", "forwarded", "told"),
    [
        (0, "198.51.100.9", "192.0.2.7"),
        (1, "198.51.100.9", "198.51.100.9"),
        (1, "6.6.6.6, 198.51.100.9", "198.51.100.9"),
        (2, "6.6.6.6, 198.51.100.9, 10.0.0.1", "198.51.100.9"),
        (1, "unknown", None),
        (1, "fe80::1%eth0", "fe80::1"),
    ],
)
def test_only_our_own_proxies_are_believed(
    api: APIClient, ada: User, settings: Any, proxies: int, forwarded: str, told: str | None
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    _, asking = log_in(headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR="192.0.2.7")
    assert [each["ip"] for each in listed(api, asking)] == [told]
