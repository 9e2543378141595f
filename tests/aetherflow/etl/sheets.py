"""Tables of typed values, and all the ways in which people's programs write them to a file."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandera.pandas as pa
from hypothesis import assume
from hypothesis import strategies as st

from aetherflow.columns import TEXT_MISSING, Day, Integer, Number, Text, day, integer, number, text
from aetherflow.department import Department

Draw = Callable[[st.SearchStrategy[Any]], Any]


class Crates(pa.DataFrameModel):
    """One row is one crate. It has a column of every kind."""

    code: Text = text(description="Its number.", examples=("C-1", "C-2"), max_length=60)
    packed: Day = day(description="When it was packed.", examples=("2026-03-30", "2026-03-31"))
    opened: Day = day(description="When it was opened.", examples=("2026-03-30", "2026-03-31"), nullable=True)
    bottles: Integer = integer(
        description="How many.", examples=("1", "2"), minimum=-9_999_999, maximum=9_999_999, nullable=True
    )
    weight: Number = number(
        description="In kilograms.", examples=("1.5", "20"), max_digits=12, decimal_places=3, nullable=True
    )
    price: Number = number(
        description="What it costs.", examples=("9.99", "10"), max_digits=12, decimal_places=2, unit="money"
    )
    rebate: Number = number(
        description="In percent.", examples=("5", "0"), max_digits=5, decimal_places=2, unit="percent", nullable=True
    )
    label: Text = text(description="What it says.", examples=("Wine", "Oil"), max_length=60, nullable=True)
    country: Text = text(description="Its origin.", examples=("FR", "IT"), max_length=2, pattern="[A-Z]*", case="upper")
    mood: Text | None = text(description="Any.", examples=("good", "bad"), max_length=60, nullable=True, case="lower")
    note: Text | None = text(description="Any.", examples=("", "x"), max_length=200, nullable=True, multiline=True)

    class Config:
        strict = True
        coerce = False
        ordered = True


CRATES = Department(
    slug="crates",
    label="Crates",
    table="crates",
    rows=Crates,
    natural_key=("code",),
    aliases={"crate no": "code", "packing date": "packed", "pieces": "bottles", "kg": "weight", "cost": "price"},
    clean=(),
    insights=(),
)
LABELS = {
    "code": ("code", "CODE", "Crate No.", "crate_no", " Code "),
    "packed": ("packed", "Packing Date", "PACKING-DATE"),
    "opened": ("opened", "Opened"),
    "bottles": ("bottles", "Pieces", "BOTTLES"),
    "weight": ("weight", "kg", "KG", "We_ight"),
    "price": ("price", "Cost", "PRICE"),
    "rebate": ("rebate", "Rebate"),
    "label": ("label", "La\nbel"),
    "country": ("country", "COUNTRY"),
    "mood": ("mood", "Mood"),
    "note": ("note", "NOTE"),
}
OPTIONAL = ("mood", "note")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one file is written."""

    delimiter: str
    encoding: str
    mark: bool
    ending: str
    quoting: str
    decimal: str
    group: str
    order: str
    short_years: bool
    more_columns: int
    more_delimiters: bool
    padded: bool
    titles: int


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A file, and what must come out of it: the rows by the lines they begin on."""

    content: bytes
    dialect: Dialect
    rows: dict[int, dict[str, Any]]
    longest_record: int


DIALECTS = st.builds(
    Dialect,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8", "cp1252", "utf-16-le", "utf-16-be", "utf-32-le"]),
    mark=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from(["where needed", "everywhere", "here and there", "behind spaces", "with backslashes"]),
    decimal=st.sampled_from([".", ","]),
    group=st.sampled_from(["", "", "other", " ", "'", "\u00a0", "\u202f"]),
    order=st.sampled_from(["iso", "day-first", "month-first", "named"]),
    short_years=st.booleans(),
    more_columns=st.integers(0, 2),
    more_delimiters=st.booleans(),
    padded=st.booleans(),
    titles=st.integers(0, 2),
)
MARKS = {"utf-8": "\ufeff", "utf-16-le": "\ufeff", "utf-16-be": "\ufeff", "utf-32-le": "\ufeff", "cp1252": ""}
MISSING = st.sampled_from(["", "  ", "-", "N/A", "NULL", r"\N", "none"])


def is_kept_as_it_is(written: str) -> bool:
    """Whether a text is read as just what it is: trimmed, in one spelling, and not one of the words for nothing."""
    return (
        " ".join(written.split()) == written == unicodedata.normalize("NFC", written)
        and written.lower() not in {word.lower() for word in TEXT_MISSING}
        and not re.search("[\u200b\u2060\ufeff]", written)
        and not written.startswith('="')
    )


def texts(encoding: str, *, lines: bool = False) -> st.SearchStrategy[str]:
    wide = encoding.startswith("utf-")
    # UTF-16 without a mark is known by its zeros, which only Latin text has.
    letters = st.characters(codec=encoding if wide else "cp1252", exclude_categories=["C", "Z"])
    latin = st.sampled_from("abcXYZäöüéñßÄ019.,;|\t\"'\\/-+=@#%&()[]{}" + ("" if encoding == "cp1252" else "ąłż"))
    words = st.text(st.one_of(latin, letters if wide else latin), min_size=1, max_size=8).map(
        lambda word: unicodedata.normalize("NFC", word)
    )
    between = st.sampled_from([" ", "\n", "\r\n", "  ", " \t"]) if lines else st.just(" ")
    joined = st.lists(st.tuples(words, between), min_size=1, max_size=4).map(
        lambda parts: "".join(word + gap for word, gap in parts)
    )
    if lines:
        return joined.map(str.strip).filter(lambda note: is_kept_as_it_is(" ".join(note.split())))
    return joined.map(lambda written: " ".join(written.split())).filter(is_kept_as_it_is)


def decimals(places: int, most: int) -> st.SearchStrategy[Decimal]:
    whole = st.integers(-most, most) | st.sampled_from([at for at in (0, 1, -999, 1_000, -2_500) if abs(at) < most])
    scales = st.integers(0, places)
    return st.tuples(whole, st.integers(0, 10**places - 1), scales).map(
        lambda drawn: Decimal(drawn[0]) + (Decimal(drawn[1] % 10 ** drawn[2]).scaleb(-drawn[2]))
    )


def days(dialect: Dialect) -> st.SearchStrategy[dt.date]:
    if dialect.short_years:
        return st.dates(dt.date(1969, 1, 1), dt.date(2068, 12, 31))
    return st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))


def tables(dialect: Dialect) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of typed values, no two of one code."""
    short = texts(dialect.encoding)
    row = st.fixed_dictionaries(
        {
            "code": short,
            "packed": days(dialect),
            "opened": st.none() | days(dialect),
            "bottles": st.none() | st.integers(-9_999_999, 9_999_999) | st.integers(-9, 9),
            "weight": st.none() | decimals(3, 99_999_999),
            "price": decimals(2, 999_999_999),
            "rebate": st.none() | decimals(2, 99),
            "label": st.none() | short,
            "country": st.text("ABCXYZ", min_size=1, max_size=2).filter(lambda code: code.lower() != "na"),
            "mood": st.none() | st.text("abcäöü ", min_size=1, max_size=9).map(str.strip).filter(is_word),
            "note": st.none() | texts(dialect.encoding, lines=True),
        }
    )
    return st.lists(row, min_size=1, max_size=8, unique_by=lambda row: row["code"])


