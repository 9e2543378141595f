"""What is installed is what was locked, byte for byte, and a bill of materials tells it."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]
REGISTRY = "https://registry.npmjs.org/"
LOCKED = sorted((ROOT / "requirements").glob("*.txt"))


def requirements(path: Path) -> dict[str, str]:
    """Name → the whole of its lines."""
    joined = path.read_text().replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {re.split(r"[=\[ ]", line)[0]: line for line in lines}


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.name)
def test_every_python_package_is_locked_to_a_version_and_its_hashes(path: Path) -> None:
    assert (ROOT / "requirements" / f"{path.stem}.in").is_file()
    found = requirements(path)
    assert found
    for name, line in found.items():
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.+!]+ ", line), f"{name} has no exact version"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), f"{name} has no hash"


def test_every_package_of_the_dashboard_is_locked_to_its_bytes() -> None:
    lock = json.loads((ROOT / "frontend/package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name and not each.get("link")}
    assert len(packages) > 100
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert package.get("resolved", REGISTRY).startswith(REGISTRY), name
    declared = json.loads((ROOT / "frontend/package.json").read_text())
    for name, version in (declared["dependencies"] | declared["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} is not pinned"


def test_whatever_installs_packages_asks_for_the_locked_ones() -> None:
    installers = [ROOT / "Makefile", *(ROOT / ".ci").iterdir(), *ROOT.glob("Dockerfile*")]
    commands = [
        line
        for path in installers
        for line in path.read_text().splitlines()
        if re.search(r"\b(pip|npm) (install|ci)\b", line)
    ]
    assert sum("pip install" in line for line in commands) >= 2
    assert sum("npm ci" in line for line in commands) >= 1
    for line in commands:
        assert "--require-hashes" in line or "npm ci" in line, line


def test_the_bills_of_materials_are_valid_and_hold_what_is_locked(tmp_path: Path) -> None:
    subprocess.run([ROOT / ".ci/sbom", tmp_path], check=True, capture_output=True, timeout=200)
    for name in ("python", "dashboard"):
        fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str((tmp_path / f"{name}.json").read_text())
        assert fault is None, f"{name}: {fault}"
    python = {each["name"] for each in json.loads((tmp_path / "python.json").read_text())["components"]}
    assert python == set(requirements(ROOT / "requirements/prod.txt"))
    lock = json.loads((ROOT / "frontend/package-lock.json").read_text())["packages"]
    shipped = {name.rpartition("node_modules/")[2] for name, each in lock.items() if name and not each.get("dev")}
    bill = json.loads((tmp_path / "dashboard.json").read_text())["components"]
    told = {f"{each['group']}/{each['name']}" if each.get("group") else each["name"] for each in bill}
    assert told == shipped
