"""The ways round the front door: filters, orders, pages, counts, keys, twins, validators, caches."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Field, ForeignObjectRel, Model

from apps.accounts.choices import ConsoleRole
from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.jobs.models import Job
from tests.accounts.factories import OperatorFactory, UserFactory, bearer
from tests.isolation.actors import Answer, Who
from tests.isolation.conftest import Town
from tests.isolation.declared import Row, rows, sent, upload_form
from tests.isolation.matrix import ask, filled, told
from tests.isolation.routes import API, operations, statuses
from tests.isolation.test_ids import shape

pytestmark = pytest.mark.xdist_group("isolation")

_READ = [row for row in rows().values() if row.method == "GET"]
_UPLOAD = f"{API}datasets/upload"


def named(row: Row) -> str:
    return row.path


@pytest.mark.parametrize("row", _READ, ids=named)
def test_each_sees_ones_own_and_nothing_of_the_other(town: Town, row: Row) -> None:
    answer = ask(town, Who.OTHER, "GET", row.path, town.abroad.ids)
    assert answer.status in statuses(row.path, "GET") | {403}
    # Its insights have no settings that somebody could have chosen.
    assert (town.abroad.word.encode() in answer.body) == (row.tells and not row.path.endswith("/settings"))
    assert told(answer, town) == []


def parameters(row: Row) -> list[str]:
    listed = operations()[row.path, "GET"].get("parameters", ())
    return [each["name"] for each in listed if each["in"] == "query"]


@pytest.mark.parametrize("row", [row for row in _READ if parameters(row)], ids=named)
def test_no_parameter_tells_whether_another_department_has_something(town: Town, row: Row) -> None:
    home, address = town.home, filled(row.path, town.abroad.ids)
    theirs = [home.word, home.department, home.person.email, home.ids["dataset_id"], home.ids["insight_id"]]
    for name in parameters(row):
        for value in theirs:
            nobodys = _like(value)
            asked = [town.actors.ask(Who.OTHER, "GET", f"{address}?{name}={each}") for each in (value, nobodys)]
            assert shape(asked[0], asked=value) == shape(asked[1], asked=nobodys), (name, value)


def _like(value: str) -> str:
    """As long and of the same sort, and nobody's."""
    if value.count("-") == 4:
        return str(uuid4())
    return value.translate(
        str.maketrans("0123456789abcdefghijklmnopqrstuvwxyZ", "1234567890bcdefabdhijklmnopqrstuvwxY")
    )


def fields_of(model: type[Model]) -> list[str]:
    """Its fields and, behind two underscores, those of what it leads to."""
    found = []
    for field in model._meta.get_fields():
        found.append(field.name)
        related = field.related_model
        if isinstance(related, type) and isinstance(field, Field | ForeignObjectRel):
            found += [f"{field.name}__{each.name}" for each in related._meta.get_fields()]
    return found


@pytest.mark.parametrize(("path", "model"), [("datasets", Dataset), ("jobs", Job)])
def test_lists_are_ordered_by_nothing_that_they_do_not_show(town: Town, path: str, model: type[Model]) -> None:
    told_of = next(each for each in operations()[API + path, "GET"]["parameters"] if each["name"] == "ordering")
    known = set(told_of["schema"]["items"]["enum"])
    fields = fields_of(model)
    assert any(name.endswith("__password") for name in fields), "the worst of them is asked for"
    for name in fields:
        answer = town.actors.ask(Who.OWN, "GET", f"{API}{path}?ordering={name}")
        assert (answer.status == 200) == (name in known), name


@pytest.mark.parametrize(("path", "model"), [("datasets", Dataset), ("jobs", Job)])
def test_lists_are_filtered_by_nothing_that_is_no_parameter(town: Town, path: str, model: type[Model]) -> None:
    row = rows()[API + path, "GET"]
    whole = town.actors.ask(Who.OWN, "GET", API + path).body
    names = sorted(set(fields_of(model)) - set(parameters(row)))
    for lookup in ("", "__startswith", "__gt", "__isnull"):
        query = "&".join(f"{name}{lookup}=a" for name in names)
        assert town.actors.ask(Who.OWN, "GET", f"{API}{path}?{query}").body == whole, lookup


@pytest.mark.parametrize("path", ["datasets", "jobs"])
def test_counts_are_of_what_one_sees(town: Town, path: str) -> None:
    mine = json.loads(town.actors.ask(Who.OTHER, "GET", f"{API}{path}?limit=200").body)
    assert mine["count"] == len(mine["results"]) > 0
    assert {each["department"] for each in mine["results"]} == {town.abroad.department}
    theirs = json.loads(town.actors.ask(Who.OTHER, "GET", f"{API}{path}?department={town.home.department}").body)
    assert theirs["count"] == 0


