"""Nobody but its own people and the admins gets anything of a department, by any route and any method."""

import pytest

from tests.isolation.conftest import Town
from tests.isolation.declared import ELSEWHERE, kinds, rows
from tests.isolation.matrix import wrong_with
from tests.isolation.routes import Route, operations, routes

pytestmark = pytest.mark.xdist_group("isolation")


def test_every_route_of_the_url_conf_says_who_gets_in() -> None:
    there = {(each.path, method) for each in routes() for method in each.methods - {"HEAD"}}
    said = set(rows()) | {(path, each.method) for path, each in ELSEWHERE.items()}
    functions = {(path, each.method) for path, each in ELSEWHERE.items() if not _route(path).methods}
    assert there - said == set(), "say in declared.py who gets in"
    assert said - there == functions, "there is no such route any more"
    assert {each.kind for each in rows().values()} | {each.kind for each in ELSEWHERE.values()} == set(kinds())


def test_the_url_conf_and_the_openapi_file_know_the_same_routes() -> None:
    there = {(each.path, method) for each in routes() for method in each.methods - {"HEAD"}}
    in_file = set(operations())
    assert in_file - there == set(), "described, but not there"
    assert {path for path, _ in there - in_file} <= set(ELSEWHERE), "there, but not described"
    assert set(ELSEWHERE) <= {each.path for each in routes()}


@pytest.mark.parametrize("route", routes(), ids=lambda each: each.path)
def test_by_no_method_anybody_gets_what_is_not_theirs(town: Town, route: Route) -> None:
    wrong = wrong_with(town, route)
    assert not wrong, "\n".join(wrong)


def _route(path: str) -> Route:
    return next(each for each in routes() if each.path == path)
