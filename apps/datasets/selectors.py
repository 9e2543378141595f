"""Reads of datasets. A request's only doors are the `*_for(user)` functions."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from aetherflow.columns import MOST_DIGITS
from aetherflow.errors import AnticipatedError, ConflictError, NotFoundError
from aetherflow.etl import Drift
from aetherflow.etl.corrections import without_annotations
from aetherflow.etl.faults import shown
from aetherflow.etl.mapping import Memory, Remembered, header_shape
from aetherflow.registry import department as find_department
from apps.accounts.models import User
from apps.accounts.selectors import departments_of
from apps.datasets.clean import clean_table
from apps.datasets.models import Dataset, HeaderMapping, Overlap, Reject

# A reject may hold a line of half a megabyte.
_REJECTS_AT_A_TIME = 200
_MOST_NAMED = 20


def datasets_for(user: User) -> QuerySet[Dataset]:
    """The datasets this user may see, undone ones left out, newest first."""
    return Dataset.objects.filter(department__in=departments_of(user), deleted_at=None).select_related("uploaded_by")


def dataset_for(user: User, dataset_id: UUID) -> Dataset:
    """NotFoundError for a foreign one just as for one that never was."""
    found = datasets_for(user).filter(pk=dataset_id).first()
    if found is None:
        raise NotFoundError("There is no such dataset.", hint="It may have been undone, or the address is wrong.")
    return found


def mappings_for(user: User, *, department: str) -> QuerySet[HeaderMapping]:
    """The mappings the department's files are read by, newest first; of the user's own departments only."""
    mine = HeaderMapping.objects.filter(department__in=departments_of(user), department=department)
    return mine.select_related("given_by")


def mapping_for(user: User, mapping_id: UUID, *, department: str) -> HeaderMapping:
    """NotFoundError for a foreign one just as for one that never was."""
    found = mappings_for(user, department=department).filter(pk=mapping_id).first()
    if found is None:
        raise NotFoundError("There is no such mapping.", hint="It may have been forgotten, or the address is wrong.")
    return found


def memory_of(dataset: Dataset) -> Memory:
    """What the department's earlier files were said to mean, for the ETL line to ask; of a correction, how the file it
    completes was read: with its columns more its header has a shape of its own."""
    root = dataset.corrects
    if root is not None and root.reading:
        mapping = root.reading["mapping"] | dict.fromkeys(root.reading.get("left_out", ()))
        known = Remembered(mapping=mapping, by=root.uploaded_by.full_name, at=root.uploaded_at)
        return lambda _: known

    def remembered(header: Sequence[str]) -> Remembered | None:
        mappings = HeaderMapping.objects.select_related("given_by")
        found = mappings.filter(department=dataset.department, shape=header_shape(header)).first()
        return Remembered(mapping=found.mapping, by=found.given_by.full_name, at=found.given_at) if found else None

    return remembered


def with_corrections(datasets: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """With the corrections that are shown beside each, in one query however many there are."""
    return datasets.prefetch_related("corrections")


def correctable_for(user: User, dataset_id: UUID) -> Dataset:
    """The upload that a correction of this one completes: itself, or what it completes where it is a correction.

    NotFoundError for a foreign one just as for one that never was, ConflictError for an undone one.
    """
    mine = Dataset.objects.filter(department__in=departments_of(user)).select_related("corrects")
    found = mine.filter(pk=dataset_id).first()
    if found is None:
        raise NotFoundError(
            "There is no such dataset to correct.", hint="Take the id from the upload whose rows were rejected."
        )
    if found.deleted_at is not None:
        raise upload_undone(found)
    return found.corrects or found


def upload_undone(dataset: Dataset) -> ConflictError:
    return ConflictError(
        f"{dataset.name} was undone, and with it its corrections.",
        code="upload-undone",
        hint="Upload the file without `corrects`, as one of its own.",
    )


def corrections_of(dataset: Dataset) -> QuerySet[Dataset]:
    """Those that were not undone, oldest first."""
    return Dataset.objects.filter(corrects=dataset, deleted_at=None).order_by("number")


def profile_for(user: User, dataset_id: UUID) -> dict[str, Any]:
    """The dataset's profile, as `Profile.as_dict` and `drift`, with the upload it was compared with under `earlier`.

    ConflictError where there is none. An undone upload is compared with no more: what was said of it goes too.
    """
    dataset = dataset_for(user, dataset_id)
    if dataset.profile is None:
        raise ConflictError(
            f"{dataset.name} has no profile yet.",
            code="not-profiled",
            hint="It is made when the file is loaded: wait for the job to end, or have the upload reprocessed.",
        )
    drift = dataset.profile["drift"]
    earlier = drift["compared_with"] and datasets_for(user).filter(pk=drift["compared_with"]).first()
    if drift["compared_with"] and earlier is None:
        drift = Drift(reason="The upload it was compared with has been undone.").as_dict()
    return {
        **dataset.profile,
        "dataset_id": dataset.pk,
        "loaded_at": dataset.loaded_at,
        "drift": {**drift, "compared_with": earlier},
    }


def same_file(*, department: str, sha256: str, other_than: UUID) -> Dataset | None:
    """The department's newest other dataset with the very same bytes; another department's is never told of."""
    return Dataset.objects.filter(department=department, sha256=sha256, deleted_at=None).exclude(pk=other_than).first()


def column_names(department: str) -> list[str]:
    return ["line", *(column.name for column in find_department(department).columns)]


def clean_rows(dataset: Dataset) -> QuerySet[Any, dict[str, Any]]:
    """The dataset's clean rows as dicts of `column_names`, in the order of the file."""
    rows = clean_table(dataset.department)._default_manager.filter(
        bucket=dataset.rows_bucket, dataset_no=dataset.number
    )
    return rows.order_by("line").values(*column_names(dataset.department))


