"""The states of a stage as a drawing: where it is, which ways it went and how often."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from apps.jobs.models import StageEvent, StageRun, State

WIDTH, HEIGHT = 320, 252
_NODE_WIDTH, _NODE_HEIGHT = 112, 36
# The middle of each state's box.
_PLACES: dict[State, tuple[int, int]] = {
    State.QUEUED: (140, 30),
    State.PROCESSING: (140, 122),
    State.SUCCEEDED: (66, 222),
    State.FAILED: (214, 222),
}
# (from, to) → the arrow, where its count stands, and what it means: the arrows of `services.transitions.NEXT`.
WAYS: dict[tuple[State, State], tuple[str, tuple[int, int], str]] = {
    (State.QUEUED, State.PROCESSING): ("M128 49 V102", (116, 80), "a worker took it"),
    (State.PROCESSING, State.QUEUED): ("M152 103 V50", (164, 80), "its worker was lost"),
    (State.PROCESSING, State.SUCCEEDED): ("M112 141 L76 202", (80, 170), "it was done"),
    (State.PROCESSING, State.FAILED): ("M160 141 L192 202", (164, 182), "it failed"),
    (State.FAILED, State.PROCESSING): ("M216 203 C216 170 212 150 198 130", (224, 166), "SQS delivered it again"),
    (State.FAILED, State.QUEUED): ("M240 203 C252 130 244 60 198 36", (254, 116), "it was retried"),
    (State.QUEUED, State.FAILED): (
        "M198 24 C300 30 306 150 274 208",
        (292, 78),
        "it was ended before it began",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Node:
    label: str
    x: int
    y: int
    left: float
    top: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class Way:
    path: str
    x: int
    y: int
    taken: int
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """`said` tells all of it to who does not see it."""

    nodes: list[Node]
    ways: list[Way]
    said: str
    width: int = WIDTH
    height: int = HEIGHT
    node_width: int = _NODE_WIDTH
    node_height: int = _NODE_HEIGHT


def draw(run: StageRun, events: Iterable[StageEvent]) -> Diagram:
    moves = [(State(event.source), State(event.target)) for event in events if event.source]
    taken, now = Counter(moves), State(run.state)
    been = {State.QUEUED, *(target for _, target in moves)}
    nodes = []
    for state, (x, y) in _PLACES.items():
        kind = "now" if state == now else "been" if state in been else "ahead"
        nodes.append(
            Node(
                label=str(state.label),
                x=x,
                y=y,
                left=x - _NODE_WIDTH / 2,
                top=y - _NODE_HEIGHT / 2,
                kind=f"{kind} {state.value}",
            )
        )
    ways = [
        Way(path=path, x=x, y=y, taken=taken[way], meaning=meaning) for way, (path, (x, y), meaning) in WAYS.items()
    ]
    return Diagram(nodes=nodes, ways=ways, said=_said(run, taken))


def _said(run: StageRun, taken: Counter[tuple[State, State]]) -> str:
    now = f"{run.stage.upper()} is {run.get_state_display().lower()}"
    went = [f"{WAYS[way][2]}{_times(count)}" for way, count in taken.items() if way in WAYS]
    return f"{now}. So far: {', '.join(went)}." if went else f"{now}. It has not begun."


def _times(count: int) -> str:
    return f" {count} times" if count > 1 else ""
