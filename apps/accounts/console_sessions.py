"""Where the console's log-ins are kept (SESSION_ENGINE): Django's table, and whose each one is."""

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from apps.accounts.models import ConsoleSession


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[ConsoleSession]:
        return ConsoleSession

    def create_model_instance(self, data: dict[str, Any]) -> ConsoleSession:
        made = cast("ConsoleSession", super().create_model_instance(data))
        made.user_id = data.get(SESSION_KEY)
        return made
