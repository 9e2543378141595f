"""At the console's door with a second factor: what the tests of it do again and again."""

from typing import Any

from django.test import Client
from django.utils import timezone

from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry, User
from apps.accounts.services.second_factor import enrol
from tests.accounts.factories import PASSWORD
from tests.support.phone import Phone

KEY = "31" * 20
LOGIN, CODE = "/admin/login/", "/admin/login/code/"
JOBS = "/admin/jobs/job/"


def enrolled(user: User) -> tuple[Phone, list[str]]:
    phone = Phone(KEY)
    done = enrol(user=user, key=KEY, password=PASSWORD, code=phone.code(), besides=None, at=timezone.now())
    return phone, done.codes


def password(client: Client, user: User, *, then: str = JOBS, **extra: Any) -> Any:
    return client.post(f"{LOGIN}?next={then}", {"username": user.email, "password": PASSWORD}, **extra)


def give(client: Client, code: str, **extra: Any) -> Any:
    return client.post(CODE, {"code": code}, **extra)


def is_in(client: Client) -> bool:
    return client.get(JOBS).status_code == 200


def told(action: AuditAction) -> AuditEntry:
    return AuditEntry.objects.get(action=action)
