"""A standard SQS queue with a redrive policy, in memory and without a clock of its own.

It differs from a real one in what a test must be able to choose: which of the visible messages comes next, and whether
a deleted one comes once more. Everything else is compared with moto's in test_queue_model.py.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(kw_only=True)
class Message:
    id: str
    body: Any
    visible_at: datetime
    receives: int = 0


class QueueModel:
    def __init__(self, *, visibility_seconds: int, max_receives: int) -> None:
        self.dead_letters: list[Message] = []
        self.deleted: list[Message] = []
        self._messages: dict[str, Message] = {}
        self._visibility_seconds = visibility_seconds
        self._max_receives = max_receives

    def send(self, body: Any, *, at: datetime) -> str:
        """Returns the message's id."""
        message = Message(id=str(uuid.uuid4()), body=body, visible_at=at)
        self._messages[message.id] = message
        return message.id

    def visible(self, *, at: datetime) -> list[Message]:
        return [message for message in self._messages.values() if message.visible_at <= at]

    def in_flight(self, *, at: datetime) -> list[Message]:
        return [message for message in self._messages.values() if message.visible_at > at]

    def receive(self, message_id: str, *, at: datetime) -> Message | None:
        """Deliver this message, which is visible; None where its receives are used up: it is a dead letter now."""
        message = self._messages[message_id]
        assert message.visible_at <= at, "an invisible message cannot be received"
        if message.receives >= self._max_receives:
            self.dead_letters.append(self._messages.pop(message_id))
            return None
        message.receives += 1
        self.hide(message_id, seconds=self._visibility_seconds, at=at)
        return message

    def hide(self, message_id: str, *, seconds: float, at: datetime) -> None:
        """Change the visibility; a message that is gone is nobody's any more."""
        if message := self._messages.get(message_id):
            message.visible_at = at + timedelta(seconds=seconds)

    def delete(self, message_id: str) -> None:
        if message := self._messages.pop(message_id, None):
            self.deleted.append(message)

    def come_once_more(self, message: Message, *, at: datetime) -> None:
        """SQS deletes from the servers it reaches: a copy on another one is delivered again."""
        self.deleted.remove(message)
        message.visible_at = at
        self._messages[message.id] = message

    def lose(self, message_id: str) -> None:
        del self._messages[message_id]

    def purge(self) -> None:
        self._messages.clear()

    def redrive(self, message: Message, *, at: datetime) -> str:
        """A dead letter again, as a new message."""
        self.dead_letters.remove(message)
        return self.send(message.body, at=at)
