"""Models of xgboost of every kind, what they give out, and mutants of their serialized form."""

from __future__ import annotations

import random
import struct
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb

BLOB = ("xgboost.core:Booster", "content")

RNG = np.random.default_rng(0)
N = 120
X = RNG.normal(size=(N, 4)).round(2)
X[::11, 1] = np.nan
NUMBERS = (np.nan_to_num(X[:, 0] - X[:, 1]) + RNG.normal(size=N) / 4).astype(np.float32)
POSITIVE = np.abs(NUMBERS) + 0.1
BINARY = (NUMBERS > 0).astype(int)
CLASSES = np.digitize(NUMBERS, [-0.7, 0.7])
TARGETS = np.column_stack([NUMBERS, -NUMBERS, NUMBERS**2])
QUERIES = np.repeat(np.arange(6), N // 6)
FRAME = pd.DataFrame(
    {
        "a": X[:, 0],
        "letter": pd.Categorical.from_codes(RNG.integers(0, 6, N), list("uvwxyz")),
        "number": pd.Categorical.from_codes(RNG.integers(0, 40, N), np.arange(100, 140)),
    }
)
UNSIGNED = pd.DataFrame(
    {
        str(dtype): pd.Categorical.from_codes(RNG.integers(0, 40, N), np.arange(100, 140, dtype=dtype))
        for dtype in ("uint8", "uint16", "uint32", "uint64")
    }
)
VERSION = tuple(map(int, xgb.__version__.split(".")[:2]))
"""Major and minor version of xgboost."""


def _classifier(**params: Any) -> Any:
    return xgb.XGBClassifier(n_estimators=4, max_depth=3, n_jobs=2, **params)


def _regressor(**params: Any) -> Any:
    return xgb.XGBRegressor(n_estimators=4, max_depth=3, n_jobs=2, **params)


def _booster(data: Any = None, rounds: int = 4, **params: Any) -> Any:
    data = xgb.DMatrix(X, NUMBERS) if data is None else data
    return xgb.train({"max_depth": 3, "nthread": 2, **params}, data, rounds)


def _early() -> Any:
    model = _regressor(early_stopping_rounds=2, learning_rate=1.0, eval_metric=["rmse", "mae"])
    return model.set_params(n_estimators=60).fit(
        X, NUMBERS, eval_set=[(X[::2], -NUMBERS[::2])], verbose=False
    )


def _continued() -> Any:
    return _regressor().fit(X, NUMBERS, xgb_model=_regressor().fit(X, NUMBERS))


def _aft() -> Any:
    data = xgb.DMatrix(X)
    data.set_float_info("label_lower_bound", POSITIVE)
    data.set_float_info("label_upper_bound", POSITIVE + 1)
    return _booster(
        data, objective="survival:aft", aft_loss_distribution="logistic", eval_metric="aft-nloglik"
    )


def _attributes() -> Any:
    booster = _booster(xgb.DMatrix(X, NUMBERS, feature_names=list("abcd"), feature_types=["float"] * 4))
    booster.set_attr(note="für später", other="1")
    booster.mine = {"made": "by hand", "scores": np.arange(3)}
    return booster


def _pruned() -> Any:
    return _booster(tree_method="exact", gamma=1.0, max_depth=6)


def _frame(**params: Any) -> Any:
    return xgb.DMatrix(FRAME, NUMBERS, enable_categorical=True)


def _ranker(objective: str, **params: Any) -> Any:
    model = xgb.XGBRanker(n_estimators=4, max_depth=3, n_jobs=2, objective=objective, **params)
    return model.fit(X, BINARY, qid=QUERIES)


def _labels() -> Any:
    return _classifier().fit(X, np.column_stack([BINARY, 1 - BINARY, NUMBERS > 0.5]).astype(int))


MODELS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "aft": lambda: (_aft(), X),
    "approx": lambda: (
        _regressor(tree_method="approx", grow_policy="lossguide", max_leaves=7).fit(X, NUMBERS),
        X,
    ),
    "attributes": lambda: (_attributes(), pd.DataFrame(X, columns=list("abcd"))),
    "binary": lambda: (_classifier().fit(X, BINARY), X),
    "booster": lambda: (_booster(), X),
    "booster_of_categories": lambda: (_booster(_frame(), max_cat_to_onehot=10), FRAME),
    "categories": lambda: (
        _regressor(enable_categorical=True, max_cat_to_onehot=1).fit(FRAME, NUMBERS),
        FRAME,
    ),
    "categories_one_hot": lambda: (
        _classifier(enable_categorical=True, max_cat_to_onehot=100, tree_method="approx").fit(FRAME, CLASSES),
        FRAME,
    ),
    "continued": lambda: (_continued(), X),
    "coordinates": lambda: (
        _booster(booster="gblinear", updater="coord_descent", feature_selector="greedy"),
        X,
    ),
    "cox": lambda: (_regressor(objective="survival:cox").fit(X, NUMBERS), X),
    "dart": lambda: (_classifier(booster="dart", rate_drop=0.5).fit(X, BINARY), X),
    "dart_of_classes": lambda: (_classifier(booster="dart", rate_drop=0.5).fit(X, CLASSES), X),
    "deleted": lambda: (_pruned(), X),
    "early_stopping": lambda: (_early(), X),
    "forest": lambda: (xgb.XGBRFClassifier(n_estimators=5, max_depth=3, n_jobs=2).fit(X, CLASSES), X),
    "forest_of_numbers": lambda: (
        xgb.XGBRFRegressor(n_estimators=5, max_depth=3, n_jobs=2).fit(X, NUMBERS),
        X,
    ),
    "frame": lambda: (_regressor().fit(FRAME[["a"]], NUMBERS), FRAME[["a"]]),
    "hinge": lambda: (_classifier(objective="binary:hinge").fit(X, BINARY), X),
    "labels": lambda: (_labels(), X),
    "linear": lambda: (xgb.XGBRegressor(booster="gblinear", n_estimators=3, n_jobs=1).fit(X, NUMBERS), X),
    "linear_of_classes": lambda: (
        _booster(xgb.DMatrix(X, CLASSES), booster="gblinear", objective="multi:softprob", num_class=3),
        X,
    ),
    "model": lambda: (
        xgb.XGBModel(n_estimators=3, max_depth=2, n_jobs=2, objective="reg:squarederror").fit(X, NUMBERS),
        X,
    ),
    "multiclass": lambda: (_classifier().fit(X, CLASSES), X),
    "no_trees": lambda: (_booster(rounds=0), X),
    "pairs": lambda: (_ranker("rank:pairwise"), X),
    "parallel": lambda: (
        _booster(xgb.DMatrix(X, CLASSES), objective="multi:softmax", num_class=3, num_parallel_tree=2),
        X,
    ),
    "poisson": lambda: (_regressor(objective="count:poisson").fit(X, POSITIVE.round()), X),
    "quantiles": lambda: (
        _regressor(objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9]).fit(X, NUMBERS),
        X,
    ),
    "ranker": lambda: (_ranker("rank:ndcg"), X),
    "slice": lambda: (_booster(xgb.DMatrix(X, CLASSES), objective="multi:softprob", num_class=3)[0:4:2], X),
    "targets": lambda: (_regressor().fit(X, TARGETS), X),
    "tweedie": lambda: (_regressor(objective="reg:tweedie", tweedie_variance_power=1.3).fit(X, POSITIVE), X),
    "unbiased": lambda: (_ranker("rank:ndcg", lambdarank_unbiased=True, lambdarank_pair_method="topk"), X),
    "vectors": lambda: (
        _regressor(multi_strategy="multi_output_tree", tree_method="hist").fit(X, TARGETS),
        X,
    ),
    "vectors_of_classes": lambda: (
        _classifier(multi_strategy="multi_output_tree", tree_method="hist").fit(X, CLASSES),
        X,
    ),
}
"""By name: what makes a model and the data that it predicts."""
if VERSION >= (3, 3):
    MODELS |= {
        "drops": lambda: (_regressor(rate_drop=0.5, one_drop=True, num_parallel_tree=2).fit(X, NUMBERS), X),
        "drops_later": lambda: (
            _regressor(rate_drop=0.5).fit(X, NUMBERS, xgb_model=_regressor().fit(X, NUMBERS)),
            X,
        ),
        "drops_of_slice": lambda: (_booster(rate_drop=0.5, one_drop=True)[1:3], X),
        "expectiles": lambda: (
            _regressor(objective="reg:expectileerror", expectile_alpha=[0.1, 0.5, 0.9]).fit(X, NUMBERS),
            X,
        ),
        "vectors_dropped": lambda: (
            _regressor(multi_strategy="multi_output_tree", rate_drop=0.5, one_drop=True).fit(X, TARGETS),
            X,
        ),
        "vectors_of_categories": lambda: (
            _regressor(multi_strategy="multi_output_tree", enable_categorical=True, max_cat_to_onehot=1).fit(
                FRAME, TARGETS
            ),
            FRAME,
        ),
    }
