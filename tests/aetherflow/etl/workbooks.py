"""Workbooks made by hand, so that a test says exactly what stands in the XML."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'

# The styles a Cell can have: of a number, a day, a day with its time, a time, hours beyond a day, a percentage.
FORMATS = {"number": 0, "day": 14, "moment": 22, "time": 20, "hours": 46, "percent": 10}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell as it is written: `kind` is the XML's t, `value` what stands in its v element, `formula` in its f."""

    value: object = ""
    kind: str = "n"
    style: str = "number"
    formula: str = ""

    def xml(self, place: str) -> str:
        formula = f"<f>{escape(self.formula)}</f>" if self.formula else ""
        value = "" if self.value == "" else f"<v>{escape(str(self.value))}</v>"
        return f'<c r="{place}" s="{list(FORMATS).index(self.style)}" t="{self.kind}">{formula}{value}</c>'


def day(serial: float) -> Cell:
    return Cell(value=serial, style="day")


def inline(text: str) -> Cell:
    """A text that stands in the sheet itself, as some exporters write it."""
    return Cell(value=text, kind="inline")


def workbook(
    sheets: Mapping[str, Sequence[Sequence[object]]],
    *,
    hidden: Sequence[str] = (),
    epoch_1904: bool = False,
    parts: Mapping[str, str] | None = None,
) -> bytes:
    """An .xlsx of rows of Cells, numbers, and texts, which are shared as Excel does it. None leaves a cell out.

    `parts` replaces or adds files of the archive by name.
    """
    shared: dict[str, int] = {}
    numbers = range(1, len(sheets) + 1)
    files = {
        f"xl/worksheets/sheet{at}.xml": f"<worksheet {MAIN}><sheetData>{_rows(rows, shared)}</sheetData></worksheet>"
        for at, rows in zip(numbers, sheets.values(), strict=True)
    }
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{at}" r:id="rId{at}" state="{_state(name, hidden)}"/>'
        for at, name in zip(numbers, sheets, strict=True)
    )
    settings = '<workbookPr date1904="1"/>' if epoch_1904 else ""
    links = [_link(f"rId{at}", "worksheet", f"worksheets/sheet{at}.xml") for at in numbers]
    links += [_link("rId901", "styles", "styles.xml"), _link("rId902", "sharedStrings", "sharedStrings.xml")]
    styles = "".join(f'<xf numFmtId="{at}"/>' for at in FORMATS.values())
    texts = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in shared)
    files |= {
        "xl/workbook.xml": f"<workbook {MAIN} {LINKS}>{settings}<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships {PACKAGE}>{''.join(links)}</Relationships>",
        "xl/styles.xml": f"<styleSheet {MAIN}><cellXfs>{styles}</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f"<sst {MAIN}>{texts}</sst>",
        "_rels/.rels": f"<Relationships {PACKAGE}>{_link('rId1', 'officeDocument', 'xl/workbook.xml')}</Relationships>",
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    }
    files |= parts or {}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return held.getvalue()


def _state(name: str, hidden: Sequence[str]) -> str:
    return "hidden" if name in hidden else "visible"


def _link(name: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}"/>'


def _rows(rows: Sequence[Sequence[object]], shared: dict[str, int]) -> str:
    return "".join(
        f'<row r="{number}">'
        + "".join(_cell(value, f"{_letters(at)}{number}", shared) for at, value in enumerate(row) if value is not None)
        + "</row>"
        for number, row in enumerate(rows, 1)
        if row
    )


def _cell(value: object, place: str, shared: dict[str, int]) -> str:
    if isinstance(value, Cell):
        if value.kind == "inline":
            return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value.value))}</t></is></c>'
        return value.xml(place)
    if isinstance(value, str):
        at = shared.setdefault(value, len(shared))
        return f'<c r="{place}" t="s"><v>{at}</v></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'


def _letters(at: int) -> str:
    return _letters(at // 26 - 1) + chr(65 + at % 26) if at >= 26 else chr(65 + at)
