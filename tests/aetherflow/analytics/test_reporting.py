"""Which items are taken to be reported no more."""

import numpy as np
import pytest

from aetherflow.analytics.reporting import reporting


def judged(*histories, places=None):
    """Of items given as the days of their snapshots, counted from any day."""
    items = np.repeat(np.arange(len(histories)), [len(history) for history in histories])
    days = np.datetime64("2026-01-05") + np.concatenate(histories).astype(int)
    shuffled = np.random.default_rng(1).permutation(len(items))
    given = np.zeros(len(histories), dtype=np.int64) if places is None else np.array(places)
    return reporting(items=items[shuffled], days=days[shuffled], places=given)


WEEKLY = np.arange(0, 26 * 7, 7)


def test_an_item_that_misses_more_than_two_weekly_snapshots_has_ended():
    got = judged(WEEKLY, WEEKLY[:-2], WEEKLY[:-3], WEEKLY[:-4], WEEKLY[:1])
    assert got.ended.tolist() == [False, False, True, True, True]
    assert got.behind.tolist() == [0, 14, 21, 28, 175]


def test_daily_snapshots_may_be_missed_for_two_weeks():
    daily = np.arange(60)
    assert judged(daily, daily[:-14], daily[:-15]).ended.tolist() == [False, False, True]


@pytest.mark.parametrize("behind", [0, 3, 6, 13])
def test_a_warehouse_that_counts_on_other_days_is_judged_by_its_own(behind):
    assert not judged(WEEKLY, WEEKLY, WEEKLY - behind, WEEKLY - behind, places=[0, 0, 1, 1]).ended.any()


def test_a_warehouse_that_counts_once_a_quarter_is_judged_by_its_own_rhythm():
    quarterly = np.array([0, 91])
    got = judged(WEEKLY, quarterly, quarterly - 91, places=[0, 1, 1])
    assert got.ended.tolist() == [False, False, False]
    # and ends with all its items when it is silent for longer than twice that
    assert judged(WEEKLY + 200, quarterly, quarterly, places=[0, 1, 1]).ended.tolist() == [False, True, True]


def test_shelves_that_are_counted_in_turn_are_all_reported():
    cycle = [np.arange(first, 150, 30) for first in range(30)]
    assert not judged(*cycle).ended.any()


def test_an_item_that_is_counted_more_rarely_than_others_is_judged_by_itself():
    assert not judged(WEEKLY, WEEKLY, np.array([0, 60, 120])).ended.any()


def test_where_nothing_was_seen_twice_two_months_are_allowed():
    assert judged([0], [62], [70]).ended.tolist() == [True, False, False]
