"""What is expected of each address: the tables are reviewed like code. A route or a method without a row fails, and so
does a row without a route.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from apps.accounts.tokens import mint_refresh
from tests.accounts.factories import PASSWORD
from tests.isolation.actors import Who
from tests.isolation.houses import House
from tests.isolation.routes import API

# Kind of a route → what it answers to each of `Who`, asked for what is home's. `ok`: as the OpenAPI file promises.
# With a cookie of the console alone nobody is somebody to the API.
_KINDS = """
           anonymous own other pending shut moved other+op viewer operator console admin
open       ok        ok  ok    ok      ok   ok    ok       ok     ok       ok      ok
person     401       ok  ok    401     401  401   ok       401    401      401     ok
object     401       ok  404   401     401  401   404      401    401      401     ok
mine       401       ok  404   401     401  401   404      401    401      401     404
department 401       ok  403   401     401  401   403      401    401      401     ok
admins     401       403 403   401     401  401   403      401    401      401     ok
metrics    401       401 401   401     401  401   401      401    401      401     ok
nothing    404       404 404   404     404  404   404      404    404      404     404
"""

# Route, method, kind; `tells`: to home's own person the answer holds home's word, as there is something to guard.
_ROWS = """
auth/config                                    GET    open
auth/register                                  POST   open
auth/login                                     POST   open
auth/refresh                                   POST   open
auth/logout                                    POST   open
auth/me                                        GET    person     tells
auth/password                                  POST   person
auth/sessions                                  GET    person     tells
auth/sessions                                  DELETE person
auth/sessions/{session_id}                     DELETE mine

datasets                                       GET    person     tells
datasets/upload                                POST   department tells
datasets/uploads                               POST   department tells
datasets/uploads/{upload_id}                   GET    mine       tells
datasets/uploads/{upload_id}                   DELETE mine
datasets/uploads/{upload_id}/parts             POST   mine       tells
datasets/uploads/{upload_id}/complete          POST   mine       tells
datasets/{dataset_id}                          GET    object     tells
datasets/{dataset_id}                          DELETE object
datasets/{dataset_id}/rows                     GET    object     tells
datasets/{dataset_id}/rows.csv                 GET    object     tells
datasets/{dataset_id}/rejects                  GET    object     tells
datasets/{dataset_id}/rejects.csv              GET    object     tells
datasets/{dataset_id}/profile                  GET    object     tells
datasets/{dataset_id}/raw                      GET    object     tells

schemas                                        GET    person
schemas/{department}                           GET    department
schemas/{department}/template.csv              GET    department
schemas/{department}/mappings                  GET    department tells
schemas/{department}/mappings/{mapping_id}     DELETE department

dashboards/{department}                        GET    department tells
dashboards/{department}/settings               GET    department tells
dashboards/{department}/settings               PUT    department tells
insights/help                                  GET    person
insights/{insight_id}                          GET    object     tells
insights/{insight_id}/items                    GET    object     tells
insights/{insight_id}/facets                   GET    object     tells
insights/{insight_id}/snoozes                  PUT    object     tells
insights/{insight_id}/reviews                  GET    object     tells
insights/{insight_id}/reviews                  PUT    object     tells
insights/{insight_id}/reviews/bulk             PUT    object     tells
insights/{insight_id}/reviews/{review_id}      DELETE object

