"""A department is one folder: putting it there is all it takes, and a broken one stops the start."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aetherflow import departments as folders
from aetherflow import registry
from aetherflow.registry import BrokenDepartment, UnknownDepartment

FOURTH = '''
import pandera.pandas as pa
from aetherflow.columns import Integer, Text, integer, text
from aetherflow.department import Department

class Visits(pa.DataFrameModel):
    """One row is one visit."""
    visit: Text = text(description="The number of the visit.", examples=("V-1", "V-2"), max_length=16)
    guests: Integer = integer(description="How many came.", examples=("2", "3"), minimum=1, maximum=99)

DEPARTMENT = Department(
    slug="visits", label="Visits", table="visits", rows=Visits,
    natural_key=("visit",), aliases={}, clean=(), insights=()
)
'''


@pytest.fixture
def add_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Path]]:
    """Put a folder among the departments for one test."""
    monkeypatch.setattr(folders, "__path__", [*folders.__path__, str(tmp_path)])

    def add(name: str, source: str) -> Path:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source)
        registry.departments.cache_clear()
        return tmp_path / name

    yield add
    registry.departments.cache_clear()
    for name in [name for name in sys.modules if name.startswith(f"{folders.__name__}.")]:
        if (tmp_path / name.rsplit(".", maxsplit=1)[-1]).exists():
            del sys.modules[name]
            delattr(folders, name.rsplit(".", maxsplit=1)[-1])
    shutil.rmtree(tmp_path)


def test_finds_the_three_departments_in_order() -> None:
    assert list(registry.departments()) == ["finance", "sales", "supply_chain"]


def test_an_unknown_department_is_told_which_there_are() -> None:
    with pytest.raises(UnknownDepartment) as refusal:
        registry.department("marketing")
    assert refusal.value.code == "unknown-department"
    assert refusal.value.hint == "The departments are finance, sales, supply_chain."


def test_a_folder_is_all_a_fourth_department_takes(add_folder: Callable[[str, str], Path]) -> None:
    folder = add_folder("visits", FOURTH)
    visits = registry.department("visits")
    assert "visits" in registry.departments()
    assert [column.name for column in visits.columns] == ["visit", "guests"]
    assert visits.template_csv() == "visit,guests\r\nV-1,2\r\nV-2,3\r\n"
    assert visits.samples.good == folder / "samples" / "good.csv"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "must declare DEPARTMENT"),
        ("DEPARTMENT = 'visits'", "must declare DEPARTMENT"),
        ("import nowhere_to_be_found", "cannot be imported"),
        (FOURTH.replace('slug="visits"', 'slug="guests"'), "declares the slug 'guests'"),
        (FOURTH.replace('natural_key=("visit",)', 'natural_key=("number",)'), "names 'number', which is no column"),
        (FOURTH.replace('natural_key=("visit",)', "natural_key=()"), "needs a natural key"),
        (FOURTH.replace("aliases={}", 'aliases={"count": "people"}'), "leads to 'people', which is no column"),
        (FOURTH.replace("aliases={}", 'aliases={"Guests ": "visit"}'), "leads to 'visit' and to 'guests'"),
        (FOURTH.replace("max_length=16)", "max_length=16, nullable=True)"), "may not be nullable"),
        (FOURTH.replace("guests: Integer", "line: Integer"), "the platform's own"),
        (FOURTH.replace("guests: Integer", "guests: Integer | None"), "must be nullable"),
        (FOURTH.replace("maximum=99", "maximum=2**60"), "exact whole numbers"),
        (
            FOURTH.replace("\nDEPARTMENT", "    class Config:\n        unique = ['visit']\n\nDEPARTMENT"),
            "must be unique",
        ),
        (FOURTH.replace("insights=()", "insights=(), max_reject_share=20"), "a share from 0 to 1"),
        (
            FOURTH.replace(' = integer(description="How many came.", examples=("2", "3"), minimum=1, maximum=99)', ""),
            "must be declared with text",
        ),
    ],
)
def test_a_broken_department_stops_the_start(source: str, reason: str, add_folder: Callable[[str, str], Path]) -> None:
    add_folder("visits", source)
    with pytest.raises(BrokenDepartment, match=reason):
        registry.departments()
