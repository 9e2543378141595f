"""What the pipeline records. A package, for together it is too long to read: jobs and their stages (`jobs`), one act on
many of them (`operations`), what several workers share (`splits`), the workers' signs of life and counts (`workers`),
views of the list (`saved_views`)."""

from apps.jobs.models.jobs import (
    ACTIVE,
    FINISHED,
    Cause,
    IdempotentRequest,
    Job,
    JobStatus,
    Stage,
    StageEvent,
    StageLog,
    StageRun,
    State,
)
from apps.jobs.models.operations import OF_JOBS, ItemStatus, Operation, OperationItem, OperationKind
from apps.jobs.models.saved_views import SavedView
from apps.jobs.models.splits import SplitState, StageSplit
from apps.jobs.models.workers import DURATION_BOUNDS, Outcome, StageTally, WorkerHeartbeat

__all__ = [
    "ACTIVE",
    "DURATION_BOUNDS",
    "FINISHED",
    "OF_JOBS",
    "Cause",
    "IdempotentRequest",
    "ItemStatus",
    "Job",
    "JobStatus",
    "Operation",
    "OperationItem",
    "OperationKind",
    "Outcome",
    "SavedView",
    "SplitState",
    "Stage",
    "StageEvent",
    "StageLog",
    "StageRun",
    "StageSplit",
    "StageTally",
    "State",
    "WorkerHeartbeat",
]
