"""What sales is told: next week's revenue per product category, and which categories will carry it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aetherflow.analytics import columns, combination, forecasting, weeks
from aetherflow.analytics.columns import Floats
from aetherflow.insight import Given, Insight, InsightResult

KIND = "revenue_forecast"
STEPS = 4
LEAST_WEEKS = 4  # below it a level is guesswork: one odd week is a third of all that is known
TOP = 5
HISTORY_SHOWN = 104
HISTORY_POINTS = 80_000  # of all categories together: with thousands of them each shows a shorter past
METHOD = (
    "Weekly revenue (Monday to Sunday) per category: exponential smoothing, 8-week mean and smoothing with a "
    "yearly index, weighted by a rolling-origin backtest; split-conformal 80 % and 95 % bands; baseline is the "
    "seasonal naive forecast (52 weeks earlier from two years on, else the last week)"
)


@dataclass(frozen=True, kw_only=True)
class _Lines:
    """The usable rows as arrays of one length, and the categories' names."""

    days: columns.Days
    codes: columns.Ints
    revenue: Floats
    names: list[str]
    unusable: int


def revenue_forecast(rows: pd.DataFrame, _: Given) -> InsightResult:
    """Revenue of the four whole weeks after the newest date, per category, with 80 % and 95 % bands.

    Revenue = quantity * unit_price * (1 - discount_pct / 100); a missing discount is none. Categories with
    fewer than LEAST_WEEKS whole weeks are listed with an empty forecast and a note.
    """
    lines = _read(rows)
    totals = weeks.weekly_totals(days=lines.days, groups=lines.codes, values=lines.revenue, size=len(lines.names))
    if totals is None:
        reason = (
            "there is no whole week (Monday to Sunday, or to the usual last trading day) in the data"
            if len(lines.days)
            else "there are no sales with a date, a quantity and a price"
        )
        return _answer(f"Not enough data for a forecast, because {reason}.", lines=lines)
    known = totals.traded[:, None] & (np.arange(len(totals.weeks))[:, None] >= totals.start)
    ready = known.sum(axis=0) >= LEAST_WEEKS
    if not ready.any():
        return _answer(
            f"Not enough data for a forecast, because no category has {LEAST_WEEKS} whole weeks of sales yet; "
            f"the longest has {int(known.sum(axis=0).max())}.",
            lines=lines,
            totals=totals,
        )
    made = _forecast(totals.totals[:, ready], known[:, ready], lead=totals.lead)
    return _answer(_summary(made, totals, ready, lines), lines=lines, totals=totals, ready=ready, made=made)


def _read(rows: pd.DataFrame) -> _Lines:
    days = columns.days(rows, "date")
    codes, names = columns.labelled(rows, "product_category")
    discount = np.nan_to_num(columns.numbers(rows, "discount_pct"), nan=0.0)
    revenue = columns.numbers(rows, "quantity") * columns.numbers(rows, "unit_price") * (1 - discount / 100)
    usable = ~np.isnat(days) & (np.abs(np.nan_to_num(revenue, nan=np.inf)) <= columns.LARGEST)
    labels = [str(name) for name in names]
    if (codes[usable] < 0).any():
        codes, labels = np.where(codes < 0, len(labels), codes), [*labels, "(no category)"]
    return _Lines(
        days=days[usable],
        codes=codes[usable],
        revenue=revenue[usable],
        names=labels,
        unusable=len(rows) - int(usable.sum()),
    )


def _forecast(totals: Floats, known: columns.Bools, *, lead: int) -> combination.Combined:
    count = len(totals)
    origins = np.append(combination.fold_origins(weeks=count, lead=lead, least=LEAST_WEEKS), count)
    level = forecasting.level_by_smoothing(totals, known, origins)
    recent = forecasting.level_by_recent_mean(totals, known, origins)
    candidates = np.stack(
        [
            forecasting.flat(level, steps=STEPS),
            forecasting.flat(recent, steps=STEPS),
            forecasting.seasonal_level(totals, known, origins, level, lead=lead, steps=STEPS),
        ]
    )
    baseline = forecasting.seasonal_naive(totals, known, origins, lead=lead, steps=STEPS)
    return combination.combine(
        candidates, baseline, totals=totals, known=known, origins=origins, lead=lead, least=LEAST_WEEKS
    )


