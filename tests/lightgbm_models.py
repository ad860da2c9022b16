"""Models of LightGBM of many kinds, what can be asked of them, and random changes to their text."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

BLOB = ("lightgbm.basic:Booster", "model")

_STATE = np.random.RandomState(0)
X = _STATE.rand(150, 4)
X[::7, 1] = np.nan
Y = X[:, 0] * 3 + X[:, 2] + _STATE.rand(150)
_KINDS = _STATE.randint(40, size=150)
BINARY = (np.median(Y) < Y).astype(int)
LABELS = np.array(["low", "mid", "high"])[np.digitize(Y, np.quantile(Y, [0.33, 0.66]))]
FEW = {"n_estimators": 4, "num_leaves": 5, "min_child_samples": 5, "verbose": -1, "n_jobs": 1}
_FRAME = pd.DataFrame(
    {
        "Größe in cm": X[:, 0],
        "a=b": X[:, 2],
        "kind": pd.Categorical(np.array(["x", "y", "z", "w"])[_STATE.randint(4, size=150)]),
        "number": pd.Categorical(_STATE.randint(3, size=150)),
    }
)


def _params(**more: Any) -> dict[str, Any]:
    return {"num_leaves": 5, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1, **more}


def _train(rounds: int = 4, **more: Any) -> Any:
    return lgb.train(_params(**more), lgb.Dataset(X, Y), rounds), X


def _regressor(**more: Any) -> Any:
    target = np.abs(Y) if more.get("objective") in ("poisson", "gamma", "tweedie") else Y
    return lgb.LGBMRegressor(**{**FEW, **more}).fit(X, target), X


def _classifier(labels: Any = LABELS, **more: Any) -> Any:
    return lgb.LGBMClassifier(**{**FEW, **more}).fit(X, labels), X


def _integers() -> Any:
    kinds = np.column_stack([_KINDS, X[:, 2]])
    return lgb.LGBMRegressor(**FEW, min_data_per_group=2, cat_smooth=1).fit(
        kinds, Y, categorical_feature=[0]
    ), kinds


def _early() -> Any:
    model = lgb.LGBMClassifier(**{**FEW, "n_estimators": 60, "learning_rate": 0.9})
    stop = lgb.early_stopping(3, verbose=False)
    sets = [(X[::2], BINARY[::2]), (X[1::2], BINARY[1::2])]
    return model.fit(
        X[::2], BINARY[::2], eval_set=sets, eval_metric=["auc", "binary_error"], callbacks=[stop]
    ), X


def _ranker() -> Any:
    return lgb.LGBMRanker(**FEW).fit(X, np.digitize(Y, [1.5, 2.5]), group=[50, 60, 40], eval_at=[1, 3]), X


def _linear() -> Any:
    return _train(linear_tree=True)


def _continued() -> Any:
    return lgb.train(_params(), lgb.Dataset(X, Y, free_raw_data=False), 3, init_model=_train()[0]), X


def _with_data() -> Any:
    data = lgb.Dataset(X, Y, free_raw_data=False)
    model = lgb.Booster(_params(), data)
    model.add_valid(lgb.Dataset(X[:50], Y[:50], reference=data), "held out")
    for _ in range(3):
        model.update()
    model.eval_valid()
    return model, X


def _one_leaf() -> Any:
    return _train(min_data_in_leaf=1000)


def _no_tree() -> Any:
    return lgb.Booster(_params(), lgb.Dataset(X, Y)), X


def _own_objective() -> Any:
    def fobj(preds: Any, data: Any) -> Any:
        return preds - data.get_label(), np.ones_like(preds)

    return lgb.train(_params(objective=fobj), lgb.Dataset(X, Y), 3), X


def _frame() -> Any:
    return lgb.LGBMClassifier(**FEW, min_data_per_group=2, cat_smooth=1).fit(_FRAME, LABELS), _FRAME


MODELS: dict[str, Callable[[], Any]] = {
    "regression": _regressor,
    "binary": lambda: _classifier(BINARY, class_weight={0: 1, 1: 2}),
    "multiclass": lambda: _classifier(class_weight="balanced"),
    "multiclassova": lambda: _classifier(objective="multiclassova"),
    "dart": lambda: _regressor(boosting_type="dart"),
    "rf": lambda: _classifier(boosting_type="rf", subsample=0.7, subsample_freq=1),
    "goss": lambda: _regressor(boosting_type="goss"),
    "goss_strategy": lambda: _regressor(data_sample_strategy="goss"),
    "quantile": lambda: _regressor(objective="quantile", alpha=0.8),
    "poisson": lambda: _regressor(objective="poisson"),
    "tweedie": lambda: _regressor(objective="tweedie", tweedie_variance_power=1.3),
    "gamma": lambda: _regressor(objective="gamma"),
    "huber": lambda: _regressor(objective="huber"),
    "mape": lambda: _regressor(objective="mape"),
    "sqrt": lambda: _regressor(reg_sqrt=True),
    "l1": lambda: _regressor(objective="l1", reg_sqrt=True),
    "cross_entropy": lambda: (lgb.train(_params(objective="xentropy"), lgb.Dataset(X, BINARY), 3), X),
    "cross_entropy_lambda": lambda: (
        lgb.train(_params(objective="xentlambda"), lgb.Dataset(X, BINARY), 3),
        X,
    ),
    "ranker": _ranker,
    "rank_xendcg": lambda: (
        lgb.train(_params(objective="rank_xendcg"), lgb.Dataset(X, BINARY, group=[50, 60, 40]), 3),
        X,
    ),
    "monotone": lambda: _regressor(
        monotone_constraints=[1, 0, -1, 0], interaction_constraints=[[0, 1], [2, 3]]
    ),
    "categories": _integers,
    "frame": _frame,
    "linear": _linear,
    "linear_one_leaf": lambda: _train(linear_tree=True, min_data_in_leaf=1000),
    "early_stopping": _early,
    "continued": _continued,
    "with_data": _with_data,
    "refitted": lambda: (_train()[0].refit(X, Y[::-1]), X),
    "one_leaf": _one_leaf,
    "no_tree": _no_tree,
    "own_objective": _own_objective,
    "from_text": lambda: (lgb.Booster(model_str=_train()[0].model_to_string()), X),
    "model": lambda: (lgb.LGBMModel(**FEW, objective="regression").fit(X, Y), X),
    "extra": lambda: _regressor(extra_trees=True, random_state=np.random.RandomState(3), max_depth=3),
    "pipeline": lambda: (make_pipeline(StandardScaler(), _classifier()[0]).fit(X, LABELS), X),
    "grid": lambda: (GridSearchCV(_regressor()[0], {"num_leaves": [3, 5]}, cv=2).fit(X, Y), X),
    "calibrated": lambda: (CalibratedClassifierCV(_classifier()[0], cv=2).fit(X, LABELS), X),
    "stacking": lambda: (
        StackingClassifier([("l", _classifier()[0])], LogisticRegression(), cv=2).fit(
            np.nan_to_num(X), LABELS
        ),
        X,
    ),
    "stacking_regressor": lambda: (
        StackingRegressor([("l", _regressor()[0])], LinearRegression(), cv=2).fit(np.nan_to_num(X), Y),
        X,
    ),
    "voting": lambda: (VotingClassifier([("l", _classifier()[0])], voting="soft").fit(X, LABELS), X),
    "voting_regressor": lambda: (VotingRegressor([("l", _regressor()[0])]).fit(X, Y), X),
    "multi_output": lambda: (MultiOutputRegressor(_regressor()[0]).fit(X, np.column_stack([Y, -Y])), X),
    "multi_output_classifier": lambda: (
        MultiOutputClassifier(_classifier()[0]).fit(X, np.column_stack([LABELS, BINARY])),
        X,
    ),
}


def outputs(model: Any, X: Any) -> dict[str, Any]:
    """Call every method that gives something out; what raises gives its error."""
    found: dict[str, Any] = {}

    def ask(name: str, call: Callable[[], Any]) -> None:
        try:
            found[name] = call()
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"

    for name in ("predict", "predict_proba", "decision_function"):
        if hasattr(model, name):
            ask(name, lambda name=name: getattr(model, name)(X))
    booster = getattr(model, "_Booster", model)
    if isinstance(model, lgb.LGBMModel):
        for name in ("feature_importances_", "feature_name_", "n_features_in_", "best_score_", "n_iter_"):
            ask(name, lambda name=name: getattr(model, name))
    if not isinstance(booster, lgb.Booster):
        return found
    for name in ("raw_score", "pred_leaf", "pred_contrib"):
        ask(name, lambda name=name: model.predict(X, **{name: True}))
    for start, count in ((0, 1), (1, 2), (2, -1), (3, 10**6), (10**6, 5)):
        ask(
            f"{start} {count}",
            lambda start=start, count=count: model.predict(X, start_iteration=start, num_iteration=count),
        )
        ask(
            f"leaf {start} {count}",
            lambda start=start, count=count: booster.predict(
                X, start_iteration=start, num_iteration=count, pred_leaf=True, num_threads=1
            ),
        )
    ask("stop", lambda: booster.predict(X, pred_early_stop=True, pred_early_stop_freq=1, num_threads=1))
    for kind in ("split", "gain"):
        ask(kind, lambda kind=kind: booster.feature_importance(kind))
    ask("dump", booster.dump_model)
    ask("frame", lambda: booster.trees_to_dataframe().to_csv())
    ask("text", booster.model_to_string)
    ask("leaf", lambda: booster.get_leaf_output(0, 0))
    ask("bounds", lambda: (booster.lower_bound(), booster.upper_bound()))
    ask("histogram", lambda: booster.get_split_value_histogram(0))
    ask("sparse", lambda: _sparse(booster, X))
    ask("copy", lambda: booster.__deepcopy__(None).params)
    return found


def _sparse(booster: Any, X: Any) -> Any:
    from scipy.sparse import csc_matrix, csr_matrix

    rows = np.nan_to_num(np.asarray(X, dtype=float))
    found = []
    for matrix in (csr_matrix(rows), csc_matrix(rows)):
        found.append(booster.predict(matrix, num_threads=1))
        contributions = booster.predict(matrix, pred_contrib=True, num_threads=1)
        found += [
            m.toarray() for m in (contributions if isinstance(contributions, list) else [contributions])
        ]
    return found


_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
_VALUES = (
    b"0", b"-1", b"1", b"2", b"-2", b"4", b"5", b"31", b"32", b"255", b"1000", b"65536", b"2147483647",
    b"-2147483648", b"4294967295", b"4294967296", b"99999999999999999999", b"1e308", b"-1e400", b"nan",
    b"inf", b"-inf", b"-nan", b"0x10", b"+1", b" 1", b"1 ", b"01", b"1.5", b"", b".", b"-",
    b"e", b"1_0", b"\t1",
)  # fmt: skip


def mutate(blob: bytes, rng: random.Random) -> bytes:
    """Return a model text with one to three changes, most of them inside of its structure."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        blob = rng.choice(_CHANGES)(blob, rng)
        if rng.random() < 0.5:
            blob = _sized(blob)
    return blob


