"""What the figures of an insight mean, in the words of docs/insights.md: said once, read and shown alike."""

import re
from functools import cache

from django.conf import settings

from aetherflow.registry import department as find_department
from apps.accounts.models import User
from apps.accounts.selectors import departments_of

Help = dict[str, dict[str, str]]

_KIND = re.compile(r"^## .*`(?P<kind>\w+)`\s*$")
_FIGURE = re.compile(r"`([\w.]+)`")
# The first row of the tables of figures; others tell of a method's tests, or of what was measured.
_HEADER = ["figure", "meaning"]
# A pipe inside a cell is written \|.
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")


def figures_in(text: str) -> Help:
    """By kind and figure, from the tables of figures under headings that name a kind (## Sales · `revenue_forecast`).

    A figure is what stands in backticks in the first cell of a row; a row that has several is the help of each.
    """
    found: Help = {}
    figures: dict[str, str] | None = None
    is_of_figures = False
    for line in text.splitlines():
        if line.startswith("## "):
            heading = _KIND.match(line)
            figures = found.setdefault(heading["kind"], {}) if heading else None
        cells = _cells(line)
        is_of_figures = bool(cells) and (is_of_figures or cells == _HEADER)
        if figures is not None and is_of_figures:
            figures.update((name, cells[1]) for name in _FIGURE.findall(cells[0]))
    return found


def _cells(line: str) -> list[str]:
    """Empty where it is no row of a table."""
    if not line.startswith("|"):
        return []
    return [cell.strip().replace("\\|", "|") for cell in _BETWEEN_CELLS.split(line.strip().strip("|"))]


@cache
def documented() -> Help:
    return figures_in((settings.BASE_DIR / "docs" / "insights.md").read_text(encoding="utf-8"))


def help_for(user: User) -> Help:
    """Of the insights of the departments this user sees."""
    kinds = [insight.kind for slug in departments_of(user) for insight in find_department(slug).insights]
    return {kind: documented().get(kind, {}) for kind in kinds}
