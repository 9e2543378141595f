"""Tidy files: every cell is loaded as it is written, and no two files share a row's key."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from aetherflow.registry import department as find_department

_FIRST_DAY = date(2026, 1, 5)
_CATEGORIES = ("Grocery", "Electronics", "Garden")


def sales(mark: str, *, rows: int) -> bytes:
    return _file(
        "sales",
        (
            (
                *(f"T-{mark}-{n}", _day(n), f"S-{n % 7}", "North", _CATEGORIES[n % 3], f"SKU-{n % 20}"),
                *(1 + n % 5, f"{n % 90 + 1}.25", n % 4 * 5, "loyalty", "card"),
            )
            for n in range(rows)
        ),
    )


def supply_chain(mark: str, *, rows: int) -> bytes:
    return _file(
        "supply_chain",
        (
            (
                *(_day(n // 20), f"WH-{n % 4}", f"{mark}-{n}", _CATEGORIES[n % 3], n % 60, f"{n % 9}.5"),
                *(5 + n % 9, 20, 1 + n % 6, f"SUP-{n % 5}"),
            )
            for n in range(rows)
        ),
    )


def finance(mark: str, *, rows: int) -> bytes:
    return _file(
        "finance",
        (
            (
                *(f"TX-{mark}-{n}", _day(n), "Facilities", f"CC-{n % 5}", _CATEGORIES[n % 3], f"Vendor {n % 8}"),
                *(f"{100 + n % 40}.50", "EUR", "invoice", "approved", f"note {n}"),
            )
            for n in range(rows)
        ),
    )


MAKERS: dict[str, Callable[..., bytes]] = {"finance": finance, "sales": sales, "supply_chain": supply_chain}


def _day(number: int) -> date:
    return _FIRST_DAY + timedelta(days=number % 112)


def _file(department: str, rows: Iterator[tuple[object, ...]]) -> bytes:
    header = ",".join(column.name for column in find_department(department).columns)
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""]).encode()
