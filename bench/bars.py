"""What the insights must reach: every bar, from the scorers' verdicts on all sets of a department."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any, Literal

Verdict = dict[str, Any]
# Of the models that are refitted to each series; the naive ones have a bar of their own.
FITTED = ("SES", "Theta", "DOT", "AutoETS", "AutoCES", "AutoARIMA", "SCUM")
# Our error over the strongest baseline's.
STRONGEST = 0.97


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One promise. `of` says what must keep it: the mean over the sets, or each of them."""

    name: str
    value: Callable[[Verdict], float]
    least: float = -math.inf
    most: float = math.inf
    goal: float | None = None
    of: Literal["mean", "each"] = "each"

    def row(self, verdicts: Mapping[str, Verdict]) -> tuple[str, str, str]:
        """(name, measured, verdict) for the table."""
        values = {name: self.value(verdict) for name, verdict in verdicts.items()}
        middle = mean(values.values())
        judged = [middle] if self.of == "mean" else list(values.values())
        met = all(self.least <= value <= self.most for value in judged)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
        return self.name, f"{middle:.3f}", f"{self._promise()}: {self._met(judged, met=met):<8} ({shown})"

    def _promise(self) -> str:
        if self.least == self.most:
            bounds = f"= {self.most:g}"
        elif math.isinf(self.most):
            bounds = f">= {self.least:g}"
        elif math.isinf(self.least):
            bounds = f"<= {self.most:g}"
        else:
            bounds = f"{self.least:g}-{self.most:g}"
        return f"{self.of} {bounds}" + (f", goal {self.goal:g}" if self.goal is not None else "")

    def _met(self, judged: list[float], *, met: bool) -> str:
        if not met:
            return "NOT MET"
        if self.goal is None:
            return "met"
        reached = max(judged) <= self.goal if math.isinf(self.least) else min(judged) >= self.goal
        return "goal met" if reached else "met"


def _error(verdict: Verdict, model: str) -> float:
    return float(verdict["table"][model]["rOWA_vs_Naive"])


def _beside_strongest(verdict: Verdict) -> float:
    return _error(verdict, "PRODUCT") / min(_error(verdict, model) for model in FITTED)


def _top_five(verdict: Verdict) -> float:
    best = max(row["top5"] for model, row in verdict["table"].items() if model != "PRODUCT")
    return float(verdict["top5_hit"] - best)


def _interval(name: str) -> Callable[[Verdict], float]:
    return lambda verdict: float(verdict["intervals"]["PRODUCT"][name])


def _probability(verdict: Verdict, method: str, figure: str) -> float:
    return float(verdict["probability"][method][figure])


def _product(figure: str) -> Callable[[Verdict], float]:
    return lambda verdict: float(verdict["table"]["PRODUCT"][figure])


def _recall(kind: str) -> Callable[[Verdict], float]:
    """1 where the set has none of this kind: there was nothing to miss."""
    return lambda verdict: float(verdict["table"]["PRODUCT"]["recall_at_k"].get(kind, 1.0))


def _key(name: str) -> Callable[[Verdict], float]:
    return lambda verdict: float(verdict[name])


SALES = (
    Bar(name="error / strongest of each set", value=_beside_strongest, most=STRONGEST, goal=0.94, of="mean"),
    Bar(name="error / Naive", value=lambda verdict: _error(verdict, "PRODUCT"), most=0.85, of="mean"),
    Bar(name="error / SCUM", value=_key("ratio_vs_SCUM"), most=1.02),
    Bar(name="80 % band covers", value=_interval("cov80"), least=0.75, most=0.90),
    Bar(name="95 % band covers", value=_interval("cov95"), least=0.92, most=0.98),
    Bar(name="MSIS95 / AutoETS", value=_key("MSIS95_ratio_vs_AutoETS"), most=1.1, goal=1.0),
    Bar(name="top-5 hits - best baseline's", value=_top_five, least=-0.02),
    Bar(name="missing cells", value=_key("missing_cells"), least=0, most=0),
    Bar(name="ML stage, CPU s of the largest upload", value=_key("cpu"), most=10),
)
SUPPLY_CHAIN = (
    Bar(name="Brier / days of cover", value=_key("brier_ratio_vs_days_of_cover"), most=0.64, goal=0.60, of="mean"),
    Bar(name="Brier / days of cover", value=_key("brier_ratio_vs_days_of_cover"), most=0.70),
    Bar(name="Brier / Poisson", value=_key("brier_ratio_vs_poisson"), most=0.75, goal=0.70, of="mean"),
    Bar(name="Brier / Poisson", value=_key("brier_ratio_vs_poisson"), most=0.82),
    Bar(
        name="AUC - Poisson's",
        value=lambda verdict: _probability(verdict, "PRODUCT", "auc") - _probability(verdict, "poisson", "auc"),
        least=0.03,
    ),
    Bar(name="pinball95 / z of Poisson", value=_key("pinball_ratio_vs_poisson_z"), most=0.60),
    Bar(
        name="cycle service",
        value=lambda verdict: float(verdict["safety_stock_q95"]["PRODUCT"]["cycle_service"]),
        least=0.88,
        most=0.97,
    ),
    Bar(name="orders below MOQ", value=lambda verdict: float(verdict["reorder"]["violates_moq"]), least=0, most=0),
    Bar(
        name="at risk without an order",
        value=lambda verdict: float(verdict["reorder"]["at_risk_without_order"]),
        least=0,
        most=0,
    ),
    Bar(name="SKUs missing", value=_key("missing"), least=0, most=0),
)
FINANCE = (
    Bar(name="average precision / strongest", value=_key("AP_ratio_vs_strongest"), least=3.0, goal=4.0, of="mean"),
    Bar(name="average precision / strongest", value=_key("AP_ratio_vs_strongest"), least=2.4),
    Bar(name="P@100", value=_product("P_at_100"), least=0.75),
    Bar(name="recall of duplicates at k", value=_recall("duplicate"), least=0.95),
    Bar(name="recall of near-duplicates at k", value=_recall("fuzzy_duplicate"), least=0.95),
    Bar(name="listed items with a reason", value=_key("with_reason_share"), least=1.0),
    Bar(name="reasons that match the kind", value=_key("reason_match"), least=0.95),
    Bar(name="listed / rows", value=lambda verdict: verdict["listed"] / verdict["rows"], least=0.05),
)
BARS = {"sales": SALES, "supply_chain": SUPPLY_CHAIN, "finance": FINANCE}


def strongest_of_all(verdicts: Mapping[str, Verdict]) -> tuple[str, str, str]:
    """The row for the one baseline that is best over all sets together, which is how a person would choose one."""
    errors = {model: mean(_error(verdict, model) for verdict in verdicts.values()) for model in (*FITTED, "PRODUCT")}
    ours = errors.pop("PRODUCT")
    best = min(errors, key=errors.__getitem__)
    ratio = ours / errors[best]
    met = "met" if ratio <= STRONGEST else "NOT MET"
    return "error / strongest fixed one", f"{ratio:.3f}", f"mean <= {STRONGEST}: {met} ({best})"
