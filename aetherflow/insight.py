"""What a department's insight is: a named computation over its rows, and the answer it gives.

A department declares `INSIGHTS`, a tuple of `Insight`; whoever stores or shows them needs to know nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class InsightResult:
    """One computed insight, ready to be stored as JSON.

    `data` and `quality` hold only str, int, finite float, bool, None, list and dict: dates are ISO strings,
    money is rounded to cents, and what cannot be known is None, never NaN or infinity. `quality` is None
    where the method has no backtest. `summary` is one sentence for the people of the department, with the
    numbers in it.
    """

    kind: str
    method: str
    quality: dict[str, object] | None
    summary: str
    data: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Insight:
    """One insight a department offers.

    `compute` takes the department's current rows (those superseded by a newer upload already left out) with
    at least `columns`, Arrow-backed or plain pandas dtypes, in any order, and gives the same answer for the
    same rows. It reads no clock: every date comes from the rows. Too little data is an answer with an empty
    list and the reason in `summary`, not an error.
    """

    kind: str
    label: str
    columns: tuple[str, ...]
    compute: Callable[[pd.DataFrame], InsightResult]
