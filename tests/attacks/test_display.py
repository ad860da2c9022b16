"""What a loaded model shows: none of its texts becomes markup or a script, or controls a terminal."""

from __future__ import annotations

import functools
import html
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.gaussian_process.kernels import RBF, Exponentiation, PairwiseKernel
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import KFold
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import Bunch, estimator_html_repr

import skopsafe
from skopsafe.handlers.protocols import SHOWN
from skopsafe.testing.crafted import changed

MARK = "xQx"
MARKUP = f"<script>{MARK}</script>"
ESCAPE = "\x1b[31m\x07\u202e"
X = np.random.RandomState(0).rand(12, 2)
Y = (X[:, 0] > 0.5) * 1
SHOWS_PARAMETERS = hasattr(Ridge, "_get_params_html")
"""Since scikit-learn 1.7 there is a table of parameters, whose names stand in a script."""


class _Page(HTMLParser):
    """Collects the tags of a page, and the attributes in which the mark stands."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.marked: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.marked += [(name, value) for name, value in attrs if value and MARK in value]


def page(model: Any) -> str:
    return str(estimator_html_repr(model))


def attribute(model: Any, name: str, value: Any) -> Any:
    vars(model)[name] = value
    return model


@pytest.mark.parametrize(
    "model",
    [
        attribute(Ridge(), "__doc_link_template", f'javascript:"><script>{MARK}</script>'),
        attribute(
            Ridge(),
            "_doc_link_url_param_generator",
            functools.partial(dict, estimator_module=f'"><b>{MARK}', estimator_name=""),
        ),
        Pipeline([("a", Bunch(_get_doc_link=functools.partial(str, f'"><b>{MARK}'))), ("b", Ridge())]),
    ],
    ids=["template", "generator", "bunch"],
)
def test_a_link_of_the_file_is_markup(model: Any) -> None:
    """What the refusals below are about, on the live object."""
    found = _Page(page(model))
    assert {"b", "script"} & found.tags or found.marked
    with pytest.raises(skopsafe.UnsupportedTypeError, match="would not be loaded"):
        skopsafe.dumps(model)


@pytest.mark.parametrize(
    "name",
    [
        "__doc_link_template",
        "_doc_link_url_param_generator",
        "_doc_link_module",
        "__sklearn_tags__x",
        "_parameter_constraints",
        "a b",
        r"(\w+\s?)+x_",
    ],
)
def test_an_estimator_says_nothing_of_its_class(name: str) -> None:
    """Of a link, of constraints, of hooks; and no attribute is a pattern, which a name is taken for."""
    data = changed(attribute(Ridge(), "instead", "x"), lambda schema: _rename(schema, "instead", name))
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=f"Ridge.{re.escape(name)}"):
        skopsafe.loads(data)


def _rename(schema: dict[str, Any], old: str, new: str) -> None:
    for shape in schema["shapes"]:
        if isinstance(shape[1], list):
            shape[1] = [new if name == old else name for name in shape[1]]


def test_what_is_set_over_a_default_of_the_class_comes_back() -> None:
    from sklearn.linear_model import LassoLars

    assert skopsafe.loads(skopsafe.dumps(LassoLars(positive=True))).positive


@pytest.mark.parametrize(
    "name", sorted(SHOWN | {"_repr_html_", "_repr_javascript_", "_repr_mimebundle_", "_repr_pretty_"})
)
def test_nothing_says_how_it_is_shown(name: str) -> None:
    """Notebooks and scikit-learn look for these on the object, and show what they return."""
    show = functools.partial(str, MARKUP)
    objects = [Bunch(**{name: show}), pd.Series({name: show, "b": None})]
    partial = functools.partial(str)
    vars(partial)[name] = show
    splitter = attribute(KFold(), name, show)
    for found in (*objects, splitter):
        assert getattr(found, name)() in (MARKUP, None)  # a series has methods for some
        with pytest.raises(skopsafe.UnsupportedTypeError, match=r"shown|hides"):
            skopsafe.dumps(found)
    for data in (
        changed(Bunch(instead=1), lambda schema: _replace(schema, "instead", name)),
        changed(
            pd.Series([None], pd.Index(["instead"], dtype=object)),
            lambda schema: _replace(schema, "instead", name),
        ),
        changed(partial_with("instead"), lambda schema: _replace(schema, "instead", name)),
        changed(attribute(KFold(), "instead", 1), lambda schema: _rename(schema, "instead", name)),
    ):
        assert skopsafe.get_untrusted_types(data=data) == []
        with pytest.raises(skopsafe.ValidationError, match=r"shown|method"):
            skopsafe.loads(data)


def partial_with(name: str) -> Any:
    partial = functools.partial(str)
    vars(partial)[name] = 1
    return partial


def _replace(value: Any, old: str, new: str) -> Any:
    """Replace a text in all rows of a schema."""
    for key, below in value.items() if isinstance(value, dict) else enumerate(value):
        if below == old:
            value[key] = new
        elif isinstance(below, dict | list):
            _replace(below, old, new)
    return value


HOSTILE_NAME = f"'+{MARK}(1)+'"

COMPOSITES = {
    "sklearn.pipeline.Pipeline:steps": Pipeline([(HOSTILE_NAME, StandardScaler())]),
    "sklearn.pipeline.FeatureUnion:transformer_list": FeatureUnion([(HOSTILE_NAME, StandardScaler())]),
    "sklearn.compose._column_transformer.ColumnTransformer:transformers": ColumnTransformer(
        [(HOSTILE_NAME, StandardScaler(), [0])]
    ),
    "sklearn.ensemble._voting.VotingClassifier:estimators": VotingClassifier(
        [(HOSTILE_NAME, LogisticRegression())]
    ),
    "sklearn.ensemble._stacking.StackingClassifier:estimators": StackingClassifier(
        [(HOSTILE_NAME, LogisticRegression())]
    ),
}


@pytest.mark.skipif(not SHOWS_PARAMETERS, reason="needs a table of parameters")
def test_a_name_of_a_step_is_a_script() -> None:
    """What the approvals below are about: the table shows names of steps where a diagram cannot be drawn."""
    model = VotingClassifier([(HOSTILE_NAME, LogisticRegression()), 5])
    scripts = [value for name, value in _Page(page(model)).marked if name == "onclick"]
    assert any(f"copyToClipboard('{HOSTILE_NAME}" in script for script in scripts)


@pytest.mark.parametrize("name", COMPOSITES)
def test_a_name_that_is_a_script_or_a_pattern_needs_approval(name: str) -> None:
    model = COMPOSITES[name]
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == [name]
    with pytest.raises(skopsafe.UntrustedTypesFoundException, match="script"):
        skopsafe.loads(data)
    skopsafe.loads(data, [name])
    attribute = name.rpartition(":")[2]
    ((_, *rest),) = getattr(model, attribute)
    for text in ("a'b", "a\\b", "(a+)+x", "x*", "a\x1bb", "a\u202eb", "a\nb"):
        changed_ = clone(model).set_params(**{attribute: [(text, *rest)]})
        assert skopsafe.audit(changed_).untrusted == [name]
    for text in ("scale (robust)", "tf-idf <1.2>", "größe & 大小", "a.b|c[1]", '"x"'):
        changed_ = clone(model).set_params(**{attribute: [(text, *rest)]})
        assert skopsafe.audit(changed_).ok


@pytest.mark.parametrize("steps", [{"a'": Ridge()}, [np.array(["a'", None], object)], [Bunch(a=1)]])
def test_no_other_form_hides_the_name_of_a_step(steps: Any) -> None:
    model = attribute(Pipeline([("a", Ridge())]), "steps", steps)
    assert skopsafe.audit(model).untrusted == ["sklearn.pipeline.Pipeline:steps"]


def test_a_name_of_a_parameter_is_a_name() -> None:
    """xgboost takes any, and gives them to scikit-learn as names of parameters."""
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(**{HOSTILE_NAME: 1})
    if SHOWS_PARAMETERS:
        assert any(name == "onclick" for name, _ in _Page(page(model)).marked)
    with pytest.raises(skopsafe.ValidationError, match=r"XGBClassifier\.kwargs"):
        skopsafe.loads(skopsafe.dumps(model))
    assert skopsafe.loads(skopsafe.dumps(xgboost.XGBClassifier(updater="grow_colmaker"))).kwargs


@pytest.mark.parametrize("name", ["__doc_link_template", "predict", "Booster", "n_features", "fitted_", "_x"])
def test_a_clone_takes_no_attribute_for_a_parameter(name: str) -> None:
    """A clone of LightGBM's estimators sets all further parameters, and ``_name`` as well."""
    lightgbm = pytest.importorskip("lightgbm")
    model = lightgbm.LGBMClassifier()
    model._other_params[name] = "x"
    copy = clone(model)
    assert "x" in (vars(copy).get(name), vars(copy).get(f"_{name}"))
    with pytest.raises(skopsafe.ValidationError, match=r"LGBMClassifier\._other_params"):
        skopsafe.loads(skopsafe.dumps(model))
    usual = lightgbm.LGBMClassifier(min_data_in_leaf=3, objective="binary").set_params(verbose=-1, n_jobs=1)
    assert skopsafe.loads(skopsafe.dumps(usual))._other_params == usual._other_params


