"""What the figures of an insight mean, in the words of docs/insights.md: said once, read and shown alike."""

import re
from collections.abc import Iterator
from functools import cache

from django.conf import settings

from aetherflow.registry import department as find_department
from apps.accounts.models import User
from apps.accounts.selectors import departments_of

Help = dict[str, dict[str, str]]

_KIND = re.compile(r"^## .*`(?P<kind>\w+)`\s*$")
_FIGURE = re.compile(r"`([\w.]+)`")
# A pipe inside a cell is written \|.
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")


def figures_in(text: str) -> Help:
    r"""By kind and figure, from the tables under the headings that name a kind (## Sales · `revenue_forecast`).

    A figure is what stands in backticks in the first cell of a row; a row that has several is the help of each.
    """
    found: Help = {}
    figures: dict[str, str] | None = None
    for line in text.splitlines():
        if line.startswith("## "):
            heading = _KIND.match(line)
            figures = found.setdefault(heading["kind"], {}) if heading else None
        elif figures is not None:
            figures.update(_row(line))
    return found


def _row(line: str) -> Iterator[tuple[str, str]]:
    if not line.startswith("|"):
        return
    cells = [cell.strip().replace("\\|", "|") for cell in _BETWEEN_CELLS.split(line.strip().strip("|"))]
    if len(cells) == 2:
        yield from ((name, cells[1]) for name in _FIGURE.findall(cells[0]))


@cache
def documented() -> Help:
    return figures_in((settings.BASE_DIR / "docs" / "insights.md").read_text(encoding="utf-8"))


def help_for(user: User) -> Help:
    """Of the insights of the departments this user sees."""
    kinds = [insight.kind for slug in departments_of(user) for insight in find_department(slug).insights]
    return {kind: documented().get(kind, {}) for kind in kinds}
