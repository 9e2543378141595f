"""The revenue forecast from outside: total, closures, ended categories, drivers, elasticity, what has changed."""

import numpy as np
import pandas as pd
import pytest

from aetherflow.analytics.drivers import Lines, drivers
from aetherflow.analytics.elasticity import Elasticity, Unknown, elasticity
from aetherflow.departments.sales.insights import INSIGHTS, since
from aetherflow.insight import Headline

INSIGHT = INSIGHTS[0]


def ask(rows):
    return INSIGHT.compute(rows, INSIGHT.given())


def daily(first="2024-01-01", weeks=30, category="Tea", price=5.0, quantity=2, per_day=1):
    days = np.repeat(np.datetime64(first) + np.arange(7 * weeks), per_day)
    return pd.DataFrame(
        {
            "date": days.astype("datetime64[s]"),
            "product_category": category,
            "sku": f"{category}-1",
            "quantity": quantity,
            "unit_price": price,
            "discount_pct": 0.0,
        }
    )


def lines(*rows):
    groups, products, quantity, price, kept = (np.array(column) for column in zip(*rows, strict=True))
    gross = quantity * price * 1.0
    return Lines(groups=groups, products=products, units=quantity.astype(float), gross=gross, paid=gross * kept)


def test_the_total_is_the_sum_of_the_categories_to_the_cent():
    rng = np.random.default_rng(2)
    parts = [daily(category=name, price=price) for name, price in zip("ABC", (3.33, 7.77, 0.19), strict=True)]
    rows = pd.concat(parts).assign(quantity=rng.integers(1, 9, 3 * 210))
    data = ask(rows).data
    for step, point in enumerate(data["total"]["forecast"]):
        parts = [category["forecast"][step]["revenue"] for category in data["categories"]]
        assert point["revenue"] == pytest.approx(sum(parts), abs=0.001)
        assert 0 <= point["lower95"] <= point["lower80"] <= point["revenue"] <= point["upper80"] <= point["upper95"]
    # errors of categories cancel out: the band of the sum is narrower than the sum of the bands
    width = sum(c["forecast"][0]["upper95"] - c["forecast"][0]["lower95"] for c in data["categories"])
    assert data["total"]["forecast"][0]["upper95"] - data["total"]["forecast"][0]["lower95"] < width
    assert len(data["total"]["history"]) == 30
    assert data["total"]["quality"]["model"] is not None


