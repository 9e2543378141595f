"""Weekly totals per group from dated rows: the table that forecasts are learnt from.

Weeks run from Monday to Sunday. The last and the first week count only when they are whole, and whether a
week is whole is judged by the department's own trading days: for a shop closed at weekends a week that ends
on Friday is complete, and waiting for Sunday would throw away its newest week.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Days, Floats, Ints

# Five years: older weeks say little about the next four, and one wrong date must not cost memory.
LONGEST = 260


@dataclass(frozen=True, kw_only=True)
class WeeklyTotals:
    """Totals of `values` per whole week and group.

    weeks: (T,) Mondays without holes, oldest first. totals, rows: (T, G), sum and number of rows, 0 where the group
    has none. start: (G,) index of the group's first whole week, T when it has none. first_forecast: the Monday after
    the newest row. lead: how many weeks that Monday lies after the last whole week (1, or more when the newest week
    is cut off).
    """

    weeks: Days
    totals: Floats
    rows: Floats
    start: Ints
    first_forecast: np.datetime64
    lead: int


def monday_of(days: Days) -> Days:
    """The Monday of each day's week (1970-01-05 was a Monday)."""
    since = days.astype("datetime64[D]").astype(np.int64) - 4
    return (since - since % 7 + 4).astype("datetime64[D]")


def whole_weeks(*, days: Days, until: Days | None = None) -> tuple[np.datetime64, np.datetime64]:
    """First and last whole week (Mondays) of non-empty `days`; the first lies after the last when there is
    none. An entry may stand for several days of one week, the last of which is in `until`.

    The last week is whole when the rows reach the usual (median) last trading weekday of the earlier weeks,
    the first when they begin by the usual first one of the later weeks. A lone week must run from Monday to
    Sunday.
    """
    mondays = monday_of(days)
    week = (mondays - mondays.min()).astype(np.int64) // 7
    ends = [days] if until is None else [days, until]
    seen = np.unique([week * 7 + (end - mondays).astype(np.int64) for end in ends])
    present, begin = np.unique(seen // 7, return_index=True)
    opening, closing = seen[begin] % 7, seen[np.append(begin[1:], len(seen)) - 1] % 7
    usual_close = np.median(closing[:-1]) if len(present) > 1 else 6
    usual_open = np.median(opening[1:]) if len(present) > 1 else 0
    first, last = mondays.min(), mondays.max()
    if opening[0] > usual_open:
        first = first + np.timedelta64(7, "D")
    if closing[-1] < usual_close:
        last = last - np.timedelta64(7, "D")
    return first, last


def weekly_totals(
    *,
    days: Days,
    groups: Ints,
    values: Floats,
    size: int,
    until: Days | None = None,
    counts: Floats | None = None,
) -> WeeklyTotals | None:
    """Sum `values` by week and group (codes 0 to size-1); None when there is no whole week.

    An entry is one row, or `counts` rows of one week, the first of `days` and the last of `until`. Sums are taken in
    units of 1/10,000, which doubles add exactly: the order of the rows cannot change a cent.
    """
    if not len(days):
        return None
    first, last = whole_weeks(days=days, until=until)
    first = max(first, last - np.timedelta64(7 * (LONGEST - 1), "D"))
    count = int((last - first).astype(np.int64)) // 7 + 1
    if count < 1:
        return None
    week = (monday_of(days) - first).astype(np.int64) // 7
    inside = (week >= 0) & (week < count)
    cell = week[inside] * size + groups[inside]
    units = np.bincount(cell, weights=np.rint(values[inside] * 1e4), minlength=count * size)
    of_entry = None if counts is None else counts[inside]
    rows = np.bincount(cell, weights=of_entry, minlength=count * size).reshape(count, size).astype(np.float64)
    totals = units.reshape(count, size) / 1e4
    started = rows.any(axis=0)
    start = np.where(started, (rows > 0).argmax(axis=0), count).astype(np.int64)
    first_forecast = monday_of(days).max() + np.timedelta64(7, "D")
    return WeeklyTotals(
        weeks=first + np.arange(count) * np.timedelta64(7, "D"),
        totals=totals,
        rows=rows,
        start=start,
        first_forecast=first_forecast,
        lead=int((first_forecast - last).astype(np.int64)) // 7,
    )
