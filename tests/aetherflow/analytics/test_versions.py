"""What comes out of a method may change only with its version: answers of another version are not compared."""

import hashlib
import json

import pandas as pd
import pytest

from aetherflow.insight import Insight
from aetherflow.registry import departments

# Of the insight of the department's own example file, under the version that it was made with. Where a digest does not
# fit any more, what comes out has changed: raise the version and write the new digest beside it.
DIGESTS = {
    ("sales", 5): "157f6f8c4d525b4bb0601ee95f7a38afd9b693560051d9f8e75daad4b93bae94",
    ("supply_chain", 4): "2b6ab573cfa983ade141510b1fd31caff0067dbad0eaf579b93a7458bf26eeec",
}


def example(slug: str, insight: Insight) -> pd.DataFrame:
    given = pd.read_csv(departments()[slug].samples.good)
    return pd.DataFrame({name: given.get(name) for name in insight.columns})


def digest(insight: Insight, rows: pd.DataFrame) -> str:
    got = insight.compute(rows, insight.given())
    told = [got.quality, got.summary, got.data, list(got.items or ()), dict(got.parameters), got.method]
    return hashlib.sha256(json.dumps(told, sort_keys=True, allow_nan=False).encode()).hexdigest()


@pytest.mark.parametrize("slug", sorted({slug for slug, _ in DIGESTS}))
def test_the_answer_changes_only_with_the_version(slug: str) -> None:
    (insight,) = departments()[slug].insights
    assert (slug, insight.version) in DIGESTS, "a new version: write its digest beside it"
    assert digest(insight, example(slug, insight)) == DIGESTS[slug, insight.version], "the answer has changed"


@pytest.mark.parametrize(("slug", "column"), [("sales", "unit_price"), ("supply_chain", "daily_demand_avg")])
def test_a_digest_sees_a_change(slug: str, column: str) -> None:
    (insight,) = departments()[slug].insights
    rows = example(slug, insight)
    dearer = rows.assign(**{column: pd.to_numeric(rows[column], errors="coerce") * 1.01})
    assert digest(insight, dearer) != digest(insight, rows)
