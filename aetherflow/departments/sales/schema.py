"""What a sales file holds."""

import pandera.pandas as pa

from aetherflow.columns import TEXT_MISSING, Day, Integer, Number, Text, day, integer, number, text


class SalesTransactions(pa.DataFrameModel):
    """One row is one product on one receipt."""

    transaction_id: Text = text(
        description="The receipt or invoice number. Several rows may share it, one per product.",
        examples=("T-10023", "T-10024"),
        max_length=64,
        is_code=True,
    )
    date: Day = day(
        description="The day of the sale. 2026-03-31 is safest; 31/03/2026 is understood too.",
        examples=("2026-03-30", "2026-03-31"),
    )
    store_id: Text = text(
        description="The shop, or the web shop, that made the sale.",
        examples=("S-014", "WEB"),
        max_length=64,
        is_code=True,
    )
    # No "na" among the empty spellings: a region NA is North America.
    region: Text | None = text(
        description="Where the shop or the customer is.",
        examples=("North", "South"),
        max_length=100,
        nullable=True,
        missing=tuple(spelling for spelling in TEXT_MISSING if spelling != "na"),
    )
    product_category: Text = text(
        description="The category revenue is forecast for. Write the same category always the same way.",
        examples=("Electronics", "Home & Garden"),
        max_length=100,
    )
    sku: Text = text(
        description="The code of the product sold.",
        examples=("SKU-4711", "SKU-0815"),
        max_length=64,
        is_code=True,
    )
    quantity: Integer = integer(
        description="Units sold, a whole number. A refund is its own row with a negative quantity; 0 is not a sale.",
        examples=("2", "-1"),
        minimum=-1_000_000,
        maximum=1_000_000,
        nonzero=True,
    )
    unit_price: Number = number(
        description="The price of one unit before the discount. A currency sign is dropped.",
        examples=("19.99", "249.00"),
        max_digits=12,
        decimal_places=4,
        minimum=0,
        unit="money",
    )
    discount_pct: Number = number(
        description="The discount in percent, from 0 to 100: 15 means 15 %. Empty means no discount.",
        examples=("15", "0"),
        max_digits=5,
        decimal_places=2,
        minimum=0,
        maximum=100,
        unit="percent",
        nullable=True,
    )
    customer_segment: Text | None = text(
        description="The kind of customer, in your own words. Kept in lower case.",
        examples=("loyalty", "guest"),
        max_length=100,
        nullable=True,
        case="lower",
    )
    payment_method: Text | None = text(
        description="How it was paid, in your own words. Kept in lower case.",
        examples=("card", "cash"),
        max_length=64,
        nullable=True,
        case="lower",
    )

    class Config:
        strict = True
        coerce = False
        ordered = True