jobs                                           GET    person     tells
jobs/{job_id}                                  GET    object     tells
jobs/{job_id}/retry                            POST   object     tells
system/status                                  GET    admins
health                                         GET    open
health/ready                                   GET    open
"""


@dataclass(frozen=True)
class Elsewhere:
    """An address that is in the URL conf and not in the OpenAPI file."""

    why: str
    method: str
    kind: str
    address: str
    otherwise: int = 405


ELSEWHERE = {
    f"{API}schema": Elsewhere("it is the description itself", "GET", "open", f"{API}schema"),
    f"{API}docs": Elsewhere("a page for people, of the description", "GET", "open", f"{API}docs"),
    f"{API}^": Elsewhere("what is no address of the API", "GET", "nothing", f"{API}nothing/here", 404),
    "/^api(/|$)": Elsewhere("what is no version of the API", "GET", "nothing", "/api/v2/datasets", 404),
    "/.well-known/security.txt": Elsewhere(
        "whom to tell of a hole; nobody, in the tests", "GET", "nothing", "/.well-known/security.txt"
    ),
    "/^metrics/?$": Elsewhere("for Prometheus, not for clients", "GET", "metrics", "/metrics"),
    "/^(?!static/|assets/).*$": Elsewhere("the dashboard's page", "GET", "open", "/datasets"),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    path: str
    method: str
    kind: str
    tells: bool


def rows() -> dict[tuple[str, str], Row]:
    found = {}
    for line in filter(None, _ROWS.splitlines()):
        path, method, kind, *tells = line.split()
        found[API + path, method] = Row(path=API + path, method=method, kind=kind, tells=bool(tells))
    return found


def kinds() -> dict[str, dict[Who, str]]:
    header, *lines = (line.split() for line in _KINDS.strip().splitlines())
    assert header == list(Who), "the columns are those of Who"
    return {kind: dict(zip(Who, answers, strict=True)) for kind, *answers in lines}


# --- What is sent where a method takes something ---


def _json(**said: Any) -> tuple[bytes, str]:
    return json.dumps(said).encode(), "application/json"


def upload_form(house: House, content: bytes | None = None, **said: Any) -> tuple[bytes, str]:
    file = SimpleUploadedFile("again.csv", house.file + b"\n\n\n" if content is None else content)
    return encode_multipart(BOUNDARY, {"file": file, "department": house.department, **said}), MULTIPART_CONTENT


def _direct(home: House) -> dict[str, Any]:
    """The one part of the file that home's upload waits for."""
    return {"parts": [{"number": 1, "sha256": sha256(home.file).hexdigest()}]}


def _later() -> str:
    return str(timezone.localdate() + timedelta(days=3))


# The open ones are asked about nobody's data: with an account of no department's name.
_SENT: dict[tuple[str, str], Callable[[House, House], tuple[bytes, str]]] = {
    ("auth/register", "POST"): lambda home, _: _json(
        email=f"{uuid4()}@example.com", password=PASSWORD, full_name="N", department=home.department
    ),
    ("auth/login", "POST"): lambda _, abroad: _json(email=abroad.person.email, password=PASSWORD),
    ("auth/refresh", "POST"): lambda _, abroad: _json(refresh=mint_refresh(session=abroad.session, at=timezone.now())),
    ("auth/password", "POST"): lambda *_: _json(current_password=PASSWORD, new_password="ten-brown-barrels"),
    ("datasets/upload", "POST"): lambda home, _: upload_form(home, name=f"again {home.word}"),
    ("datasets/uploads", "POST"): lambda home, _: _json(
        filename=f"large {home.word}.csv", size_bytes=len(home.file), department=home.department
    ),
    ("datasets/uploads/{upload_id}/parts", "POST"): lambda home, _: _json(**_direct(home)),
    ("datasets/uploads/{upload_id}/complete", "POST"): lambda home, _: _json(
        sha256=sha256(home.file).hexdigest(), **_direct(home)
    ),
    ("dashboards/{department}/settings", "PUT"): lambda *_: _json(settings=[]),
    ("insights/{insight_id}/snoozes", "PUT"): lambda home, _: _json(subjects=[home.review.subject], until=_later()),
    ("insights/{insight_id}/reviews", "PUT"): lambda home, _: _json(subject=home.review.subject, verdict="fixed"),
    ("insights/{insight_id}/reviews/bulk", "PUT"): lambda home, _: _json(
        subjects=[home.review.subject], verdict="fixed"
    ),
}


def sent(path: str, method: str, home: House, abroad: House) -> tuple[bytes, str]:
    make = _SENT.get((path.removeprefix(API), method))
    return make(home, abroad) if make else (b"", "application/json")
