"""The forecast as JSON, in the shape that dashboards draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aetherflow.analytics import columns
from aetherflow.analytics.columns import Bools, Floats
from aetherflow.analytics.weeks import WeeklyTotals
from aetherflow.departments.sales.insights.forecast import FULL_MODELS, LEAST_WEEKS, STEPS, Forecast, known_weeks
from aetherflow.departments.sales.insights.reading import Sales

TOP = 5
HISTORY_SHOWN = 104
HISTORY_POINTS = 80_000  # of all categories together: with thousands of them each shows a shorter past


@dataclass(frozen=True, kw_only=True)
class Forecasted:
    """The rows, their weeks, which categories are ready, and what was forecast of these; None where none is."""

    sales: Sales
    totals: WeeklyTotals
    ready: Bools
    made: Forecast | None

    @property
    def ready_names(self) -> list[str]:
        return [name for name, is_ready in zip(self.sales.names, self.ready, strict=True) if is_ready]


def counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def quality(made: Forecast) -> dict[str, object]:
    """WAPE of all categories together, each week and category counted by its revenue."""
    usable = np.isfinite(made.backtest.came)
    size = float(np.abs(made.backtest.came[usable]).sum())

    def error(forecast: Floats) -> float | None:
        miss = float(np.abs(forecast - made.backtest.came)[usable].sum())
        return columns.number(miss / size, digits=4) if size > 0 else None

    return {
        "metric": "wape",
        "model": error(made.backtest.made),
        "baseline": error(made.backtest.baseline),
        "folds": made.folds,
    }


def categories(got: Forecasted) -> list[dict[str, object]]:
    """Every category, largest expected next week first, those without a forecast last, by name."""
    totals, made = got.totals, got.made
    count, names = len(totals.weeks), got.sales.names
    shown = max(8, min(HISTORY_SHOWN, HISTORY_POINTS // max(len(names), 1)))
    mondays = totals.weeks.astype(str).tolist()
    known = known_weeks(totals)
    place = np.cumsum(got.ready) - 1
    weekly = _weekly_of_newcomers(made)
    out: list[tuple[float, str, dict[str, object]]] = []
    points = None if made is None else _points(totals, made.mean, made.limits)
    for code, name in enumerate(names):
        begin = max(int(totals.start[code]), count - shown)
        entry: dict[str, object] = {
            "category": name,
            "history": _history(mondays[begin:], totals.totals[begin:, code]),
            "forecast": [],
        }
        if made is None or points is None or not got.ready[code]:
            whole = counted(int(known[code]), "whole week", "whole weeks")
            entry["note"] = f"Not enough history: {whole}, at least {LEAST_WEEKS} are needed."
            if code in weekly:
                entry["note"] = f"{entry['note']} The total counts it with their mean, {weekly[code]:,.2f} a week."
            out.append((np.inf, name, entry))
            continue
        here = int(place[code])
        entry["forecast"] = points[here]
        entry["quality"] = _error(made.wape[here], made.wape_baseline[here])
        if made.ended[here]:
            weeks = counted(int(made.ended[here]), "week", "weeks")
            successor = int(made.replaced_by[here])
            entry["note"] = f"No sale for {weeks}, " + (
                "longer than ever before: taken to have ended."
                if successor < 0
                else f"since {names[successor]} began at a similar size: taken to be replaced by it."
            )
        out.append((-float(np.round(made.mean[0, here], 2)), name, entry))
    out.sort(key=lambda item: item[:2])
    return [entry for _, _, entry in out]


def total(got: Forecasted) -> dict[str, object]:
    """The department's weeks; the forecast is the sum of the categories' forecasts, as shown, cent by cent, and of what
    the new ones are counted with."""
    totals, made = got.totals, got.made
    begin = max(0, len(totals.weeks) - HISTORY_SHOWN)
    history = _history(totals.weeks[begin:].astype(str).tolist(), totals.totals[begin:].sum(axis=1))
    if made is None:
        return {"history": history, "forecast": [], "quality": _error(np.nan, np.nan)}
    new = _new_categories(got, made)
    return {
        "history": history,
        "forecast": _points(totals, made.total_mean, made.total_limits)[0],
        "quality": _error(made.total_wape[0], made.total_wape_baseline[0]),
        "new_categories": new,
        **({"note": note} if (note := _told(new)) else {}),
    }


def expected_next_week(got: Forecasted, made: Forecast) -> dict[str, float]:
    """Every category that the total counts, with its part of next week."""
    shown = dict(zip(got.ready_names, np.round(made.mean[0], 2).tolist(), strict=True))
    names = got.sales.names
    return shown | {names[code]: each * float(made.closed[0]) for code, each in _weekly_of_newcomers(made).items()}


def _weekly_of_newcomers(made: Forecast | None) -> dict[int, float]:
    if made is None:
        return {}
    return dict(zip(made.newcomers.categories.tolist(), made.newcomers.weekly.tolist(), strict=True))


def _new_categories(got: Forecasted, made: Forecast) -> dict[str, object]:
    totals, new = got.totals, made.newcomers
    newest = float(totals.totals[-1].sum())
    share = float(totals.totals[-1, new.categories].sum()) / newest if newest > 0 else np.nan
    unseen = np.unique(got.sales.categories[got.sales.last > totals.weeks[-1]])
    return {
        "categories": len(new.categories),
        "weekly_revenue": columns.number(new.weekly.sum()),
        "share_of_last_week": columns.optional(share, digits=4),
        "without_a_whole_week": int((totals.start[unseen] == len(totals.weeks)).sum()),
    }


def _told(new: dict[str, object]) -> str:
    """What a reader of the total has to know of new categories; "" where there are none."""
    parts = []
    if count := int(str(new["categories"])):
        share = new["share_of_last_week"]
        parts.append(
            f"Counts {counted(count, 'new category', 'new categories')} with the mean of under {LEAST_WEEKS} whole "
            f"weeks, {float(str(new['weekly_revenue'])):,.2f} a week"
            + (f" ({float(str(share)):.0%} of last week's revenue)" if share is not None else "")
            + ", which makes the bands wide."
        )
    if count := int(str(new["without_a_whole_week"])):
        verb = "is" if count == 1 else "are"
        parts.append(f"{counted(count, 'category', 'categories')} without a whole week yet {verb} not counted.")
    return " ".join(parts)


def top(listed: list[dict[str, object]], *, whole: float) -> list[dict[str, object]]:
    """The largest categories of next week with their share of `whole`, all positive forecasts of it."""
    expected = [
        (str(entry["category"]), float(forecast[0]["revenue"]))
        for entry in listed
        if isinstance(forecast := entry["forecast"], list) and forecast
    ]
    return [
        {
            "category": name,
            "next_week_revenue": columns.number(revenue),
            "share": columns.number(max(revenue, 0.0) / whole, digits=4) if whole > 0 else 0.0,
        }
        for name, revenue in expected[:TOP]
    ]


def weights(got: Forecasted) -> dict[str, object]:
    """Category to the models it is made of and their weights, of the categories that all models were tried on."""
    if got.made is None:
        return {}
    names = got.ready_names
    return {
        names[place]: {
            model: columns.number(weight, digits=3)
            for model, weight in zip(FULL_MODELS, column, strict=True)
            if weight >= 0.0005
        }
        for place, column in sorted(got.made.weights.items())
    }


def _history(mondays: list[str], values: Floats) -> list[dict[str, object]]:
    rounded = (np.round(values, 2) + 0.0).tolist()
    return [{"week_start": week, "revenue": value} for week, value in zip(mondays, rounded, strict=True)]


def _error(model: float, baseline: float) -> dict[str, object]:
    return {
        "metric": "wape",
        "model": columns.optional(model, digits=4),
        "baseline": columns.optional(baseline, digits=4),
    }


def _points(
    totals: WeeklyTotals, mean: Floats, limits: Mapping[float, tuple[Floats, Floats]]
) -> list[list[dict[str, object]]]:
    """Per series its STEPS points, rounded to cents."""
    ahead = (totals.first_forecast + np.arange(STEPS) * np.timedelta64(7, "D")).astype(str).tolist()
    (lower80, upper80), (lower95, upper95) = limits[0.80], limits[0.95]
    # Rounding must not push a bound past the forecast.
    middle = np.round(mean, 2)
    lower = np.minimum(np.round(np.stack([lower80, lower95]), 2), middle)
    upper = np.maximum(np.round(np.stack([upper80, upper95]), 2), middle)
    stacked = np.stack([middle, lower[0], upper[0], lower[1], upper[1]]) + 0.0
    keys = ("revenue", "lower80", "upper80", "lower95", "upper95")
    return [
        [
            {"week_start": week, **dict(zip(keys, values, strict=True))}
            for week, values in zip(ahead, series, strict=True)
        ]
        for series in stacked.transpose(2, 1, 0).tolist()
    ]