if VERSION >= (3, 4):
    MODELS["unsigned_categories"] = lambda: (
        _regressor(enable_categorical=True, max_cat_to_onehot=1).fit(UNSIGNED, NUMBERS),
        UNSIGNED,
    )
if VERSION == (2, 1):  # its own get_score ends the process
    del MODELS["vectors"], MODELS["vectors_of_classes"]

_PREDICTIONS = ("output_margin", "pred_leaf", "pred_contribs", "pred_interactions")


def outputs(model: Any, data: Any) -> dict[str, Any]:
    """Call every output method, and return what each gives or the type of what it raises."""
    calls: dict[str, Callable[[], Any]] = {}
    booster = model
    if isinstance(model, xgb.XGBModel):
        booster = model.get_booster()
        calls["predict"] = lambda: model.predict(data)
        calls["margin"] = lambda: model.predict(data, output_margin=True)
        calls["apply"] = lambda: model.apply(data)
        for name in (
            "feature_importances_",
            "intercept_",
            "coef_",
            "best_iteration",
            "best_score",
            "n_features_in_",
        ):
            calls[name] = lambda name=name: getattr(model, name)
        calls["evals_result"] = model.evals_result
        if hasattr(model, "predict_proba"):
            calls["predict_proba"] = lambda: model.predict_proba(data)
    matrix = xgb.DMatrix(data, enable_categorical=True, nthread=2)
    calls["booster"] = lambda: booster.predict(matrix)
    for name in _PREDICTIONS:
        calls[name] = lambda name=name: booster.predict(matrix, **{name: True})
    for name in _PREDICTIONS[2:]:
        calls[f"{name} approx"] = lambda name=name: booster.predict(
            matrix, approx_contribs=True, **{name: True}
        )
    calls["strict_shape"] = lambda: booster.predict(matrix, strict_shape=True)
    calls["one"] = lambda: booster.predict(matrix, iteration_range=(0, 1))
    calls["inplace"] = lambda: booster.inplace_predict(data)
    calls["inplace margin"] = lambda: booster.inplace_predict(data, predict_type="margin")
    for name in ("weight", "gain", "total_cover"):
        calls[name] = lambda name=name: booster.get_score(importance_type=name)
    for name in ("text", "json", "dot"):
        calls[name] = lambda name=name: booster.get_dump(dump_format=name)
    calls["stats"] = lambda: booster.get_dump(with_stats=True)
    calls["trees"] = lambda: booster.trees_to_dataframe().to_csv()
    calls["attributes"] = booster.attributes
    calls["names"] = lambda: (booster.feature_names, booster.feature_types, booster.num_features())
    calls["rounds"] = booster.num_boosted_rounds
    calls["slice"] = lambda: bytes(booster[0:1].save_raw())
    calls["copy"] = lambda: bytes(booster.copy().save_raw())
    if hasattr(booster, "get_categories"):
        calls["categories"] = lambda: _categories(booster)
    calls["config"] = booster.save_config
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, call in calls.items():
            try:
                found[name] = call()
            except Exception as error:
                found[name] = type(error).__name__
    return found