def _sized(blob: bytes) -> bytes:
    """Make ``tree_sizes`` true again, so that a change in a tree reaches the checks behind."""
    found = re.search(rb"tree_sizes=[^\n]*\n\n", blob)
    end = blob.find(b"end of trees")
    if found is None or end < 0:
        return blob
    sizes = [len(part) + 5 for part in blob[found.end() : end].split(b"Tree=")[1:]]
    return (
        blob[: found.start()]
        + b"tree_sizes="
        + b" ".join(b"%d" % n for n in sizes)
        + b"\n\n"
        + blob[found.end() :]
    )


def _number(blob: bytes, rng: random.Random) -> bytes:
    places = list(_NUMBER.finditer(blob))
    if not places:
        return blob
    place = rng.choice(places)
    old = place[0]
    new = rng.choice(_VALUES)
    if rng.random() < 0.5 and re.fullmatch(rb"-?\d{1,18}", old):
        new = b"%d" % (int(old) + rng.choice((-1, 1, 2, -2, 10, 1000)))
    return blob[: place.start()] + new + blob[place.end() :]


def _line_number(blob: bytes, rng: random.Random) -> bytes:
    """Change a number of a line chosen by its key: the short lines would hardly be met otherwise."""
    keys = sorted(set(re.findall(rb"^\[?(\w+)[=:]", blob, re.M)))
    if not keys:
        return blob
    places = list(re.finditer(rb"^\[?" + rng.choice(keys) + rb"[=:][^\n]*", blob, re.M))
    place = rng.choice(places)
    return blob[: place.start()] + _number(place[0], rng) + blob[place.end() :]


