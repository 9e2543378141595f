"""Files nobody would send by mistake, for the fuzz of the reader: real ones that are spoilt, and ones made from hostile
pieces, in every format."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st
from pyarrow import parquet as pq

from aetherflow import registry
from aetherflow.department import Department
from tests.aetherflow.etl.hostile import LAUGHS, zipped
from tests.aetherflow.etl.old_workbooks import old_workbook
from tests.aetherflow.etl.workbooks import workbook

ROOT = Path(__file__).parents[3]
Draw = Callable[[st.SearchStrategy[Any]], Any]

HUGE = ["1e999999", "9" * 400, "-1e-9999", "1,2,3.4.5", "NaN", "-inf", "0x1F", "١٢٣", "1 000,0-", "(1)", "1e5%"]
CELLS = [
    "=1+1",
    "@x",
    "\t=1",
    "'=1",
    '"',
    '""',
    "\\",
    '\\"',
    "\x00",
    "\u202e",
    "\u200b",
    "\ufeff",
    "\ufdd0",
    "\ud7ff",
    "😀",
]
DAYS = ["0000-00-00", "9999-12-31", "31.02.2026", "2026-13-01", "1/1/1", "45000", "2026-11-02T25:61:61Z"]
ENDS = ["\r", "\n", "\r\n", "\n\n", "\x0b", "\x0c", "\x1a", "\x1e", "\u0085", "\u2028", " ", ",", ";", "|", "\t"]
TOKENS = [token.encode() for token in [*HUGE, *CELLS, *DAYS, *ENDS, "sep=;\n", "]]>", "<!--", "&e11;", "PK\x03\x04"]]
TOKENS += [b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3", b"\x81", b"\x1f\x8b", b"PAR1", bytes(40)]
TOKENS += [struct.pack(f"<{form}", value) for form in "HIQ" for value in (0, 1, 0x7F, 0x7FFF, 0xFFFF)]
TOKENS += [b"\xff" * 4, b"\xff" * 8, b"\xff\xff\xff\x7f", b"[" * 2_000, b'{"a":' * 2_000, b"<a>" * 500]


@dataclass(frozen=True, kw_only=True)
class Sent:
    filename: str
    department: str
    # It is left in a file; thousands of bytes on the screen hide what is wrong with it.
    content: bytes = field(repr=False)


def table_of(department: Department, *, rows: int = 12) -> list[list[str]]:
    """A header, and rows of the department's examples with keys of their own."""
    columns = department.columns
    cells = [[column.example for column in columns] for _ in range(rows)]
    key = next(at for at, column in enumerate(columns) if column.name == department.natural_key[0])
    if columns[key].kind == "text":
        for at, row in enumerate(cells):
            row[key] = f"K-{at}"
    return [[column.name for column in columns], *cells]


def as_csv(table: list[list[str]], *, delimiter: str = ",") -> bytes:
    return "".join(delimiter.join(row) + "\n" for row in table).encode()


def as_records(table: list[list[str]]) -> list[dict[str, str]]:
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def as_parquet(table: list[list[str]], **options: Any) -> bytes:
    held = io.BytesIO()
    columns = [pa.array([row[at] for row in table[1:]]) for at in range(len(table[0]))]
    pq.write_table(pa.table(columns, names=table[0]), held, **options)
    return held.getvalue()


@cache
def samples() -> list[Sent]:
    """The departments' samples, the corpus, and every format that is read."""
    found = []
    for slug, department in sorted(registry.departments().items()):
        folders = (ROOT / "tests/corpus" / slug, ROOT / "aetherflow/departments" / slug / "samples")
        # Beginnings: what is wrong with a reader shows in a few rows, and more of them fit into a minute.
        found += [
            Sent(filename=path.name, department=slug, content=path.read_bytes()[:8_000])
            for path in sorted(path for folder in folders for path in folder.iterdir() if path.suffix != ".json")
        ]
        table = table_of(department)
        records = as_records(table)
        forms = {
            "a.xlsx": workbook({"Rows": table}),
            "a.xls": old_workbook(table),
            "a.parquet": as_parquet(table),
            "plain.parquet": as_parquet(table, compression=None, use_dictionary=False),
            "a.jsonl": "\n".join(map(json.dumps, records)).encode(),
            "a.json": json.dumps(records, indent=1).encode(),
            "a.csv.gz": gzip.compress(as_csv(table)),
            "a.zip": zipped({"a.csv": as_csv(table)}),
            "a.csv": as_csv(table).decode().encode("utf-16"),
        }
        found += [Sent(filename=name, department=slug, content=content) for name, content in forms.items()] * 3
    return found


