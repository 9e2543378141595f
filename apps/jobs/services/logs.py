"""Writing down what an attempt has said, once it has ended."""

import json
from datetime import datetime

import structlog
from django.db import connection

from apps.jobs.lines import Attempt

log = structlog.get_logger(__name__)

# Not waiting for the disk, which takes longer than all the rest: who loses power may lose the last lines.
_INSERT = """
    INSERT INTO jobs_stagelog (run_id, token, at, lines, dropped)
    SELECT %s, %s, %s, %s::jsonb, %s WHERE set_config('synchronous_commit', 'off', true) = 'off'
"""


def keep_log(attempt: Attempt, *, at: datetime) -> None:
    """In one statement, beside the stage's own transaction. Whatever goes wrong costs these lines and nothing else."""
    if attempt.run_id is None:
        return
    dropped = attempt.seen - len(attempt.lines)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [attempt.run_id, attempt.token, at, json.dumps(list(attempt.lines)), dropped])
    except Exception:
        log.exception("stage_log_not_kept")
