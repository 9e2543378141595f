"""The revenue of the next weeks, per category and in all, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from aetherflow.analytics import bands, combination, forecasting, pooled, seasons
from aetherflow.analytics.columns import Bools, Floats, Ints
from aetherflow.analytics.weeks import WeeklyTotals
from aetherflow.departments.sales.insights.newcomers import Newcomers, newcomers
from aetherflow.departments.sales.insights.renaming import successors

STEPS = 4
LEAST_WEEKS = 4  # below it a level is guesswork: one odd week is a third of all that is known
FULL = 300  # the largest categories by the last year's revenue get all models, the others the two smoothing ones
VALUE_WINDOW = 26  # weeks whose median is the usual value of one sale
SILENT = 13  # a quarter without a sale, and more than twice as long as ever before: the category has ended
MOST_GROWN = 4.0  # times the usual change of a fold: the first shock of a steady category is no multiple of nothing
FULL_MODELS = (
    "robust smoothing", "theta", "damped trend", "pooled ridge",
    "sales x value, smoothing", "sales x value, theta", "sales x value, damped trend", "sales x value, pooled ridge",
)  # fmt: skip
LIGHT_MODELS = (FULL_MODELS[0], FULL_MODELS[4])


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Forecast of the `ready` categories (G of all), STEPS weeks.

    mean: (STEPS, G). limits: level to (lower, upper), each (STEPS, G). total_limits: likewise with G = 1, around
    the sum of the categories and the newcomers. wape, wape_baseline: (G,) backtest error per category, NaN where there
    is none. total_wape, total_wape_baseline: of the summed series, without newcomers. folds: origins of the backtest
    with at least one week that has passed. weights: category's place among the ready ones to its models' weights, for
    those with all models. ended: (G,) weeks without a sale where the category is taken to have ended, else 0.
    replaced_by: (G,) code of the category that took its place, -1 for none. closed: (STEPS,) share of a usual week
    to be expected where the same week of earlier years was closed, else 1.
    """

    mean: Floats
    limits: Mapping[float, tuple[Floats, Floats]]
    total_limits: Mapping[float, tuple[Floats, Floats]]
    backtest: combination.Combined
    wape: Floats
    wape_baseline: Floats
    total_wape: Floats
    total_wape_baseline: Floats
    folds: int
    weights: Mapping[int, Floats]
    ended: Ints
    replaced_by: Ints
    closed: Floats
    newcomers: Newcomers

    @property
    def total_mean(self) -> Floats:
        """(STEPS, 1): the sum of what is shown, cent by cent."""
        return np.asarray(np.round(self.mean, 2).sum(axis=1, keepdims=True) + self.newcomers.ahead(self.closed))


@dataclass(frozen=True, kw_only=True)
class _Table:
    """The open weeks of the ready categories; see analytics.forecasting for begin and calendar."""

    revenue: Floats
    sales: Floats
    begin: Ints
    calendar: Ints
    origins: Ints
    lead: int

    def of(self, chosen: Ints) -> _Table:
        return _Table(
            revenue=self.revenue[:, chosen],
            sales=self.sales[:, chosen],
            begin=self.begin[chosen],
            calendar=self.calendar,
            origins=self.origins,
            lead=self.lead,
        )

    def as_one(self) -> _Table:
        """All categories together as one."""
        return replace(
            self,
            revenue=self.revenue.sum(axis=1, keepdims=True),
            sales=self.sales.sum(axis=1, keepdims=True),
            begin=self.begin.min(keepdims=True),
        )

    @property
    def varies(self) -> Bools:
        """(G,): whether a category's weeks ever differed since its first."""
        known = np.arange(len(self.revenue))[:, None] >= self.begin
        changed = np.asarray(np.diff(self.revenue, axis=0) != 0) & known[:-1]
        return np.asarray(changed.any(axis=0))


def open_weeks(totals: WeeklyTotals) -> Bools:
    """Weeks (T,) that say something of demand: the department was open."""
    return ~seasons.closures(totals.rows.sum(axis=1))


def known_weeks(totals: WeeklyTotals) -> Ints:
    """Open weeks (G,) of each category since its first."""
    after = np.append(np.cumsum(open_weeks(totals)[::-1])[::-1], 0)
    return np.asarray(after[totals.start], dtype=np.int64)


