"""Parameters that would call methods of anything, or start threads without end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neighbors import KNeighborsClassifier

import skopsafe

X = np.random.RandomState(0).rand(30, 3)
Y = (X[:, 0] > 0.5) * 1


def stacking() -> Any:
    return StackingClassifier([("a", LogisticRegression()), ("b", "drop")], cv=2).fit(X, Y)


def test_stacking_cannot_write_an_array_to_a_file(tmp_path: Path) -> None:
    """What the check prevents, on the live object: X is a path, made by an earlier step."""
    model = stacking()
    model.estimators_, model.stack_method_ = [np.array([b"any content"])], ["tofile"]
    target = tmp_path / "written"
    with pytest.raises(Exception):  # noqa: B017, PT011  # what comes after does not matter
        model._transform(target)
    assert target.read_bytes() == b"any content"
    with pytest.raises(skopsafe.ValidationError, match=r"StackingClassifier\.stack_method_"):
        skopsafe.loads(skopsafe.dumps(model))


@pytest.mark.parametrize(
    "method",
    ["tofile", "dump", "__setstate__", "fit", 5, ["predict", "dump"], np.array(["dump"]), {"dump": 1}],
)
def test_methods_are_those_of_estimators(method: Any) -> None:
    model = FixedThresholdClassifier(LogisticRegression(), response_method="auto").fit(X, Y)
    model.response_method = method
    with pytest.raises(skopsafe.ValidationError, match=r"FixedThresholdClassifier\.response_method"):
        skopsafe.loads(skopsafe.dumps(model))
    scorer = make_scorer(roc_auc_score)
    scorer._response_method = method
    with pytest.raises(skopsafe.ValidationError, match=r"_Scorer\._response_method"):
        skopsafe.loads(skopsafe.dumps(scorer))


@pytest.mark.parametrize("number", [10**6, -(10**6), "1000000", 1e6, np.array(10**6), [4]])
def test_the_number_of_threads_is_sane(number: Any) -> None:
    for model in (KNeighborsClassifier(n_jobs=number), RandomForestClassifier(n_jobs=number)):
        with pytest.raises(skopsafe.ValidationError, match=r"Classifier\.n_jobs"):
            skopsafe.loads(skopsafe.dumps(model))
    model = KMeans(2, n_init=1).fit(X)
    model._n_threads = number
    if isinstance(number, int) and number > 0:  # from a large machine, as far as one can tell
        assert skopsafe.loads(skopsafe.dumps(model))._n_threads <= (os.cpu_count() or 1)
        return
    with pytest.raises(skopsafe.ValidationError, match=r"KMeans\._n_threads"):
        skopsafe.loads(skopsafe.dumps(model))


def test_usual_parameters_pass() -> None:
    scorer = make_scorer(roc_auc_score, response_method=("decision_function", "predict_proba"))
    for model in (
        stacking(),
        scorer,
        make_scorer(roc_auc_score),
        FixedThresholdClassifier(LogisticRegression(), response_method="predict_proba"),
        KNeighborsClassifier(n_jobs=-1),
        KNeighborsClassifier(n_jobs=np.int64(64)),
        KMeans(2, n_init=1).fit(X),
    ):
        data = skopsafe.dumps(model)
        assert skopsafe.dumps(skopsafe.loads(data)) == data
