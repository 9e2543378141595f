"""What is filled in for inventory rows that passed the schema."""

import pandas as pd


def any_order_size_where_none_is_given(rows: pd.DataFrame) -> pd.DataFrame:
    """A supplier without a minimum, or with a minimum of 0, delivers from one unit on."""
    return rows.assign(min_order_qty=rows["min_order_qty"].fillna(1).clip(lower=1))
