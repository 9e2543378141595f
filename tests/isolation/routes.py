"""What there is: every address of the URL conf with its methods, and every operation of docs/openapi.json."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

API = "/api/v1/"
# Those that HTTP knows and one that it does not; what a route answers to the ones that it has not is part of it.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADEUP")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, kw_only=True)
class Route:
    """`path` as in the OpenAPI file (/api/v1/jobs/{job_id}); of an address that is a pattern, the pattern."""

    path: str
    methods: frozenset[str]

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


@cache
def routes() -> tuple[Route, ...]:
    """All but the console's, which tests/test_console_matrix.py has."""
    return tuple(_walk(get_resolver(), "/"))


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for each in resolver.url_patterns:
        path = prefix + _PARAMETER.sub(r"{\1}", str(each.pattern))
        if isinstance(each, URLPattern):
            yield Route(path=path, methods=_methods_of(each.callback))
        elif each.namespace != "admin":
            yield from _walk(each, path)


def _methods_of(view: Any) -> frozenset[str]:
    """Those that a view class has handlers for; of a function nobody can tell."""
    shown = getattr(view, "view_class", None)
    return frozenset(each for each in METHODS if each != "OPTIONS" and hasattr(shown, each.lower()))


@cache
def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """(path, method) → the operation as the OpenAPI file describes it."""
    text = (settings.BASE_DIR / "docs" / "openapi.json").read_text(encoding="utf-8")
    paths: dict[str, dict[str, dict[str, Any]]] = json.loads(text)["paths"]
    return {
        (path, method.upper()): operation
        for path, of_path in paths.items()
        for method, operation in of_path.items()
        if method != "parameters"
    }


def statuses(path: str, method: str) -> set[int]:
    """Those that the OpenAPI file promises where nothing is wrong."""
    return {int(code) for code in operations()[path, method]["responses"] if code != "default"}
