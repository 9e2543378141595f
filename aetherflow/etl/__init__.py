"""From a file on disk to typed, clean, checked rows in batches, and a reason for everything that is left out.

A file that cannot be used is refused as a whole, and numbers and days are read one way from its first row to its last.
"""

from aetherflow.etl.corrections import Correction
from aetherflow.etl.drift import Drift, compare
from aetherflow.etl.duplicates import SeenKeys
from aetherflow.etl.line import Batch, ReadOtherwise, SourceFile
from aetherflow.etl.opening import open_file
from aetherflow.etl.options import ReadOptions
from aetherflow.etl.profile import Profile, Profiler
from aetherflow.etl.reading import Reading
from aetherflow.etl.rejects import Counts, FaultKind, FileRefused, Reject, RejectPolicy
from aetherflow.etl.splits import Held, Plan, Split, open_split, split

__all__ = [
    "Batch",
    "Correction",
    "Counts",
    "Drift",
    "FaultKind",
    "FileRefused",
    "Held",
    "Plan",
    "Profile",
    "Profiler",
    "ReadOptions",
    "ReadOtherwise",
    "Reading",
    "Reject",
    "RejectPolicy",
    "SeenKeys",
    "SourceFile",
    "Split",
    "compare",
    "open_file",
    "open_split",
    "split",
]
