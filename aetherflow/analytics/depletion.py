"""What was asked for between snapshots, as far as stock figures and reported averages tell.

The stock alone tells little where it matters most: a receipt hides what was sold before it, an empty shelf what
could have been. A moving average of demand tells the rest: from one snapshot to the next its sum changes by what
was asked for in the newest step less what was asked for in the step that left the window. That fixes every step
up to one unknown per chain of steps that are a window apart, and the stock bounds that unknown from below: demand
is never less than 0 nor than the fall of stock. Where the bounds of all chains add up to the average itself,
demand is known to the unit, hidden intervals included. Whether the average is a moving one, and how long its
window is, the same bounds decide: a wrong window breaks them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Bools, Days, Floats, Ints

LONGEST = 104  # steps back from the newest snapshot that are read
STEP_DAYS = 7  # more frequent snapshots are read once a week: a day of the week is no noise
WINDOWS = range(2, 14)  # steps a moving average may span
TOLERANCE = 0.05  # of the mean sum over a window: averages come rounded
AGREEING = 0.75  # share of the items whose stock has to agree with a window
SAMPLE = 500  # items that are asked for their window


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Demand per step of `step` days, the newest step last, of all n items.

    units: (n, steps), NaN where not known. stock, reported: (n, steps) at the end of each step, NaN before an item's
    first snapshot. known: (n,) items whose demand is told; count: (n,) their steps. window: steps of the moving
    average, 0 where the snapshots tell no demand.
    """

    step: int
    window: int
    units: Floats
    stock: Floats
    reported: Floats
    known: Bools
    count: Ints


def steps(*, items: Ints, days: Days, stock: Floats, reported: Floats, last: Ints) -> Steps:
    """Demand per step of every item; arrays sorted by item and day, `last` the place of each item's newest row."""
    step = _usual_step(items, days)
    age = (days[last][items] - days).astype(np.int64)
    slot = age // step
    used = np.flatnonzero((age % step == 0) & (slot < LONGEST) & np.isfinite(reported) & (reported >= 0))
    width = int(slot[used].max(initial=0)) + 1
    counted, averages = (np.full((len(last), width), np.nan) for _ in range(2))
    counted[items[used], width - 1 - slot[used]] = stock[used]
    averages[items[used], width - 1 - slot[used]] = reported[used]
    run = _unbroken(averages)
    window = _window(counted, averages, run, step)
    size, lead = len(last), max(window - 1, 0)
    units = np.full((size, width + lead), np.nan)
    known = np.zeros(size, dtype=bool)
    if window:
        # items of one length at a time: a chain begins where the item does
        for length in np.unique(run[run >= window + 2]):
            alike = np.flatnonzero(run == length)
            told, slack = _told(counted[alike, -length:], averages[alike, -length:] * window * step, window)
            fits = slack >= -TOLERANCE
            known[alike] = fits
            units[alike[fits], -(length + lead) :] = told[fits]
    empty = np.full((size, lead), np.nan)
    return Steps(
        step=step,
        window=window,
        units=units,
        stock=np.hstack([empty, counted]),
        reported=np.hstack([empty, averages]),
        known=known,
        count=np.where(known, run + lead, 0),
    )


def _usual_step(items: Ints, days: Days) -> int:
    """The most frequent number of days between two snapshots of an item, the least multiple of it from 7 days on."""
    apart = np.diff(days.astype(np.int64))[items[1:] == items[:-1]]
    apart = apart[(apart > 0) & (apart <= 366)]
    if not len(apart):
        return STEP_DAYS
    usual = int(np.argmax(np.bincount(apart)))
    return usual * -(-STEP_DAYS // usual)


def _unbroken(averages: Floats) -> Ints:
    """Snapshots up to the newest without a gap, (n,)."""
    present = np.isfinite(averages)[:, ::-1]
    return np.where(present.all(axis=1), present.shape[1], np.argmin(present, axis=1)).astype(np.int64)


def _window(counted: Floats, averages: Floats, run: Ints, step: int) -> int:
    """The window on which the stock of most items agrees with their averages, the shortest of equals; else 0."""
    best, found = 0.0, 0
    longest = np.argsort(-run, kind="stable")
    longest = longest[: np.count_nonzero(run == run.max(initial=0))]
    sample = longest[:: max(1, len(longest) // SAMPLE)]
    length = int(run[sample[0]]) if len(sample) else 0
    stock, daily = counted[sample][:, -length:], averages[sample][:, -length:]
    telling = daily.max(axis=1, initial=0.0) > daily.min(axis=1, initial=np.inf)
    for window in WINDOWS:
        if length < window + 2 or not telling.any():
            break
        _, slack = _told(stock[telling], daily[telling] * window * step, window)
        agreeing = float(np.mean(np.abs(slack) <= TOLERANCE))
        if agreeing > best:
            best, found = agreeing, window
    return found if best >= AGREEING else 0


def _told(stock: Floats, total: Floats, window: int) -> tuple[Floats, Floats]:
    """Units per step (n, m - 1 + window) from stock and window sums at m snapshots, the first window's steps
    included, and the part of the mean sum that the bounds leave open (below 0: stock and average contradict)."""
    items, snapshots = stock.shape
    grown = np.zeros((items, snapshots - 1 + window))
    change = np.diff(total, axis=1)
    for place in range(window, grown.shape[1]):
        grown[:, place] = grown[:, place - window] + change[:, place - window]
    least = -grown
    least[:, window:] += np.maximum(stock[:, :-1] - stock[:, 1:], 0.0)
    first = np.stack([least[:, chain::window].max(axis=1) for chain in range(window)], axis=1)
    left = total[:, 0] - first.sum(axis=1)
    first += left[:, None] / window
    places = np.arange(grown.shape[1]) % window
    units = np.maximum(np.rint(first[:, places] + grown), 0.0)
    return units, left / np.maximum(total.mean(axis=1), 1e-9)
