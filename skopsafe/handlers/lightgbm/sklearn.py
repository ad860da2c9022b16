"""The wrappers of LightGBM for scikit-learn: what they hand to C++ must be that of their Booster."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from skopsafe.handlers.checks import array, integer, require
from skopsafe.handlers.lightgbm import parameters

_NOT_PASSED_ON = frozenset({"class_weight", "importance_type", "n_estimators", "objective", "random_state"})


def _check_model(obj: Any) -> None:
    from lightgbm import Booster

    state = vars(obj)
    where = type(obj).__name__
    booster = state.get("_Booster")
    require(booster is None or isinstance(booster, Booster), "not a Booster", f"{where}._Booster")
    classes = -1
    if booster is not None:
        # scikit-learn counts the columns of X by these; C++ may be told not to count them.
        features = booster.num_feature()
        for name in ("_n_features", "_n_features_in"):
            integer(state.get(name), f"{where}.{name}", features, features)
        classes = booster.num_model_per_iteration()
    most = max(parameters.FEW_CLASSES, classes)
    number = integer(state.get("_n_classes", -1), f"{where}._n_classes", -1, most)
    if booster is not None and number > 2:
        integer(number, f"{where}._n_classes", classes, classes)
    if state.get("_best_iteration") is not None:
        integer(state["_best_iteration"], f"{where}._best_iteration", -1, 2**31 - 1)
    _check_parameters(obj, state, where, most)


def _check_parameters(obj: Any, state: dict[str, Any], where: str, most_classes: int) -> None:
    """All of these go to each prediction, in one text."""
    others = state.get("_other_params", {})
    require(type(others) is dict, "not a dict", f"{where}._other_params")
    parameters.check(others, f"{where}._other_params", most_classes)
    for name in others:
        require(not _is_taken(type(obj), name), "is no parameter", f"{where}._other_params[{name!r}]")  # type: ignore[arg-type]
    names = _passed_on(type(obj))  # type: ignore[arg-type]
    parameters.check({name: state[name] for name in sorted(names & state.keys())}, where, most_classes)
    for name in ("_objective", "_eval_at"):
        if name in state:
            parameters.check({name: state[name]}, where, most_classes)


@lru_cache(maxsize=64)
def _passed_on(cls: type[Any]) -> frozenset[str]:
    # scikit-learn looks at the signature anew each time.
    return frozenset(cls._get_param_names()) - _NOT_PASSED_ON


@lru_cache(maxsize=1024)
def _is_taken(cls: type[Any], name: str) -> bool:
    """Tell whether a clone would take a further parameter for one of its own attributes: it sets them all."""
    if name in cls._get_param_names():
        return False
    return name.startswith("_") or name.endswith("_") or hasattr(cls, name) or f"_{name}" in vars(cls())


def _check_classifier(obj: Any) -> None:
    from sklearn.preprocessing import LabelEncoder

    state = vars(obj)
    where = type(obj).__name__
    if state.get("_Booster") is None:
        return
    require(type(state.get("_le")) is LabelEncoder, "not a LabelEncoder", f"{where}._le")
    classes = array(state.get("_classes"), f"{where}._classes", ndim=1)
    integer(state.get("_n_classes"), f"{where}._n_classes", len(classes), len(classes))
    require(type(state.get("_class_map")) is dict, "not a dict", f"{where}._class_map")


CHECKS: dict[str, Callable[[Any], None]] = {
    "lightgbm.sklearn:LGBMModel": _check_model,
    "lightgbm.sklearn:LGBMClassifier": _check_classifier,
}