def rows_where(dataset: Dataset, *, column: str, value: str) -> QuerySet[Any, dict[str, Any]]:
    """The clean rows with `value` in `column`: a part of a text in any case, else the very number or day; "" asks for
    empty cells. AnticipatedError for a column the department has not, and for a value that none of its cells can be.

    No index helps: the rows are read in the order of the file until a page is full. A million take a second.
    """
    kinds = {each.name: each.kind for each in find_department(dataset.department).columns}
    if column not in kinds:
        raise AnticipatedError(
            f"There is no column {shown(column)}.",
            code="unknown-column",
            hint=f"The columns are {', '.join(kinds)}.",
        )
    rows = clean_rows(dataset)
    if not value:
        return rows.filter(**{f"{column}__isnull": True})
    if kinds[column] == "text":
        return rows.filter(**{f"{column}__icontains": value})
    return rows.filter(**{column: _cell(value, kinds[column])})


def _cell(value: str, kind: str) -> Decimal | date:
    try:
        if kind == "date":
            return date.fromisoformat(value)
        number = Decimal(value)
        if number.is_finite() and number.adjusted() < MOST_DIGITS:
            return number
    except (ValueError, ArithmeticError):
        pass
    raise AnticipatedError(
        f"{shown(value)} is no {'day' if kind == 'date' else 'number'}.",
        code="unreadable-value",
        hint="Write a day like 2026-03-31." if kind == "date" else "Write a number like 1234.5, without signs.",
    )


def rejects_of(dataset: Dataset) -> QuerySet[Reject]:
    """In the file's order, without the cells: only a line's first reject holds them."""
    return Reject.objects.filter(dataset=dataset).order_by("line", "id").defer("cells")


def rejects_header(dataset: Dataset) -> list[str]:
    """The file's own columns: of a list of rejects, what was added to it before is left out."""
    header = dataset.reading.get("header", [])
    return [header[at] for at in without_annotations(header)]


def rejected_lines(dataset: Dataset) -> Iterator[tuple[list[str], str, str]]:
    """(cells, codes, messages) a rejected line, a line with several errors once, in the file's order.

    There are as many cells as `rejects_header` has: what a line holds beyond the file's is named in the messages
    instead.
    """
    header = dataset.reading.get("header", [])
    own, width = without_annotations(header), len(header)
    rejects = rejects_of(dataset).defer(None).iterator(chunk_size=_REJECTS_AT_A_TIME)
    for _, of_line in groupby(rejects, key=lambda reject: reject.line):
        first, *others = of_line
        codes = dict.fromkeys(reject.code for reject in (first, *others))
        messages = [_said(reject) for reject in (first, *others)]
        cells, surplus = first.cells[:width], first.cells[width:]
        if surplus:
            messages.append(_beyond_the_header(surplus))
        padded = [*cells, *[""] * (width - len(cells))]
        yield [padded[at] for at in own], "; ".join(codes), " ".join(messages)


def _said(reject: Reject) -> str:
    return f"{reject.column}: {reject.message}" if reject.column else reject.message


def _beyond_the_header(surplus: list[str]) -> str:
    named = ", ".join(shown(cell) for cell in surplus[:_MOST_NAMED])
    rest = f" and {len(surplus) - _MOST_NAMED:,} more" if len(surplus) > _MOST_NAMED else ""
    return f"Beyond the header's columns stand {named}{rest}."


def live_datasets(department: str) -> QuerySet[Dataset]:
    """The datasets whose rows count for the department now."""
    return Dataset.objects.filter(department=department, deleted_at=None).exclude(loaded_at=None)


def hold_rows(department: str) -> None:
    """Until the transaction ends, no partition of the department's goes away. Before its snapshot is taken: what it
    then finds of where rows stand stays true."""
    with connection.cursor() as cursor:
        cursor.execute(f'LOCK TABLE ONLY "{clean_table(department)._meta.db_table}" IN ACCESS SHARE MODE')


def profiled_before(dataset: Dataset, *, using: str) -> Dataset | None:
    """The department's newest upload before this one that counts and has a profile, which is all that is read of it."""
    earlier = live_datasets(dataset.department).using(using).filter(number__lt=dataset.number, profile__isnull=False)
    return earlier.only("profile").order_by("-number").first()


def superseding(dataset: Dataset) -> QuerySet[Overlap]:
    """The newer uploads that have rows with keys of this one's, newest first."""
    return (
        Overlap.objects.filter(older=dataset, newer__deleted_at=None).select_related("newer").order_by("-newer__number")
    )
