"""The last day as drawings of the server: no script, no library. The table beside them says the same."""

import math
from dataclasses import dataclass

from apps.accounts.console import span
from apps.jobs.pulse import Day, Hour

WIDTH, HEIGHT = 360, 168
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 12, 26
_STEP = (WIDTH - _LEFT - _RIGHT) / 24
_FLOOR = HEIGHT - _BOTTOM


@dataclass(frozen=True, kw_only=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """Through the hours that have a value; a gap of the day is a gap of the line. `dots` are the values."""

    kind: str
    path: str
    dots: list[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """`said` tells in words what the drawing shows."""

    said: str
    across: list[Tick]
    up: list[Tick]
    rects: list[Rect]
    lines: list[Line]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    floor: int = _FLOOR


def throughput(day: Day) -> Chart:
    most = max(hour.succeeded + hour.failed for hour in day.hours)
    top = nice(most)
    rects = []
    for place, hour in enumerate(day.hours):
        x, ceiling = _LEFT + place * _STEP + 1, float(_FLOOR)
        for kind, count in (("good", hour.succeeded), ("bad", hour.failed)):
            if count:
                height = count / top * (_FLOOR - _TOP)
                ceiling -= height
                rects.append(_rect(x, ceiling, height, kind))
    busiest = max(day.hours, key=lambda hour: hour.succeeded + hour.failed)
    said = f"Jobs that ended in each of the last 24 hours: {day.succeeded} succeeded, {day.failed} failed."
    if most:
        said += f" The busiest hour ended at {busiest.ends:%H:%M} UTC with {most}."
    return Chart(
        said=said, across=_hours(), up=_ups([f"{top * part:g}" for part in (0, 0.5, 1)]), rects=rects, lines=[]
    )


def durations(day: Day, stage: str) -> Chart:
    values = [(hour.durations[stage].p50, hour.durations[stage].p95) for hour in day.hours if stage in hour.durations]
    top = nice(max((p95 for _, p95 in values), default=0))
    whole = day.durations.get(stage)
    said = f"How long {stage.upper()} took in each of the last 24 hours."
    if whole:
        said += f" Over all: half of {whole.count} within {span(whole.p50)}, 95 % within {span(whole.p95)}."
    else:
        said += " Nothing ended."
    return Chart(
        said=said,
        across=_hours(),
        up=_ups([span(top * part) if part else "0" for part in (0, 0.5, 1)]),
        rects=[],
        lines=[_line(day.hours, stage, name, top) for name in ("p50", "p95")],
    )


def nice(most: float) -> float:
    """The end of a scale: 1, 2, 4, 5 or 10 of some power, not below `most`."""
    if most <= 0:
        return 1
    power = 10 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 4, 5, 10) if step * power >= most)


def _rect(x: float, y: float, height: float, kind: str) -> Rect:
    return Rect(x=round(x, 1), y=round(y, 1), width=round(_STEP - 2, 1), height=round(height, 1), kind=kind)


def _line(hours: list[Hour], stage: str, name: str, top: float) -> Line:
    path, dots, pen_is_up = [], [], True
    for place, hour in enumerate(hours):
        if stage not in hour.durations:
            pen_is_up = True
            continue
        x = round(_LEFT + (place + 0.5) * _STEP, 1)
        y = round(_FLOOR - getattr(hour.durations[stage], name) / top * (_FLOOR - _TOP), 1)
        path.append(f"{'M' if pen_is_up else 'L'}{x} {y}")
        dots.append((x, y))
        pen_is_up = False
    return Line(kind=name, path=" ".join(path), dots=dots)


def _hours() -> list[Tick]:
    return [
        Tick(at=round(_LEFT + (24 - ago) * _STEP, 1), label=f"-{ago} h" if ago else "now") for ago in (24, 18, 12, 6, 0)
    ]


def _ups(labels: list[str]) -> list[Tick]:
    return [
        Tick(at=round(_FLOOR - part * (_FLOOR - _TOP), 1), label=label)
        for part, label in zip((0, 0.5, 1), labels, strict=True)
    ]
