"""What the tests of the dead letters' screens share: who looks, what is asked and sent, what the page says."""

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry
from apps.jobs.admin import letters as screens
from tests.accounts.factories import OperatorFactory
from tests.jobs.console import logged_in

WHY = "the bucket was away"
DLQ = "aetherflow-etl-dlq"
ROLES = ("viewer", "operator", "admin")


def address(act: str = "", queue: str = "etl") -> str:
    name = f"jobs_letters_{act.replace('-', '_') or 'queue'}"
    return reverse(f"admin:{name}", args=[queue])


def console(role: str = "admin") -> Client:
    return logged_in(OperatorFactory(console_role=role, full_name=f"Rita, {role}"))


def shown(client: Client, queue: str = "etl") -> tuple[screens.Screen, str]:
    answer = client.get(address(queue=queue))
    assert answer.status_code == 200
    return answer.context["screen"], answer.content.decode()


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index('id="letters"') :]))


def answer_of(page: Any, **given: str) -> dict[str, Any]:
    """The page's form as a browser sends it."""
    body: dict[str, Any] = {}
    for name, value in page.context["question"].hidden:
        body.setdefault(name, []).append(value)
    return body | {"reason": WHY} | given


def ask(client: Client, act: str, *ids: str) -> Any:
    page = client.post(address(act), {"letter": ids}) if ids else client.get(address(act))
    assert page.status_code == 200
    return page


def told(page: Any) -> dict[str, tuple[str, str]]:
    """Of each letter on a page: what came, or will come, of it and why."""
    return {line.outcome.message_id: (str(line.said), line.outcome.words) for line in page.context["lines"]}


def entries() -> list[tuple[str, str, str]]:
    acts = (AuditAction.REDRIVEN, AuditAction.DISCARDED, AuditAction.PURGED)
    found = AuditEntry.objects.filter(action__in=acts).order_by("id")
    return [(entry.action, entry.actor_name.partition(",")[0], entry.reason) for entry in found]
