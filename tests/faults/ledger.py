"""What went to SQS and came back from it: the life of every message, as the wire saw it."""

import json
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.endpoints.faulty_proxy import FaultyProxy


@dataclass
class Letter:
    """One message: the queue it was sent to, its body as it was sent, its receives, whether it was deleted."""

    id: str
    queue: str
    body: str
    receives: int = 0
    deleted: bool = False


class RecordingProxy(FaultyProxy):
    """A proxy that can fail, and keeps a ledger of the messages that went through it."""

    def __init__(self, target: str) -> None:
        self._letters: dict[str, Letter] = {}
        self._handles: dict[str, str] = {}
        self._writing = threading.Lock()
        super().__init__(target)

    def letters(self, mark: str) -> list[Letter]:
        """The messages with `mark` in their body (an id, say), in the order they were sent."""
        with self._writing:
            return [letter for letter in self._letters.values() if mark in letter.body]

    def answer(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        status, answer, content_type = super().answer(path, body, headers)
        action = headers.get("X-Amz-Target", "").rpartition(".")[2]
        if status == 200 and action in {"SendMessage", "ReceiveMessage", "DeleteMessage"}:
            try:
                asked, answered = json.loads(body), json.loads(answer or b"{}")
            except ValueError:  # an ordered fault: an answer that is no JSON
                return status, answer, content_type
            with self._writing:
                self._note(action, asked, answered)
        return status, answer, content_type

    def _note(self, action: str, asked: dict[str, str], answered: dict[str, Any]) -> None:
        if action == "SendMessage":
            self._letter(answered["MessageId"], asked, body=asked["MessageBody"])
        elif action == "ReceiveMessage":
            for message in answered.get("Messages") or ():
                self._handles[message["ReceiptHandle"]] = message["MessageId"]
                self._letter(message["MessageId"], asked, body=message["Body"]).receives += 1
        elif letter := self._letters.get(self._handles.get(asked["ReceiptHandle"], "")):
            letter.deleted = True

    def _letter(self, message_id: str, asked: dict[str, str], *, body: str) -> Letter:
        """A message may be received before its sender has the answer, and before this proxy has written it down."""
        queue = urlsplit(asked["QueueUrl"]).path.rpartition("/")[2]
        return self._letters.setdefault(message_id, Letter(id=message_id, queue=queue, body=body))