def fitted() -> list[Any]:
    """Return models with hostile texts wherever a model that needs no approval can have them."""
    names = pd.DataFrame(X, columns=[MARKUP, f"{MARKUP}{HOSTILE_NAME}"])
    classes = np.where(Y, MARKUP, "b")
    out = [
        Pipeline([(MARKUP, StandardScaler()), ("b", LogisticRegression())]).fit(names, classes),
        ColumnTransformer([(MARKUP, StandardScaler(), [MARKUP])]).fit(names),
        OneHotEncoder().fit(classes[:, None]),
        VotingClassifier([(MARKUP, LogisticRegression()), ("b", LogisticRegression())]).fit(names, classes),
    ]
    ridge = Ridge(solver=MARKUP, alpha=[MARKUP, {MARKUP: MARKUP}, np.array([MARKUP]), ESCAPE])
    ridge.feature_names_in_ = np.array([MARKUP, ESCAPE], object)
    ridge.coef_ = np.zeros(1, [(MARKUP, "i4")])
    ridge.more_ = Bunch(shape=MARKUP, dtype=MARKUP)
    return [*out, ridge]


@pytest.mark.parametrize("number", range(5))
def test_scikit_learn_writes_no_text_of_a_model_as_markup(number: int) -> None:
    model = skopsafe.loads(skopsafe.dumps(fitted()[number]))
    for text in (page(model), model._repr_html_(), model._repr_mimebundle_()["text/html"]):
        plain = (
            page(Ridge().fit(X, Y)) + page(Pipeline([("a", Ridge())])) + page(FeatureUnion([("a", Ridge())]))
        )
        found = _Page(text)
        assert found.tags <= _Page(plain).tags | {"b"}
        assert MARKUP not in text
        assert html.escape(MARKUP) in text or not SHOWS_PARAMETERS
        # Names that pass stand between quotes that they cannot end.
        scripts = [value for name, value in found.marked if name == "onclick"]
        assert not any("')" in script.split("copyToClipboard('")[1].split("',")[0] for script in scripts)
        assert {name for name, _ in found.marked} <= {"data-param-prefix", "onclick", "aria-label"}


