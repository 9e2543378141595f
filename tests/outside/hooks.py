"""What schemathesis is told of AetherFlow: files that are worth an upload, and whose data nobody here may see."""

import os

import schemathesis
from hypothesis import strategies as st

from aetherflow.registry import departments

_FILES = [
    *(department.samples.good.read_bytes() for department in departments().values()),
    b"transaction_id,date\n1,2026-01-01\n",
    b"",
]

schemathesis.openapi.format("binary", st.sampled_from(_FILES) | st.binary(max_size=2_000))


@schemathesis.check
def keeps_departments_apart(
    _ctx: schemathesis.CheckContext, response: schemathesis.Response, _case: schemathesis.Case
) -> None:
    """Each of these words stands in another department's data and nowhere else."""
    for word in os.environ["OUTSIDE_FOREIGN"].split():
        assert word.encode() not in response.content, f"The answer holds {word}, which is another department's."


@schemathesis.hook
def filter_query(_context: schemathesis.HookContext, query: dict[str, object] | None) -> bool:
    """`?ordering=` is what a form sends of a field that was left empty: taken as not given, not as a wrong value."""
    return "" not in (query or {}).values()
