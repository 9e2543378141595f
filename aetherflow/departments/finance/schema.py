"""What a ledger file holds."""

import pandera.pandas as pa

from aetherflow.columns import Day, Number, Text, day, number, text


class Ledger(pa.DataFrameModel):
    """One row is one transaction that was booked."""

    txn_id: Text = text(
        description="The number of the transaction; no two rows share it.",
        examples=("TX-2026-00017", "TX-2026-00018"),
        max_length=64,
        is_code=True,
    )
    date: Day = day(
        description="The day it was booked. 2026-03-31 is safest; 31/03/2026 is understood too.",
        examples=("2026-03-30", "2026-03-31"),
    )
    department: Text | None = text(
        description="The part of the company that bears the cost.",
        examples=("Marketing", "Facilities"),
        max_length=100,
        nullable=True,
    )
    cost_center: Text | None = text(
        description="The cost centre it is booked on.",
        examples=("CC-410", "CC-220"),
        max_length=100,
        is_code=True,
        nullable=True,
    )
    category: Text = text(
        description="The kind of spending; an amount is compared with others of its category. "
        "Empty becomes 'Uncategorised'.",
        examples=("Travel", "Office supplies"),
        max_length=100,
        nullable=True,
    )
    vendor: Text = text(
        description="Who was paid. An empty vendor is kept, and pointed out.",
        examples=("Rail Europe", "Staples"),
        max_length=200,
        nullable=True,
    )
    amount: Number = number(
        description="The amount, with cents; negative for a credit, also as (12.50). A currency sign is dropped.",
        examples=("184.50", "-22.90"),
        max_digits=15,
        decimal_places=2,
        unit="money",
    )
    currency: Text = text(
        description="The currency as its three letters (ISO 4217).",
        examples=("EUR", "USD"),
        max_length=3,
        pattern="[A-Z]{3}",
        case="upper",
    )
    payment_type: Text | None = text(
        description="How it was paid, in your own words. Kept in lower case.",
        examples=("card", "invoice"),
        max_length=64,
        nullable=True,
        case="lower",
    )
    approval_status: Text | None = text(
        description="Where the approval stands: approved, pending, rejected, or a word of your own. "
        "Kept in lower case.",
        examples=("approved", "pending"),
        max_length=64,
        nullable=True,
        case="lower",
    )
    notes: Text | None = text(
        description="Anything worth knowing about it.",
        examples=("Trade fair, return ticket", ""),
        max_length=2_000,
        nullable=True,
        multiline=True,
    )

    class Config:
        strict = True
        coerce = False
        ordered = True
