"""What operators do by the console, as a process of the platform: `python -m tests.faults.operator cancel WHY JOB…`."""

import sys

from config.wsgi import application

# It sets Django up, without which no model can be imported.
# isort: split

from apps.accounts.models import Role, User
from apps.jobs import clock
from apps.jobs.models import Job
from apps.jobs.services.cancelling import cancel

__all__ = ["application"]


def operator() -> User:
    fields = {"full_name": "Olive Operator", "role": Role.ADMIN, "approval": "approved"}
    at = clock.now()
    user, _ = User.objects.get_or_create(
        email="olive@example.com", defaults={**fields, "approved_at": at, "created_at": at}
    )
    return user


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "cancel":
        why, *jobs = arguments
        for job_id in jobs:
            cancel(job=Job.objects.get(pk=job_id), by=operator(), reason=why, at=clock.now())