def _tokens(blob: bytes, rng: random.Random) -> bytes:
    lines = blob.split(b"\n")
    which = [i for i, line in enumerate(lines) if b"=" in line and b" " in line]
    if not which:
        return blob
    i, j = rng.choice(which), rng.choice(which)
    (key, _, value), (_, _, other) = lines[i].partition(b"="), lines[j].partition(b"=")
    tokens, others = value.split(b" "), other.split(b" ")
    at = rng.randrange(len(tokens))
    how = rng.random()
    if how < 0.25:
        del tokens[at]
    elif how < 0.5:
        tokens.insert(at, tokens[at])
    elif how < 0.75:
        tokens[at] = rng.choice(others)
    else:
        rng.shuffle(tokens)
    lines[i] = key + b"=" + b" ".join(tokens)
    return b"\n".join(lines)


def _lines(blob: bytes, rng: random.Random) -> bytes:
    lines = blob.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.random()
    if how < 0.25:
        del lines[i]
    elif how < 0.5:
        lines.insert(j, lines[i])
    elif how < 0.75:
        lines[i], lines[j] = lines[j], lines[i]
    else:
        key, mark, value = lines[i].partition(b"=")
        lines[i] = rng.choice((key + b"x", lines[j].partition(b"=")[0], key.upper(), b"")) + mark + value
    return b"\n".join(lines)


