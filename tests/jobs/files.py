"""Small sales files, row by row."""

HEADER = (
    "transaction_id,date,store_id,region,product_category,sku,quantity,unit_price,"
    "discount_pct,customer_segment,payment_method\n"
)


def sales(*rows: str) -> bytes:
    return (HEADER + "".join(f"{row}\n" for row in rows)).encode()


def row(number: int = 1, *, quantity: str = "2", price: str = "10.00", sku: str = "SKU-1") -> str:
    return f"T-{number},2026-03-02,S-1,North,Electronics,{sku},{quantity},{price},0,loyalty,card"
