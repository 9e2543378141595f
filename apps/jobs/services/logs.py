"""Writing down what an attempt has said, once it has ended."""

from datetime import datetime

import structlog

from apps.jobs.lines import Attempt
from apps.jobs.models import StageLog

log = structlog.get_logger(__name__)


def keep_log(attempt: Attempt, *, at: datetime) -> None:
    """In one statement, beside the stage's own transaction. Whatever goes wrong costs these lines and nothing else."""
    if attempt.run_id is None:
        return
    try:
        StageLog.objects.create(
            run_id=attempt.run_id,
            token=attempt.token,
            at=at,
            lines=list(attempt.lines),
            dropped=attempt.seen - len(attempt.lines),
        )
    except Exception:
        log.exception("stage_log_not_kept")
