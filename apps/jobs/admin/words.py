"""The colours of states. Each stands beside the state's own word."""

from apps.jobs.models import JobStatus, State

STATE_KINDS = {State.QUEUED: "", State.PROCESSING: "info", State.SUCCEEDED: "good", State.FAILED: "bad"}
STATUS_KINDS = {JobStatus(state.value): kind for state, kind in STATE_KINDS.items()}
