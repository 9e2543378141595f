"""Figures that are strange together, on ledgers small enough to count them by hand."""

import numpy as np
import pytest

from aetherflow.analytics import together
from tests.aetherflow.analytics.test_spending import floats, ints


def test_a_share_counts_the_others_and_is_drawn_towards_the_ledgers():
    got = together.share_of(ints(0, 0, 0, 0, 1), ints(0, 0, 0, 0, 0))
    assert got.same.tolist() == [3, 3, 3, 3, 0]
    assert got.others.tolist() == [4] * 5
    # Three rows' worth of the ledger's four fifths and one fifth.
    assert got.rarity == pytest.approx([-np.log10(5.4 / 7)] * 4 + [-np.log10(0.6 / 7)])


def test_a_share_of_what_is_not_known_or_among_two_others_says_nothing():
    got = together.share_of(ints(0, 0, 0, -1, 1, 1, 1, 1), ints(0, 0, 0, 1, 1, 1, 1, -1))
    assert np.isnan(got.rarity).tolist() == [True, True, True, True, False, False, False, True]


def crossed(count=400):
    """Two payees, each with a place and a way to be paid of its own; the last row is of the first payee, there where
    and paid as the second always is."""
    payee = ints(*[row % 2 for row in range(count)], 0)
    place = ints(*[row % 2 for row in range(count)], 1)
    return payee, place, place.copy()


def judged(payee, place, way, *, score=None, tie=None):
    size = len(payee)
    return together.judged(
        score=np.random.default_rng(1).normal(0, 1, size) if score is None else score,
        shares={"place": together.share_of(place, payee), "way": together.share_of(way, payee)},
        tie=np.arange(size) if tie is None else tie,
    )


def test_what_is_usual_for_one_payee_is_strange_for_another():
    got = judged(*crossed())
    test = got.test()
    assert test.fired[400]
    assert test.probability.argmin() == 400
    # To be the first of 401 to all voices would be half a place of them.
    assert test.probability[400] == pytest.approx(0.5 / 401, rel=0.2)
    assert set(got.figures_at(400)) >= {"place", "way"}
    assert got.counts_at(400, "place") == (0, 200)


def test_one_figure_alone_is_left_to_its_own_test():
    size = 401
    same = np.zeros(size, dtype=np.int64)
    score = np.random.default_rng(1).normal(0, 1, size)
    score[400] = 50.0
    got = judged(same, same, same, score=score)
    assert not got.test().fired.any()


@pytest.mark.parametrize("size", [1, 2, together.LEAST_ROWS - 1])
def test_among_a_few_rows_nothing_is_rare(size):
    payee, place, way = crossed(size - 1)
    assert not judged(payee, place, way).test().fired.any()


@pytest.mark.parametrize("code", [0, -1], ids=["all equal", "nothing known"])
def test_where_no_two_rows_differ_nothing_fires(code):
    same = np.full(300, code, dtype=np.int64)
    got = judged(same, same, same, score=np.zeros(300)).test()
    assert not got.fired.any()
    assert got.probability.tolist() == [1.0] * 300


def test_scores_without_bounds_leave_finite_chances():
    score = floats(*np.random.default_rng(2).normal(0, 1, 399), 1e300, -1e300)
    got = judged(*crossed(), score=score).test()
    assert np.isfinite(got.probability).all()
    assert ((got.probability > 0) & (got.probability <= 1)).all()


def test_of_many_rows_the_rarest_are_judged_against_a_sample_in_whatever_order_they_come(monkeypatch):
    monkeypatch.setattr(together, "SCORED", 40)
    monkeypatch.setattr(together, "REFERENCES", 250)
    monkeypatch.setattr(together, "PART", 150)
    payee, place, way = crossed()
    score = np.random.default_rng(1).normal(0, 1, 401)
    got = judged(payee, place, way, score=score)
    assert len(got.rows) == 40
    assert got.test().probability.argmin() == 400
    there = np.random.default_rng(3).permutation(401)
    again = judged(payee[there], place[there], way[there], score=score[there], tie=there)
    assert again.test().probability.tobytes() == got.test().probability[there].tobytes()
