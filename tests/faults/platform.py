"""The whole platform, to be damaged: its own PostgreSQL, networks that fail, and a supervisor as production has one."""

import contextlib
import os
import signal
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extras import RealDictCursor

from apps.jobs.sqs.client import sqs_client
from config.local.endpoint import CREDENTIALS
from config.local.home import Home
from config.local.postgres import Cluster
from config.local.processes import end
from tests.e2e.people import Person
from tests.endpoints.tcp_proxy import TcpProxy
from tests.faults import files, injection
from tests.faults.injection import Fault
from tests.faults.ledger import RecordingProxy
from tests.faults.uploads import Sent, Upload
from tests.support.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SETTINGS = {
    "QUEUE_VISIBILITY_SECONDS": "4",
    "QUEUE_BACKOFF_SECONDS": "1,1",
    "QUEUE_WAIT_SECONDS": "1",
    "QUEUE_MAX_RECEIVES": "3",
    "RELAY_GRACE_SECONDS": "2",
    "RELAY_INTERVAL_SECONDS": "1",
    "WORKER_HEARTBEAT_SECONDS": "1",
    "ACCESS_TOKEN_SECONDS": "7200",
}
DEAD_LETTER_QUEUES = ("aetherflow-etl-dlq", "aetherflow-ml-dlq")


class RestartableCluster(Cluster):
    """Durable, as in production: what was committed before a crash must be there after it."""

    def restart(self, *, crash: bool, seconds_away: float = 0) -> None:
        """Take the server away and bring it back on the same port. A crash rolls no session back and writes nothing
        any more; without one it is the fast shutdown of a maintenance window."""
        server, port = self._server, self.port
        assert server is not None
        if crash:
            server.send_signal(signal.SIGQUIT)
            server.wait(30)
        else:
            self.stop()
        time.sleep(seconds_away)
        self.start()
        assert self.port == port, "somebody took the port meanwhile"


class Platform(Stack):
    """A running platform whose SQS, S3, database and processes can be taken away.

    `sqs_proxy` and `s3_proxy` are the networks to SQS and S3, `cluster` the database. A process that ends unasked is
    started again (`restarts` counts), as long as its name is in `supervised`.
    """

    def __init__(self, folder: Path, *, settings: Mapping[str, str]) -> None:
        self.cluster = RestartableCluster(Home(folder))
        self.cluster.start()
        home = Home(folder / "stack")
        try:
            super().__init__(home, database_url=self.cluster.url())
        except BaseException:
            self.cluster.stop()
            raise
        self.sqs_proxy = RecordingProxy(self.endpoint.url)
        self.s3_proxy = TcpProxy(self.endpoint.url)
        self.faults = home.folder("faults")
        self.env |= {
            **SETTINGS,
            "AWS_ENDPOINT_URL_SQS": self.sqs_proxy.url,
            "AWS_ENDPOINT_URL_S3": self.s3_proxy.url,
            injection.FOLDER_VARIABLE: str(self.faults),
            **settings,
        }
        self._plain = {name: _with_faults(command) for name, command in self._commands.items()}
        self._commands = dict(self._plain)
        self.supervised: set[str] = set()
        self.restarts: dict[str, int] = dict.fromkeys(self._commands, 0)
        self._changing = threading.RLock()
        self._closing = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._people: dict[str, Person] = {}
        self._dead: dict[str, str] = {}

    def begin(self) -> None:
        super().begin()
        self._supervisor.start()

    def start(self, name: str) -> None:
        with self._changing:
            super().start(name)
            self.supervised.add(name)

    def stop(self, name: str, *, patience: float = 20) -> None:
        """Stop a process as a deploy does, and leave it stopped until `start`."""
        with self._changing:
            self.supervised.discard(name)
        end(self.pid(name), patience=patience)
        self.wait(name)

    def restart(self, name: str, **variables: str) -> None:
        """Start a process anew, as a deploy does, with these variables besides the platform's and no earlier ones."""
        self.stop(name)
        self._commands[name] = ["env", *(f"{key}={text}" for key, text in variables.items()), *self._plain[name]]
        self.start(name)

    def close(self) -> None:
        self._closing.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        super().close()
        self.sqs_proxy.close()
        self.s3_proxy.close()
        self.cluster.stop()

    # --- people and files ---

    def person(self, department: str) -> Person:
        if department not in self._people:
            self._people[department] = Person(self.url, department=department)
        return self._people[department]

    def upload(self, department: str, *faults: Fault, rows: int = 300, content: bytes | None = None) -> Upload:
        """Upload a file of rows that no other upload has, with what is to happen to it on its way."""
        return self.send(department, *faults, rows=rows, content=content).taken()

    def send(self, department: str, *faults: Fault, rows: int = 300, content: bytes | None = None) -> Sent:
        """The same, whatever the answer is."""
        mark = uuid.uuid4().hex[:12]
        request_id, filename = f"fault-{mark}", f"{mark}.csv"
        for fault in faults:
            injection.arm(self.faults, fault, request_id=request_id)
        content = files.MAKERS[department](mark, rows=rows) if content is None else content
        answer = self.person(department).post(
            "/datasets/upload", files={"file": (filename, content)}, headers={"X-Request-ID": request_id}
        )
        return Sent(
            department=department,
            content=content,
            filename=filename,
            request_id=request_id,
            faults=faults,
            answer=answer,
        )

    def fired(self, upload: Upload) -> int:
        """How many of the upload's faults have happened."""
        return injection.fired(self.faults, request_id=upload.request_id)

    # --- looking inside ---

    def query(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Rows of the platform's database, read by nobody's code but SQL."""
        with (
            contextlib.closing(
                psycopg2.connect(
                    self.env["DATABASE_URL"], options="-c aetherflow.scope=*", cursor_factory=RealDictCursor
                )
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, values)
            return [dict(row) for row in cursor.fetchall()]

    def sqs(self) -> "SQSClient":
        """A client past the proxy, so that no fault is in the test's own way."""
        return sqs_client(region="us-east-1", endpoint_url=self.endpoint.url, **_keys())

    def dead_letters(self) -> dict[str, str]:
        """Message id → body of every message that came to a DLQ; they stay there."""
        client = self.sqs()
        for name in DEAD_LETTER_QUEUES:
            url = client.get_queue_url(QueueName=name)["QueueUrl"]
            while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                self._dead |= {letter["MessageId"]: letter["Body"] for letter in found}
        return dict(self._dead)

    # --- the supervisor ---

    def _supervise(self) -> None:
        while not self._closing.wait(0.1):
            with self._changing:
                for name in sorted(self.supervised):
                    if not self.is_running(name):
                        self._start_again(name)

    def _start_again(self, name: str) -> None:
        if self._running[name].returncode == os.EX_CONFIG:
            # A refusal to start is left to a person: again and again would only hide it.
            self.supervised.discard(name)
            return
        # A container ends with its first process; so do the children that a killed worker has left.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid(name), signal.SIGKILL)
        self.restarts[name] += 1
        self.start(name)


def _with_faults(command: Sequence[str]) -> list[str]:
    return ["tests.faults.worker_app" if part == "celery_app" else part for part in command]


def _keys() -> dict[str, str]:
    return {"access_key": CREDENTIALS["AWS_ACCESS_KEY_ID"], "secret_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
