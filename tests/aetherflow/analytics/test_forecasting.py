"""Forecasters and their combination on series small enough to follow by hand."""

import numpy as np
import pytest

from aetherflow.analytics import bands, combination, forecasting, pooled, seasons


def column(*values):
    return np.array(values, dtype=float)[:, None], np.zeros(1, dtype=np.int64)


def level(values, begin, origins, **options):
    return forecasting.smoothing(values, begin, np.asarray(origins), **options).level


def test_smoothing_opens_with_the_mean_of_four_weeks_then_moves_by_alpha_times_the_error():
    totals, begin = column(10, 20, 30, 40, 100)
    levels = level(totals, begin, [4, 5])
    assert levels[0, 0] == 25
    # at origin 5 all alphas erred alike (75), so the first and smallest is taken: 25 + 0.02 * 75
    assert levels[1, 0] == pytest.approx(26.5)


@pytest.mark.parametrize("bound", [None, forecasting.BOUND])
def test_smoothing_follows_a_jump_that_stays(bound):
    totals, begin = column(*[10] * 6, *[100] * 40)
    assert level(totals, begin, [46], bound=bound)[0, 0] == pytest.approx(100, abs=2)


def test_robust_smoothing_hardly_follows_one_huge_order():
    totals, begin = column(*[90, 110] * 20, 5_000, *[90, 110] * 2)
    plain, robust = level(totals, begin, [41])[0, 0], level(totals, begin, [41], bound=forecasting.BOUND)[0, 0]
    assert plain > 150
    assert robust == pytest.approx(100, abs=15)


def test_a_series_that_begins_later_is_forecast_as_if_it_stood_alone():
    totals, _ = column(0, 0, 0, 10, 20, 30, 40, 100)
    assert level(totals, np.array([3]), [7])[0, 0] == 25
    assert np.isnan(level(totals, np.array([3]), [3])[0, 0])


def test_theta_adds_half_the_trend():
    totals, begin = column(*range(0, 100, 2))
    smoothed = forecasting.Smoothed(level=np.array([[98.0]]), alpha=np.array([[0.8]]))
    got = forecasting.theta(totals, begin, np.array([50]), smoothed, lead=1, steps=3)
    # slope 2, half of it 1; 1 / 0.8 - 1 = 0.25 at the start, then 1 a week
    assert got[0, :, 0] == pytest.approx([98 + 1.25, 98 + 2.25, 98 + 3.25])


def test_damped_trend_continues_a_line_ever_more_slowly():
    totals, begin = column(*range(0, 200, 2))
    ahead = forecasting.damped_trend(totals, begin, np.array([100]), lead=1, steps=4)[0, :, 0]
    steps = np.diff(ahead)
    assert (steps > 0).all()
    assert steps[1] / steps[0] == pytest.approx(forecasting.DAMPING)


def test_recent_median_takes_the_usable_values_of_the_window():
    values, _ = column(1000, 1, 2, 9, 4, 7)
    usable = np.array([[True], [True], [True], [False], [True], [True]])
    assert forecasting.recent_median(values, usable, np.array([1, 5, 6]), window=5)[:, 0].tolist() == [1000, 3, 3]


def test_seasonal_naive_repeats_last_year_from_two_years_on():
    totals, begin = column(*range(110))
    got = forecasting.seasonal_naive(totals, begin, np.array([60, 110]), np.arange(110), lead=1, steps=4)
    assert got[0, :, 0].tolist() == [59, 59, 59, 59]
    assert got[1, :, 0].tolist() == [58, 59, 60, 61]


def test_the_yearly_index_lifts_the_week_that_was_twice_the_level_before():
    year = [100.0] * 52
    year[29:32] = [200.0] * 3
    totals, begin = column(*year, *year, *year[:30])
    got = seasons.shared_index(totals, begin, np.array([134]), np.arange(134), lead=1, steps=1)
    # weeks 29..31 are 200; the eight weeks before week 30 are seven of 100 and one of 200 = 112.5 on average
    assert got[0, 0] == pytest.approx(1 + 0.5 * (200 / 112.5 - 1))


def test_a_week_almost_without_sales_is_a_closure_only_where_that_cannot_be_chance():
    busy = np.array([*[200.0] * 10, 3, *[200.0] * 10])
    assert np.flatnonzero(seasons.closures(busy)).tolist() == [10]
    quiet = np.array([*[4.0] * 10, 0, 1, *[4.0] * 10])
    assert np.flatnonzero(seasons.closures(quiet)).tolist() == [10]


