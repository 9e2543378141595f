"""SQS with the calls that no local endpoint has: it moves the letters of a DLQ by itself."""

import json
import threading
from typing import Any

from tests.endpoints.faulty_proxy import FaultyProxy


class MovingProxy(FaultyProxy):
    """Knows StartMessageMoveTask and ListMessageMoveTasks, as Amazon documents them: one task a queue, in its own time,
    and every moved message under a new id.

    `hold` keeps a started task from moving anything until `release`. `client` reaches the endpoint behind it.
    """

    def __init__(self, target: str, *, client: Any) -> None:
        self._client = client
        self._go = threading.Event()
        self._go.set()
        self.tasks: list[dict[str, Any]] = []
        super().__init__(target)

    def hold(self) -> None:
        self._go.clear()

    def release(self) -> None:
        self._go.set()

    def answer(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        action = headers.get("X-Amz-Target", "").rpartition(".")[2]
        if self._fault is None or action != self._action:
            asked = json.loads(body or b"{}")
            if action == "ListMessageMoveTasks":
                return _answered({"Results": [task for task in self.tasks if task["SourceArn"] == asked["SourceArn"]]})
            if action == "StartMessageMoveTask":
                return self._start(asked)
        return super().answer(path, body, headers)

    def _start(self, asked: dict[str, str]) -> tuple[int, bytes, str]:
        running = [task for task in self.tasks if task["Status"] == "RUNNING"]
        if any(task["SourceArn"] == asked["SourceArn"] for task in running):
            return _answered(
                {"__type": "com.amazonaws.sqs#UnsupportedOperation", "message": "one at a time"}, status=400
            )
        task = {"Status": "RUNNING", "SourceArn": asked["SourceArn"], "DestinationArn": asked["DestinationArn"]}
        self.tasks.insert(0, task)
        threading.Thread(target=self._move, args=(task,), daemon=True).start()
        return _answered({"TaskHandle": "a-task"})

    def _move(self, task: dict[str, Any]) -> None:
        self._go.wait()
        source, destination = (self._url(task[arn]) for arn in ("SourceArn", "DestinationArn"))
        while found := self._client.receive_message(QueueUrl=source, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self._client.send_message(QueueUrl=destination, MessageBody=message["Body"])
                self._client.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
        task["Status"] = "COMPLETED"

    def _url(self, arn: str) -> str:
        return str(self._client.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])


def _answered(answer: dict[str, Any], *, status: int = 200) -> tuple[int, bytes, str]:
    return status, json.dumps(answer).encode(), "application/x-amz-json-1.0"
