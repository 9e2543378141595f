"""How every bench prints: one compact table, what was measured beside what was promised."""

import os
from statistics import median


def show(title: str, rows: list[tuple[str, str, str]]) -> None:
    """`rows` are (what, measured, target or remark)."""
    widths = [max(len(row[at]) for row in rows) for at in (0, 1)]
    print(f"\n{title} ({os.cpu_count()} cores, load {os.getloadavg()[0]:.1f})")
    for what, measured, remark in rows:
        print(f"  {what:<{widths[0]}}  {measured:>{widths[1]}}  {remark}".rstrip())


def spread(values: list[float], *, unit: str, digits: int = 2) -> str:
    """Median and range: 1.23 [1.10-1.48] s"""
    if len(values) == 1:
        return f"{values[0]:.{digits}f} {unit}".rstrip()
    return f"{median(values):.{digits}f} [{min(values):.{digits}f}-{max(values):.{digits}f}] {unit}".rstrip()
