"""Jobs in the operators' console: the list and the page of a job, operations on many, its stages, who works, the dead
letters. A package, for each of these is a page of its own. None has powers of its own: what changes is changed by the
services."""

from apps.jobs.admin import jobs, letters, operations, stages

__all__ = ["jobs", "letters", "operations", "stages"]
