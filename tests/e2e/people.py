"""A person at the running platform: over HTTP, and at the page."""

import re
import time
import uuid
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page, expect

PASSWORD = "nine-green-bottles"
ACCESS_SECONDS = 600


class Person:
    """Registered and logged in; `department` is theirs."""

    def __init__(self, url: str, *, department: str) -> None:
        self.url = url
        self.department = department
        self.email = f"{department}-{uuid.uuid4().hex[:8]}@example.com"
        account = {
            "email": self.email,
            "password": PASSWORD,
            "full_name": f"Kim of {department}",
            "department": department,
        }
        registered = requests.post(f"{url}/api/v1/auth/register", json=account, timeout=20)
        assert registered.status_code == 201, registered.text
        self.id = registered.json()["id"]
        self.session = requests.Session()
        self.session.auth = self._sign
        self._log_in()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self._address(path), timeout=30, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(self._address(path), timeout=60, **options)

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = self.session.put(self._address(path), json=body, timeout=30)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def delete(self, path: str) -> requests.Response:
        return self.session.delete(self._address(path), timeout=30)

    def upload(self, content: bytes | Path, *, filename: str = "file.csv", **fields: Any) -> dict[str, Any]:
        data = content.read_bytes() if isinstance(content, Path) else content
        headers = fields.pop("headers", {})
        response = self.post("/datasets/upload", files={"file": (filename, data)}, data=fields, headers=headers)
        assert response.status_code == 202, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def watch(self, job_id: str, *, until: Any = None, seconds: float = 60) -> dict[str, Any]:
        """The job once it has ended, or once `until(job)` holds."""
        wanted = until or (lambda job: job["status"] in {"succeeded", "failed"})
        deadline = time.monotonic() + seconds
        while True:
            job: dict[str, Any] = self.get(f"/jobs/{job_id}").json()
            if wanted(job):
                return job
            assert time.monotonic() < deadline, f"still {job}"
            time.sleep(0.2)

    def _log_in(self) -> None:
        account = {"email": self.email, "password": PASSWORD}
        entered = requests.post(f"{self.url}/api/v1/auth/login", json=account, timeout=20)
        assert entered.status_code == 200, entered.text
        self._access = entered.json()["access"]
        self._log_in_again_at = time.monotonic() + ACCESS_SECONDS / 2

    def authorization(self) -> str:
        """The header's value. One person may serve all tests of a module: on a busy machine these take longer than a
        token lives."""
        if time.monotonic() > self._log_in_again_at:
            self._log_in()
        return f"Bearer {self._access}"

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self.authorization()
        return request

    def _address(self, path: str) -> str:
        return path if path.startswith("http") else f"{self.url}/api/v1{path}"


def log_in(page: Page, person: Person) -> None:
    """At the page, as they would; the dashboard is there."""
    page.goto(person.url)
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(f"/dashboard/{person.department}$"))


def enter(page: Page, person: Person, path: str = "/") -> None:
    """Logged in without the log-in page: the browser has the session's cookie, and opens `path` with it."""
    account = {"email": person.email, "password": PASSWORD}
    assert page.request.post(f"{person.url}/api/v1/auth/login", data=account).ok
    page.goto(f"{person.url}{path}")
