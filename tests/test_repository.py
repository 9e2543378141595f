"""Tests of the repository itself: what must hold for every route, every setting, every command."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from aetherflow.etl.faults import ragged_code
from aetherflow.etl.validation import CODES

ROOT = Path(__file__).resolve().parents[1]
# Whoever has no token must be able to get one, and a load balancer has none.
OPEN_TO_ALL = {
    "auth/config",
    "auth/login",
    "auth/logout",
    "auth/refresh",
    "auth/register",
    "health",
    "health/ready",
    "schema",
    "docs",
}


def routes(resolver: URLResolver | URLPattern, prefix: str = "") -> Iterator[str]:
    for pattern in getattr(resolver, "url_patterns", []):
        route = prefix + re.sub(r"[\^$]|/\?", "", str(pattern.pattern))
        yield from routes(pattern, route) if isinstance(pattern, URLResolver) else [route]


def api_routes() -> list[str]:
    found = sorted({route.removeprefix("api/v1/") for route in routes(get_resolver()) if route.startswith("api/v1/")})
    return [route for route in found if route]


@pytest.mark.parametrize("route", api_routes())
@pytest.mark.parametrize("token", [None, "Bearer garbage"])
@pytest.mark.django_db
def test_every_route_asks_for_a_token(route: str, token: str | None) -> None:
    if route in OPEN_TO_ALL:
        return
    path = "/api/v1/" + re.sub(
        r"<(\w+):\w+>", lambda m: "5a4a0d52-6a9c-5a55-9b43-6a7f0f5e2f10" if m[1] == "uuid" else "sales", route
    )
    headers = {"Authorization": token} if token else {}
    for method in ("get", "post", "delete"):
        response: Any = getattr(Client(), method)(path, headers=headers)
        assert response.status_code == 401, (method, path)
        assert response["Content-Type"] == "application/problem+json"


def test_every_setting_from_the_environment_is_documented() -> None:
    names = set(
        re.findall(
            r'(?:env\.\w+|positive|natural|rate|required|one_of|seconds_list|share)\(\s*"([A-Z_0-9]+)"',
            (ROOT / "config/settings.py").read_text(),
        )
    )
    documented = set(re.findall(r"^#?\s?([A-Z_0-9]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert names <= documented, sorted(names - documented)


def test_every_code_of_a_fault_or_a_refused_file_is_explained() -> None:
    sources = [path.read_text() for path in (ROOT / "aetherflow/etl").rglob("*.py")]
    codes = {code for text in sources for code in re.findall(r'code="([a-z-]+)"', text)} | set(CODES) - {""}
    codes |= {ragged_code(cells, columns=2) for cells in (1, 3)}
    explained = set(re.findall(r"^\| `([a-z-]+)`", (ROOT / "docs/api.md").read_text(), re.MULTILINE))
    assert len(codes) > 15
    assert codes <= explained, sorted(codes - explained)


def test_limits_stand_in_order() -> None:
    for soft, hard in settings.STAGE_TIME_LIMITS.values():
        assert soft < hard < 11 * 3600 - 2 * settings.QUEUE_VISIBILITY_SECONDS
    assert settings.QUEUE_WAIT_SECONDS < settings.QUEUE_VISIBILITY_SECONDS


def test_every_command_has_a_test() -> None:
    ours = {name for name, app in get_commands().items() if app.partition(".")[0] in {"apps", "config"}}
    text = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert ours
    untested = {name for name in ours if not re.search(rf"[\"']{name}[\"']", text)}
    assert not untested


def test_a_state_is_written_in_one_place_only() -> None:
    writers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "apps").rglob("*.py")
        if re.search(r"\.state\s*=[^=]|update\([^)]*\bstate=", path.read_text())
    }
    assert writers == {
        "apps/jobs/services/transitions.py",  # a stage's
        "apps/jobs/services/splitting.py",  # that of a file's split
        "apps/datasets/direct.py",  # a direct upload's
    }


def test_departments_are_named_in_their_folders_only() -> None:
    """`if department == "sales"` outside of its folder would make a fourth department more than a folder."""
    named = re.compile(r"""(?:==|!=|\bin|\bcase)\s*[\[({]?\s*["'](?:sales|supply_chain|finance)["']""")
    strays = [
        path.relative_to(ROOT).as_posix()
        for folder in ("aetherflow", "apps", "config")
        for path in (ROOT / folder).rglob("*.py")
        if "departments" not in path.parts and "migrations" not in path.parts and named.search(path.read_text())
    ]
    assert strays == []


def test_every_promise_of_reliability_names_a_test_that_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "docs/reliability.md").read_text())
    assert len(named) > 20
    missing = [f"{file}::{test}" for file, test in named if f"\ndef {test}(" not in (ROOT / file).read_text()]
    assert not missing


def test_a_process_that_computes_no_insight_does_not_hold_the_libraries_of_those_that_do() -> None:
    """They are 70 MB of every web process and of every worker that loads files."""
    ask = "import sys, config.wsgi, apps.jobs.tasks; print(*{'sklearn', 'scipy.stats'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