def _value(blob: bytes, rng: random.Random) -> bytes:
    """Give a line the value of the line of the same key in another tree, or none, or one twice as long."""
    lines = blob.split(b"\n")
    which = [i for i, line in enumerate(lines) if b"=" in line]
    if not which:
        return blob
    i = rng.choice(which)
    key, _, value = lines[i].partition(b"=")
    same = [lines[j].partition(b"=")[2] for j in which if lines[j].startswith(key + b"=")]
    lines[i] = (
        key + b"=" + rng.choice((rng.choice(same), b"", value + b" " + value, value.replace(b" ", b"  ")))
    )
    return b"\n".join(lines)


def _bytes(blob: bytes, rng: random.Random) -> bytes:
    out = bytearray(blob)
    for _ in range(rng.choice((1, 2, 8))):
        if not out:
            break
        at = rng.randrange(len(out))
        how = rng.random()
        if how < 0.4:
            out[at] ^= 1 << rng.randrange(8)
        elif how < 0.7:
            out[at] = rng.choice(b"\0\n\r =:-.,0123456789enif[]")
        elif how < 0.85:
            out.insert(at, rng.choice(b"\0\n\r =0123456789-"))
        else:
            del out[at]
    return bytes(out)


def _cut(blob: bytes, rng: random.Random) -> bytes:
    at, end = sorted((rng.randrange(len(blob) + 1), rng.randrange(len(blob) + 1)))
    return rng.choice((blob[:at], blob[:at] + blob[end:], blob + blob[at:end], blob[:end] + blob[at:]))


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _number,
    _number,
    _line_number,
    _line_number,
    _line_number,
    _tokens,
    _lines,
    _value,
    _bytes,
    _cut,
)
