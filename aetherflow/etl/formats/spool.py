"""A table of texts put aside on disk: for formats that are dear to read, or whose header is known only at their end."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from aetherflow.etl.casting import letters_of
from aetherflow.etl.formats.limits import Limits
from aetherflow.etl.formats.table import Form
from aetherflow.etl.formats.typed import with_decimal
from aetherflow.etl.reader import Texts

_ASIDE = b"aside"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """A SetAside that could not be taken apart into cells, with its fault in words."""

    line: int
    text: str
    fault: str
    message: str
    hint: str

    @property
    def cells(self) -> list[str]:
        return [self.text]

    @property
    def is_blank(self) -> bool:
        return False

    def code(self, *, columns: int) -> str:  # noqa: ARG002 - of no width
        return self.fault

    def in_words(self, *, columns: int) -> tuple[str, str]:  # noqa: ARG002
        return self.message, self.hint


class Spool:
    """Takes batches while the file is read for the only time. Each is a stream of Arrow's of its own, so that a later
    one may have more columns than an earlier one."""

    def __init__(self, path: Path, *, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._sink = pa.OSFile(str(path), mode="wb")
        self._has_nul = False
        self._bytes = self._rows = 0

    def add(self, columns: Sequence[pa.StringArray], *, lines: np.ndarray, aside: Sequence[Unread] = ()) -> None:
        """Numbers are UNDECIDED. Raises FileRefused too-large-expanded."""
        self._has_nul = self._has_nul or not all(letters_of(cells).all() for cells in columns)
        batch = pa.RecordBatch.from_arrays(
            [pa.array(lines, pa.int64()), *columns], names=["line", *map(str, range(len(columns)))]
        ).replace_schema_metadata({_ASIDE: json.dumps([asdict(row) for row in aside])})
        self._rows += len(lines) + len(aside)
        self._bytes += batch.nbytes
        self._limits.check(self._bytes)
        with pa.ipc.new_stream(self._sink, batch.schema) as stream:
            stream.write_batch(batch)

    def close(self) -> None:
        self._sink.close()

    def table(self, *, header: tuple[str, ...], header_line: int, form: Form) -> SpooledTable:
        """What was written, once all of it is."""
        self.close()
        return SpooledTable(
            path=self._path,
            header=header,
            header_line=header_line,
            form=form,
            has_nul=self._has_nul,
            rows_at_most=self._rows,
        )


@dataclass(frozen=True, kw_only=True)
class SpooledTable:
    """A TextTable of what a Spool has taken. Batches with fewer columns than the header are filled up."""

    path: Path
    header: tuple[str, ...]
    header_line: int
    form: Form
    has_nul: bool
    rows_at_most: int

    @property
    def is_typed(self) -> bool:
        return True

    @property
    def bytes_total(self) -> int:
        return self.path.stat().st_size

    def texts(self, *, decimal: str, block: int) -> Generator[Texts]:  # noqa: ARG002 - as it was written
        names = [str(at) for at in range(len(self.header))]
        with pa.OSFile(str(self.path)) as source:
            while source.tell() < self.bytes_total:
                with pa.ipc.open_stream(source) as stream:
                    (batch,) = stream
                lines, *cells = batch.columns
                missing = [pa.repeat("", len(lines))] * (len(names) - len(cells))
                yield Texts(
                    cells=pa.RecordBatch.from_arrays(
                        [*(with_decimal(column, decimal) for column in cells), *missing], names=names
                    ),
                    lines=lines.to_numpy(),
                    ragged=[Unread(**row) for row in json.loads(batch.schema.metadata[_ASIDE])],
                    bytes_read=source.tell(),
                )