def _categories(booster: Any) -> list[Any]:
    found = booster.get_categories(export_to_arrow=True).to_arrow()
    return [(name, None if values is None else values.to_pylist()) for name, values in found]


def same(first: Any, second: Any) -> bool:
    """Tell whether two outputs are the same, to the bit."""
    if isinstance(first, np.ndarray):
        return (
            isinstance(second, np.ndarray)
            and first.dtype == second.dtype
            and first.shape == second.shape
            and first.tobytes() == second.tobytes()
        )
    return type(first) is type(second) and first == second


_VALUES = (-(2**31), -2, -1, 0, 1, 2, 3, 63, 127, 2**16, 2**24, 2**30, 2**31 - 2, 2**31 - 1)
_TEXTS = (
    b"0",
    b"1",
    b"2",
    b"3",
    b"9",
    b"-1",
    b"1000000",
    b"2147483647",
    b"4294967296",
    b"1e9",
    b"nan",
    b"",
    b"[1,2]",
)


def _places(data: bytes) -> list[tuple[int, bytes]]:
    """Find the heads of typed arrays and of texts."""
    found = []
    at = data.find(b"[$")
    while at >= 0:
        found.append((at, data[at + 2 : at + 3]))
        at = data.find(b"[$", at + 1)
    at = data.find(b"SL\0\0\0\0\0\0\0")
    while at >= 0:
        found.append((at, b"S"))
        at = data.find(b"SL\0\0\0\0\0\0\0", at + 1)
    return found


