"""The matrix: everybody asks for everything that is home's by every method, and what is wrong is told by name."""

import re
from collections.abc import Iterable, Iterator

from tests.isolation.actors import Answer, Who
from tests.isolation.conftest import Town
from tests.isolation.declared import ELSEWHERE, Row, kinds, rows, sent
from tests.isolation.routes import METHODS, Route, routes, statuses

# Who may read what is home's.
INSIDERS = {Who.OWN, Who.ADMIN}


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda part: ids[part[1]], path)


def ask(town: Town, who: Who, method: str, path: str, ids: dict[str, str]) -> Answer:
    body, content_type = sent(path, method, town.home, town.abroad)
    return town.actors.ask(who, method, filled(path, ids), body=body, content_type=content_type)


def wrong_with(town: Town, route: Route, *, asking: Iterable[Who] = Who) -> list[str]:
    """What does not go as it is declared, a line each: method, address, who, and what happened."""
    found = []
    for who in asking:
        for method in METHODS:
            if route.path in ELSEWHERE:
                answer = town.actors.ask(who, method, ELSEWHERE[route.path].address)
            else:
                answer = ask(town, who, method, route.path, town.home.ids)
            found += [f"{method} {route.path} {who}: {fault}" for fault in _faults(town, route, method, who, answer)]
    return found


def _faults(town: Town, route: Route, method: str, who: Who, answer: Answer) -> Iterator[str]:
    allowed = expected(route, method, who)
    if answer.status not in allowed:
        yield f"{answer.status}, not {sorted(allowed)}"
    if method == "HEAD" and answer.body:
        yield "a body"
    if who not in INSIDERS:
        yield from (f"it tells {each.decode()}" for each in told(answer, town))
    row = rows().get((route.path, method))
    if who == Who.OWN and row and row.tells and town.home.word.encode() not in answer.body:
        yield "nothing of home's is in it: there is nothing to guard"
    if answer.status in {401, 403, 404, 405} and answer.writes:
        yield f"refused, and yet it wrote: {answer.writes[0][:80]}"


def told(answer: Answer, town: Town) -> list[bytes]:
    """What of home's stands in an answer that was not in the question."""
    return [each for each in town.home.secrets if each.lower() in answer.said.lower()]


def expected(route: Route, method: str, who: Who) -> set[int]:
    """The statuses that are right."""
    if elsewhere := ELSEWHERE.get(route.path):
        answer = kinds()[elsewhere.kind][who]
        has = method in {elsewhere.method, "HEAD"}
        done = {200} if has else {elsewhere.otherwise}
    else:
        row = declared(route, method)
        answer = kinds()[row.kind][who]
        has = ("GET" if method == "HEAD" else method) in route.methods
        done = statuses(row.path, row.method) if has else {405}
    if answer == "401":
        return {401}  # whatever is asked: who is not known hears nothing of what there is
    if answer == "ok":
        return done
    return {int(answer)} if has else done


def declared(route: Route, method: str) -> Row:
    """The row that says who is who there: of HEAD that of GET, of a method that is not there any of the route's."""
    found = rows()
    same = found.get((route.path, "GET" if method == "HEAD" else method))
    return same or next(row for (path, _), row in found.items() if path == route.path)


def in_table(path: str) -> Route:
    return next(route for route in routes() if route.path == path)