def test_the_pooled_regression_learns_what_all_series_share():
    rng = np.random.default_rng(3)
    size = rng.uniform(50, 5_000, 30)
    totals = np.where(np.arange(100)[:, None] % 2 == 0, 1.5, 0.5) * size * rng.uniform(0.95, 1.05, (100, 30))
    begin = np.zeros(30, dtype=np.int64)
    got = pooled.pooled_ridge(totals, begin, np.array([100]), lead=1, steps=2)
    assert got[0, 0] / size == pytest.approx(np.full(30, 1.5), rel=0.15)
    assert got[0, 1] / size == pytest.approx(np.full(30, 0.5), rel=0.15)


def test_no_forecaster_sees_beyond_its_origin():
    rng = np.random.default_rng(1)
    totals = rng.gamma(2, 50, (130, 3))
    begin = np.array([0, 5, 40])
    origins = np.array([60, 110])
    spoiled = totals.copy()
    spoiled[110:] = 1e9

    def all_of(values):
        smoothed = forecasting.smoothing(values, begin, origins)
        robust = forecasting.smoothing(values, begin, origins, bound=2.0)
        index = seasons.shared_index(values, begin, origins, np.arange(130), lead=1, steps=4)
        return np.stack(
            [
                forecasting.flat(robust.level, steps=4) * index[:, :, None],
                forecasting.theta(values, begin, origins, smoothed, lead=1, steps=4),
                forecasting.damped_trend(values, begin, origins, lead=1, steps=4),
                pooled.pooled_ridge(values, begin, origins, lead=1, steps=4),
                forecasting.seasonal_naive(values, begin, origins, np.arange(130), lead=1, steps=4),
            ]
        )

    assert np.array_equal(all_of(totals), all_of(spoiled))


def test_smoothing_and_theta_are_the_libraries():
    models = pytest.importorskip("statsforecast.models", reason="the public models are not at hand")
    rng = np.random.default_rng(8)
    values = 500 + np.cumsum(rng.normal(2, 30, 80))
    totals, begin = column(*values)
    smoothed = forecasting.smoothing(totals, begin, np.array([80]))
    alpha = float(smoothed.alpha[0, 0])
    theirs = models.SimpleExponentialSmoothing(alpha=alpha).forecast(y=values, h=1)["mean"][0]
    assert smoothed.level[0, 0] == pytest.approx(theirs, rel=0.01)
    got = forecasting.theta(totals, begin, np.array([80]), smoothed, lead=1, steps=4)[0, :, 0]
    assert got == pytest.approx(models.Theta(season_length=1).forecast(y=values, h=4)["mean"], rel=0.03)


def test_the_backtest_ends_one_target_before_the_present():
    assert combination.fold_origins(weeks=12, lead=1, least=4).tolist() == [4, 5, 6, 7, 8, 9, 10, 11]
    assert combination.fold_origins(weeks=12, lead=2, least=4).tolist() == [4, 5, 6, 7, 8, 9, 10]
    assert combination.fold_origins(weeks=4, lead=1, least=4).tolist() == []
    assert len(combination.fold_origins(weeks=200, lead=1, least=4)) == 24


def test_the_model_that_was_right_gets_the_weight_and_the_wape_is_the_hand_made_one():
    totals, begin = column(130.0, *[98.0, 102.0] * 20)
    totals = totals[:40]
    origins = np.append(combination.fold_origins(weeks=40, lead=1, least=4), 40)
    good = np.full((len(origins), 4, 1), 100.0)
    bad = np.full((len(origins), 4, 1), 110.0)
    got = combination.combine(np.stack([good, bad]), bad, totals=totals, begin=begin, origins=origins, lead=1, least=4)
    assert got.weights[0, 0] > 0.9
    assert got.mean[0, 0] == pytest.approx(100, abs=1)
    assert len(got.came) == 24
    # the baseline is 8 or 12 off in turn on weeks of 102 or 98; the combination starts with equal weights, then learns
    assert combination.wape(got.baseline, got.came)[0] == pytest.approx(0.1, abs=0.002)
    assert 0.02 <= combination.wape(got.made, got.came)[0] < 0.05