def forecast(totals: WeeklyTotals, ready: Bools) -> Forecast:
    """The four weeks from totals.first_forecast on for the `ready` categories (at least one), from the open weeks."""
    table = _table(totals, ready)
    recent = np.abs(table.revenue[-forecasting.YEAR :]).sum(axis=0)
    order = np.argsort(-recent, kind="stable")
    full, light = np.sort(order[:FULL]), np.sort(order[FULL:])
    main = _combined(table.of(full), _full(table.of(full)))
    parts = [main] if not len(light) else [main, _combined(table.of(light), _light(table.of(light)))]
    both = combination.side_by_side(parts, np.argsort(np.append(full, light), kind="stable"))
    whole = combination.summed(both, table.as_one().revenue)
    folds = int(np.isfinite(both.came).any(axis=(1, 2)).sum())
    is_open = open_weeks(totals)
    replaced_by = successors(totals.totals[is_open], totals.rows[is_open] > 0)[ready]
    ended, closed = np.where(replaced_by < 0, _ended(table), _silent(table)), _closing(totals)
    alive = np.where(ended > 0, 0.0, 1.0)
    mean = both.mean * alive * closed[:, None]
    limits = {
        level: (lower * alive * closed[:, None], np.where(ended > 0, upper if level > 0.9 else 0.0, upper))
        for level, (lower, upper) in _bands(both, mean / closed[:, None], table, folds).items()
    }
    new = newcomers(totals, ready=ready, known=known_weeks(totals), is_open=is_open)
    summed = mean.sum(axis=1, keepdims=True)
    total_limits = {
        level: _with_newcomers(summed, (lower * closed[:, None], upper), new, level=level, closed=closed)
        for level, (lower, upper) in _bands(whole, summed / closed[:, None], table.as_one(), folds).items()
    }
    never_negative = np.asarray((totals.totals[:, ready] >= 0).all(axis=0))
    return Forecast(
        mean=mean,
        limits=_nested(limits, never_negative),
        total_limits=_nested(total_limits, np.asarray([bool((totals.totals.sum(axis=1) >= 0).all())])),
        backtest=both,
        wape=combination.wape(both.made, both.came),
        wape_baseline=combination.wape(both.baseline, both.came),
        total_wape=combination.wape(whole.made, whole.came),
        total_wape_baseline=combination.wape(whole.baseline, whole.came),
        folds=folds,
        weights={int(place): main.weights[:, column] for column, place in enumerate(full)},
        ended=ended,
        replaced_by=replaced_by,
        closed=closed,
        newcomers=new,
    )


def _with_newcomers(
    mean: Floats, limits: tuple[Floats, Floats], new: Newcomers, *, level: float, closed: Floats
) -> tuple[Floats, Floats]:
    """The total's band moved by what newcomers add; their errors and those of the others are independent."""
    ahead, (below, above) = mean + new.ahead(closed), new.widths(level, closed)
    return ahead - np.hypot(mean - limits[0], below), ahead + np.hypot(limits[1] - mean, above)


def _table(totals: WeeklyTotals, ready: Bools) -> _Table:
    is_open = open_weeks(totals)
    calendar = np.flatnonzero(is_open)
    begin = np.searchsorted(calendar, totals.start[ready])
    count = len(calendar)
    folds = combination.fold_origins(weeks=count, lead=totals.lead, least=LEAST_WEEKS)
    # The newest open week stands for the newest whole one: `lead` counts from there.
    calendar = np.append(calendar[:-1], len(totals.weeks) - 1)
    return _Table(
        revenue=totals.totals[is_open][:, ready],
        sales=totals.rows[is_open][:, ready],
        begin=begin.astype(np.int64),
        calendar=calendar,
        origins=np.append(folds, count),
        lead=totals.lead,
    )


def _full(table: _Table) -> Floats:
    """Candidates (models, O, STEPS, G) in the order of FULL_MODELS.

    Four methods on the revenue, and the same four on the number of sales times the usual value of one: counts are far
    steadier than money where one large order makes a week (frequency and size apart, as Croston 1972, Operational
    Research Quarterly 23, and Teunter, Syntetos & Babai 2011, EJOR 214, do for intermittent demand).
    """
    value = _value_of_a_sale(table)
    revenue = _four(table, table.revenue, bound=forecasting.BOUND)
    sales = _four(table, table.sales, bound=None) * value[:, None, :]
    return np.concatenate([revenue, sales])