def is_word(written: str) -> bool:
    return bool(written) and is_kept_as_it_is(written)


@st.composite
def sheets(draw: Draw) -> Sheet:
    """A file that can be understood: it settles, somewhere, how its numbers and its days are written."""
    dialect = draw(DIALECTS)
    return _Writer(draw, dialect).write(draw(tables(dialect)))


class _Writer:
    def __init__(self, draw: Draw, dialect: Dialect) -> None:
        self.draw = draw
        self.dialect = dialect
        self.text = ""
        self.longest = 0
        self.settles_decimal = self.needs_decimal = self.settles_order = self.needs_order = False

    def write(self, rows: list[dict[str, Any]]) -> Sheet:
        columns = self.draw(st.permutations(list(LABELS)))
        left_out = self.draw(st.sets(st.sampled_from(OPTIONAL)))
        columns = [name for name in columns if name not in left_out]
        self.above()
        extra = self.dialect.more_columns
        labels = [self.draw(st.sampled_from(LABELS[name])) for name in columns]
        self.record([*labels, *["", "Left out"][:extra]], are_labels=True)
        lines = {}
        if self.dialect.quoting == "with backslashes":
            # Without a quotation mark behind one, a backslash may as well be just that.
            rows = [rows[0] | {"label": 'Tub, 5" wide'}, *rows[1:]]
        for row in rows:
            self.blank_lines()
            cells = [self.cell(name, row[name]) for name in columns] + [""] * min(extra, 1) + ["x\ny"] * (extra == 2)
            lines[self.next_line] = {name: None if name in left_out else self.value(row[name]) for name in row}
            self.record(cells, more=self.dialect.more_delimiters)
        self.blank_lines()
        self.end()
        assume(self.settles_decimal or not self.needs_decimal)
        assume(self.settles_order or not self.needs_order)
        return Sheet(content=self.encoded(), dialect=self.dialect, rows=lines, longest_record=self.longest)

    @property
    def next_line(self) -> int:
        return 1 + len(re.findall(r"\r\n|\r|\n", self.text))

    def above(self) -> None:
        for title in ["Crates of all kinds", "All depots; 2026"][: self.dialect.titles]:
            self.text += title + self.dialect.ending
        if not self.dialect.titles:
            self.blank_lines()
            if self.draw(st.booleans()):
                self.text += f"sep={self.dialect.delimiter}{self.dialect.ending}"

    def blank_lines(self) -> None:
        blank = st.sampled_from(["", "   ", self.dialect.delimiter * 3, self.dialect.delimiter * 11])
        for line in self.draw(st.lists(blank, max_size=2)):
            self.text += line + self.dialect.ending

    def record(self, cells: list[str], *, more: bool = False, are_labels: bool = False) -> None:
        written = self.dialect.delimiter.join(self.quoted(cell, is_label=are_labels) for cell in cells)
        written += self.dialect.delimiter * more + self.dialect.ending
        self.longest = max(self.longest, len(written.encode()))
        self.text += written

    def end(self) -> None:
        if self.draw(st.booleans()):
            self.text = self.text.removesuffix(self.dialect.ending)

    def quoted(self, cell: str, *, is_label: bool) -> str:
        needed = any(sign in cell for sign in (self.dialect.delimiter, '"', "\n", "\r"))
        if self.dialect.quoting == "with backslashes" and (needed or "\\" in cell[1:]):
            return '"' + cell.replace("\\", r"\\").replace('"', r"\"") + '"'
        # Below title lines a header over several lines is looked for before its quotation marks are understood.
        if self.dialect.quoting == "behind spaces" and needed and not is_label:
            return ' "' + cell.replace('"', '""') + '"'
        wanted = self.dialect.quoting == "everywhere" or (
            self.dialect.quoting == "here and there" and self.draw(st.booleans())
        )
        return '"' + cell.replace('"', '""') + '"' if needed or wanted else cell

    def cell(self, name: str, value: Any) -> str:
        if value is None:
            return str(self.draw(MISSING))
        if isinstance(value, dt.date):
            written = self.day(value)
        elif name == "bottles":
            written = self.signed(self.grouped(str(abs(value))), negative=value < 0)
        elif isinstance(value, Decimal):
            written = self.number(name, value)
        else:
            return f"  {value} " if self.dialect.padded and name != "note" else str(value)
        return f" {written}  " if self.dialect.padded else written

    def number(self, name: str, value: Decimal) -> str:
        whole, _, places = f"{abs(value):f}".partition(".")
        body = self.grouped(whole)
        if places:
            self.needs_decimal = True
            self.settles_decimal |= len(places) < 3
            body += self.dialect.decimal + places
        if name == "price":
            return self.money(body, negative=value < 0)
        sign = self.draw(st.sampled_from(["", "%", " %"])) if name == "rebate" else ""
        return self.signed(body, negative=value < 0) + sign

    def grouped(self, digits: str) -> str:
        mark = {"other": "," if self.dialect.decimal == "." else "."}.get(self.dialect.group, self.dialect.group)
        if not mark or len(digits) < 4 or (mark == "\u202f" and self.dialect.encoding == "cp1252"):
            return digits
        self.needs_decimal |= mark in ".,"
        return f"{int(digits):,}".replace(",", mark)

    def signed(self, body: str, *, negative: bool) -> str:
        if not negative:
            return body
        minus = "\u2013" if self.dialect.encoding == "cp1252" else "\u2212"
        return str(self.draw(st.sampled_from([f"-{body}", f"({body})", f"{body}-", f"{minus}{body}"])))

    def money(self, body: str, *, negative: bool) -> str:
        sign = self.draw(st.sampled_from(["", "€", "$", "EUR", "chf", "kr."]))
        if not sign:
            return self.signed(body, negative=negative)
        forms = (
            [f"-{sign}{body}", f"{sign}-{body}", f"({sign} {body})", f"{sign} ({body})", f"-{body} {sign}"]
            if negative
            else [f"{sign}{body}", f"{sign} {body}", f"{body}{sign}", f"{body} {sign}"]
        )
        return str(self.draw(st.sampled_from(forms)))

    def day(self, day: dt.date) -> str:
        order = self.draw(st.sampled_from([self.dialect.order] * 3 + ["iso"]))
        year = f"{day.year % 100:02d}" if self.dialect.short_years else str(day.year)
        gap = self.draw(st.sampled_from("-/. "))
        pads = self.draw(st.sampled_from(["02d", "d"]))
        numbers = {"day-first": (day.day, day.month), "month-first": (day.month, day.day)}
        if order in numbers:
            # Day first is what is taken where nothing settles it.
            self.needs_order |= order == "month-first"
            self.settles_order |= day.day > 12
            first, second = numbers[order]
            written = f"{first:{pads}}{gap}{second:{pads}}{gap}{year}"
        elif order == "named":
            written = self.draw(
                st.sampled_from([f"{day:%d-%b}-{year}", f"{day:%d %B} {year}", f"{day:%b %d}, {day.year}"])
            )
        else:
            written = self.draw(st.sampled_from([day.isoformat(), day.isoformat().replace("-", "/"), f"{day:%Y%m%d}"]))
        return written + self.draw(st.sampled_from(["", "", " 00:00", " 2:30 PM", "T14:30:00Z"]))

    @staticmethod
    def value(value: Any) -> Any:
        return float(value) if isinstance(value, Decimal) else value

    def encoded(self) -> bytes:
        encoding = self.dialect.encoding
        mark = MARKS[encoding] if self.dialect.mark or encoding == "utf-32-le" or not self.text.isascii() else ""
        content = (mark + self.text).encode(encoding)
        if encoding == "cp1252":
            # Some pairs of letters of cp1252 are a letter of UTF-8: such a file can be read either way.
            letters = content.decode("utf-8", errors="surrogateescape")
            assume(all(letter.isascii() or "\udc80" <= letter <= "\udcff" for letter in letters))
        return content