@pytest.mark.parametrize("row", [row for row in _READ if "limit" in parameters(row)], ids=named)
def test_the_next_page_is_of_use_to_nobody_else(town: Town, row: Row) -> None:
    page = town.actors.ask(Who.OWN, "GET", f"{filled(row.path, town.home.ids)}?limit=1")
    following = json.loads(page.body)["next"]
    if row.path.endswith(("/mappings", "/reviews")):
        assert following is None, "there is one of these, and it is on the first page"
        return
    address = following.partition("testserver")[2]
    assert town.actors.ask(Who.OWN, "GET", address).status == 200
    taken = town.actors.ask(Who.OTHER, "GET", address)
    assert told(taken, town) == []
    # At one's own list it is a place in it, and nothing else.
    own = filled(row.path, town.abroad.ids) + "?" + address.partition("?")[2]
    assert told(town.actors.ask(Who.OTHER, "GET", own), town) == []


def _upload(town: Town, who: Who, content: bytes, **headers: str) -> tuple[Answer, dict[str, Any]]:
    house = town.home if who == Who.OWN else town.abroad
    body, content_type = upload_form(house, content)
    answer = town.actors.ask(who, "POST", _UPLOAD, body=body, content_type=content_type, headers=headers)
    return answer, json.loads(answer.body)


def test_an_idempotency_key_is_ones_own(town: Town) -> None:
    """Whoever sends the key and the file of another gets a job of their own, and does not hear of a conflict."""
    key = {"Idempotency-Key": f"monday-{town.home.word}"}
    for content in (town.home.file, b"something else"):
        answer, document = _upload(town, Who.OTHER, content, **key)
        assert (answer.status, document["job"]["department"]) == (202, town.abroad.department)
        assert "Idempotency-Replayed" not in answer.headers
        assert told(answer, town) == []
    answer, document = _upload(town, Who.OWN, b"something else", **key)
    assert document["code"] == "idempotency-key-reused", "it is known where it is one's own"


def test_a_colleague_does_not_replay_ones_key_either(town: Town) -> None:
    colleague = bearer(UserFactory(department=town.home.department))["headers"]
    key = {"Idempotency-Key": f"monday-{town.home.word}"} | colleague
    answer, document = _upload(town, Who.OWN, b"something else", **key)
    assert (answer.status, document["job"]["dataset_name"]) == (202, "again.csv")


def test_nobody_hears_that_another_department_has_the_same_file(town: Town) -> None:
    answer, document = _upload(town, Who.OTHER, town.home.file)
    assert (answer.status, document["duplicate_of"]) == (202, None)
    assert told(answer, town) == []
    _, mine = _upload(town, Who.OWN, town.home.file)
    assert mine["duplicate_of"] == str(town.home.first.pk)


def test_a_new_job_is_announced_to_its_own_department(town: Town) -> None:
    answer, document = _upload(town, Who.OTHER, b"something else")
    assert answer.headers["Location"] == f"{API}jobs/{document['job']['id']}"
    assert document["job"]["department"] == town.abroad.department


_CONDITIONS = [
    {"If-None-Match": "*"},
    {"If-None-Match": '"x", W/"y"'},
    {"If-Match": "*"},
    {"If-Match": '"x"'},
    {"If-Modified-Since": "Wed, 01 Jan 2031 00:00:00 GMT"},
    {"If-Unmodified-Since": "Wed, 01 Jan 2020 00:00:00 GMT"},
    {"Range": "bytes=0-9"},
]


@pytest.mark.parametrize("row", [row for row in rows().values() if row.kind in {"object", "department"}], ids=named)
def test_conditions_tell_nothing_of_anothers(town: Town, row: Row) -> None:
    body, content_type = sent(row.path, row.method, town.home, town.abroad)
    address = filled(row.path, town.home.ids)
    plain = town.actors.ask(Who.OTHER, row.method, address, body=body, content_type=content_type)
    for headers in _CONDITIONS:
        asked = town.actors.ask(Who.OTHER, row.method, address, body=body, content_type=content_type, headers=headers)
        assert shape(asked, asked="") == shape(plain, asked=""), headers


@pytest.mark.parametrize("who", [Who.OWN, Who.OTHER, Who.ANONYMOUS])
def test_nothing_may_be_kept_and_shown_to_the_next_one(town: Town, who: Who) -> None:
    """Neither by a browser that two people use, nor by a proxy that keeps what it is not forbidden to."""
    for row in rows().values():
        answer = ask(town, who, row.method, row.path, town.home.ids)
        assert answer.headers.get("Cache-Control") == "no-store", row
        assert "Authorization" in answer.headers.get("Vary", ""), row
        assert {"ETag", "Last-Modified", "Expires"}.isdisjoint(answer.headers), row


def test_a_role_in_the_console_opens_no_other_department_in_the_api(town: Town) -> None:
    person = town.actors.people[Who.OTHER_OPERATOR]
    assert (person.console_role, person.role) == ("operator", "member")
    for row in (row for row in _READ if row.kind == "object"):
        assert ask(town, Who.OTHER_OPERATOR, "GET", row.path, town.home.ids).status == 404


def test_a_superuser_of_the_console_is_no_admin_of_the_api(town: Town) -> None:
    superuser: User = OperatorFactory(
        department=town.abroad.department, console_role=ConsoleRole.ADMIN, is_superuser=True
    )
    for row in (row for row in _READ if row.kind in {"object", "admins", "department"}):
        way = bearer(superuser)["headers"]
        answer = town.actors.ask(Who.ANONYMOUS, "GET", filled(row.path, town.home.ids), headers=way)
        assert answer.status in {403, 404}, row
