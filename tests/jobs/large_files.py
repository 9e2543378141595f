"""Sales files that workers share, good and bad."""

from tests.jobs.files import row, sales

# Together more than a block, so that not all of them are looked at before the first is loaded.
ROWS = 11_000


def day(number: int, written: str) -> str:
    return row(number).replace("2026-03-02", written)


PLAIN = [row(number) for number in range(ROWS)]
FILES = {
    "plain": sales(*PLAIN),
    "rows that repeat others far above": sales(*PLAIN[:9_500], *PLAIN[100:120], *PLAIN[9_500:], *PLAIN[9_400:9_420]),
    "faults throughout": sales(*(row(number, quantity="2" if number % 9 else "two") for number in range(ROWS))),
    "more faults than are listed": sales(
        *(row(number, quantity="2" if number % 4 else "two") for number in range(ROWS))
    ),
    "an end that says otherwise": sales(
        *(day(number, "13/02/2026" if number < 10 else "02/03/2026") for number in range(ROWS // 2)),
        *(day(number, "02/28/2026") for number in range(ROWS // 2, ROWS + 100)),
    ),
    "line breaks in cells": sales(*(row(number, sku='"A\nB"') for number in range(ROWS))),
    "no last line end": sales(*PLAIN)[:-1],
}
