"""What an inventory file holds."""

import pandera.pandas as pa

from aetherflow.columns import Day, Integer, Number, Text, day, integer, number, text


class InventorySnapshots(pa.DataFrameModel):
    """One row is the stock of one product in one warehouse on one day."""

    snapshot_date: Day = day(
        description="The day the stock was counted. 2026-03-31 is safest; 31/03/2026 is understood too.",
        examples=("2026-03-30", "2026-03-31"),
    )
    warehouse_id: Text = text(
        description="The warehouse or distribution centre.",
        examples=("WH-01", "WH-02"),
        max_length=64,
        is_code=True,
    )
    sku: Text = text(
        description="The code of the product in stock.",
        examples=("SKU-4711", "SKU-0815"),
        max_length=64,
        is_code=True,
    )
    product_category: Text | None = text(
        description="The category of the product.",
        examples=("Electronics", "Home & Garden"),
        max_length=100,
        nullable=True,
    )
    current_stock: Integer = integer(
        description="Units on hand that day, a whole number; 0 when the shelf is empty.",
        examples=("120", "0"),
        minimum=0,
        maximum=1_000_000_000,
    )
    daily_demand_avg: Number = number(
        description="Units asked for per day, averaged over the last weeks. Decimals are welcome.",
        examples=("8.5", "0.25"),
        max_digits=12,
        decimal_places=3,
        minimum=0,
    )
    lead_time_days: Integer = integer(
        description="Days from an order to its arrival. Leave empty where it is not known.",
        examples=("14", "5"),
        minimum=0,
        maximum=3_650,
        nullable=True,
    )
    reorder_point: Integer = integer(
        description="The stock at which an order is placed; 0 or empty where none is set.",
        examples=("60", "10"),
        minimum=0,
        maximum=1_000_000_000,
        nullable=True,
    )
    min_order_qty: Integer = integer(
        description="The smallest quantity the supplier delivers. Empty means any quantity.",
        examples=("24", "6"),
        minimum=0,
        maximum=1_000_000_000,
        nullable=True,
    )
    supplier_id: Text | None = text(
        description="Who delivers the product.",
        examples=("SUP-07", "SUP-12"),
        max_length=64,
        is_code=True,
        nullable=True,
    )

    class Config:
        strict = True
        coerce = False
        ordered = True