def spoil(content: bytearray, draw: Draw, *, others: list[bytes]) -> None:
    """Something happens to a file, once."""
    # Anywhere alike: as numbers that are drawn they would mostly be the header's.
    chance = draw(st.randoms(use_true_random=False))
    first, second = sorted(chance.randint(0, len(content)) for _ in range(2))
    match draw(st.sampled_from(["flip", "put", "over", "out", "repeat", "cut", "splice", "many"])):
        case "flip" if first < len(content):
            content[first] ^= draw(st.integers(1, 255))
        case "put":
            content[first:first] = draw(st.sampled_from(TOKENS) | st.binary(min_size=1, max_size=8))
        case "over":
            token = draw(st.sampled_from(TOKENS))
            content[first : first + len(token)] = token
        case "out":
            del content[first : min(second, first + 60)]
        case "repeat":
            content[first:first] = content[first:second][:4_000]
        case "cut":
            del content[second:]
        case "splice":
            content[second:] = draw(st.sampled_from(others))[first : first + 4_000]
        case "many":
            content[first:first] = draw(st.sampled_from(TOKENS))[:40] * draw(st.integers(2, 3_000))


def spoilt(draw: Draw, content: bytes, *, others: list[bytes]) -> bytes:
    held = bytearray(content)
    for _ in range(draw(st.integers(0, 5))):
        spoil(held, draw, others=others)
    return bytes(held)


@st.composite
def spoilt_files(draw: Draw) -> Sent:
    """A real file, some bytes of which are others: of what is packed also inside, the packing whole."""
    sent = draw(st.sampled_from(samples()))
    others = [other.content for other in samples()]
    content = sent.content
    if content.startswith(b"PK") and draw(st.booleans()):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        part = draw(st.sampled_from(sorted(parts)))
        content = zipped({**parts, part: spoilt(draw, parts[part], others=others)})
    elif content.startswith(b"\x1f\x8b") and draw(st.booleans()):
        content = gzip.compress(spoilt(draw, gzip.decompress(content), others=others))
    else:
        content = spoilt(draw, content, others=others)
    return Sent(filename=sent.filename, department=sent.department, content=content)


VALUES = st.sampled_from([*HUGE, *CELLS, *DAYS, "", "x", "K-1"]) | st.text(max_size=8)


@st.composite
def hostile_tables(draw: Draw) -> Sent:
    """A table in some cells of which stands what readers stumble over, written as any format."""
    slug = draw(st.sampled_from(sorted(registry.departments())))
    table = [list(row) for row in table_of(registry.department(slug), rows=draw(st.integers(1, 6)))]
    for _ in range(draw(st.integers(1, 12))):
        row = draw(st.sampled_from([0, *[*range(1, len(table))] * 12]))
        table[row][draw(st.integers(0, len(table[row]) - 1))] = draw(VALUES)
    sendable = [[cell.replace("\x00", "") for cell in row] for row in table]
    match draw(st.sampled_from(["csv", "quoted", "xlsx", "xls", "parquet", "jsonl", "json", "laughs"])):
        case "csv":
            name, content = "a.csv", as_csv(table, delimiter=draw(st.sampled_from(",;\t|")))
        case "quoted":
            cells = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in table]
            name, content = "a.csv", as_csv(cells)
        case "xlsx":
            name, content = "a.xlsx", workbook({"Rows": [[in_xml(cell) for cell in row] for row in sendable]})
        case "laughs":
            book = workbook({"Rows": sendable and table_of(registry.department(slug), rows=1)})
            with zipfile.ZipFile(io.BytesIO(book)) as archive:
                parts = {part: archive.read(part) for part in archive.namelist()}
            part = draw(st.sampled_from(sorted(parts)))
            name = "a.xlsx"
            content = zipped({**parts, part: f"<!DOCTYPE x [{LAUGHS}]>".encode() + parts[part]})
        case "xls":
            latin = [[cell.encode("latin-1", "replace").decode("latin-1") for cell in row] for row in table]
            name, content = "a.xls", old_workbook(latin)
        case "parquet":
            names = [f"{at}" if table[0].count(label) > 1 else label for at, label in enumerate(table[0])]
            name, content = "a.parquet", as_parquet([names, *table[1:]])
        case "jsonl":
            odd = draw(st.lists(RECORDS, max_size=3))
            name, content = "a.jsonl", "\n".join(map(json.dumps, [*as_records(table), *odd])).encode()
        case _:
            name, content = "a.json", json.dumps([*as_records(table), draw(RECORDS)]).encode()
    return Sent(filename=name, department=slug, content=content)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | VALUES
RECORDS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(VALUES, inner, max_size=4), max_leaves=8
)


def in_xml(cell: str) -> str:
    return "".join(sign for sign in cell if sign >= " " or sign in "\t\n\r")


def files() -> st.SearchStrategy[Sent]:
    return spoilt_files() | hostile_tables()
