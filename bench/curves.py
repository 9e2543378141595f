"""The pictures of docs/scaling.md, in the brand's colours, readable on light and on dark."""

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from bench.scale import Model

AZURE, VIOLET, TEAL, GREY = "#3486FF", "#782FF7", "#00A88F", "#7A7F87"
# Text stays text, and the same figures give the same bytes.
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "aetherflow", "font.family": "sans-serif"})


def draw(folder: Path, *, found: dict[int, list[float]], model: "Model") -> None:
    """`found`: rows a second, round by round, by number of workers."""
    folder.mkdir(parents=True, exist_ok=True)
    _measured(folder / "scaling-measured.svg", found)
    _ahead(folder / "scaling-on-paper.svg", model)


def _measured(path: Path, found: dict[int, list[float]]) -> None:
    figure, axes = _empty("worker processes on this machine", "thousand rows a second")
    counts = list(found)
    middle = [sorted(rounds)[len(rounds) // 2] / 1000 for rounds in found.values()]
    axes.plot(counts, [middle[0] * count for count in counts], color=GREY, linestyle=":", label="in proportion")
    low = [each - min(rounds) / 1000 for each, rounds in zip(middle, found.values(), strict=True)]
    high = [max(rounds) / 1000 - each for each, rounds in zip(middle, found.values(), strict=True)]
    axes.errorbar(counts, middle, yerr=[low, high], color=AZURE, marker="o", capsize=4, label="measured, with range")
    axes.set_xticks(counts)
    _keep(figure, axes, path)


def _ahead(path: Path, model: "Model") -> None:
    figure, axes = _empty("workers, each with processors of its own", "thousand rows a second, on paper")
    counts = list(range(1, 65))
    for cores, colour in ((4, TEAL), (8, AZURE), (16, VIOLET)):
        curve = [model.rows_a_second(count, database_cores=cores) / 1000 for count in counts]
        axes.plot(counts, curve, color=colour, label=f"database with {cores} cores")
    axes.set_xticks([1, 8, 16, 32, 48, 64])
    _keep(figure, axes, path)


def _empty(across: str, up: str):  # type: ignore[no-untyped-def]
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(across, color=GREY)
    axes.set_ylabel(up, color=GREY)
    axes.tick_params(colors=GREY)
    axes.grid(color=GREY, alpha=0.2)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    for edge in ("left", "bottom"):
        axes.spines[edge].set_color(GREY)
    return figure, axes


def _keep(figure, axes, path: Path) -> None:  # type: ignore[no-untyped-def]
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, labelcolor=GREY)
    figure.savefig(path, transparent=True, metadata={"Date": None})