def _summary(made: combination.Combined, totals: weeks.WeeklyTotals, ready: columns.Bools, lines: _Lines) -> str:
    names = [name for name, is_ready in zip(lines.names, ready, strict=True) if is_ready]
    first = made.mean[0]
    largest = int(np.argmax(first))
    text = (
        f"Week of {totals.first_forecast}: about {first.sum():,.0f} revenue expected over "
        f"{_counted(len(names), 'category', 'categories')}, "
        f"most of it in {names[largest]} ({first[largest]:,.0f})"
    )
    if made.wape_model is None or made.wape_baseline is None:
        return f"{text}; too short a past to measure the error."
    return (
        f"{text}; in {_counted(made.folds, 'backtest', 'backtests')} the forecast was {made.wape_model:.0%} "
        f"off on average, the seasonal-naive one {made.wape_baseline:.0%}."
    )


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _answer(
    summary: str,
    *,
    lines: _Lines,
    totals: weeks.WeeklyTotals | None = None,
    ready: columns.Bools | None = None,
    made: combination.Combined | None = None,
) -> InsightResult:
    if lines.unusable:
        summary += f" {_counted(lines.unusable, 'row', 'rows')} without a usable date, quantity or price left out."
    quality: dict[str, object] | None = None
    categories: list[dict[str, object]] = []
    top: list[dict[str, object]] = []
    if totals is not None:
        categories = _categories(lines.names, totals, ready, made)
        top = _top(categories)
    if made is not None:
        quality = {
            "metric": "wape",
            "model": None if made.wape_model is None else columns.number(made.wape_model, digits=4),
            "baseline": None if made.wape_baseline is None else columns.number(made.wape_baseline, digits=4),
            "folds": made.folds,
        }
    data: dict[str, object] = {
        "history_weeks": 0 if totals is None else len(totals.weeks),
        "categories": categories,
        "top_categories": top,
    }
    return InsightResult(kind=KIND, method=METHOD, quality=quality, summary=summary, data=data)


def _categories(
    names: list[str],
    totals: weeks.WeeklyTotals,
    ready: columns.Bools | None,
    made: combination.Combined | None,
) -> list[dict[str, object]]:
    """Every category, largest expected next week first, those without a forecast last, by name."""
    count = len(totals.weeks)
    shown = max(8, min(HISTORY_SHOWN, HISTORY_POINTS // max(len(names), 1)))
    mondays = totals.weeks.astype(str).tolist()
    ahead = (totals.first_forecast + np.arange(STEPS) * np.timedelta64(7, "D")).astype(str).tolist()
    place = np.cumsum(ready) - 1 if ready is not None else np.full(len(names), -1)
    limits = None if made is None else _limits(made, totals, ready)
    out: list[tuple[float, str, dict[str, object]]] = []
    for code, name in enumerate(names):
        begin = max(int(totals.start[code]), count - shown)
        past = np.round(totals.totals[begin:, code], 2).tolist()
        entry: dict[str, object] = {
            "category": name,
            "history": [
                {"week_start": week, "revenue": value} for week, value in zip(mondays[begin:], past, strict=True)
            ],
            "forecast": [],
        }
        if limits is None or ready is None or not ready[code]:
            whole = int(totals.traded[int(totals.start[code]) :].sum())
            entry["note"] = (
                f"Not enough history: {_counted(whole, 'whole week', 'whole weeks')}, "
                f"at least {LEAST_WEEKS} are needed."
            )
            out.append((np.inf, name, entry))
            continue
        rounded = limits[:, :, place[code]].tolist()
        entry["forecast"] = [
            {
                "week_start": week,
                "revenue": rounded[0][step],
                "lower80": rounded[1][step],
                "upper80": rounded[2][step],
                "lower95": rounded[3][step],
                "upper95": rounded[4][step],
            }
            for step, week in enumerate(ahead)
        ]
        out.append((-rounded[0][0], name, entry))
    out.sort(key=lambda item: item[:2])
    return [entry for _, _, entry in out]


def _limits(made: combination.Combined, totals: weeks.WeeklyTotals, ready: columns.Bools | None) -> Floats:
    """(5, steps, G): mean and the four bounds, rounded; not below zero where revenue never was."""
    (lower80, upper80), (lower95, upper95) = made.bands[0.80], made.bands[0.95]
    stacked = np.stack([made.mean, lower80, upper80, np.minimum(lower95, lower80), np.maximum(upper95, upper80)])
    never_negative = (totals.totals[:, ready] >= 0).all(axis=0)
    clipped: Floats = np.where(never_negative, np.maximum(stacked, 0.0), stacked)
    return np.round(clipped, 2) + 0.0


def _top(categories: list[dict[str, object]]) -> list[dict[str, object]]:
    """The largest categories of next week with their share of all categories' positive forecasts."""
    expected = [
        (str(entry["category"]), float(forecast[0]["revenue"]))
        for entry in categories
        if isinstance(forecast := entry["forecast"], list) and forecast
    ]
    total = sum(max(revenue, 0.0) for _, revenue in expected)
    return [
        {
            "category": name,
            "next_week_revenue": columns.number(revenue),
            "share": columns.number(max(revenue, 0.0) / total, digits=4) if total > 0 else 0.0,
        }
        for name, revenue in expected[:TOP]
    ]


INSIGHTS: tuple[Insight, ...] = (
    Insight(
        kind=KIND,
        label="Revenue forecast",
        version=1,
        columns=("date", "product_category", "quantity", "unit_price", "discount_pct"),
        compute=revenue_forecast,
    ),
)
