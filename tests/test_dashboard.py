"""The built dashboard: how large its first load is, and how it is served. `make test` has built it."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from config.local import ROOT

DIST = ROOT / "frontend" / "dist"
ENTRY = "index.html"
LOG_IN = "src/features/auth/LoginPage.tsx"
CHARTS = "src/shared/charts/EChart.tsx"
BUDGET = 220_000
HASHED = "max-age=315360000, public, immutable"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """What each source became, with what it imports; see Vite's `build.manifest`."""
    path = DIST / ".vite" / "manifest.json"
    assert path.is_file(), "The dashboard is not built. Run: make build"
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def scripts(manifest: dict[str, Any], *sources: str) -> set[str]:
    """The files a browser loads for these, with all they import at once."""
    seen: set[str] = set()
    left = list(sources)
    while left:
        source = left.pop()
        if source not in seen:
            seen.add(source)
            left += manifest[source].get("imports", [])
    return {manifest[source]["file"] for source in seen}


def cards(manifest: dict[str, Any]) -> list[str]:
    """The home is in the first files; what its cards show comes as it is needed."""
    first = [chunk for chunk in manifest.values() if chunk["file"] in scripts(manifest, ENTRY)]
    asked = {source for chunk in first for source in chunk.get("dynamicImports", ())}
    return sorted(source for source in asked if "/dashboard/insights/" in source)


def test_log_in_and_home_with_any_card_stay_within_their_budget(manifest: dict[str, Any]) -> None:
    assert len(cards(manifest)) > 3
    for card in cards(manifest):
        files = scripts(manifest, ENTRY, LOG_IN, card)
        sizes = {name: len(gzip.compress((DIST / name).read_bytes(), 9)) for name in files}
        largest = sorted(sizes.items(), key=lambda each: -each[1])[:8]
        assert sum(sizes.values()) <= BUDGET, f"{card}: {sum(sizes.values())} bytes, the largest: {largest}"


def test_charts_come_only_where_one_is_drawn(manifest: dict[str, Any]) -> None:
    chart = scripts(manifest, CHARTS) - scripts(manifest, ENTRY)
    assert sum((DIST / name).stat().st_size for name in chart) > 200_000, "there is no chart library in it"
    assert not chart & scripts(manifest, ENTRY, LOG_IN, *cards(manifest))


def test_the_page_asks_for_its_scripts_at_once_and_for_nothing_ahead_of_them(manifest: dict[str, Any]) -> None:
    page = (DIST / "index.html").read_text()
    for name in scripts(manifest, ENTRY):
        assert f'"/{name}"' in page, name
    # A font takes a third of the time that the code needs on a slow network, and the words can be read without.
    assert 'as="font"' not in page


def test_hashed_files_are_kept_for_good_and_sent_compressed(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    for ending, content in {"": b"let a = 1;" * 99, ".gz": b"gzip", ".br": b"br"}.items():
        (tmp_path / "assets" / f"page-B_s-6x10.js{ending}").write_bytes(content)
    (tmp_path / "favicon.svg").write_bytes(b"<svg/>")
    (tmp_path / "index.html").write_bytes(b"<!doctype html>")
    settings.WHITENOISE_ROOT = settings.DASHBOARD_DIST = tmp_path
    for accepted, encoding in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("", None)]:
        script = Client().get("/assets/page-B_s-6x10.js", headers={"Accept-Encoding": accepted})
        assert (script["Cache-Control"], script.get("Content-Encoding")) == (HASHED, encoding)
        assert script["Vary"] == "Accept-Encoding"
    # A name that stays is asked for again; so is the page, which names the others.
    assert "immutable" not in Client().get("/favicon.svg")["Cache-Control"]
    for path in ("/", "/login", "/dashboard/sales"):
        assert Client().get(path)["Cache-Control"] == "no-cache"
