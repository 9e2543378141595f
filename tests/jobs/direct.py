"""A client that sends a file straight to the store, as a browser does: by signed addresses, over HTTP."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import requests
from rest_framework.test import APIClient

from apps.accounts.models import User
from tests.accounts.factories import bearer
from tests.jobs.files import row, sales

UPLOADS = "/api/v1/datasets/uploads"
MIB = 1024 * 1024
SMALL = sales(row(1), row(2))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Sender:
    """One person, one file."""

    user: User
    content: bytes
    client: APIClient = field(default_factory=APIClient)
    upload: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"{UPLOADS}/{self.upload['id']}"

    def begin(self, *, key: str = "", **said: Any) -> Any:
        body = {"filename": "large.csv", "size_bytes": len(self.content)} | said
        answer = self.post(UPLOADS, body, key=key)
        if answer.status_code == 201:
            self.upload = answer.json()
        return answer

    def part(self, number: int) -> bytes:
        size = self.upload["part_size"]
        return self.content[(number - 1) * size : number * size]

    @property
    def named(self) -> list[dict[str, Any]]:
        numbers = range(1, self.upload["parts"] + 1)
        return [{"number": each, "sha256": sha256(self.part(each))} for each in numbers]

    def sign(self, *numbers: int) -> Any:
        return self.post(f"{self.path}/parts", {"parts": [each for each in self.named if each["number"] in numbers]})

    def send(self, *numbers: int) -> None:
        for each in self.sign(*numbers).json()["parts"]:
            sent = requests.put(each["url"], data=self.part(each["number"]), headers=each["headers"], timeout=30)
            assert sent.status_code == 200, sent.text

    def send_all(self) -> None:
        self.send(*range(1, self.upload["parts"] + 1))

    def complete(self, **other: Any) -> Any:
        return self.post(f"{self.path}/complete", {"sha256": sha256(self.content), "parts": self.named} | other)

    def post(self, path: str, body: dict[str, Any], *, key: str = "") -> Any:
        headers = bearer(self.user)["headers"] | ({"Idempotency-Key": key} if key else {})
        return self.client.post(path, body, format="json", headers=headers)

    def look(self) -> Any:
        return self.client.get(self.path, **bearer(self.user))

    def abort(self) -> Any:
        return self.client.delete(self.path, **bearer(self.user))