@pytest.mark.parametrize(
    ("obj", "where"),
    [
        (Exponentiation(RBF(), ESCAPE), "Exponentiation.exponent"),
        (PairwiseKernel(metric=ESCAPE), "PairwiseKernel.metric"),
        (make_scorer(f1_score, average=ESCAPE), r"_Scorer\._kwargs"),
        (make_scorer(f1_score, **{ESCAPE: 1}), r"_Scorer\._kwargs"),
    ],
    ids=["exponent", "metric", "value", "key"],
)
def test_what_repr_writes_as_it_is_holds_no_control_characters(obj: Any, where: str) -> None:
    assert ESCAPE in repr(obj)
    with pytest.raises(skopsafe.ValidationError, match=where):
        skopsafe.loads(skopsafe.dumps(obj))


def test_a_version_in_a_warning_holds_no_control_characters() -> None:
    model = IsotonicRegression().fit(X[:, 0], Y)

    def change(schema: dict[str, Any]) -> None:
        import sklearn

        _replace(schema["runs"], sklearn.__version__, ESCAPE)

    with pytest.raises(skopsafe.ValidationError, match=r"IsotonicRegression\._sklearn_version"):
        skopsafe.loads(changed(model, change))


@pytest.mark.parametrize("name", ["__name__", "__qualname__", "__module__"])
def test_a_partial_has_a_plain_name(name: str) -> None:
    partial = functools.partial(f1_score)
    vars(partial)[name] = ESCAPE
    with pytest.raises(skopsafe.ValidationError, match=f"partial.{name}"):
        skopsafe.loads(skopsafe.dumps(partial))
    vars(partial)[name] = "plain"
    assert vars(skopsafe.loads(skopsafe.dumps(partial))) == {name: "plain"}
