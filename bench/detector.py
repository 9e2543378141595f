"""The generic detector on tables built as ADBench builds them, beside Isolation Forest: `python -m bench.detector`.

ADBench (Han et al. 2022) itself is not at hand. As there: of classified data one class is normal and a few rows of the
others are strange; and to real normal rows four kinds of strange ones are drawn (local, global, clustered, dependency).
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import mean

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine, make_classification
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture

from aetherflow.analytics.columns import Floats
from aetherflow.analytics.detector import by_histograms, by_neighbours, components, standardised, strangeness
from bench.table import show

TARGET = 1.01
STRANGE_SHARE = 0.05
BUNDLED = {"breast cancer": load_breast_cancer, "digits": load_digits, "iris": load_iris, "wine": load_wine}


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of numbers and which of them are strange."""

    family: str
    rows: Floats
    strange: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="draws of every table")
    options = parser.parse_args()
    areas: dict[str, dict[str, list[float]]] = {}
    for seed in range(options.seeds):
        for table in (*classified(seed), *simulated(seed)):
            of_family = areas.setdefault(table.family, {name: [] for name in DETECTORS})
            for name, detector in DETECTORS.items():
                of_family[name].append(float(roc_auc_score(table.strange, detector(table.rows))))
    means = {family: {name: mean(each) for name, each in found.items()} for family, found in areas.items()}
    show(
        f"Mean area under the ROC curve, {options.seeds} draws of every table",
        [_row(f"{family} ({len(areas[family]['ours'])})", found) for family, found in means.items()]
        + [
            _row(kind, {name: mean(means[family][name] for family in means if drawn(family)) for name in DETECTORS})
            for kind, drawn in (("all classified", _is_classified), ("all simulated", lambda f: not _is_classified(f)))
        ]
        + [_row("all families", {name: mean(found[name] for found in means.values()) for name in DETECTORS})],
    )


def _row(what: str, found: dict[str, float]) -> tuple[str, str, str]:
    ratio = found["ours"] / found["Isolation Forest"]
    others = ", ".join(f"{name} {area:.3f}" for name, area in found.items() if name != "ours")
    return what, f"{found['ours']:.3f}", f"{ratio:.3f} x Isolation Forest, target >= {TARGET} ({others})"


def _is_classified(family: str) -> bool:
    return family not in KINDS


def _forest(rows: Floats) -> Floats:
    return np.asarray(-IsolationForest(n_estimators=300, random_state=0).fit(rows).score_samples(rows))


DETECTORS: dict[str, Callable[[Floats], Floats]] = {
    "ours": strangeness,
    "Isolation Forest": _forest,
    "HBOS": lambda rows: by_histograms(standardised(rows)),
    "on components": lambda rows: by_histograms(components(standardised(rows))),
    "kNN": lambda rows: by_neighbours(standardised(rows), seed=0),
}


def classified(seed: int) -> Iterator[Table]:
    """Every class as the normal one, with strange rows from all the others; and every class as the strange one."""
    for family, load in BUNDLED.items():
        rows, classes = load(return_X_y=True)
        for normal in np.unique(classes):
            inside, outside = rows[classes == normal], rows[classes != normal]
            rng = np.random.default_rng([seed, int(normal)])
            yield _table(family, inside, _some(outside, _few(inside), rng))
            if len(np.unique(classes)) > 2:
                yield _table(f"{family}, mixed", outside, _some(inside, _few(outside), rng))


def simulated(seed: int) -> Iterator[Table]:
    """Real rows (and made ones in two clusters), each with four kinds of strange rows added."""
    rows, classes = load_breast_cancer(return_X_y=True)
    made, _ = make_classification(2_000, 12, n_informative=6, n_clusters_per_class=2, random_state=seed)
    bases = (rows[classes == 1], load_diabetes(scaled=False).data, load_wine().data, load_digits().data, made)
    for at, inside in enumerate(bases):
        rng = np.random.default_rng([seed, at])
        # What never varies would give away every row that a mixture's least deviation moves.
        varying = inside[:, inside.std(axis=0) > 0]
        for kind, draw in KINDS.items():
            yield _table(kind, varying, draw(varying, _few(varying), rng))


def _local(inside: Floats, count: int, rng: np.random.Generator) -> Floats:
    """From the normal rows' own mixture, its deviations five times as large."""
    mixture = _mixture(inside)
    mixture.covariances_ = 5 * mixture.covariances_
    return _drawn(mixture, count, rng)


def _global(inside: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Anywhere within a tenth more than the range of each column."""
    low, high = inside.min(axis=0), inside.max(axis=0)
    slack = 0.1 * (high - low)
    return rng.uniform(low - slack, high + slack, (count, inside.shape[1]))


def _clustered(inside: Floats, count: int, rng: np.random.Generator) -> Floats:
    """A cluster of their own: like one of the mixture's, moved by three deviations of the columns."""
    mixture = _mixture(inside)
    signs = rng.choice([-1, 1], inside.shape[1])
    mixture.means_ = mixture.means_ + 3 * signs * inside.std(axis=0)
    return _drawn(mixture, count, rng)


def _dependency(inside: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Each value as usual by itself, none of them from the same row."""
    return np.column_stack([rng.choice(column, size=count) for column in inside.T])


KINDS = {"local": _local, "global": _global, "clustered": _clustered, "dependency": _dependency}


def _mixture(inside: Floats) -> GaussianMixture:
    return GaussianMixture(n_components=3, covariance_type="diag", random_state=0).fit(inside)


def _drawn(mixture: GaussianMixture, count: int, rng: np.random.Generator) -> Floats:
    component = rng.choice(len(mixture.weights_), size=count, p=mixture.weights_)
    return rng.normal(mixture.means_[component], np.sqrt(mixture.covariances_[component]))


def _some(rows: Floats, count: int, rng: np.random.Generator) -> Floats:
    return rows[rng.choice(len(rows), size=min(count, len(rows)), replace=False)]


def _few(inside: Floats) -> int:
    return max(5, round(STRANGE_SHARE * len(inside)))


def _table(family: str, inside: Floats, outside: Floats) -> Table:
    return Table(
        family=family,
        rows=np.vstack([inside, outside]),
        strange=np.r_[np.zeros(len(inside), dtype=int), np.ones(len(outside), dtype=int)],
    )


if __name__ == "__main__":
    main()
