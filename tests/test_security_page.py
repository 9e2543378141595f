"""docs/security.md names tests for what it claims: they are there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", PAGE)))


def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def is_there(name: str) -> bool:
    file, _, test = name.partition("::")
    path = ROOT / file
    return path.is_file() and (not test or test in functions_of(path))


def test_every_test_that_is_named_is_there() -> None:
    assert len(NAMED) > 50
    assert not [name for name in NAMED if not is_there(name)]


def test_every_line_of_the_tables_names_a_test_or_says_why_not() -> None:
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if re.match(r"\| (API|V)\d", line)]
    for row in rows:
        assert len(row) == 3, row
        assert "`tests/" in row[2] or re.search(r"not applicable|operator|open", row[1]), row
    assert {f"API{number}" for number in range(1, 11)} <= {row[0].split()[0] for row in rows}
    assert {f"V{number}" for number in range(1, 18)} <= {re.split(r"[. ]", row[0].strip())[0] for row in rows}


def test_every_file_it_leads_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