def _four(table: _Table, values: Floats, *, bound: float | None) -> Floats:
    begin, origins, lead = table.begin, table.origins, table.lead
    plain = forecasting.smoothing(values, begin, origins)
    level = plain if bound is None else forecasting.smoothing(values, begin, origins, bound=bound)
    index = seasons.shared_index(values, begin, origins, table.calendar, lead=lead, steps=STEPS)
    made = np.stack(
        [
            forecasting.flat(level.level, steps=STEPS),
            forecasting.theta(values, begin, origins, plain, lead=lead, steps=STEPS),
            forecasting.damped_trend(values, begin, origins, lead=lead, steps=STEPS),
            pooled.pooled_ridge(values, begin, origins, lead=lead, steps=STEPS),
        ]
    )
    return made * index[None, :, :, None]


def _light(table: _Table) -> Floats:
    """Candidates in the order of LIGHT_MODELS."""
    revenue = forecasting.smoothing(table.revenue, table.begin, table.origins, bound=forecasting.BOUND)
    sales = forecasting.smoothing(table.sales, table.begin, table.origins)
    levels = (revenue.level, sales.level * _value_of_a_sale(table))
    return np.stack([forecasting.flat(level, steps=STEPS) for level in levels])


def _value_of_a_sale(table: _Table) -> Floats:
    sold = table.sales > 0
    value = np.where(sold, table.revenue / np.where(sold, table.sales, 1.0), 0.0)
    return forecasting.recent_median(value, sold, table.origins, window=VALUE_WINDOW)


def _combined(table: _Table, candidates: Floats) -> combination.Combined:
    baseline = forecasting.seasonal_naive(
        table.revenue, table.begin, table.origins, table.calendar, lead=table.lead, steps=STEPS
    )
    return combination.combine(
        candidates,
        baseline,
        totals=table.revenue,
        begin=table.begin,
        origins=table.origins,
        lead=table.lead,
        least=LEAST_WEEKS,
    )


def _bands(
    combined: combination.Combined, mean: Floats, table: _Table, folds: int
) -> Mapping[float, tuple[Floats, Floats]]:
    unit = np.where(combined.scale > 0, combined.scale, 1.0)
    then = np.maximum(unit[:-1], unit[-1:] / MOST_GROWN)
    residuals = (combined.came - combined.made) / then[:, None, :]
    size = np.abs(np.where(np.isfinite(combined.came), combined.came, 0.0)).sum(axis=(0, 1))
    limits = bands.bands_by_kind(mean, residuals, scale=combined.scale[-1], size=size, folds=folds)
    return bands.not_certain(limits, mean, scale=combined.scale[-1], varies=table.varies)


def _nested(limits: Mapping[float, tuple[Floats, Floats]], never_negative: Bools) -> dict[float, tuple[Floats, Floats]]:
    """The wider band holds the narrower one; nothing is below 0 where revenue never was."""
    out: dict[float, tuple[Floats, Floats]] = {}
    lower, upper = limits[min(limits)]
    for level in sorted(limits):
        lower, upper = np.minimum(lower, limits[level][0]), np.maximum(upper, limits[level][1])
        out[level] = (np.where(never_negative, np.maximum(lower, 0.0), lower), upper)
    return out


def _ended(table: _Table) -> Ints:
    """Open weeks (G,) since the last sale, where that is SILENT or more and over twice the longest silence before."""
    count, series = table.sales.shape
    silent, longest = np.zeros(series, dtype=np.int64), np.zeros(series, dtype=np.int64)
    for t in range(count):
        sold = table.sales[t] > 0
        longest = np.where(sold, np.maximum(longest, silent), longest)
        silent = np.where(sold | (t < table.begin), 0, silent + 1)
    return np.where((silent >= SILENT) & (silent > 2 * longest), silent, 0)


def _silent(table: _Table) -> Ints:
    """Open weeks (G,) since the last sale."""
    return np.asarray((table.sales[::-1] > 0).argmax(axis=0), dtype=np.int64)


def _closing(totals: WeeklyTotals) -> Floats:
    """Share (STEPS,) of a usual week's sales to expect where every known earlier year was closed in that week."""
    sales = totals.rows.sum(axis=1)
    shut = seasons.closures(sales)
    out = np.ones(STEPS)
    for step in range(STEPS):
        target = len(sales) - 1 + totals.lead + step
        earlier = [then for years in seasons.YEARS if 0 <= (then := target - years * forecasting.YEAR) < len(sales)]
        usual = [float(np.median(sales[max(0, then - 8) : then + 9])) for then in earlier]
        # Where whole stretches were not recorded there is no usual week, and nothing is known of that one.
        if earlier and all(shut[then] for then in earlier) and all(each >= seasons.LEAST_USUAL for each in usual):
            shares = [sales[then] / each for then, each in zip(earlier, usual, strict=True)]
            out[step] = (sum(shares) + 1) / (len(shares) + 1)
    return out
