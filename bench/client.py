"""A person at the platform who sends large files: streamed, so that the client's own work stays small."""

import http.client
import json
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter

from tests.e2e.people import Person
from tests.support.stack import Stack

CHUNK = 1 << 20
POLL_SECONDS = 0.05
# As often as the dashboard asks, for what tells of itself how long it took: to ask takes the processor from it.
SELDOM_SECONDS = 1.5


class FailedJob(Exception):  # noqa: N818  (it is what the job says of itself)
    """A job of the bench did not succeed: its numbers would mean nothing."""


class Sender:
    """Registered and logged in, of one department."""

    def __init__(self, stack: Stack, *, department: str = "sales") -> None:
        self.person = Person(stack.url, department=department)
        # The server closes what was idle for long; what only asks may ask again.
        self.person.session.mount("http://", HTTPAdapter(max_retries=3))
        self._department = department
        self._port = stack.port

    def send(self, path: Path) -> dict[str, Any]:
        """Upload a file; the answer's `{dataset, job}`."""
        boundary = uuid.uuid4().hex
        head = (
            f"--{boundary}\r\nContent-Disposition: form-data; "
            f'name="file"; filename="{path.name}"\r\nContent-Type: text/csv\r\n\r\n'
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        try:
            connection.request(
                "POST",
                "/api/v1/datasets/upload",
                body=_parts(head, path, tail),
                headers={
                    "Authorization": self.person.authorization(),
                    "Content-Type": f"multipart/form-data; boundary={boundary}",
                    "Content-Length": str(len(head) + path.stat().st_size + len(tail)),
                },
            )
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 202:
            raise FailedJob(f"The upload was answered {response.status}: {content.decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(content)
        return answer

    def until_done(
        self, answer: dict[str, Any], *, seconds: float = 600, every: float = POLL_SECONDS
    ) -> dict[str, Any]:
        """The job once it has succeeded, asked for `every` so many seconds. FailedJob where it failed or takes too
        long."""
        deadline = time.monotonic() + seconds
        while True:
            job: dict[str, Any] = self.person.get(f"/jobs/{answer['job']['id']}").json()
            if job["status"] == "succeeded":
                return job
            if job["status"] == "failed" or time.monotonic() > deadline:
                raise FailedJob(f"The job did not succeed: {json.dumps(job)}")
            time.sleep(every)

    def until_on_dashboard(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The job of the only upload under way, once its insights stand on the dashboard."""
        job = self.until_done(answer)
        board = self.person.get(f"/dashboards/{self._department}").json()
        if {insight["dataset_id"] for insight in board["insights"]} != {job["dataset_id"]}:
            raise FailedJob(f"The dashboard does not show {job['dataset_id']}: {json.dumps(board)[:2000]}")
        return job

    def undo(self, answer: dict[str, Any]) -> float:
        """Undo an upload, and wait until the insights are computed anew. Seconds of the undo itself."""
        began = time.perf_counter()
        response = self.person.delete(f"/datasets/{answer['dataset']['id']}")
        took = time.perf_counter() - began
        if response.status_code not in {200, 202, 204}:
            raise FailedJob(f"The undo was answered {response.status_code}: {response.text}")
        while (
            self.person.get("/jobs?status=queued").json()["count"]
            or self.person.get("/jobs?status=processing").json()["count"]
        ):
            time.sleep(POLL_SECONDS)
        return took


def stage(job: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(stage for stage in job["stages"] if stage["stage"] == name)
    return found


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def _parts(head: bytes, path: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
    yield tail
