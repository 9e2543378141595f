"""What the audit is told of jobs, in the words that all services share."""

from uuid import UUID

from apps.accounts.services.auditing import Scalar, Target
from apps.jobs.models import Job


def job_target(job: Job) -> Target:
    return Target(type="job", id=str(job.pk), name=job.dataset.name, department=job.department)


def part_of(operation: UUID | None) -> dict[str, Scalar]:
    """Of what is done to one job: the operation on many that it is a part of, where there is one."""
    return {"operation": str(operation)} if operation else {}
