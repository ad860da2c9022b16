"""Numbers from which methods make arrays or loop are borne out, or bounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import NMF, MiniBatchNMF, SparseCoder
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

import skopsafe

X = np.random.RandomState(0).rand(30, 3)
Y = (X[:, 0] > 0.5) * 1


def _with(model: Any, **state: Any) -> bytes:
    model.__dict__.update(state)
    return skopsafe.dumps(model)


@pytest.mark.parametrize(
    ("model", "state"),
    [
        (RandomForestClassifier(3).fit(X, Y), {"_n_samples": 2**31 - 1}),
        (BaggingClassifier(n_estimators=3).fit(X, Y), {"_n_samples": 2**40}),
        (AdditiveChi2Sampler().fit(X), {"sample_steps": 10**9}),
        (SplineTransformer().fit(X), {"include_bias": 10**12}),
        (MiniBatchNMF(2, max_iter=5).fit(X), {"_n_components": 2**32}),
        (NMF(2, max_iter=5).fit(X), {"_n_components": 3}),
        (SparseCoder(X[:3]).fit(X), {"n_components_": 2**32 - 2}),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else "",
)
def test_a_number_that_nothing_bears_out_is_refused(model: Any, state: dict[str, Any]) -> None:
    (name,) = state
    skopsafe.loads(skopsafe.dumps(model))
    with pytest.raises(skopsafe.ValidationError, match=rf"\.{name}"):
        skopsafe.loads(_with(model, **state))


@pytest.mark.parametrize(
    "member", [LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression())]
)
def test_votes_are_for_classes_that_are_there(member: Any) -> None:
    model = VotingClassifier([("a", member)]).fit(X, Y)
    skopsafe.loads(skopsafe.dumps(model))
    last = model.estimators_[0]
    last = last[-1] if hasattr(last, "steps") else last
    last.classes_ = np.array([0, 2**31])
    with pytest.raises(skopsafe.ValidationError, match=r"VotingClassifier\.estimators_"):
        skopsafe.loads(skopsafe.dumps(model))
