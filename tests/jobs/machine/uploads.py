"""Small files whose rows overlap, and what must be left of them."""

from dataclasses import dataclass

from tests.jobs.files import row, sales

DEPARTMENTS = ("sales", "finance")
# The natural key and the column that tells one upload's row from another's.
COLUMNS = {"sales": ("transaction_id", "unit_price"), "finance": ("txn_id", "amount")}

_LEDGER = "txn_id,date,department,cost_center,category,vendor,amount,currency,payment_type,approval_status,notes\n"
_NOT_A_TABLE_OF_OURS = b"no;such;columns\n1;2;3\n"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """`rows` are prices by row number; `faulty` adds a row that is rejected, `refused` makes it no file of ours."""

    department: str
    rows: tuple[tuple[int, int], ...]
    faulty: bool = False
    refused: bool = False

    def content(self) -> bytes:
        if self.refused:
            return _NOT_A_TABLE_OF_OURS
        faulty = ["?"] if self.faulty else []
        if self.department == "sales":
            return sales(
                *(row(number, price=str(price)) for number, price in self.rows),
                *(row(99, price=price) for price in faulty),
            )
        prices = [*((number, str(price)) for number, price in self.rows), *((99, price) for price in faulty)]
        lines = (f"T-{n},2026-03-02,IT,CC-1,Software,Acme,{price},EUR,invoice,approved,\n" for n, price in prices)
        return (_LEDGER + "".join(lines)).encode()

    def expected(self) -> dict[str, int]:
        """Price by natural key."""
        return {} if self.refused else {f"T-{number}": price for number, price in self.rows}
