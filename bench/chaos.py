"""What breaks for everybody while a soak runs: networks, the database, processes; and messages that come twice."""

import random
import signal
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from tests.endpoints.faulty_proxy import STALE_HANDLE, THROTTLED, UNAVAILABLE
from tests.faults.platform import Platform

PAUSE_SECONDS = (4.0, 10.0)
OUTAGE_SECONDS = (1.0, 4.0)


class Chaos:
    """One thing at a time, chosen by `dice`, in a thread beside the soak; `done` counts what was done."""

    def __init__(self, platform: Platform, *, dice: random.Random) -> None:
        self._platform = platform
        self._dice = dice
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._broken: Exception | None = None
        self.done: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()
        if self._broken:
            raise RuntimeError("the chaos ended early, and what it would have broken was not") from self._broken

    def _run(self) -> None:
        try:
            self._break_things()
        except Exception as error:  # noqa: BLE001  (told at the end, where somebody waits)
            self._broken = error

    def _break_things(self) -> None:
        breaks = {
            "SQS away": self._sqs_away,
            "SQS answering with errors": self._sqs_sick,
            "S3 away": self._s3_away,
            "PostgreSQL restarts": self._database_away,
            "processes killed": self._kill,
            "messages sent twice": self._send_twice,
        }
        while not self._ending.wait(self._dice.uniform(*PAUSE_SECONDS)):
            what = self._dice.choice(list(breaks))
            breaks[what]()
            self.done[what] += 1

    def _sqs_away(self) -> None:
        with self._platform.sqs_proxy.refusing():
            time.sleep(self._dice.uniform(*OUTAGE_SECONDS))

    def _sqs_sick(self) -> None:
        fault = self._dice.choice([UNAVAILABLE, THROTTLED, STALE_HANDLE])
        action = self._dice.choice(["ReceiveMessage", "SendMessage", "DeleteMessage", "ChangeMessageVisibility"])
        with self._platform.sqs_proxy.during(fault, action):
            time.sleep(self._dice.uniform(*OUTAGE_SECONDS))

    def _s3_away(self) -> None:
        with self._platform.s3_proxy.refusing():
            time.sleep(self._dice.uniform(*OUTAGE_SECONDS))

    def _database_away(self) -> None:
        self._platform.cluster.restart(crash=self._dice.random() < 0.5, seconds_away=self._dice.uniform(0, 2))

    def _kill(self) -> None:
        name = self._dice.choice(["web", "relay", "worker-etl", "worker-ml"])
        self._platform.kill(name, signal.SIGKILL, children=True)

    def _send_twice(self) -> None:
        """Copies of messages of any age, as an at-least-once queue may make them."""
        client = self._platform.sqs()
        letters = self._platform.sqs_proxy.letters("")
        for letter in self._dice.sample(letters, k=min(5, len(letters))):
            client.send_message(
                QueueUrl=client.get_queue_url(QueueName=letter.queue)["QueueUrl"], MessageBody=letter.body
            )