def mutate(blob: bytes, rng: random.Random) -> bytes:
    """Return a document with one to three faults: of a byte, a number, a length, a member."""
    data = bytes(blob)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(_FAULTS)(data, rng)
    return data


def _byte(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return (
        data[:at] + bytes([rng.choice((rng.randrange(256), data[at] ^ 1, data[at] ^ 128))]) + data[at + 1 :]
    )


def _cut(data: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(data)), rng.choice((1, 2, 8, 40, len(data)))
    return data[:at] + data[at + length :] + rng.choice((b"", b"\0", b"}"))


def _twice(data: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(data)), rng.choice((1, 9, 60))
    return data[: at + length] + data[at:]


def _number(data: bytes, rng: random.Random) -> bytes:
    """Change an item of a typed array."""
    places = [(at, kind) for at, kind in _places(data) if kind in b"dlLUi" and at + 13 < len(data)]
    if not places:
        return _byte(data, rng)
    at, kind = rng.choice(places)
    form, size = {b"d": (">f", 4), b"l": (">i", 4), b"L": (">q", 8), b"U": (">B", 1), b"i": (">b", 1)}[kind]
    (count,) = struct.unpack_from(">q", data, at + 5)
    if not 0 < count < 2**20 or at + 13 + count * size > len(data):
        return _byte(data, rng)
    place = at + 13 + size * rng.randrange(count)
    if kind == b"d":
        value: Any = rng.choice((float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 1e38, -1.0, 1e-45))
    else:
        (old,) = struct.unpack_from(form, data, place)
        value = rng.choice((*_VALUES, old - 1, old + 1, old + 2, old ^ 1))
        bits = 8 * size - (kind != b"U")
        value = max(-(2**bits) * (kind != b"U"), min(2**bits - 1, value))
    return data[:place] + struct.pack(form, value) + data[place + size :]


def _text(data: bytes, rng: random.Random) -> bytes:
    """Change a text, most of which are numbers."""
    places = [at for at, kind in _places(data) if kind == b"S" and at + 10 < len(data)]
    if not places:
        return _byte(data, rng)
    at = rng.choice(places)
    new = rng.choice(_TEXTS)
    return data[: at + 9] + bytes([len(new)]) + new + data[at + 10 + data[at + 9] :]


def _length(data: bytes, rng: random.Random) -> bytes:
    """Change the length of an array, with or without its items."""
    places = [(at, kind) for at, kind in _places(data) if kind in b"dlLU" and at + 13 < len(data)]
    if not places:
        return _byte(data, rng)
    at, kind = rng.choice(places)
    (count,) = struct.unpack_from(">q", data, at + 5)
    new = rng.choice((0, count - 1, count + 1, -1, 2**31, 2**62))
    size = {b"d": 4, b"l": 4, b"L": 8, b"U": 1}[kind]
    rest = data[at + 13 :]
    if rng.random() < 0.7 and 0 <= new <= count + 1 and count < 2**20:
        items = rest[: count * size]
        rest = (items + items[-size:] + bytes(size))[: new * size] + rest[count * size :]
    return data[: at + 5] + struct.pack(">q", new) + rest


def _swap(data: bytes, rng: random.Random) -> bytes:
    """Put the items of one array in the place of those of another."""
    places = [(at, kind) for at, kind in _places(data) if kind == b"l" and at + 13 < len(data)]
    if len(places) < 2:
        return _byte(data, rng)
    (one, _), (other, _) = rng.sample(places, 2)
    counts = [struct.unpack_from(">q", data, at + 5)[0] for at in (one, other)]
    if not all(0 <= count < 2**20 for count in counts):
        return _byte(data, rng)
    size = 4 * min(counts)
    return data[: one + 13] + data[other + 13 : other + 13 + size] + data[one + 13 + size :]


def _key(data: bytes, rng: random.Random) -> bytes:
    """Rename, drop or repeat a member."""
    names = (
        b"trees",
        b"id",
        b"left_children",
        b"parents",
        b"cats",
        b"num_class",
        b"num_feature",
        b"tree_info",
    )
    name = rng.choice(
        (*names, b"weights", b"split_type", b"categories_nodes", b"iteration_indptr", b"leaf_weights")
    )
    at = data.find(name, rng.randrange(len(data)))
    if at < 9:
        return _byte(data, rng)
    choice = rng.randrange(3)
    if choice == 0:
        return data[:at] + bytes(reversed(name)) + data[at + len(name) :]
    end = data.find(b"L\0\0\0\0\0\0\0", at + len(name) + 14)
    if end < 0:
        return _byte(data, rng)
    member = data[at - 9 : end]
    return data[: at - 9] + (member + member if choice == 1 else b"") + data[end:]


def _count(data: bytes, rng: random.Random) -> bytes:
    """Change an integer of an untyped array: outputs of trees, ends of iterations, ids."""
    name = rng.choice((b"tree_info", b"iteration_indptr", b"id", b"boosted_rounds", b"version", b"type"))
    at = data.find(name)
    if at < 0:
        return _byte(data, rng)
    start = data.find(b"i", at + len(name))
    if start < 0 or start + 2 > len(data):
        return _byte(data, rng)
    new = rng.choice(
        (
            b"i\xff",
            b"i\x7f",
            b"I\x7f\xff",
            b"l\x7f\xff\xff\xff",
            b"l\x80\0\0\0",
            b"L" + b"\x7f" * 8,
            b"i\1",
            b"i\2",
        )
    )
    return data[:start] + new + data[start + 2 :]


_FAULTS = (
    _byte,
    _cut,
    _twice,
    _number,
    _number,
    _number,
    _number,
    _text,
    _text,
    _length,
    _swap,
    _key,
    _count,
)
