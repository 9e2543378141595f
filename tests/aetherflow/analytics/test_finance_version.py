"""The version of finance's insight is raised with every change of what comes out."""

import hashlib
import json

import pandas as pd

from aetherflow.departments.finance import DEPARTMENT

# Of the packaged sample, by version. Another answer is another version: raise it and add its line here.
ANSWERS = {
    4: "8edce455c6aee57647051a68837d4c5f1b08d152d602b11f3b1f4cf8d363a065",
}


def test_another_answer_is_another_version():
    (insight,) = DEPARTMENT.insights
    got = insight.compute(pd.read_csv(DEPARTMENT.samples.good), insight.given())
    assert len(got.items) > 10
    answer = [got.data, got.items, dict(got.parameters), dict(got.headline.figures), got.headline.flagged, got.summary]
    digest = hashlib.sha256(json.dumps(answer, sort_keys=True, allow_nan=False).encode()).hexdigest()
    assert ANSWERS.get(insight.version) == digest, f"The answer of version {insight.version} has changed to {digest}."
