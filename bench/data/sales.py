"""Sales files as a point-of-sale system writes them: any size, always the same bytes for the same arguments."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from aetherflow.registry import department
from bench.data.file import DataFile, money, spoilt

SEED = 20260630
FIRST_DAY = date(2024, 7, 1)  # a Monday
DAYS = 104 * 7
CATEGORIES = (
    *("Grocery", "Household", "Home & Garden", "Electronics", "Clothing", "Shoes"),
    *("Toys", "Sports", "Beauty", "Books", "Pets", "Office"),
)
SKUS = 500
REGIONS = ("North", "South", "East", "West", "Central", "Online")
SEGMENTS = ("loyalty", "guest", "business", "student")
PAYMENTS = ("card", "cash", "voucher", "invoice", "mobile")
# Larger files are written in parts of about so many rows, so that making one takes little memory.
PART = 200_000
BAD_CELLS = {
    "quantity": "a dozen",
    "unit_price": "-4.00",
    "date": "2026-02-31",
    "transaction_id": None,
    "discount_pct": "140",
}
UNTIDY = 0.005  # of the cells of each untidy kind; together about 4 % of the rows have one


def write_sales(path: Path, *, rows: int, series: int = 0, bad_share: float = 0.0) -> DataFile:
    """Write a sales file of `rows` rows over two years: 12 categories, 500 SKUs, receipts of 1 to 8 lines.

    Receipt numbers of different `series` differ. About 4 % of the rows have a cell that needs tidying; `bad_share` of
    them have one that cannot be loaded, of five kinds in turn.
    """
    prices, popularity = _assortment()
    rng = np.random.default_rng([SEED, series, rows])
    bad_at = np.zeros(rows, dtype=bool)
    bad_at[rng.choice(rows, size=round(rows * bad_share), replace=False)] = True
    day_of_row = np.sort(rng.choice(DAYS, size=rows, p=_shares_of_days()))
    with path.open("wb") as out:
        for start in range(0, rows, PART):
            here = slice(start, min(start + PART, rows))
            part = _part(
                rng,
                day_of_row[here],
                bad=bad_at[here],
                prices=prices,
                popularity=popularity,
                numbers=(series, start),
            )
            part.write_csv(out, include_header=start == 0)
    return DataFile(path=path, rows=rows, bad=int(bad_at.sum()))


def _assortment() -> tuple[np.ndarray, np.ndarray]:
    """The price of each product in cents, and its share of the sales: the same for every file."""
    rng = np.random.default_rng(SEED)
    prices = np.round(np.exp(rng.normal(2.7, 0.8, SKUS)) * 100).astype(np.int64)
    weights = rng.permutation(1 / np.arange(1, SKUS + 1) ** 0.6)
    return prices, weights / weights.sum()


def _shares_of_days() -> np.ndarray:
    """More on Saturdays, before Christmas, and a little more every month; closed on Christmas Day and New Year."""
    days = [FIRST_DAY + timedelta(days=at) for at in range(DAYS)]
    weekday = np.array([0.9, 0.85, 0.9, 1.0, 1.25, 1.6, 0.5])[[day.weekday() for day in days]]
    of_year = np.array([day.timetuple().tm_yday for day in days])
    season = 1 + 0.15 * np.sin(2 * np.pi * (of_year - 100) / 365) + 0.9 * np.exp(-(((of_year - 350) / 14) ** 2))
    shares = weekday * season * (1 + np.arange(DAYS) / DAYS * 0.2)
    shares[[at for at, day in enumerate(days) if (day.month, day.day) in {(12, 25), (1, 1)}]] = 0
    normal: np.ndarray = shares / shares.sum()
    return normal


def _part(
    rng: np.random.Generator,
    days: np.ndarray,
    *,
    bad: np.ndarray,
    prices: np.ndarray,
    popularity: np.ndarray,
    numbers: tuple[int, int],
) -> pl.DataFrame:
    """Some rows, as the texts of the file. `numbers` are the series and the first receipt number that is free."""
    rows = len(days)
    series, first_receipt = numbers
    # A receipt begins at a new day or by chance, and after 8 lines at the latest.
    begins = (rng.random(rows) < 0.4) | np.r_[True, days[1:] != days[:-1]]
    begins |= _since(begins) % 8 == 0
    receipt = np.cumsum(begins) - 1
    line = _since(begins)
    per_receipt = int(receipt[-1]) + 1
    # Steps through the range with a stride prime to it: no product stands twice on one receipt.
    first = rng.choice(SKUS, size=per_receipt, p=popularity)
    sku = (first[receipt] + line * rng.choice([3, 7, 11, 13, 17], size=per_receipt)[receipt]) % SKUS
    cents = np.maximum(1, np.round(prices[sku] * rng.choice([0.95, 1.0, 1.0, 1.0, 1.05], size=rows))).astype(np.int64)
    store = rng.integers(0, 40, size=per_receipt)[receipt]
    texts = pl.DataFrame(
        {
            "receipt": receipt + first_receipt,
            "date": days,
            "store": store,
            "region": np.array(REGIONS)[store % len(REGIONS)],
            "product_category": np.array(CATEGORIES)[sku % len(CATEGORIES)],
            "sku": sku,
            "quantity": np.minimum(rng.geometric(0.5, size=rows), 24),
            "cents": cents,
            "discount_pct": rng.choice([0, 0, 0, 0, 5, 10, 15, 20, 25, 50], size=rows),
            "customer_segment": np.array(SEGMENTS)[rng.choice(4, size=per_receipt, p=[0.4, 0.4, 0.1, 0.1])[receipt]],
            "payment_method": np.array(PAYMENTS)[rng.choice(5, size=per_receipt, p=[0.5, 0.2, 0.1, 0.1, 0.1])[receipt]],
        }
    ).select(
        pl.format("T-{}-{}", pl.lit(series), pl.col("receipt").cast(pl.String).str.zfill(7)).alias("transaction_id"),
        (pl.lit(FIRST_DAY) + pl.duration(days="date")).dt.to_string("%Y-%m-%d").alias("date"),
        pl.format("S-{}", pl.col("store").cast(pl.String).str.zfill(3)).alias("store_id"),
        "region",
        "product_category",
        pl.format("SKU-{}", pl.col("sku").cast(pl.String).str.zfill(4)).alias("sku"),
        pl.col("quantity").cast(pl.String),
        money("cents").alias("unit_price"),
        pl.col("discount_pct").cast(pl.String),
        "customer_segment",
        "payment_method",
    )
    assert texts.columns == [column.name for column in department("sales").columns]
    return spoilt(_untidy(texts, rng), bad, kinds=BAD_CELLS)


def _since(begins: np.ndarray) -> np.ndarray:
    """How many rows ago the last True was."""
    at = np.arange(len(begins))
    since: np.ndarray = at - np.maximum.accumulate(np.where(begins, at, 0))
    return since


def _untidy(texts: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """What people and tills write, and what is loaded all the same."""
    written = {
        "region": pl.format("  {} ", "region"),
        "store_id": pl.format("{} ", "store_id"),
        "quantity": pl.format("{}.0", "quantity"),
        "unit_price": pl.format("€ {}", "unit_price"),
        "customer_segment": pl.col("customer_segment").str.to_titlecase(),
        "payment_method": pl.col("payment_method").str.to_uppercase(),
        "date": pl.format("{} 14:05:00", "date"),
    }
    for name, expression in written.items():
        chosen = pl.lit(pl.Series(rng.random(len(texts)) < UNTIDY))
        texts = texts.with_columns(pl.when(chosen).then(expression).otherwise(pl.col(name)).alias(name))
    chosen = pl.lit(pl.Series(rng.random(len(texts)) < UNTIDY))
    return texts.with_columns(pl.when(chosen).then(None).otherwise(pl.col("discount_pct")).alias("discount_pct"))
