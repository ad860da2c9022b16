"""One output too many of a nested estimator becomes a row outside of a sparse matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import skopsafe

NAME = "sklearn.multiclass.OneVsRestClassifier:estimators_"
X, Y = make_classification(60, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
LABELS = make_multilabel_classification(60, 5, n_classes=3, random_state=0)
PAIR = (X, Y % 2)


@pytest.mark.parametrize("inner", [LogisticRegression(), SVC(), RandomForestClassifier(5, random_state=0)])
@pytest.mark.parametrize("data", [(X, Y), LABELS, PAIR], ids=["classes", "labels", "pair"])
def test_usual_estimators_need_no_approval(inner: Any, data: Any) -> None:
    model = OneVsRestClassifier(inner).fit(*data)
    loaded = skopsafe.loads(skopsafe.dumps(model))
    assert np.array_equal(loaded.predict(data[0]), model.predict(data[0]))


@pytest.mark.parametrize("inner", [GaussianNB(), make_pipeline(StandardScaler(), LogisticRegression())])
def test_any_estimator_may_tell_several_classes_apart(inner: Any) -> None:
    assert skopsafe.audit(OneVsRestClassifier(inner).fit(X, Y)).ok


@pytest.mark.parametrize("inner", [GaussianNB(), make_pipeline(StandardScaler(), LogisticRegression())])
@pytest.mark.parametrize("data", [LABELS, PAIR], ids=["labels", "pair"])
def test_other_estimators_need_approval_where_their_outputs_become_rows(inner: Any, data: Any) -> None:
    model = OneVsRestClassifier(inner).fit(*data)
    data_ = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data_) == [NAME]
    loaded = skopsafe.loads(data_, trusted=[NAME])
    assert np.array_equal(loaded.predict(data[0]), model.predict(data[0]))


@pytest.mark.parametrize("inner", [LogisticRegression(), SVC(decision_function_shape="ovo"), SVC()])
def test_an_estimator_of_three_classes_is_refused(inner: Any) -> None:
    model = OneVsRestClassifier(inner).fit(*LABELS)
    model.estimators_[1] = inner.fit(X, Y)
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=r"OneVsRestClassifier\.estimators_\[1\]"):
        skopsafe.loads(data)


def test_the_kind_of_target_is_that_of_the_binarizer_itself() -> None:
    model = OneVsRestClassifier(GaussianNB()).fit(*LABELS)
    for crafted in (None, "multiclass", {"y_type_": "multiclass"}, ["y_type_", "multiclass"]):
        model.label_binarizer_ = crafted
        assert skopsafe.audit(model).untrusted == [NAME]
