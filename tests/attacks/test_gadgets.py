"""Texts that lead libraries to something else: templates, attributes, names of functions and dtypes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import RFE, RFECV, SelectFromModel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import Bunch

import skopsafe

RANDOM = np.random.RandomState(0)
X = RANDOM.rand(12, 2)
Y = (X > 0.5) * 1
TABLE = pd.DataFrame(X, columns=["a", "b"])


def attribute(model: Any, name: str, value: Any) -> Any:
    vars(model)[name] = value
    return model


def columns(template: Any) -> Any:
    model = ColumnTransformer([("x", StandardScaler(), ["a"])])
    return model.set_params(verbose_feature_names_out=template).fit(TABLE)


GLOBALS = "{transformer_name.__init__.__globals__[__file__]}"


def test_a_template_reaches_what_a_function_sees() -> None:
    """What the approval below is about, on the live object: the name of a step can be any object."""
    model = columns(GLOBALS)
    step, (_, *rest) = LogisticRegression(), model.transformers_[0]
    model.transformers_ = [(step, *rest)]
    model._transformer_to_input_indices = {step: [0]}
    (name, *_) = model.get_feature_names_out()
    assert name.endswith("_logistic.py")


@pytest.mark.parametrize(
    "template", [GLOBALS, "{feature_name:>1000000000}", "{feature_name!r}", "{}", "{0}", "{"]
)
def test_a_template_needs_approval(template: str) -> None:
    model = attribute(ColumnTransformer([]), "verbose_feature_names_out", template)
    name = "sklearn.compose._column_transformer.ColumnTransformer:verbose_feature_names_out"
    assert skopsafe.audit(model).untrusted == [name]


@pytest.mark.parametrize(
    "template", [True, False, "{transformer_name}__{feature_name}", "{{{feature_name}}}", "x"]
)
def test_a_plain_template_needs_none(template: Any) -> None:
    model = columns(template)
    loaded = skopsafe.loads(skopsafe.dumps(model))
    assert loaded.get_feature_names_out().tolist() == model.get_feature_names_out().tolist()


@pytest.mark.parametrize("kind", [SelectFromModel, RFE, RFECV])
def test_a_way_through_private_attributes_needs_approval(kind: Any) -> None:
    """It is followed when X is transformed."""
    for path in ("__init__.__globals__", "coef_.__class__", "_x", "a..b", "a b"):
        model = attribute(kind(LogisticRegression()), "importance_getter", path)
        assert skopsafe.audit(model).untrusted == [f"{kind.__module__}.{kind.__name__}:importance_getter"]
    for path in ("auto", "coef_", "named_steps.clf.coef_"):
        assert skopsafe.audit(kind(LogisticRegression(), importance_getter=path)).ok


@pytest.mark.parametrize("method", ["tofile", "set_params", "__init__", ["predict", "fit"]])
def test_a_chain_calls_methods_of_estimators(method: Any) -> None:
    model = ClassifierChain(LogisticRegression()).fit(X, Y)
    model.chain_method_ = method
    with pytest.raises(skopsafe.ValidationError, match=r"ClassifierChain\.chain_method_"):
        skopsafe.loads(skopsafe.dumps(model))


def test_a_class_is_not_asked_for_its_functions() -> None:
    """They are the class's: an instance that has others calls them when it is fitted further."""
    model = attribute(SGDClassifier(), "loss_functions", {"hinge": (print,)})
    with pytest.raises(skopsafe.UnsupportedTypeError, match="loss_functions"):
        skopsafe.dumps(model)


@pytest.mark.parametrize("name", ["_fill_dtype", "_fit_dtype"])
@pytest.mark.parametrize("dtype", ["S1000000000", "datetime64[ns, dateutil//path]"])
def test_no_attribute_is_a_dtype_that_does_more(name: str, dtype: str) -> None:
    model = attribute(SimpleImputer().fit(X), name, dtype)
    with pytest.raises(skopsafe.ValidationError, match=f"SimpleImputer.{name}"):
        skopsafe.loads(skopsafe.dumps(model))


WORDS = pd.DataFrame({"word": RANDOM.choice(list("xyz"), 12)})


def test_an_encoder_opens_a_file_by_the_dtype_of_another_object(tmp_path: Path) -> None:
    """What the refusal below is about, on the live object."""
    from category_encoders import BaseNEncoder

    opened: list[object] = []
    target = tmp_path / "zone"
    target.write_bytes(b"any content")
    model = BaseNEncoder(cols=["word"]).fit(WORDS)
    inner = [dict(model.ordinal_encoder.mapping[0], data_type=f"datetime64[ns, dateutil/{target}]")]
    model.ordinal_encoder = Bunch(mapping=inner, category_mapping=inner)
    sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "open" else None)
    with pytest.raises(Exception):  # noqa: B017, PT011  # it holds no zone
        model.inverse_transform(BaseNEncoder(cols=["word"]).fit_transform(WORDS))
    assert os.fspath(target) in opened
    with pytest.raises(skopsafe.ValidationError, match=r"BaseNEncoder\.ordinal_encoder"):
        skopsafe.loads(skopsafe.dumps(model))


@pytest.mark.parametrize("name", ["new", "__get_builtin_constructor", "file_digest", "md5 ", 5])
def test_a_hash_is_one(name: Any) -> None:
    from category_encoders import HashingEncoder

    model = attribute(HashingEncoder(max_process=1).fit(WORDS), "hash_method", name)
    with pytest.raises(skopsafe.ValidationError, match=r"HashingEncoder\.hash_method"):
        skopsafe.loads(skopsafe.dumps(model))


def test_usual_values_pass() -> None:
    from category_encoders import BaseNEncoder, HashingEncoder

    for model in (
        ClassifierChain(LogisticRegression(), chain_method="predict_proba").fit(X, Y),
        HashingEncoder(max_process=1, hash_method="sha256").fit(WORDS),
        BaseNEncoder().fit(WORDS),
        SimpleImputer(strategy="most_frequent").fit(WORDS),
        FunctionTransformer(feature_names_out="one-to-one"),
    ):
        data = skopsafe.dumps(model)
        assert skopsafe.dumps(skopsafe.loads(data)) == data
