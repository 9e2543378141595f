"""What the rules choose from: which upload, which message, where a process is stopped and how."""

import enum

from hypothesis import strategies as st

from tests.jobs.machine.processes import UNDISTURBED, Fate, Plan
from tests.jobs.machine.uploads import DEPARTMENTS, Upload


class Mishap(enum.Enum):
    VISIBILITY_RUNS_OUT = enum.auto()
    PUT_TWICE = enum.auto()
    DELETED_COMES_ONCE_MORE = enum.auto()
    LOST = enum.auto()
    REFUSES_SENDS = enum.auto()


def _plans(*, pauses: str = "", dies: str = "") -> st.SearchStrategy[Plan]:
    """Undisturbed as often as not, else stopped at one of the points."""
    stops = [Plan(point=each, fate=Fate.PAUSES) for each in pauses.split()]
    stops += [Plan(point=each, fate=Fate.DIES) for each in dies.split()]
    return st.sampled_from([UNDISTURBED] * len(stops) + stops)


# A process that is paused after "loaded" or "stored" would hold what everybody needs.
ETL_PLANS = _plans(
    pauses="received claimed copied committed unacknowledged",
    dies="received claimed copied loaded committed unacknowledged unsent sent",
)
ML_PLANS = _plans(
    pauses="received claimed computed unacknowledged",
    dies="received claimed computed stored unacknowledged unsent sent",
)
MIDDLES = st.sampled_from(["claimed", "copied", "committed", "computed"])
# Where a worker is, and whether its own upload is undone or one that its insights rest on.
UNDONE_MIDDLES = st.sampled_from([("claimed", True), ("copied", True), ("computed", True), ("computed", False)])
OVERTAKING_PLANS = _plans(pauses="claimed copied computed", dies="claimed copied computed")
SENDING_PLANS = _plans(pauses="unsent", dies="unsent sent")
UNDOING_PLANS = _plans(pauses="marked", dies="marked unsent")
PICKS = st.integers(0, 5)
UPLOADS = st.builds(
    Upload,
    department=st.sampled_from([*DEPARTMENTS[:1] * 2, *DEPARTMENTS[1:]]),
    rows=st.dictionaries(st.integers(1, 4), st.integers(1, 9), min_size=1, max_size=3).map(
        lambda rows: tuple(sorted(rows.items()))
    ),
    faulty=st.booleans(),
    refused=st.sampled_from([False] * 5 + [True]),
)
