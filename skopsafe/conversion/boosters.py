"""Rules for XGBoost, LightGBM and CatBoost: a pickle has the model in the form that the readers here check.

Sources: ``Booster.__getstate__`` in ``xgboost/core.py`` and ``lightgbm/basic.py``,
``_CatBoostBase.__getstate__`` in ``catboost/core.py``.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from skopsafe.conversion.rules import Case, Rules, named, require
from skopsafe.conversion.stands import Stand
from skopsafe.conversion.stdlib_rules import pairs_of
from skopsafe.foreign.pickles.values import Dict, List
from skopsafe.graph.parts import Parts
from skopsafe.handlers.catboost import blob, check, estimators
from skopsafe.handlers.lightgbm import booster as lightgbm
from skopsafe.handlers.lightgbm import parameters, text
from skopsafe.handlers.xgboost import booster as xgboost
from skopsafe.migrate.releases import release_of

_CATEGORIES = b"\npandas_categorical:"
_PARAMETERS = b"\nparameters:\n"
_SIZES = re.compile(rb"\ntree_sizes=([0-9]{1,18}(?: [0-9]{1,18})*)(?=\n)")
_LINEAR, _BEFORE_LINEAR = b"is_linear=0\n", b"\nshrinkage="
_MODEL = "__model"
_SEEN = ("_prediction_values_change", "_loss_value_change")
"""What CatBoost keeps among the parameters, and sets as attributes."""


def _xgboost(case: Case) -> Any:
    state = dict(named(case.state))
    require(state.get("handle") is not None, "it holds no model")
    content = case.read(state.pop("handle"))
    facts = xgboost.facts_of(content)
    before = release_of(case.versions.get("xgboost"))
    if before is None or facts.version < before:  # the estimators around it may be of the oldest of them
        case.versions["xgboost"] = ".".join(map(str, facts.version))
    attributes = {name: case.get(value) for name, value in state.items()}
    return Stand(case.name, xgboost.parts_of(content, facts, attributes))


def _lightgbm(case: Case) -> Any:
    state = case.attributes()
    written = state.get("_handle", state.get("handle"))
    require(isinstance(written, str), "it holds no model")
    assert isinstance(written, str)
    # Its last line is about the columns, and a part of its attributes.
    content = written.encode("utf-8", "surrogatepass").rpartition(_CATEGORIES)[0]
    if b"\nTree=0\n" not in content:
        content = content.partition(_PARAMETERS)[0]  # LightGBM reads none then, and writes none again
    found, lines = parameters.take_lines(_with_linear(content))
    text.read(found)
    described = dict(named(case.state))
    for name, value in described.items():
        if isinstance(value, Dict):  # a state is looked into before its parts are filled
            state[name] = pairs_of(case, value)
        elif isinstance(value, List):
            state[name] = [case.get(item) for item in value.items]
    kept = {name: value for name, value in state.items() if name not in lightgbm.DROPPED}
    return Stand(case.name, lightgbm.parts_of(found, lines, kept))


def _with_linear(content: bytes) -> bytes:
    """Return a model with the line that trees have since LightGBM 3.2: whether leaves hold models."""
    sizes = _SIZES.search(content)
    if sizes is None or b"\nis_linear=" in content:
        return content
    longer = (b"%d" % (int(size) + len(_LINEAR)) for size in sizes[1].split())
    trees = content[sizes.end() :].replace(_BEFORE_LINEAR, b"\n" + _LINEAR + _BEFORE_LINEAR[1:])
    return content[: sizes.start(1)] + b" ".join(longer) + trees


def _predictor(case: Case) -> Any:
    state = case.attributes()
    kept = {name: value for name, value in state.items() if name not in ("_handle", "handle")}
    require(kept.keys() <= lightgbm.PREDICTOR, "it has attributes that are not known")
    return Stand(case.name, Parts(tuple(kept), list(kept.values())))


class _Options(msgspec.Struct):
    learning_rate: int | float = 0


class _Trained(msgspec.Struct):
    boosting_options: _Options = msgspec.field(default_factory=_Options)
    random_seed: int = 0


def _catboost(case: Case) -> Any:
    state = pairs_of(case, case.state)
    content = dict(named(case.state)).get(_MODEL)
    state.pop(_MODEL, None)
    attributes = {name: state.pop(name) for name in _SEEN if name in state}
    for name in ("_test_eval", "_test_evals"):
        state.pop(name, None)  # of a training that is over
    if content is None:
        return Stand(case.name, estimators.parts_of(state, None, attributes))
    model = blob.parse(case.read(content))
    found = check.check_written(model)
    try:
        trained = msgspec.json.decode(model.info.get(b"params", b"{}"), type=_Trained, strict=False)
    except msgspec.MsgspecError:
        trained = _Trained()
    # What the library sets once it has read the model.
    attributes |= {
        "_is_fitted_": True,
        "_learning_rate": trained.boosting_options.learning_rate,
        "_n_features_in": 0,
        "_random_seed": trained.random_seed,
        "_tree_count": found.n_trees,
    }
    in_order = {name: attributes[name] for name in sorted(attributes)}
    return Stand(case.name, estimators.parts_of(state, (blob.ordered(model), found), in_order))


def _older_lightgbm(attributes: dict[str, Any]) -> None:
    # LightGBM 3 had None where there are no classes, and LightGBM 4 compares it with numbers.
    if attributes.get("_n_classes", 0) is None:
        attributes["_n_classes"] = -1
    # LightGBM 3.0 went by the model alone.
    if attributes.get("_Booster") is not None:
        attributes.setdefault("fitted_", True)


_MODELS = [f"lightgbm.sklearn:LGBM{name}" for name in ("Classifier", "Model", "Ranker", "Regressor")]

RULES = Rules(
    classes={
        "xgboost.core:Booster": _xgboost,
        "lightgbm.basic:Booster": _lightgbm,
        "lightgbm.basic:_InnerPredictor": _predictor,
        **dict.fromkeys(estimators.TYPES, _catboost),
    },
    older=dict.fromkeys(_MODELS, _older_lightgbm),
)
