"""From a file on the local disk to a SourceFile: what it is, how it is written, and whether it can be used at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from aetherflow.department import Department
from aetherflow.etl.corrections import Correction, is_annotation
from aetherflow.etl.formats.archives import Unpacked, unpack
from aetherflow.etl.formats.delimited import open_delimited
from aetherflow.etl.formats.jsonlines import open_json
from aetherflow.etl.formats.limits import MOST_BYTES, MOST_ROWS, Limits, refuse_too_many_rows
from aetherflow.etl.formats.parquet import open_parquet
from aetherflow.etl.formats.scratch import Scratch
from aetherflow.etl.formats.table import TextTable
from aetherflow.etl.formats.typed import UNDECIDED
from aetherflow.etl.formats.workbook import open_workbook
from aetherflow.etl.headers import Labels, match_header
from aetherflow.etl.line import LISTING_LIMIT, SourceFile, without_blank_rows
from aetherflow.etl.mapping import Memory, nothing_remembered
from aetherflow.etl.options import NOTHING_SAID, ReadOptions
from aetherflow.etl.reader import BATCH_BYTES, BLOCK, Texts
from aetherflow.etl.reading import Reading
from aetherflow.etl.rejects import FileRefused
from aetherflow.etl.survey import Survey


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
    most_rows: int = MOST_ROWS,
    in_haste: bool = False,
) -> SourceFile:
    """Examine a file on the local disk, to its end and in bounded memory, before any row is handed out.

    Or, `in_haste` and where the first `block` of the rows tells how all of them seem to be written, only that much: the
    rest is seen while the rows are handed out, and SourceFile.batches raises for it. `options` override what would be
    found. `memory` is asked for the header's mapping where `options` give none. `correction` where the file completes
    another one. `batch_rows` is about how many rows a batch has, `block` how many bytes are parsed at a time, and
    `most_bytes` what a packed file may grow to: it is unpacked beside `path`, until the SourceFile is closed. Of more
    than `most_rows` none is looked at. Raises FileRefused for everything that makes the whole file unusable.
    """
    with ExitStack() as held:
        scratch = Scratch(path)
        held.callback(scratch.close)
        limits = Limits(filename=filename, packed=path.stat().st_size, most_bytes=most_bytes)
        unpacked = unpack(path, filename=filename, scratch=scratch, limits=limits)
        known = Labels(department, mapping=options.mapping).__contains__
        table = _as_table(unpacked, filename=filename, known=known, options=options, scratch=scratch, limits=limits)
        refuse_too_many_rows(table.rows_at_most, most=most_rows, filename=filename)
        mapping = match_header(
            table.header, department=department, line=table.header_line, mapping=options.mapping, memory=memory
        )
        survey = Survey(
            department=department, mapping=mapping, options=options, correction=correction, is_typed=table.is_typed
        )
        is_whole, kept = _look_over(table, survey=survey, in_haste=in_haste, filename=filename, block=block)
        conventions = survey.conventions
        return SourceFile(
            path=path,
            department=department,
            table=table,
            mapping=mapping,
            survey=survey,
            is_surveyed=is_whole,
            kept=kept,
            reading=Reading(
                format=table.form.format,
                compression=unpacked.compression,
                encoding=table.form.encoding,
                delimiter=table.form.delimiter,
                sheet=table.form.sheet,
                decimal=conventions.decimal,
                date_order=conventions.date_order,
                percentages=survey.percentages,
                basis={**table.form.basis, **survey.basis},
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


def _look_over(
    table: TextTable, *, survey: Survey, in_haste: bool, filename: str, block: int
) -> tuple[bool, list[Texts]]:
    """Take the rows into the survey, to the file's end, or until it is settled where there is haste.

    Returns whether it was to the end, and the texts of a text file that fits into one block: to make haste with it, or
    to read it again, would cost more than to keep what it becomes, unless that is far more than it is. Raises
    FileRefused where the file is not whole or has no rows.
    """
    has_rows, looked_at = False, 0
    room = BATCH_BYTES if not table.is_typed and table.bytes_total <= block else 0
    kept: list[Texts] = []
    with closing(table.texts(decimal=UNDECIDED, block=block)) as pieces:
        for texts in pieces:
            has_rows = (
                has_rows or any(not row.is_blank for row in texts.ragged) or len(without_blank_rows(texts)[1]) > 0
            )
            survey.take(texts.cells)
            looked_at += texts.cells.nbytes
            room = max(0, room - texts.cells.nbytes)
            kept = [*kept, texts] if room else []
            if in_haste and not room and has_rows and looked_at >= block and survey.is_settled:
                return False, []
    if not has_rows:
        raise FileRefused(
            f"{filename} has a header and no rows.",
            code="no-rows",
            hint="Check the filter of the export, and upload a file with at least one row.",
        )
    return True, kept
