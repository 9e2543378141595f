"""Refresh: one use a token, two tabs at once are fine, a copied token ends the session; and logging out."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import services
from apps.accounts.errors import UnauthenticatedError
from apps.accounts.models import Session, User
from apps.accounts.services import SignedIn
from apps.accounts.tokens import mint_access, mint_refresh, read_refresh
from tests.accounts.blocking import wait_for_blocked_backends
from tests.accounts.factories import PASSWORD, SessionFactory, UserFactory
from tests.support.threads import in_scope

pytestmark = pytest.mark.django_db
LOGIN, REFRESH, LOGOUT, ME = (f"/api/v1/auth/{name}" for name in ("login", "refresh", "logout", "me"))
OURS = {"X-Requested-With": "AetherFlow"}
Problem = Callable[..., dict[str, Any]]


def signed_in(user: User | None = None, *, ago: timedelta = timedelta()) -> SignedIn:
    user = user or UserFactory()
    return services.log_in(email=user.email, password=PASSWORD, user_agent="", at=timezone.now() - ago)


def test_the_page_refreshes_by_cookie(api: APIClient) -> None:
    UserFactory(email="ada@example.com")
    first = api.post(LOGIN, {"email": "ada@example.com", "password": PASSWORD})
    answer = api.post(REFRESH, headers=OURS)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "expires_in", "user"}
    assert answer.json()["user"]["email"] == "ada@example.com"
    assert answer.cookies["aetherflow_refresh"].value != first.cookies["aetherflow_refresh"].value
    assert api.post(REFRESH, headers=OURS).status_code == 200
    assert api.get(ME, headers={"Authorization": f"Bearer {answer.json()['access']}"}).status_code == 200


def test_a_script_refreshes_by_body(api: APIClient) -> None:
    token = signed_in().refresh
    answer = APIClient().post(REFRESH, {"refresh": token})
    assert answer.json()["refresh"] not in {None, token}
    assert APIClient().post(REFRESH, {"refresh": answer.json()["refresh"]}).status_code == 200


def test_a_foreign_page_cannot_use_the_cookie(api: APIClient, problem: Problem) -> None:
    UserFactory(email="ada@example.com")
    api.post(LOGIN, {"email": "ada@example.com", "password": PASSWORD})
    problem(api.post(REFRESH), 403, "csrf-header-missing")
    problem(api.post(LOGOUT), 403, "csrf-header-missing")
    assert Session.objects.get().ended_at is None
    assert api.post(REFRESH, headers=OURS).status_code == 200


def test_no_token_at_all(api: APIClient, problem: Problem) -> None:
    problem(api.post(REFRESH), 401, "refresh-missing")


@pytest.mark.parametrize("token", ["x", "a.b.c"])
def test_garbage_is_refused_and_the_cookie_cleared(api: APIClient, problem: Problem, token: str) -> None:
    api.cookies["aetherflow_refresh"] = token
    answer = api.post(REFRESH, headers=OURS)
    problem(answer, 401, "token-invalid")
    assert answer.cookies["aetherflow_refresh"]["max-age"] == 0


def test_an_access_token_refreshes_nothing(api: APIClient, problem: Problem) -> None:
    problem(api.post(REFRESH, {"refresh": signed_in().access}), 401, "token-invalid")


def test_an_expired_token_is_called_expired(api: APIClient, problem: Problem) -> None:
    now = timezone.now()
    session = SessionFactory(created_at=now - timedelta(days=15), expires_at=now - timedelta(days=1))
    token = mint_refresh(session=session, at=now)
    problem(api.post(REFRESH, {"refresh": token}), 401, "token-expired")


def test_a_session_is_not_prolonged_by_its_use() -> None:
    first = signed_in(ago=timedelta(days=13))
    later = services.rotate(refresh=first.refresh, at=timezone.now())
    assert later.session.expires_at == first.session.expires_at
    with pytest.raises(UnauthenticatedError) as refusal:
        services.rotate(refresh=later.refresh, at=first.session.expires_at)
    assert refusal.value.code == "session-ended"


def test_each_rotation_spends_the_token() -> None:
    first = signed_in()
    at = timezone.now()
    second = services.rotate(refresh=first.refresh, at=at)
    session = Session.objects.get()
    assert session.current_jti == read_refresh(second.refresh).jti
    assert session.previous_jti == read_refresh(first.refresh).jti
    assert session.rotated_at == session.last_used_at == at


def test_within_the_grace_the_second_tab_gets_the_same_next_token() -> None:
    """Both tabs live on, and none of them moved the family past the other's token."""
    first = signed_in(ago=timedelta(minutes=2))
    at = first.session.created_at + timedelta(minutes=1)
    tab_one = services.rotate(refresh=first.refresh, at=at)
    tab_two = services.rotate(refresh=first.refresh, at=at + timedelta(seconds=30))
    assert read_refresh(tab_two.refresh) == read_refresh(tab_one.refresh)
    for tab in (tab_one, tab_two):
        services.rotate(refresh=tab.refresh, at=at + timedelta(seconds=40))
    assert Session.objects.get().ended_at is None


def test_past_the_grace_a_spent_token_ends_the_session(api: APIClient, problem: Problem) -> None:
    first = signed_in()
    second = services.rotate(refresh=first.refresh, at=timezone.now() - timedelta(seconds=31))
    problem(api.post(REFRESH, {"refresh": first.refresh}), 401, "token-reused")
    session = Session.objects.get()
    assert (session.ended_reason, session.ended_at is None) == ("reuse", False)
    problem(api.post(REFRESH, {"refresh": second.refresh}), 401, "session-ended")
    problem(api.get(ME, headers={"Authorization": f"Bearer {second.access}"}), 401, "session-ended")


