"""The console's addresses open to its own log-in alone, and what is open to everybody tells of nobody."""

import json

import pytest
from django.urls import reverse

from tests.accounts.factories import operator_with
from tests.isolation.actors import BY_COOKIE, Who, console_cookie
from tests.isolation.conftest import Town
from tests.isolation.declared import rows
from tests.isolation.matrix import ask, told
from tests.isolation.routes import API, METHODS
from tests.test_console_matrix import addresses, filled

pytestmark = pytest.mark.xdist_group("isolation")

# Tokens are of no use there, whoever's they are.
_BY_TOKEN = [who for who in Who if who not in BY_COOKIE]
# Pages that everybody may see: how one comes in, and out.
_OPEN = {"login", "logout"}


@pytest.mark.parametrize("who", _BY_TOKEN)
def test_a_token_of_the_api_opens_no_page_of_the_console(town: Town, who: Who) -> None:
    wrong = []
    # Of the one that may most, by every method.
    methods = METHODS if who == Who.ADMIN else ("GET", "POST")
    for address in (each for each in addresses() if each.key not in _OPEN):
        for method in methods:
            answer = town.actors.ask(who, method, filled(address.path, town.home.newest))
            led = answer.headers.get("Location", "").startswith(reverse("admin:login"))
            refused = answer.status in {403, 405} or (answer.status == 302 and led)
            if not refused or answer.writes or town.home.word.encode() in answer.said:
                wrong.append(f"{method} {address.key}: {answer.status}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", sorted(BY_COOKIE))
@pytest.mark.parametrize("name", ["datasets_dataset", "jobs_job", "accounts_user", "datasets_reject"])
def test_there_is_something_behind_these_doors(town: Town, who: Who, name: str) -> None:
    answer = town.actors.ask(who, "GET", reverse(f"admin:{name}_changelist"))
    assert (answer.status, town.home.word.encode() in answer.body) == (200, True)


@pytest.mark.parametrize("who", sorted(BY_COOKIE))
@pytest.mark.parametrize(
    "query",
    [
        "requested_by__password__startswith=a",
        "dataset__uploaded_by__password__startswith=argon2",
        "dataset__uploaded_by__sessions__current_jti__isnull=False",
        "requested_by__console_sessions__session_key__startswith=a",
    ],
)
def test_lists_of_the_console_are_searched_by_no_secret(town: Town, who: Who, query: str) -> None:
    """A list that can be narrowed by a part of it gives a secret away, letter by letter."""
    answer = town.actors.ask(who, "GET", reverse("admin:jobs_job_changelist") + f"?{query}")
    assert answer.status in {302, 400}


@pytest.mark.parametrize("field", ["requested_by", "dataset"])
def test_nothing_completes_itself_for_whoever_may_not_list_it(town: Town, field: str) -> None:
    query = f"?app_label=jobs&model_name=job&field_name={field}&term={town.home.person.email}&term={town.home.word}"
    address = reverse("admin:autocomplete") + query
    assert town.actors.ask(Who.VIEWER, "GET", address).status == 200, "who may list them"
    narrow = console_cookie(operator_with("jobs.view_job"))
    answer = town.actors.ask(Who.ANONYMOUS, "GET", address, headers=narrow)
    assert (answer.status, town.home.word.encode() in answer.said) == (403, False)


@pytest.mark.parametrize("field", ["password", "requested_by__sessions", "dataset__uploaded_by"])
@pytest.mark.parametrize("who", sorted(BY_COOKIE))
def test_nothing_completes_itself_that_is_no_field_of_a_form(town: Town, who: Who, field: str) -> None:
    query = f"?app_label=jobs&model_name=job&field_name={field}&term=a"
    assert town.actors.ask(who, "GET", reverse("admin:autocomplete") + query).status == 403


@pytest.mark.parametrize("who", sorted(BY_COOKIE))
def test_no_page_of_an_account_shows_its_secrets(town: Town, who: Who) -> None:
    person, session = town.home.person, town.home.session
    addresses_of_it = [
        reverse("admin:accounts_user_changelist"),
        reverse("admin:accounts_user_change", args=[person.pk]),
        reverse("admin:accounts_session_changelist"),
        reverse("admin:accounts_session_change", args=[session.pk]),
    ]
    for address in addresses_of_it:
        page = town.actors.ask(who, "GET", address)
        shown = any(each.encode() in page.body for each in (person.full_name, person.email))
        assert (page.status, shown) == (200, True), address
        for secret in (person.password, str(session.current_jti), session.current_jti.hex):
            assert secret.encode() not in page.body, address


# --- What everybody may see ---


def test_a_log_in_to_the_console_is_none_to_the_api(town: Town) -> None:
    for row in rows().values():
        if row.kind != "open":
            for who in sorted(BY_COOKIE):
                assert ask(town, who, row.method, row.path, town.home.ids).status == 401, row


@pytest.mark.parametrize("address", ["health", "health/ready"])
def test_health_names_no_department_and_no_person(town: Town, address: str) -> None:
    answer = town.actors.ask(Who.ANONYMOUS, "GET", API + address)
    assert answer.status in {200, 503}
    for house in (town.home, town.abroad):
        for each in (house.department, house.word, house.person.email):
            assert each.encode() not in answer.body


def test_the_metrics_are_shut_and_hold_numbers_only(town: Town) -> None:
    assert all(town.actors.ask(who, "GET", "/metrics").status == 401 for who in Who if who != Who.ADMIN), (
        "volumes of all departments are in them"
    )
    shown = town.actors.ask(Who.ADMIN, "GET", "/metrics")
    assert (town.home.department.encode() in shown.body, told(shown, town)) == (True, [])


def test_the_description_of_the_api_is_the_same_to_everybody(town: Town) -> None:
    asking = (Who.ANONYMOUS, Who.ADMIN)
    assert len({town.actors.ask(who, "GET", f"{API}schema").body for who in asking}) == 1


def test_of_departments_everybody_hears_the_names_that_a_registration_needs(town: Town) -> None:
    answer = town.actors.ask(Who.ANONYMOUS, "GET", f"{API}auth/config")
    assert [set(each) for each in json.loads(answer.body)["departments"]] == [{"slug", "label"}] * 3