def test_bands_hold_what_they_promise_over_many_departments():
    inside80, inside95, count = 0, 0, 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        rows = pd.concat([daily(weeks=84, category=f"C{place}") for place in range(12)])
        rows["quantity"] = rng.negative_binomial(2, 0.1, len(rows)) + 1
        monday = rows["date"].min() + pd.Timedelta(weeks=80)
        past, ahead = rows[rows["date"] < monday], rows[rows["date"] >= monday]
        weekly = (
            (ahead["quantity"] * 5.0).groupby([ahead["product_category"], (ahead["date"] - monday).dt.days // 7]).sum()
        )
        for category in ask(past).data["categories"]:
            for step, point in enumerate(category["forecast"]):
                came = weekly[(category["category"], step)]
                inside80 += point["lower80"] <= came <= point["upper80"]
                inside95 += point["lower95"] <= came <= point["upper95"]
                count += 1
    assert 0.75 <= inside80 / count <= 0.90
    assert 0.92 <= inside95 / count <= 0.985


@pytest.mark.parametrize("week", [0, 15, 29])
def test_a_history_that_ever_varied_is_not_certain(week):
    rows = daily(weeks=30)
    rows.loc[7 * week + 3, "quantity"] = -500
    got = ask(rows).data
    for point in (got["total"]["forecast"][0], got["categories"][0]["forecast"][0]):
        # the usual change is at least 5 % of the usual size, and a tenth of a normal week's spread the least side
        assert point["revenue"] - point["lower80"] >= 0.16 * 0.05 * 70
        assert point["upper80"] - point["revenue"] >= 0.16 * 0.05 * 70
        assert point["lower95"] < point["lower80"]
        assert point["upper95"] > point["upper80"]


def test_the_first_shock_of_a_steady_category_is_not_multiplied():
    rows = daily(weeks=30)
    rows.loc[50, "quantity"] = -500
    data = ask(rows).data["categories"][0]
    worst = min(week["revenue"] for week in data["history"])
    assert worst < data["forecast"][0]["lower95"] < 0


def test_a_history_that_never_varied_has_no_band():
    point = ask(daily(weeks=30)).data["total"]["forecast"][0]
    assert point["lower95"] == point["revenue"] == point["upper95"] == 70.0


def test_a_closed_week_does_not_drag_the_level():
    rows = daily(per_day=4)
    closed = (rows["date"] >= "2024-07-15") & (rows["date"] < "2024-07-22")
    forecast = ask(rows[~closed]).data["categories"][0]["forecast"]
    assert {point["revenue"] for point in forecast} == {280.0}


def test_a_week_that_is_closed_every_year_is_expected_to_be_so_again_by_half_or_more():
    rows = daily(first="2022-01-03", weeks=153, per_day=4)
    christmas = [pd.Timestamp("2022-12-26"), pd.Timestamp("2023-12-25")]
    for monday in christmas:
        rows = rows[(rows["date"] < monday) | (rows["date"] >= monday + pd.Timedelta(days=7))]
    rows = rows[rows["date"] < "2024-12-09"]
    points = {p["week_start"]: p["revenue"] for p in ask(rows).data["categories"][0]["forecast"]}
    # closed in both years known, so (0 + 0 + 1) / 3 of a usual week
    assert points["2024-12-23"] == pytest.approx(280 / 3, rel=0.01)
    assert points["2024-12-09"] == pytest.approx(280, rel=0.01)


def test_a_category_without_a_sale_for_long_is_said_to_have_ended():
    rows = pd.concat([daily(weeks=60), daily(weeks=30, category="Gone")])
    got = {entry["category"]: entry for entry in ask(rows).data["categories"]}
    assert [point["revenue"] for point in got["Gone"]["forecast"]] == [0.0] * 4
    assert got["Gone"]["note"] == "No sale for 30 weeks, longer than ever before: taken to have ended."
    assert "note" not in got["Tea"]


def test_a_category_that_pauses_as_it_always_did_has_not_ended():
    lively = pd.concat([daily(first=first, weeks=4, category="Fair") for first in ("2024-01-01", "2024-06-03")])
    rows = pd.concat([daily(weeks=42), lively])
    got = {entry["category"]: entry for entry in ask(rows).data["categories"]}
    assert "note" not in got["Fair"]


@pytest.mark.parametrize("weeks", [1, 2, 3, 4, 6])
def test_a_category_under_a_new_name_is_not_counted_twice(weeks):
    renamed = daily(first=np.datetime64("2024-01-01") + 7 * 20, weeks=weeks, category="Teas", price=5.5)
    got = ask(pd.concat([daily(weeks=20), renamed, daily(weeks=20 + weeks, category="Cake")])).data
    assert got["total"]["forecast"][0]["revenue"] == pytest.approx(70 + 77)
    tea = next(entry for entry in got["categories"] if entry["category"] == "Tea")
    assert {point["revenue"] for point in tea["forecast"]} == {0.0}
    assert tea["note"] == (
        f"No sale for {weeks} week{'s' * (weeks > 1)}, since Teas began at a similar size: taken to be replaced by it."
    )


@pytest.mark.parametrize(
    "others",
    [
        # of another size
        daily(first="2024-05-20", weeks=3, category="New", price=50.0),
        # begun before the other fell silent, or after
        daily(first="2024-05-13", weeks=4, category="New"),
        daily(first="2024-05-27", weeks=2, category="New"),
        # sold once, and not since
        daily(first="2024-05-20", weeks=1, category="New"),
    ],
)
def test_what_begins_beside_a_silence_is_not_always_its_reason(others):
    listed = ask(pd.concat([daily(weeks=20), others, daily(weeks=23, category="Cake")])).data["categories"]
    assert "note" not in next(entry for entry in listed if entry["category"] == "Tea")


def test_what_sells_now_and_then_is_not_replaced_by_what_begins_in_a_silence():
    sparse = daily(weeks=20)
    sparse = sparse[sparse["date"].dt.isocalendar().week % 3 != 0]
    begun = daily(first="2024-05-20", weeks=3, category="New")
    listed = ask(pd.concat([sparse, begun, daily(weeks=23, category="Cake")])).data["categories"]
    assert "note" not in next(entry for entry in listed if entry["category"] == "Tea")


def test_one_new_category_takes_one_place():
    gone = [daily(weeks=20, category=name, price=price) for name, price in (("Tea", 5.0), ("Coffee", 7.0))]
    begun = daily(first="2024-05-20", weeks=3, category="Drinks", price=7.5)
    listed = ask(pd.concat([*gone, begun, daily(weeks=23, category="Cake")])).data["categories"]
    assert [entry["category"] for entry in listed if "taken to be replaced" in entry.get("note", "")] == ["Coffee"]


def test_effects_worked_by_hand():
    # Tea: 10 units at 10, then 12 at 11 with 10 % off. Cake: 5 at 4, then 4 at 4. Only one product each.
    before = lines((0, 0, 10, 10, 1.0), (1, 1, 5, 4, 1.0))
    now = lines((0, 0, 12, 11, 0.9), (1, 1, 4, 4, 1.0), (1, 1, -1, 4, 1.0))
    got = drivers(before, now, size=2)
    assert got.before.tolist() == [100, 20]
    assert got.now == pytest.approx([118.8, 12])
    assert got.price == pytest.approx([11 * 0.95 * 1, 0])
    assert got.discount == pytest.approx([11 * 10.5 * -0.1, 0])
    assert got.volume == pytest.approx([(10 + 9.9) / 2 * 2, -4])
    assert got.mix == pytest.approx([0, 0])
    assert got.refunds == pytest.approx([0, -4])


def test_selling_more_of_the_dear_product_is_mix_not_volume():
    before = lines((0, 0, 10, 2, 1.0), (0, 1, 10, 8, 1.0))
    now = lines((0, 0, 5, 2, 1.0), (0, 1, 15, 8, 1.0))
    got = drivers(before, now, size=1)
    assert (got.volume[0], got.price[0], got.discount[0]) == (0, 0, 0)
    assert got.mix[0] == pytest.approx(30)


def test_effects_always_add_up():
    rng = np.random.default_rng(6)

    def some(size):
        units = rng.integers(-3, 20, size).astype(float)
        gross = units * rng.gamma(2, 5, size)
        return Lines(
            groups=rng.integers(0, 4, size),
            products=rng.integers(0, 9, size),
            units=units,
            gross=gross,
            paid=gross * rng.choice([0.0, 0.5, 1.0], size),
        )

    for size in (1, 5, 300):
        got = drivers(some(size), some(size), size=4)
        moved = got.price + got.discount + got.volume + got.mix + got.refunds
        assert moved == pytest.approx(got.now - got.before)


def test_the_answer_tells_what_moved_revenue_in_parts_that_add_up():
    rows = daily(weeks=12)
    rows.loc[rows["date"] >= "2024-02-26", "quantity"] = 3
    got = ask(rows)
    move = got.data["drivers"]["previous"]
    assert (move["before"], move["now"], move["change"], move["volume"]) == (280.0, 420.0, 140.0, 140.0)
    assert sum(move[name] for name in ("price", "discount", "volume", "mix", "refunds")) == move["change"]
    assert move["summary"] == (
        "Revenue of the last 4 weeks against the 4 weeks before: +140 (+50%), +140 from number of units."
    )
    assert move["summary"] in got.summary
    assert got.data["drivers"]["year_ago"] is None
    assert got.data["categories"][0]["drivers"]["previous"]["volume"] == 140.0


def planted(slope, *, products=40, weeks=60, seed=1):
    rng = np.random.default_rng(seed)
    product, week = np.repeat(np.arange(products), weeks), np.tile(np.arange(weeks), products)
    price = rng.uniform(2, 50, products)[product] * rng.choice([1.0, 0.9, 0.75], len(product))
    season = np.sin(week / 5)
    units = np.exp(rng.normal(5, 1, products)[product] + season + slope * np.log(price) + rng.normal(0, 0.4, len(week)))
    return {"products": product, "weeks": week, "units": units, "price": price}


@pytest.mark.parametrize("slope", [-2.0, -0.5, 0.0])
def test_a_planted_elasticity_is_found_within_its_interval(slope):
    found = [elasticity(**planted(slope, seed=seed)) for seed in range(20)]
    assert all(isinstance(got, Elasticity) for got in found)
    assert np.mean([got.value for got in found]) == pytest.approx(slope, abs=0.05)
    assert sum(got.lower <= slope <= got.upper for got in found) >= 17


def test_prices_that_do_not_move_give_no_elasticity_but_the_reason():
    cells = planted(-1.0)
    cells["price"] = np.ones_like(cells["price"])
    got = elasticity(**cells)
    assert isinstance(got, Unknown)
    assert got.reason.startswith("only 0 products were sold in 8 weeks or more")
    shown = ask(daily()).data["elasticity"]["price"]
    assert shown["value"] is None
    assert shown["note"].startswith("Not enough price variation, because only 0 products")


def test_prices_that_all_move_together_are_no_evidence():
    cells = planted(-1.0)
    cells["price"] = np.where(cells["weeks"] % 3 == 0, 0.8, 1.0)
    got = elasticity(**cells)
    assert got == Unknown(reason="prices of all products moved together, so that price and time cannot be told apart")


def rolled_up(rows):
    """As the database does it."""
    whole = rows[["date", "quantity", "unit_price"]].notna().all(axis=1)
    day, kept = pd.to_datetime(rows["date"]), 1 - rows["discount_pct"].fillna(0) / 100
    told = rows.assign(
        whole=whole,
        week=day.dt.to_period("W"),
        above=rows["quantity"] > 0,
        first=day.where(whole),
        last=day.where(whole),
        units=rows["quantity"].where(whole),
        gross=(rows["quantity"] * rows["unit_price"]).where(whole),
        paid=(rows["quantity"] * rows["unit_price"] * kept).where(whole),
        rows=1,
    )
    groups = told.groupby(["product_category", "sku", "whole", "week", "above"], dropna=False, as_index=False)
    added = groups.agg({"first": "min", "last": "max", "rows": "sum", "units": "sum", "gross": "sum", "paid": "sum"})
    sums = ["units", "gross", "paid"]
    return added.assign(**{name: added[name].where(added["whole"]) for name in sums}).drop(columns=["week", "above"])


def test_rows_that_were_added_up_come_to_the_same_answer():
    rng = np.random.default_rng(3)
    size = 6_000
    rows = pd.DataFrame(
        {
            "date": (np.datetime64("2025-01-06") + rng.integers(0, 300, size)).astype("datetime64[s]"),
            "product_category": rng.choice(["Tea", "Coffee", None], size),
            "sku": [f"S{place}" for place in rng.integers(0, 25, size)],
            "quantity": rng.integers(-1, 9, size).astype(float),
            "unit_price": (rng.choice([2.0, 2.5, 3.1], size) * rng.choice([1, 7], size)).round(2),
            "discount_pct": rng.choice([0.0, 10.0, np.nan], size),
        }
    )
    rows.loc[:4, "quantity"] = np.nan
    rows.loc[5:7, "unit_price"] = np.nan
    rows.loc[8, "date"] = pd.NaT
    rows.loc[9, "date"] = pd.Timestamp("2062-01-01")
    added = rolled_up(rows)
    assert len(added) < len(rows) * 0.9
    got = ask(rows)
    assert got.data["elasticity"]["price"]["products"] == 75
    assert "9 rows without a usable date" in got.summary
    assert "1 row dated 2062-01-01 left out" in got.summary
    assert ask(added) == got


def test_what_has_changed_since_the_upload_before():
    def figures(next_four):
        return Headline(figures={"next_week": next_four / 4, "four_weeks": next_four})

    assert since(figures(12_000.0), figures(12_480.0)) == (
        "Forecast +4%: 12,480 for the next four weeks instead of 12,000."
    )
    assert since(figures(12_000.0), figures(12_010.0)) == ""
    assert since(Headline(), figures(5.0)) == ""
    assert since(figures(0.0), figures(50.0)) == "Forecast 50 for the next four weeks instead of 0."
    assert ask(daily()).headline.figures == {"next_week": 70.0, "four_weeks": 280.0, "categories": 1}


def test_a_total_over_other_categories_is_not_compared_in_silence():
    def figures(categories, next_four):
        return Headline(figures={"four_weeks": next_four, "categories": categories})

    assert since(figures(2, 100.0), figures(3, 150.0)) == (
        "Forecast +50%: 150 for the next four weeks instead of 100, of 3 categories instead of 2."
    )


def launched(weeks, *, of=20, price=50.0):
    """Tea for `of` weeks, and in the last `weeks` of them something ten times as large."""
    monday = np.datetime64("2024-01-01") + 7 * (of - weeks)
    return pd.concat([daily(weeks=of), daily(first=monday, weeks=weeks, category="New", price=price)])


@pytest.mark.parametrize("weeks", [1, 2, 3])
def test_the_total_counts_a_new_category_with_its_mean_week_and_a_wide_band(weeks):
    got = ask(launched(weeks))
    total, entry = got.data["total"], got.data["categories"][-1]
    assert (entry["category"], entry["forecast"]) == ("New", [])
    assert entry["note"].endswith("The total counts it with their mean, 700.00 a week.")
    for point in total["forecast"]:
        assert point["revenue"] == 770.0
        assert point["lower95"] <= 70.0 <= point["lower80"] <= 70 + 0.25 * 700
        assert point["upper80"] >= 770 + 1.5 * 700
        assert point["upper95"] >= 770 + 4 * 700
    assert total["new_categories"] == {
        "categories": 1,
        "weekly_revenue": 700.0,
        "share_of_last_week": round(700 / 770, 4),
        "without_a_whole_week": 0,
    }
    assert total["note"] == (
        "Counts 1 new category with the mean of under 4 whole weeks, 700.00 a week (91% of last week's revenue), "
        "which makes the bands wide."
    )
    assert "over 2 categories (1 of them new, at the mean of under 4 weeks), most of it in New (700)" in got.summary
    assert got.headline.figures == {"next_week": 770.0, "four_weeks": 3080.0, "categories": 2}
    assert got.data["top_categories"][0]["share"] == round(70 / 770, 4)


def test_growing_old_enough_does_not_multiply_the_forecast():
    assert since(ask(launched(3)).headline, ask(launched(4, of=21)).headline) == ""


def test_what_has_no_whole_week_yet_is_said_to_be_missing():
    begun = daily(first="2024-07-29", weeks=1, category="New").head(3)
    total = ask(pd.concat([daily(weeks=30), begun])).data["total"]
    assert total["new_categories"]["without_a_whole_week"] == 1
    assert total["note"] == "1 category without a whole week yet is not counted."
    assert total["forecast"][0]["revenue"] == 70.0


def test_new_categories_of_refunds_widen_the_band_below():
    point = ask(launched(2, price=-50.0)).data["total"]["forecast"][0]
    assert point["revenue"] == -630.0
    assert point["lower95"] <= -630 - 4 * 700
    assert point["upper95"] == pytest.approx(70, abs=5)


def test_without_new_categories_the_total_has_no_note():
    total = ask(daily()).data["total"]
    assert "note" not in total
    assert total["new_categories"]["categories"] == 0


def test_parameters_name_the_models_and_weights_of_each_category():
    got = ask(daily())
    assert sum(got.parameters["weights"]["Tea"].values()) == pytest.approx(1, abs=0.01)
    assert got.parameters["folds"] == got.quality["folds"]