def test_a_token_two_rotations_old_ends_the_session_even_within_the_grace(api: APIClient, problem: Problem) -> None:
    first = signed_in()
    second = services.rotate(refresh=first.refresh, at=timezone.now())
    services.rotate(refresh=second.refresh, at=timezone.now())
    problem(api.post(REFRESH, {"refresh": first.refresh}), 401, "token-reused")
    assert Session.objects.get().ended_reason == "reuse"


def test_reuse_ends_that_session_and_no_other() -> None:
    user = UserFactory()
    other, first = signed_in(user), signed_in(user)
    services.rotate(refresh=first.refresh, at=timezone.now() - timedelta(minutes=5))
    with pytest.raises(UnauthenticatedError):
        services.rotate(refresh=first.refresh, at=timezone.now())
    assert services.rotate(refresh=other.refresh, at=timezone.now()).user == user


def test_a_deactivated_account_refreshes_nothing(api: APIClient, problem: Problem) -> None:
    first = signed_in()
    User.objects.update(is_active=False)
    problem(api.post(REFRESH, {"refresh": first.refresh}), 401, "account-inactive")


def test_a_refresh_tells_the_department_of_today(api: APIClient) -> None:
    first = signed_in(UserFactory(department="sales"))
    User.objects.update(department="finance")
    answer = api.post(REFRESH, {"refresh": first.refresh}).json()
    assert answer["user"]["department"] == "finance"
    assert api.get(ME, headers={"Authorization": f"Bearer {answer['access']}"}).status_code == 200


def test_logging_out_ends_the_session_and_clears_the_cookie(api: APIClient, problem: Problem) -> None:
    UserFactory(email="ada@example.com")
    access = api.post(LOGIN, {"email": "ada@example.com", "password": PASSWORD}).json()["access"]
    token = api.cookies["aetherflow_refresh"].value
    answer = api.post(LOGOUT, headers=OURS)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.cookies["aetherflow_refresh"]["max-age"] == 0
    assert answer.cookies["aetherflow_refresh"]["path"] == "/api/v1/auth"
    problem(api.get(ME, headers={"Authorization": f"Bearer {access}"}), 401, "session-ended")
    problem(APIClient().post(REFRESH, {"refresh": token}), 401, "session-ended")
    assert Session.objects.get().ended_reason == "logout"


def test_logging_out_by_the_bearer_token_alone(api: APIClient) -> None:
    first = signed_in()
    assert api.post(LOGOUT, headers={"Authorization": f"Bearer {first.access}"}).status_code == 204
    assert Session.objects.get().ended_reason == "logout"


def test_logging_out_with_an_expired_access_token_ends_the_cookies_session(api: APIClient) -> None:
    first = signed_in()
    stale = mint_access(user=first.user, session=first.session, at=timezone.now() - timedelta(hours=1))
    api.cookies["aetherflow_refresh"] = first.refresh
    assert api.post(LOGOUT, headers={"Authorization": f"Bearer {stale}"}).status_code == 204
    assert Session.objects.get().ended_reason == "logout"


def test_logging_out_twice_or_with_nothing_is_no_error(api: APIClient) -> None:
    first = signed_in()
    for body in ({"refresh": first.refresh}, {"refresh": first.refresh}, {}, {"refresh": "garbage"}):
        assert api.post(LOGOUT, body).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_refresh_at_the_same_moment_both_live_on() -> None:
    """Both have read the session before either writes: the row is held until both updates wait for it."""
    first = signed_in()
    answers: list[SignedIn | Exception] = []

    def tab() -> None:
        try:
            answers.append(services.rotate(refresh=first.refresh, at=timezone.now()))
        except Exception as error:  # noqa: BLE001 (a thread's error must fail the test, not vanish)
            answers.append(error)
        finally:
            connection.close()

    tabs = [threading.Thread(target=in_scope(tab)) for _ in range(2)]
    with transaction.atomic():
        Session.objects.select_for_update().get()
        for each in tabs:
            each.start()
        wait_for_blocked_backends(2)
    for each in tabs:
        each.join(timeout=10)

    one, two = answers
    assert isinstance(one, SignedIn), one
    assert isinstance(two, SignedIn), two
    assert read_refresh(one.refresh) == read_refresh(two.refresh)
    session = Session.objects.get()
    assert (session.ended_at, session.current_jti) == (None, read_refresh(one.refresh).jti)
    assert session.previous_jti == read_refresh(first.refresh).jti


@pytest.mark.django_db(transaction=True)
def test_a_log_in_with_the_old_password_does_not_outlive_a_password_change() -> None:
    """The log-in has checked the old password and then has to wait for the change to commit."""
    user = UserFactory()
    answers: list[object] = []

    def log_in() -> None:
        try:
            answers.append(services.log_in(email=user.email, password=PASSWORD, user_agent="", at=timezone.now()))
        except UnauthenticatedError as error:
            answers.append(error.code)
        finally:
            connection.close()

    thread = threading.Thread(target=in_scope(log_in))
    with transaction.atomic():
        services.change_password(user=user, current=PASSWORD, new="seven-blue-teapots", at=timezone.now())
        thread.start()
        wait_for_blocked_backends(1)
    thread.join(timeout=10)
    assert answers == ["invalid-credentials"]
    assert not Session.objects.filter(ended_at=None).exists()
