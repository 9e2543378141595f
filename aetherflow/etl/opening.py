"""From a file on the local disk to a SourceFile: what it is, how it is written, and whether it can be used at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from aetherflow.department import Department
from aetherflow.etl.casting import Conventions
from aetherflow.etl.conventions import Evidence
from aetherflow.etl.corrections import Correction, is_annotation
from aetherflow.etl.formats.archives import Unpacked, unpack
from aetherflow.etl.formats.delimited import open_delimited
from aetherflow.etl.formats.jsonlines import open_json
from aetherflow.etl.formats.limits import MOST_BYTES, Limits
from aetherflow.etl.formats.parquet import open_parquet
from aetherflow.etl.formats.scratch import Scratch
from aetherflow.etl.formats.table import Basis, TextTable
from aetherflow.etl.formats.typed import UNDECIDED
from aetherflow.etl.formats.workbook import open_workbook
from aetherflow.etl.headers import Labels, Mapping, match_header
from aetherflow.etl.line import LISTING_LIMIT, SourceFile, without_blank_rows
from aetherflow.etl.mapping import Memory, nothing_remembered
from aetherflow.etl.options import NOTHING_SAID, ReadOptions
from aetherflow.etl.reader import BLOCK
from aetherflow.etl.reading import Reading
from aetherflow.etl.rejects import FileRefused


def open_file(
    path: Path,
    *,
    filename: str,
    department: Department,
    options: ReadOptions = NOTHING_SAID,
    memory: Memory = nothing_remembered,
    correction: Correction | None = None,
    listing_limit: int = LISTING_LIMIT,
    batch_rows: int = 60_000,
    block: int = BLOCK,
    most_bytes: int = MOST_BYTES,
) -> SourceFile:
    """Examine a file on the local disk, to its end and in bounded memory, before any row is handed out.

    `options` override what would be found. `memory` is asked for the header's mapping where `options` give none.
    `correction` where the file completes another one. `batch_rows` is about how many rows a batch has, `block` how many
    bytes are parsed at a time, and `most_bytes` what a packed file may grow to: it is unpacked beside `path`, until the
    SourceFile is closed. Raises FileRefused for everything that makes the whole file unusable.
    """
    with ExitStack() as held:
        scratch = Scratch(path)
        held.callback(scratch.close)
        limits = Limits(filename=filename, packed=path.stat().st_size, most_bytes=most_bytes)
        unpacked = unpack(path, filename=filename, scratch=scratch, limits=limits)
        known = Labels(department, mapping=options.mapping).__contains__
        table = _as_table(unpacked, filename=filename, known=known, options=options, scratch=scratch, limits=limits)
        mapping = match_header(
            table.header, department=department, line=table.header_line, mapping=options.mapping, memory=memory
        )
        evidence = Evidence()
        if correction is not None:
            evidence = Evidence(usual_decimal=correction.decimal, usual_order=correction.date_order)
        row_count = _survey(
            table, evidence=evidence, mapping=mapping, department=department, filename=filename, block=block
        )
        conventions = Conventions(
            decimal=options.decimal or evidence.conventions.decimal,
            date_order=options.date_order or evidence.conventions.date_order,
        )
        return SourceFile(
            path=path,
            department=department,
            table=table,
            mapping=mapping,
            conventions=conventions,
            reading=Reading(
                format=table.form.format,
                compression=unpacked.compression,
                encoding=table.form.encoding,
                delimiter=table.form.delimiter,
                sheet=table.form.sheet,
                decimal=conventions.decimal,
                date_order=conventions.date_order,
                basis={
                    **table.form.basis,
                    "decimal": _basis(given=options.decimal is not None, assumed=evidence.decimal_assumed),
                    "date_order": _basis(given=options.date_order is not None, assumed=evidence.date_order_assumed),
                },
                header_line=table.header_line,
                header=list(table.header),
                mapping={mapping.labels[name]: name for name in mapping.positions},
                mapping_from=mapping.source,
                mapping_by=mapping.memory.by if mapping.memory else None,
                mapping_at=mapping.memory.at.isoformat() if mapping.memory else None,
                left_out=mapping.left_out,
                unknown_columns=[label for label in mapping.unknown if correction is None or not is_annotation(label)],
                unlabelled_columns=mapping.unlabelled,
                suggestions=mapping.suggestions,
                missing_optional=mapping.missing_optional,
            ),
            row_count=row_count,
            is_correction=correction is not None,
            listing_limit=listing_limit,
            batch_rows=batch_rows,
            block=block,
            held=held.pop_all(),
        )


def _as_table(
    unpacked: Unpacked,
    *,
    filename: str,
    known: Callable[[str], bool],
    options: ReadOptions,
    scratch: Scratch,
    limits: Limits,
) -> TextTable:
    path, kind = unpacked.path, unpacked.kind
    if kind in {"xlsx", "xls"}:
        return open_workbook(
            path, kind=kind, filename=filename, known=known, options=options, scratch=scratch, limits=limits
        )
    if kind == "parquet":
        return open_parquet(path, filename=filename, known=known, limits=limits)
    if kind in {"jsonl", "json"}:
        return open_json(
            path, kind=kind, filename=filename, known=known, options=options, scratch=scratch, limits=limits
        )
    return open_delimited(path, filename=filename, known=known, options=options)


def _basis(*, given: bool, assumed: bool) -> Basis:
    if given:
        return "given"
    return "assumed" if assumed else "found"


def _survey(
    table: TextTable, *, evidence: Evidence, mapping: Mapping, department: Department, filename: str, block: int
) -> int:
    """One pass over all rows: how numbers and days are written, whether the file is whole, how many rows it has."""
    row_count = 0
    for texts in table.texts(decimal=UNDECIDED, block=block):
        row_count += sum(not row.is_blank for row in texts.ragged) + len(without_blank_rows(texts)[1])
        for name, at in mapping.positions.items():
            evidence.take(texts.cells.column(at), department.column(name))
    if not row_count:
        raise FileRefused(
            f"{filename} has a header and no rows.",
            code="no-rows",
            hint="Check the filter of the export, and upload a file with at least one row.",
        )
    return row_count
