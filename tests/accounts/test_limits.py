"""How often something may be done: a burst, then a steady rate; and of many at once no more than may."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import OperationalError, connection
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.errors import TooManyError
from apps.accounts.models import Invitation, RateLimit, Session, User
from apps.accounts.services.limits import Limit, Taken, give_back, place_of, take
from tests.accounts.factories import PASSWORD, UserFactory, bearer
from tests.accounts.test_refresh import signed_in

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
THREE = Limit(rate="THREE", code="too-many-things", message="There were too many things.")
LOGIN, REGISTER, REFRESH, PASSWORD_CHANGE = (
    f"/api/v1/auth/{name}" for name in ("login", "register", "refresh", "password")
)
Problem = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def three_a_minute(settings: Any) -> None:
    settings.THREE = (3, timedelta(minutes=1))


def taken(count: int, *, whose: str = "ada", at: datetime = NOON) -> list[Taken]:
    return [take(THREE, whose, at=at) for _ in range(count)]


def refused(*, whose: str = "ada", at: datetime = NOON) -> TooManyError:
    with pytest.raises(TooManyError) as refusal:
        take(THREE, whose, at=at)
    return refusal.value


# --- The rule ---


def test_a_burst_passes_and_then_one_at_a_time_at_the_steady_rate() -> None:
    assert [each.last for each in taken(3)] == [False, False, True]
    assert refused().retry_after == 20
    assert refused(at=NOON + timedelta(seconds=19)).retry_after == 1
    assert taken(1, at=NOON + timedelta(seconds=20))[0].last
    assert refused(at=NOON + timedelta(seconds=20)).retry_after == 20


def test_after_a_rest_the_whole_burst_is_there_again_and_no_more() -> None:
    taken(3)
    later = NOON + timedelta(days=3)
    taken(3, at=later)
    refused(at=later)


def test_asking_while_refused_makes_the_wait_no_longer() -> None:
    taken(3)
    for second in range(20):
        refused(at=NOON + timedelta(seconds=second))
    taken(1, at=NOON + timedelta(seconds=20))


def test_each_has_their_own_and_so_has_each_limit(settings: Any) -> None:
    settings.FOUR = (3, timedelta(minutes=1))
    taken(3)
    refused()
    taken(3, whose="bob")
    take(Limit(rate="FOUR", code="x", message="x"), "ada", at=NOON)


def test_two_parts_of_a_name_do_not_run_together() -> None:
    for _ in range(3):
        take(THREE, "ab", "c", at=NOON)
    take(THREE, "a", "bc", at=NOON)


def test_what_is_given_back_can_be_taken_again() -> None:
    *_, newest = taken(3)
    give_back(newest)
    taken(1)
    refused()


def test_the_refusal_says_when_to_come_back() -> None:
    taken(3)
    refusal = refused()
    assert (refusal.code, refusal.message) == ("too-many-things", "There were too many things.")
    assert refusal.hint == "Try again in 20 seconds."


def test_a_steady_rate_that_divides_badly_lets_the_whole_burst_through(settings: Any) -> None:
    settings.THREE = (7, timedelta(hours=1))
    taken(7)
    assert refused().hint == "Try again in 9 minutes."


def test_a_question_is_one_statement(django_assert_num_queries: Any) -> None:
    for _ in range(3):
        with django_assert_num_queries(1):
            taken(1)
    with django_assert_num_queries(1):
        refused()


def test_nothing_that_is_kept_tells_who_it_was() -> None:
    take(THREE, "192.0.2.7", "ada@example.com", at=NOON)
    (kept,) = RateLimit.objects.all()
    assert len(kept.key) == 64
    int(kept.key, 16)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        (None, "unknown"),
    ],
)
def test_a_machine_with_many_addresses_is_one_place(address: str | None, place: str) -> None:
    assert place_of(address) == place


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", [0, 1], ids=["first ever", "row there"])
def test_of_many_at_the_same_moment_no_more_pass_than_may(before: int) -> None:
    taken(before)
    start = threading.Barrier(12)
    passed: list[bool] = []

    def ask() -> None:
        try:
            start.wait(timeout=30)
            take(THREE, "ada", at=NOON)
            passed.append(True)
        except TooManyError:
            passed.append(False)
        finally:
            connection.close()

    asking = [threading.Thread(target=ask) for _ in range(12)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(timeout=30)
    assert (len(passed), sum(passed)) == (12, 3 - before)


# --- Where it stands ---


def to_log_in(api: APIClient) -> Any:
    return api.post(LOGIN, {"email": "nobody@example.com", "password": PASSWORD})


def to_register(api: APIClient) -> Any:
    return api.post(REGISTER, {"email": "not one", "password": "x", "full_name": "A", "department": "sales"})


def to_use_an_invitation(api: APIClient) -> Any:
    return api.post(
        REGISTER, {"email": "a@example.com", "password": PASSWORD, "full_name": "A", "invitation": "guessed"}
    )


LIMITED = [
    pytest.param("RATE_LOGIN_ADDRESS", to_log_in, 401, "too-many-log-ins", id="log-in"),
    pytest.param("RATE_REGISTER_ADDRESS", to_use_an_invitation, 422, "too-many-registrations", id="invitation"),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("rate", "ask", "status", "code"), LIMITED)
def test_refusals_count_and_from_one_address_too_many_are_429(
    api: APIClient,
    problem: Problem,
    settings: Any,
    rate: str,
    ask: Callable[[APIClient], Any],
    status: int,
    code: str,
) -> None:
    """In autocommit, as in production: what a refused request has taken stays taken."""
    setattr(settings, rate, (2, timedelta(hours=1)))
    for _ in range(2):
        assert ask(api).status_code == status
    answer = ask(api)
    document = problem(answer, 429, code)
    assert 1700 < int(answer["Retry-After"]) <= 1800
    assert "minutes" in document["hint"]
    api.defaults["REMOTE_ADDR"] = "192.0.2.99"
    assert ask(api).status_code == status


def test_a_good_registration_counts_too(api: APIClient, problem: Problem, settings: Any) -> None:
    settings.RATE_REGISTER_ADDRESS = (1, timedelta(hours=1))
    known = {"password": "seven-blue-teapots", "full_name": "A", "department": "sales"}
    assert api.post(REGISTER, {"email": "a@example.com", **known}).status_code == 201
    problem(api.post(REGISTER, {"email": "b@example.com", **known}), 429, "too-many-registrations")
    assert User.objects.count() == 1


def test_a_good_invitation_is_not_spent_by_a_refusal(api: APIClient, problem: Problem, settings: Any) -> None:
    settings.RATE_REGISTER_ADDRESS = (1, timedelta(hours=1))
    to_use_an_invitation(api)
    Invitation.objects.create(
        department="sales",
        token_sha256="x",
        created_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
    )
    problem(to_use_an_invitation(api), 429, "too-many-registrations")
    assert Invitation.objects.get().used_at is None


def test_a_session_is_refreshed_so_often_and_lives_on(api: APIClient, problem: Problem, settings: Any) -> None:
    settings.RATE_REFRESH_SESSION = (2, timedelta(hours=1))
    token, other = signed_in().refresh, signed_in().refresh
    for _ in range(2):
        token = api.post(REFRESH, {"refresh": token}).json()["refresh"]
    answer = api.post(REFRESH, {"refresh": token})
    problem(answer, 429, "too-many-refreshes")
    assert "aetherflow_refresh" not in answer.cookies
    assert not Session.objects.exclude(ended_at=None).exists()
    assert api.post(REFRESH, {"refresh": other}).status_code == 200


def test_ones_own_password_is_not_guessed_by_a_stolen_session(api: APIClient, problem: Problem, settings: Any) -> None:
    settings.RATE_PASSWORD_USER = (2, timedelta(hours=1))
    asking = bearer(UserFactory())
    wrong = {"current_password": "a-guess", "new_password": "seven-blue-teapots"}
    for _ in range(2):
        problem(api.post(PASSWORD_CHANGE, wrong, **asking), 422, "invalid-request")
    problem(api.post(PASSWORD_CHANGE, wrong, **asking), 429, "too-many-password-changes")
    right = {"current_password": PASSWORD, "new_password": "seven-blue-teapots"}
    problem(api.post(PASSWORD_CHANGE, right, **asking), 429, "too-many-password-changes")
    problem(api.post(PASSWORD_CHANGE, wrong, **bearer(UserFactory())), 422, "invalid-request")


def test_without_the_database_nobody_is_let_through(
    api: APIClient, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserFactory(email="ada@example.com")
    away = OperationalError("the connection is closed")

    def gone(*_: object, **__: object) -> None:
        raise away

    monkeypatch.setattr("apps.accounts.services.guessing.take", gone)
    problem(api.post(LOGIN, {"email": "ada@example.com", "password": PASSWORD}), 503, "database-unavailable")
    assert not Session.objects.exists()


@pytest.mark.usefixtures("quick_passwords")
def test_an_office_of_fifty_behind_one_address_logs_in_on_a_monday_morning(api: APIClient) -> None:
    """Each mistypes it once and has no browser that is known; with the rates as they are shipped."""
    password = make_password(PASSWORD)
    for number in range(50):
        email = UserFactory(email=f"person-{number}@example.com", password=password).email
        browser = APIClient(REMOTE_ADDR="192.0.2.7")
        assert browser.post(LOGIN, {"email": email, "password": "mistyped"}).status_code == 401
        assert browser.post(LOGIN, {"email": email, "password": PASSWORD}).status_code == 200


def test_the_description_of_the_api_tells_of_it() -> None:
    from drf_spectacular.generators import SchemaGenerator

    described = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    for path in (LOGIN, REGISTER, REFRESH, PASSWORD_CHANGE):
        answer = described[path]["post"]["responses"]["429"]
        assert answer["headers"]["Retry-After"]["schema"] == {"type": "integer"}
        assert "application/problem+json" in answer["content"]
