"""Nothing that opens a door is in what the processes of the running platform say, whatever happens to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests

from aetherflow.registry import departments
from tests.e2e.people import Person
from tests.support.stack import Stack

PROCESSES = ("web", "worker-etl", "worker-ml", "relay", "another-web")
# Each its own, so that what is found tells where it came from. Made of what no escape changes.
WRONG, NEW, CONSOLE = (f"{name}{uuid4().hex}" for name in ("WrongPassword", "NewPassword", "ConsolePassword"))


@pytest.fixture
def secrets() -> set[str]:
    return {WRONG, NEW, CONSOLE, "nine-green-bottles"}


@pytest.fixture
def web(stack: Stack, secrets: set[str]) -> Iterator[str]:
    """A second web server with secrets of its own, that tells all it does; the endpoints take any AWS key."""
    names = ("METRICS_TOKEN", "JWT_SIGNING_KEY", "SECRET_KEY", "AWS_SECRET_ACCESS_KEY")
    own = {name: f"{name.title()}{uuid4().hex}" for name in names}
    secrets |= set(own.values())
    with stack.another_web(LOG_LEVEL="DEBUG", **own) as url:
        assert requests.get(
            f"{url}/metrics", headers={"Authorization": f"Bearer {own['METRICS_TOKEN']}"}, timeout=20
        ).ok
        yield url


def said(stack: Stack) -> dict[str, str]:
    return {name: stack.logs(name) for name in PROCESSES}


def console(stack: Stack, url: str, secrets: set[str]) -> None:
    email = f"{uuid4().hex}@example.com"
    stack.env["SECRET_TEST_PASSWORD"] = CONSOLE
    stack.manage("create_user", "--email", email, "--role", "admin", "--password-env", "SECRET_TEST_PASSWORD")
    person = requests.Session()
    login = f"{url}/admin/login/"
    for password in (WRONG, CONSOLE):
        person.get(login, timeout=20)
        form = {"username": email, "password": password, "csrfmiddlewaretoken": person.cookies["csrftoken"]}
        person.post(login, data=form, timeout=20)
    assert person.cookies["sessionid"]
    secrets |= {person.cookies["sessionid"], person.cookies["csrftoken"]}
    assert person.get(f"{url}/admin/jobs/job/nothing/change/", timeout=20).status_code in {200, 404}
    form = {"username": f"{email}\0", "password": WRONG, "csrfmiddlewaretoken": person.cookies["csrftoken"]}
    person.post(login, data=form, timeout=20)


def api(url: str, secrets: set[str]) -> None:
    person = Person(url, department="sales")
    token = person.authorization().split()[1]
    login = f"{url}/api/v1/auth/login"
    entered = requests.post(
        login,
        json={"email": person.email, "password": "nine-green-bottles"},
        headers={"X-Auth-Mode": "token"},
        timeout=20,
    ).json()
    secrets |= {token, entered["access"], entered["refresh"], entered["refresh"].split(".")[2]}
    for body in ({"email": person.email, "password": WRONG}, {"email": f"{person.email}\0", "password": WRONG}):
        assert requests.post(login, json=body, timeout=20).status_code in {400, 401}
    requests.post(login, data=f'{{"password": "{WRONG}"', headers={"Content-Type": "application/json"}, timeout=20)
    requests.post(f"{url}/api/v1/auth/register", json={"password": WRONG, "email": "x"}, timeout=20)
    for header in (f"Bearer {token}x", f"Basic {WRONG}", f"Bearer {WRONG}\xff"):
        answer = requests.get(f"{url}/api/v1/auth/me", headers={"Authorization": header.encode("latin-1")}, timeout=20)
        assert answer.status_code in {400, 401}
    requests.post(f"{url}/api/v1/auth/refresh", cookies={"aetherflow_refresh": f"{WRONG}.x.y"}, timeout=20)
    requests.post(f"{url}/api/v1/auth/refresh", json={"refresh": entered["refresh"]}, timeout=20)
    upload = person.upload(departments()["sales"].samples.good, filename="sample.csv")
    assert person.watch(upload["job"]["id"])["status"] == "succeeded"
    person.get(f"/datasets/{upload['dataset']['id']}/raw")
    bad = person.upload(b"nothing;of;ours\n1;2;3\n", filename="bad.csv")
    person.watch(bad["job"]["id"], until=lambda job: job["stages"][0]["dead_lettered"])
    person.post("/auth/password", json={"current_password": WRONG, "new_password": NEW})


def test_no_secret_is_in_what_any_process_says(stack: Stack, web: str, secrets: set[str]) -> None:
    secrets.add(stack.env["SECRET_KEY"])
    api(web, secrets)
    console(stack, web, secrets)
    without_database(stack, secrets)
    told = said(stack)
    assert all(told[name] for name in ("web", "worker-etl", "worker-ml", "another-web")), "nothing to look at"
    assert "/api/v1/auth/login" in told["another-web"], "its requests are not told"
    found = [f"{name}: {secret}" for name, text in told.items() for secret in secrets if secret in text]
    assert not found
    signed = [f"{name}: {hit}" for name, text in told.items() for hit in re.findall(r"X-Amz-Signature=\w+", text)]
    assert not signed


def without_database(stack: Stack, secrets: set[str]) -> None:
    """A web server whose database does not answer, with a password of its own in the address: every page fails."""
    password = f"DatabasePassword{uuid4().hex}"
    secrets.add(password)
    wrong = f"postgres://nobody:{password}@127.0.0.1:1/none"
    with stack.another_web(DATABASE_URL=wrong) as url:
        for path in ("/api/v1/auth/me", "/admin/", "/admin/login/", "/api/v1/health/ready", "/metrics"):
            headers = {"Cookie": f"sessionid={WRONG}", "Authorization": f"Bearer {WRONG}.{WRONG}.{WRONG}"}
            requests.get(url + path, headers=headers, timeout=30)
        body = {"email": "ada@example.com", "password": WRONG}
        assert requests.post(f"{url}/api/v1/auth/login", json=body, timeout=30).status_code == 503
