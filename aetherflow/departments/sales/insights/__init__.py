"""What sales is told: the revenue of the next weeks per product category and in all, and what moved it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aetherflow.analytics import columns, combination, forecasting, pooled, seasons, weeks
from aetherflow.departments.sales.insights import answer, forecast, moves, newcomers, reading
from aetherflow.departments.sales.insights.answer import Forecasted, counted
from aetherflow.insight import Given, Headline, Insight, InsightResult

KIND = "revenue_forecast"
METHOD = (
    "Weekly revenue (Monday to Sunday) per category: robust smoothing, Theta, damped trend and a ridge regression over "
    "all categories, on revenue and on number of sales x usual value of a sale, times a yearly index, weighted by a "
    "rolling-origin backtest; split-conformal 80 % and 95 % bands; baseline is the seasonal naive forecast (52 weeks "
    "earlier from two years on, else the last week)"
)
PARAMETERS: dict[str, object] = {
    "steps": forecast.STEPS,
    "least_weeks": forecast.LEAST_WEEKS,
    "longest_weeks": weeks.LONGEST,
    "alphas": list(forecasting.ALPHAS),
    "trend_alphas": list(forecasting.TREND_ALPHAS),
    "trend_betas": list(forecasting.TREND_BETAS),
    "damping": forecasting.DAMPING,
    "robust_bound": forecasting.BOUND,
    "value_window": forecast.VALUE_WINDOW,
    "ridge_penalty": pooled.PENALTY,
    "season_trust": seasons.TRUST,
    "closed_share": seasons.CLOSED,
    "sharpness": combination.SHARPNESS,
    "prior_folds": combination.PRIOR_FOLDS,
    "ended_after_weeks": forecast.SILENT,
    "categories_with_all_models": forecast.FULL,
    "elasticity_weeks": moves.ELASTICITY_WEEKS,
    "new_category_bands": {str(level): list(shares) for level, shares in newcomers.BELOW_AND_ABOVE.items()},
    "models_of_the_others": list(forecast.LIGHT_MODELS),
}


def revenue_forecast(rows: pd.DataFrame, _: Given) -> InsightResult:
    """Revenue of the four whole weeks after the newest date, per category and in all, with 80 % and 95 % bands.

    Revenue = quantity * unit_price * (1 - discount_pct / 100); a missing discount is none. Categories with fewer than
    LEAST_WEEKS whole weeks are listed with an empty forecast and a note; the total counts their mean week.
    """
    sales = reading.read(rows)
    totals = weeks.weekly_totals(
        days=sales.first,
        until=sales.last,
        counts=sales.rows.astype(np.float64),
        groups=sales.categories,
        values=sales.paid,
        size=len(sales.names),
    )
    if totals is None:
        reason = (
            "there is no whole week (Monday to Sunday, or to the usual last trading day) in the data"
            if len(sales.first)
            else "there are no sales with a date, a quantity and a price"
        )
        data: dict[str, object] = {"history_weeks": 0, "categories": [], "top_categories": []}
        data |= {"total": {"history": [], "forecast": []}}
        return _result(f"Not enough data for a forecast, because {reason}.", sales, data)
    known = forecast.known_weeks(totals)
    ready = known >= forecast.LEAST_WEEKS
    made = forecast.forecast(totals, ready) if ready.any() else None
    got = Forecasted(sales=sales, totals=totals, ready=ready, made=made)
    listed = answer.categories(got)
    parts = {} if made is None else answer.expected_next_week(got, made)
    data = {
        "history_weeks": len(totals.weeks),
        "categories": listed,
        "top_categories": answer.top(listed, whole=sum(max(part, 0.0) for part in parts.values())),
        "total": answer.total(got),
    }
    moved = moves.add_moves(data, listed, sales, totals)
    if made is None:
        return _result(
            f"Not enough data for a forecast, because no category has {forecast.LEAST_WEEKS} whole weeks of sales yet; "
            f"the longest has {int(known.max())}.",
            sales,
            data,
        )
    quality = answer.quality(made)
    ahead = made.total_mean[:, 0]
    figures = {
        "next_week": columns.number(ahead[0]),
        "four_weeks": columns.number(ahead.sum()),
        "categories": len(parts),
    }
    return _result(
        f"{_summary(got, made, quality, parts)} {moved}".strip(),
        sales,
        data,
        quality=quality,
        parameters={"folds": made.folds, "weights": answer.weights(got)},
        headline=Headline(figures=figures),
    )


def since(before: Headline, now: Headline) -> str:
    """Such as "Forecast +4 %: 12,480 for the next four weeks instead of 12,000."; "" below half a percent. A sum over
    another number of categories says so."""
    old, new = before.figures.get("four_weeks"), now.figures.get("four_weeks")
    if old is None or new is None or round(old) == round(new):
        return ""
    told = f"{new:,.0f} for the next four weeks instead of {old:,.0f}"
    were, are = before.figures.get("categories"), now.figures.get("categories")
    if were and are and were != are:
        told += f", of {counted(int(are), 'category', 'categories')} instead of {were:,.0f}"
    if old <= 0:
        return f"Forecast {told}."
    change = new / old - 1
    return f"Forecast {change:+.0%}: {told}." if abs(change) >= 0.005 else ""


def _summary(got: Forecasted, made: forecast.Forecast, quality: dict[str, object], parts: dict[str, float]) -> str:
    """`parts`: what each category that the total counts adds to next week."""
    largest = max(parts, key=lambda name: (parts[name], name))
    young = len(made.newcomers.categories)
    text = (
        f"Week of {got.totals.first_forecast}: about {made.total_mean[0, 0]:,.0f} revenue expected over "
        f"{counted(len(parts), 'category', 'categories')}"
        + (f" ({young:,} of them new, at the mean of under {forecast.LEAST_WEEKS} weeks)" if young else "")
        + f", most of it in {largest} ({parts[largest]:,.0f})"
    )
    if quality["model"] is None or quality["baseline"] is None:
        return f"{text}; too short a past to measure the error."
    return (
        f"{text}; in {counted(made.folds, 'backtest', 'backtests')} the forecast was {quality['model']:.0%} "
        f"off on average, the seasonal-naive one {quality['baseline']:.0%}."
    )


def _result(
    summary: str,
    sales: reading.Sales,
    data: dict[str, object],
    *,
    quality: dict[str, object] | None = None,
    parameters: dict[str, object] | None = None,
    headline: Headline | None = None,
) -> InsightResult:
    if sales.unusable:
        summary += f" {counted(sales.unusable, 'row', 'rows')} without a usable date, quantity or price left out."
    summary += sales.strays.told()
    data = {**data, "stray_dates": [end.shown() for end in sales.strays.ends]}
    return InsightResult(
        kind=KIND,
        method=METHOD,
        quality=quality,
        summary=summary,
        data=data,
        parameters=PARAMETERS | (parameters or {}),
        headline=headline or Headline(),
    )


INSIGHTS: tuple[Insight, ...] = (
    Insight(
        kind=KIND,
        label="Revenue forecast",
        version=5,
        columns=reading.COLUMNS,
        rollup=reading.ROLLUP,
        compute=revenue_forecast,
        since=since,
    ),
)
