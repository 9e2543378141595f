"""Files that somebody made to do harm: each is small, or small where it is packed."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping

from tests.aetherflow.etl.workbooks import day, workbook

HEADER = ["parcel", "sent", "pieces", "weight", "value", "remark"]
ROW = ["P-1", day(46112), 3, 1.5, 9.99, "ok"]
BOOK = workbook({"Parcels": [HEADER, ROW]})
SHEET, STRINGS, LIST = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"
# Each ten times the one before: a terabyte for a reader that expands them.
LAUGHS = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10 if at else "laugh"}">' for at in range(12))
SECRET = '<!ENTITY e11 SYSTEM "file:///etc/passwd">'


def zipped(files: Mapping[str, bytes | str] | Iterable[tuple[str, bytes | str]]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in dict(files).items():
            archive.writestr(name, content)
    return held.getvalue()


def parts(book: bytes = BOOK) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def book(**changed: bytes) -> bytes:
    """The workbook with `sheet`, `strings` or `list` (of its sheets) as given."""
    names = {"sheet": SHEET, "strings": STRINGS, "list": LIST}
    return zipped({**parts(), **{names[part]: content for part, content in changed.items()}})


def with_entities(declared: str) -> dict[str, bytes]:
    """Workbooks that use what they declare, by the part that does."""
    strings = f"<!DOCTYPE sst [{declared}]><sst>{'<si><t>&e11;</t></si>' * 7}</sst>".encode()
    listed = parts()[LIST].decode().replace("Parcels", "&e11;").partition("?>")
    sheet = parts()[SHEET].decode().replace('t="s"', 't="str"').partition("?>")
    return {
        "strings": book(strings=strings),
        "list": book(list=f"<!DOCTYPE workbook [{declared}]>{listed[2] or listed[0]}".encode()),
        "sheet": book(
            sheet=f"<!DOCTYPE worksheet [{declared}]>{sheet[2] or sheet[0]}".replace("<v>5<", "<v>&e11;<").encode()
        ),
    }


def with_long_list(names: int) -> bytes:
    """An archive with so many entries in its list, all of one file."""
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    count = min(names, 0xFFFF)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(entry) * names, len(local), 0)
    return local + entry * names + end
