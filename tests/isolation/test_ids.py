"""What is another's is answered as what never was: by the same status, words, headers and work."""

import json
import re
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.isolation.actors import Answer, Who
from tests.isolation.conftest import Town
from tests.isolation.declared import rows, upload_form
from tests.isolation.matrix import INSIDERS, ask, filled, told
from tests.isolation.routes import API, METHODS, Route, routes

pytestmark = pytest.mark.xdist_group("isolation")

_WITH_ID = [each for each in routes() if any(name.endswith("_id") for name in each.parameters)]
_WITH_DEPARTMENT = [each for each in routes() if "department" in each.parameters]
_OUTSIDERS = [Who.OTHER, Who.OTHER_OPERATOR]
# As long as home's name, so that even the lengths of the answers are the same.
_NO_DEPARTMENT = "zupply_chain"


def shape(answer: Answer, *, asked: str) -> dict[str, Any]:
    """All that a caller can see and time, but for what was asked and for what is another with each request."""
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
    body = re.sub(rb'"request_id": ?"[^"]+"', b"", answer.body)
    for spelt in {asked, quote(asked)} - {""}:
        body = body.replace(spelt.encode(), b"(asked)")
    queries = [re.sub(r"'[^']*'|\d+", "?", sql) for sql in answer.queries]
    return {"status": answer.status, "headers": headers, "body": body, "queries": queries}


@pytest.mark.parametrize("route", _WITH_ID, ids=lambda each: each.path)
def test_an_id_of_another_department_is_answered_like_one_that_never_was(town: Town, route: Route) -> None:
    wrong = []
    for name in (each for each in route.parameters if each.endswith("_id")):
        unknown = str(uuid4())
        # What stands before it in the address once home's, and once one's own: then only this id is foreign.
        for around in (town.home.ids, town.abroad.ids):
            for method in METHODS:
                for who in _OUTSIDERS:
                    foreign = ask(town, who, method, route.path, around | {name: town.home.ids[name]})
                    never = ask(town, who, method, route.path, around | {name: unknown})
                    if shape(foreign, asked=town.home.ids[name]) != shape(never, asked=unknown):
                        wrong.append(f"{method} {route.path} {who}, {name} of {around['department']}")
                    if foreign.status < 400 or told(foreign, town):
                        wrong.append(f"{method} {route.path} {who}: {foreign.status}, {told(foreign, town)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("route", _WITH_DEPARTMENT, ids=lambda each: each.path)
def test_another_department_is_answered_like_one_that_there_is_not(town: Town, route: Route) -> None:
    for method in METHODS:
        for who in _OUTSIDERS:
            foreign = ask(town, who, method, route.path, town.home.ids)
            never = ask(town, who, method, route.path, town.home.ids | {"department": _NO_DEPARTMENT})
            assert shape(foreign, asked=town.home.department) == shape(never, asked=_NO_DEPARTMENT), (method, who)


@pytest.mark.parametrize("route", _WITH_ID, ids=lambda each: each.path)
def test_what_is_no_id_is_the_same_nothing_to_everybody(town: Town, route: Route) -> None:
    for malformed in ("x", "0", "%00", "..%2f", f"{uuid4()}x", "', --"):
        ids = town.home.ids | {name: malformed for name in route.parameters if name.endswith("_id")}
        for method in (method for path, method in rows() if path == route.path):
            asking = (Who.ANONYMOUS, Who.OWN, Who.OTHER, Who.ADMIN)
            answers = [shape(ask(town, who, method, route.path, ids), asked=malformed) for who in asking]
            assert {(each["status"], each["body"]) for each in answers} == {(404, answers[0]["body"])}, malformed


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("text/plain", b"x"), ("application/json", b"{"), ("application/xml", b"<a/>"), ("multipart/form-data", b"x")],
)
def test_what_cannot_be_read_makes_no_difference_between_them(town: Town, content_type: str, body: bytes) -> None:
    for path, method in (key for key, row in rows().items() if row.kind in {"object", "mine"} and key[1] != "GET"):
        answers = []
        for name, pk in [(name, pk) for name, pk in town.home.ids.items() if f"{{{name}}}" in path]:
            for asked in (pk, str(uuid4())):
                address = filled(path, town.home.ids | {name: asked})
                answer = town.actors.ask(Who.OTHER, method, address, body=body, content_type=content_type)
                answers.append(shape(answer, asked=asked))
        assert all(each == answers[0] for each in answers), (path, method)


def _upload(town: Town, who: Who, **said: Any) -> Answer:
    house = town.home if who in INSIDERS else town.abroad
    body, content_type = upload_form(house, **said)
    return town.actors.ask(who, "POST", f"{API}datasets/upload", body=body, content_type=content_type)


def test_an_upload_that_corrects_anothers_is_answered_like_one_that_corrects_nothing(town: Town) -> None:
    foreign, unknown = str(town.home.newest.pk), str(uuid4())
    answers = [_upload(town, Who.OTHER, corrects=each) for each in (foreign, unknown)]
    assert [each.status for each in answers] == [404, 404]
    assert shape(answers[0], asked=foreign) == shape(answers[1], asked=unknown)
    assert _upload(town, Who.OWN, corrects=foreign).status == 202


@pytest.mark.parametrize(
    "path", ["dashboards/finance?dataset=", "jobs?dataset=", "jobs?limit=1&dataset=", "datasets?search="]
)
def test_an_id_in_a_query_finds_nothing_of_anothers(town: Town, path: str) -> None:
    foreign, unknown = str(town.home.newest.pk), str(uuid4())
    answers = [town.actors.ask(Who.OTHER, "GET", f"{API}{path}{each}") for each in (foreign, unknown)]
    assert shape(answers[0], asked=foreign) == shape(answers[1], asked=unknown)
    own = str(town.abroad.newest.pk)
    found = town.actors.ask(Who.OTHER, "GET", f"{API}{path}{own}")
    assert shape(found, asked=own) != shape(answers[1], asked=unknown) or "search" in path


def test_of_an_admin_too_a_dataset_is_asked_for_in_its_department_only(town: Town) -> None:
    answer = town.actors.ask(Who.ADMIN, "GET", f"{API}dashboards/finance?dataset={town.home.newest.pk}")
    assert (answer.status, json.loads(answer.body)["code"]) == (404, "not-found")
