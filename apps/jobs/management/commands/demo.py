"""A platform to look at: a user for each department, an admin, and the sample files put through the line."""

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from aetherflow.department import Department
from aetherflow.registry import departments
from apps.accounts.choices import Role
from apps.accounts.management.reporting import ReportingCommand, Told, add_dry_run, add_json, counted, table
from apps.accounts.models import User
from apps.accounts.origin import Origin, asked_from, command_line
from apps.accounts.services.accounts import create_account
from apps.datasets.models import Dataset
from apps.jobs import clock
from apps.jobs.services.submission import submit

# Known to everybody who reads this: refused where strangers can reach the platform.
PASSWORD = "try-it-on-monday"  # noqa: S105
DOMAIN = "aetherflow.example"


class Command(ReportingCommand):
    help = "Make demo users and upload the sample files, where they are not there yet; prints the log-ins."

    def add_arguments(self, parser: CommandParser) -> None:
        add_dry_run(parser)
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        if settings.REGISTRATION_POLICY != "open":
            raise CommandError(
                "The demo's password is public, so it runs only where REGISTRATION_POLICY=open. "
                "Make users with create_user."
            )
        logins = [{"email": _email(slug), "password": PASSWORD, "department": slug} for slug in departments()]
        logins.append(
            {
                "email": f"admin@{DOMAIN}",
                "password": PASSWORD,
                "department": f"all departments, and {reverse('admin:index')}",
            }
        )
        if not options["dry_run"]:
            _account(f"admin@{DOMAIN}", name="Demo Admin", department="", role=Role.ADMIN)
            for department in departments().values():
                self._department(department)
        made = "would be there" if options["dry_run"] else "are there"
        return Told(
            data=logins,
            lines=table([login["email"], login["password"], f"({login['department']})"] for login in logins),
            summary=f"{counted(len(logins), 'demo account')} and a sample file of each department {made}",
        )

    def _department(self, department: Department) -> None:
        user = _account(
            _email(department.slug),
            name=f"Demo {department.label}",
            department=department.slug,
            role=Role.MEMBER,
        )
        if Dataset.objects.filter(department=department.slug).exists():
            return
        _upload(department.samples.good, department=department, by=user)


def _email(slug: str) -> str:
    return f"{slug.replace('_', '-')}@{DOMAIN}"


def _account(email: str, *, name: str, department: str, role: Role) -> User:
    existing = User.objects.filter(email=email).first()
    if existing:
        return existing
    return create_account(
        email=email,
        full_name=name,
        department=department,
        role=role,
        password=PASSWORD,
        by=None,
        at=clock.now(),
    )


def _upload(sample: Path, *, department: Department, by: User) -> None:
    with sample.open("rb") as raw, asked_from(Origin(operator=command_line())):
        submit(
            file=File(raw, name=f"{department.slug}-sample.csv"),
            department=department.slug,
            name=f"{department.label}: sample",
            description="The sample file that comes with the department.",
            by=by,
            at=clock.now(),
            request_id=str(uuid.uuid4()),
        )
