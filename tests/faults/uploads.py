"""An upload as the test knows it, to be compared with what the platform made of it."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import requests

from aetherflow.registry import department as find_department
from tests.faults.injection import Fault

Row = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Upload:
    department: str
    content: bytes
    request_id: str
    job_id: str
    dataset_id: str
    faults: tuple[Fault, ...]

    def rows(self) -> list[Row]:
        """What the clean table must hold, in the order of the file: every cell with the type of its column."""
        kinds = {column.name: column.kind for column in find_department(self.department).columns}
        lines = csv.DictReader(io.StringIO(self.content.decode()))
        return [
            {"line": number, **{name: _typed(cell, kinds[name]) for name, cell in cells.items()}}
            for number, cells in enumerate(lines, start=2)
        ]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A file on its way in, and what it was answered."""

    department: str
    content: bytes
    filename: str
    request_id: str
    faults: tuple[Fault, ...]
    answer: requests.Response

    def taken(self) -> Upload:
        assert self.answer.status_code == 202, self.answer.text
        found = self.answer.json()
        return Upload(
            department=self.department,
            content=self.content,
            request_id=self.request_id,
            job_id=found["job"]["id"],
            dataset_id=found["dataset"]["id"],
            faults=self.faults,
        )


def _typed(cell: str, kind: str) -> object:
    match kind:
        case "integer":
            return int(cell)
        case "number":
            return Decimal(cell)
        case "date":
            return date.fromisoformat(cell)
    return cell
