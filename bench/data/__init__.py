"""Files of any size for every department, without a byte of chance in them."""

from collections.abc import Callable

from bench.data.file import DataFile
from bench.data.inventory import write_inventory
from bench.data.ledger import write_ledger
from bench.data.sales import write_sales

WRITERS: dict[str, Callable[..., DataFile]] = {
    "finance": write_ledger,
    "sales": write_sales,
    "supply_chain": write_inventory,
}

__all__ = ["WRITERS", "DataFile", "write_sales"]
