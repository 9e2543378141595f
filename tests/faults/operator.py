"""What operators do by the console, as a process of the platform.

`python -m tests.faults.operator cancel WHY JOB…`, or `retry WHY CODE RATE` of all jobs that failed with this code.
"""

import sys

from config.wsgi import application

# It sets Django up, without which no model can be imported.
# isort: split

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.accounts.scope import enter_all_departments
from apps.jobs import clock
from apps.jobs.models import Job, JobStatus, OperationKind
from apps.jobs.services.cancelling import cancel
from apps.jobs.services.operations import start_operation

__all__ = ["application"]


def operator() -> User:
    fields = {"full_name": "Olive Operator", "role": Role.ADMIN, "approval": "approved"}
    at = clock.now()
    user, _ = User.objects.get_or_create(
        email="olive@example.com", defaults={**fields, "approved_at": at, "created_at": at}
    )
    return user


if __name__ == "__main__":
    what, why, *arguments = sys.argv[1:]
    enter_all_departments("console")
    if what == "cancel":
        for job_id in arguments:
            cancel(job=Job.objects.get(pk=job_id), by=operator(), reason=why, at=clock.now())
    elif what == "retry":
        code, rate = arguments
        start_operation(
            kind=OperationKind.RETRY,
            jobs=Job.objects.filter(status=JobStatus.FAILED, stages__error_code=code),
            filter_words=f"failed with {code}",
            rate=int(rate),
            reason=why,
            by=operator(),
            at=clock.now(),
        )
