"""The generic detector on tables small enough to see which row is the strange one."""

import numpy as np
import pytest

from aetherflow.analytics.detector import by_histograms, by_neighbours, components, standardised, strangeness

CLOUD = np.random.default_rng(3).normal(0, 1, (200, 3))


def test_a_row_far_from_all_others_is_the_strangest():
    table = np.vstack([CLOUD, [8.0, -8.0, 8.0]])
    got = strangeness(table)
    assert got.argmax() == 200
    # To be the first of 201 to all voices would be -ln(1 - 200.5 / 201).
    assert 0.9 * np.log(402) < got[200] <= np.log(402)


def test_values_that_are_usual_by_themselves_but_not_together_are_strange():
    along = np.linspace(-1, 1, 200)
    table = np.column_stack([along, along])
    got = strangeness(np.vstack([table, [0.5, -0.5]]))
    assert (got > got[200]).mean() < 0.05


def test_histograms_add_what_each_column_says():
    # Six rows, five bins a column: five rows in the first bin and one in the last; the second column never varies.
    table = np.array([[0.0, 1.0]] * 5 + [[1.0, 1.0]])
    constant = -np.log(7 / 11)
    assert by_histograms(table) == pytest.approx(
        [-np.log(6 / 11) + constant] * 5 + [-np.log(2 / 11) + constant],
    )


def test_on_its_axes_a_row_that_breaks_the_rule_of_two_columns_stands_alone():
    # Two rows lie along (1, 1) and two, nearer, along (1, -1): on each axis the others are 0 and these +-sqrt(2).
    got = np.abs(components(np.array([[1.0, 1.0], [-1.0, -1.0], [0.5, -0.5], [-0.5, 0.5]])))
    small, large = got.T
    assert large == pytest.approx([np.sqrt(2), np.sqrt(2), 0, 0])
    assert small == pytest.approx([0, 0, np.sqrt(2), np.sqrt(2)])


def test_two_columns_that_say_the_same_have_one_axis():
    assert components(np.array([[1.0, 1.0], [-1.0, -1.0]])).shape == (2, 1)


def test_the_neighbour_of_a_short_table_is_half_way_through_it():
    # Of six rows the third nearest counts, the row itself the first.
    assert by_neighbours(np.array([[0.0], [1.0], [3.0], [6.0], [10.0], [20.0]]), seed=0) == pytest.approx(
        [3, 2, 3, 4, 7, 14]
    )


def test_columns_are_measured_in_their_own_deviations_and_gaps_stand_in_the_middle():
    got = standardised(np.array([[1.0, 5.0, np.nan], [3.0, 5.0, np.nan], [np.nan, 5.0, np.nan]]))
    # The gap becomes 2, the median; mean 2, deviation sqrt(2/3).
    assert got[:, 0] == pytest.approx([-np.sqrt(1.5), np.sqrt(1.5), 0])
    assert got.shape == (3, 1)


def test_neither_the_order_of_the_rows_nor_their_type_changes_a_byte():
    table = np.round(np.vstack([CLOUD, CLOUD[:20]]) * 8)
    there = np.random.default_rng(5).permutation(len(table))
    got = strangeness(table)
    assert strangeness(table[there]).tobytes() == got[there].tobytes()
    assert strangeness(table.astype(np.int32)).tobytes() == got.tobytes()
    assert strangeness(table.astype(np.float32)).tobytes() == got.tobytes()


def test_equal_rows_are_equally_strange():
    got = strangeness(np.vstack([CLOUD, CLOUD]))
    assert np.array_equal(got[:200], got[200:])


def test_a_long_table_is_compared_with_a_sample_of_it():
    rng = np.random.default_rng(11)
    table = np.vstack([rng.normal(0, 1, (6_000, 2)), [[9.0, 9.0]]])
    got = strangeness(table)
    assert got.argmax() == 6_000
    there = rng.permutation(len(table))
    assert strangeness(table[there]).tobytes() == got[there].tobytes()


def test_rows_are_judged_among_others():
    got = strangeness(CLOUD, among=CLOUD)
    assert np.allclose(got, strangeness(CLOUD))
    far, gap = strangeness(np.array([[1e300, -9.0, 9.0], [np.nan, np.nan, np.nan]]), among=CLOUD)
    # Beyond all of them to every voice: half a place of 200.
    assert far == pytest.approx(np.log(400))
    assert gap < 1
    assert strangeness(CLOUD, among=np.ones((5, 3))).tolist() == [0.0] * 200
    assert strangeness(np.empty((0, 3)), among=CLOUD).shape == (0,)


def test_no_bin_reaches_beyond_the_rows_compared_with():
    usual = np.array([[0.0]] * 5 + [[1.0]])
    assert by_histograms(np.array([[0.0], [1.0], [2.0]]), among=usual) == pytest.approx(
        [-np.log(6 / 11), -np.log(2 / 11), -np.log(1 / 11)]
    )


@pytest.mark.parametrize(
    "table",
    [
        np.empty((0, 3)),
        np.empty((4, 0)),
        np.ones((1, 2)),
        np.ones((5, 2)),
        np.full((5, 2), np.nan),
        np.full((5, 2), np.inf),
    ],
    ids=["no rows", "no columns", "one row", "all equal", "all missing", "all infinite"],
)
def test_where_no_two_rows_differ_nothing_is_strange(table):
    assert strangeness(table).tolist() == [0.0] * len(table)


@pytest.mark.parametrize(
    "table",
    [
        np.array([[0.0], [1.0]]),
        np.array([[1e308, 0.0], [-1e308, 1.0], [np.inf, np.nan]]),
        np.array([[5e-324], [0.0], [0.0]]),
        np.array([[0.0]] * 99 + [[1.0]]),
    ],
    ids=["two rows", "the largest numbers", "the smallest number", "one that differs"],
)
def test_the_answer_is_finite_and_not_negative(table):
    got = strangeness(table)
    assert np.isfinite(got).all()
    assert (got >= 0).all()


def test_a_row_of_numbers_is_no_table():
    with pytest.raises(ValueError, match="1 dimensions"):
        strangeness(np.ones(4))
