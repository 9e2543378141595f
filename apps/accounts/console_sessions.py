"""Where the console's log-ins are kept (SESSION_ENGINE): Django's table, and whose each one is."""

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from apps.accounts.models import ConsoleSession
from apps.accounts.scope import gate


class SessionStore(DatabaseStore):
    """Looked up and kept before it is known whose it is, and after that was forgotten."""

    def load(self) -> dict[str, Any]:
        with gate():
            return super().load()

    def exists(self, session_key: str) -> bool:
        with gate():
            return super().exists(session_key)

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  (Django's signature)
        with gate():
            super().save(must_create)

    def delete(self, session_key: str | None = None) -> None:
        with gate():
            super().delete(session_key)

    @classmethod
    def get_model_class(cls) -> type[ConsoleSession]:
        return ConsoleSession

    def create_model_instance(self, data: dict[str, Any]) -> ConsoleSession:
        made = cast("ConsoleSession", super().create_model_instance(data))
        made.user_id = data.get(SESSION_KEY)
        return made