def test_the_sum_of_series_has_its_own_errors():
    totals = np.array([[10.0, 30.0]] * 20)
    totals[::2] += [4.0, -4.0]
    begin = np.zeros(2, dtype=np.int64)
    origins = np.append(combination.fold_origins(weeks=20, lead=1, least=4), 20)
    flat = np.broadcast_to(np.array([12.0, 28.0]), (len(origins), 4, 2)).copy()
    got = combination.combine(flat[None], flat, totals=totals, begin=begin, origins=origins, lead=1, least=4)
    whole = combination.summed(got, totals.sum(axis=1, keepdims=True))
    assert whole.mean[:, 0].tolist() == [40.0] * 4
    assert combination.wape(whole.made, whole.came)[0] == 0.0
    assert (combination.wape(got.made, got.came) > 0).all()


def test_bands_are_the_residuals_quantiles_stretched_for_few_folds():
    residuals = np.linspace(-1, 1, 101)[:, None, None]
    got = bands.residual_bands(np.array([[50.0]]), residuals, scale=np.array([10.0]), folds=9)
    share = 0.8 * (1 + 1 / 101)
    # The sizes are 0, 0.02 twice, 0.04 twice and so on: their quantile lies between the 81st, 0.80, and the 82nd.
    even = 0.80 + 0.02 * (100 * share - 80)
    half = 10 * (share * 2 / 3 + even / 3) * (1 + 1.2 / np.sqrt(36))
    assert got[0.80][0][0, 0] == pytest.approx(50 - half)
    assert got[0.80][1][0, 0] == pytest.approx(50 + half)
    assert got[0.95][1][0, 0] > got[0.80][1][0, 0]


def test_a_third_of_a_side_has_no_side():
    residuals = np.linspace(0, 1, 101)[:, None, None]
    got = bands.residual_bands(np.zeros((1, 1)), residuals, scale=np.ones(1), folds=9)
    share = 0.8 * (1 + 1 / 101)
    low, high = (1 - share) / 2, (1 + share) / 2
    assert got[0.80][0][0, 0] == pytest.approx(1.2 * (2 * low - share) / 3)
    assert got[0.80][1][0, 0] == pytest.approx(1.2 * (2 * high + share) / 3)


def test_series_without_errors_have_bands_without_width():
    zeros, ones = np.zeros((30, 1, 5)), np.repeat(np.linspace(-1, 1, 30)[:, None, None], 5, axis=2)
    residuals = np.concatenate([zeros, ones], axis=2)
    size = np.repeat([1_000.0, 10.0], 5)
    got = bands.bands_by_kind(np.full((1, 10), 9.0), residuals, scale=np.ones(10), size=size, folds=30)
    width = got[0.95][1] - got[0.95][0]
    assert np.isfinite(width).all()
    assert (width[0, :5] < width[0, 5:]).all()


def test_steady_and_restless_series_have_bands_of_their_own():
    rng = np.random.default_rng(9)
    spread = np.repeat([1.0, 3.0], 5)
    residuals = rng.normal(0, spread, (50, 1, 10))
    mean = np.full((1, 10), 100.0)
    size = np.where(spread > 1, 10.0, 1_000.0)
    got = bands.bands_by_kind(mean, residuals, scale=np.ones(10), size=size, folds=50)
    width = (got[0.80][1] - got[0.80][0])[0]
    assert width[:5] == pytest.approx(np.full(5, 2 * 1.28), rel=0.25)
    assert width[5:] == pytest.approx(np.full(5, 6 * 1.28), rel=0.25)


def test_bands_hold_what_they_promise_on_noise():
    rng = np.random.default_rng(7)
    totals = rng.normal(1000, 100, (120, 40))
    begin = np.zeros(40, dtype=np.int64)
    origins = np.append(combination.fold_origins(weeks=116, lead=1, least=4), 116)
    mean = forecasting.flat(level(totals, begin, origins), steps=4)
    got = combination.combine(mean[None], mean, totals=totals[:116], begin=begin, origins=origins, lead=1, least=4)
    residuals = (got.came - got.made) / got.scale[:-1, None, :]
    made = bands.residual_bands(got.mean, residuals, scale=got.scale[-1], folds=len(got.came))
    came = totals[116:]
    for promised, least, most in ((0.80, 0.75, 0.93), (0.95, 0.92, 1.0)):
        low, high = made[promised]
        assert least <= ((came >= low) & (came <= high)).mean() <= most
