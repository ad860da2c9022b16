"""Inputs to begin with: files of small models, and what their parts look like."""

from __future__ import annotations

import collections
import dataclasses
import io
import json
import pickle
import string
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np

import skopsafe
from skopsafe.archive import arrays as archive_arrays
from skopsafe.archive.npy import header
from skopsafe.archive.schema import MEMBER
from skopsafe.archive.zip_read import Reader
from skopsafe.graph import runs
from skopsafe.limits import DEFAULT_LIMITS
from tests.fuzz import archives

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]] * 4)
Y = np.array([0, 1, 0, 1] * 4)


TEXTS = {
    "tokenizers": [{"tokenizer_id": "Space"}],
    "dictionaries": [{"dictionary_id": "Word", "occurrence_lower_bound": "1"}],
    "feature_processing": {
        "default": [
            {
                "tokenizers_names": ["Space"],
                "dictionaries_names": ["Word"],
                "feature_calcers": ["BoW", "NaiveBayes", "BM25"],
            }
        ]
    },
}


def objects() -> Iterator[Any]:
    """Return small objects whose files differ in form."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    yield None
    yield [1, 2.5, "text", None, True]
    loop: list[Any] = [{"a": (1, 2)}, collections.OrderedDict(b=[3]), {4, 5}]
    loop.append(loop)
    yield loop
    yield [[float(i), str(i)] for i in range(40)]
    yield [{"name": letter, "value": [place]} for place, letter in enumerate(string.ascii_letters[:36])]
    yield {"a": np.arange(3.0), "b": np.asfortranarray(np.eye(3, dtype=np.float32)), "c": np.zeros(0, "<U3")}
    yield [np.arange(i) for i in range(5)]
    yield np.array([(1, True, b"x")], [("n", "<i4"), ("flag", "?"), ("s", "S3")])
    yield np.array(["2020-01-01", "NaT"], "<M8[D]")
    yield make_pipeline(StandardScaler(), FunctionTransformer(np.log1p)).fit(np.abs(X))
    yield make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    yield DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, Y)
    yield [2**70, float("inf"), complex(1, 2), range(3), slice(1), b"bytes", np.float32(2), np.dtype("<f8")]


def files() -> Iterator[bytes]:
    """Return files of these objects, stored and compressed, with large arrays that are small."""
    with mock.patch.object(archive_arrays, "POOLED_BELOW", 64), mock.patch.object(runs, "FLOATS", 8):
        for obj in objects():
            yield skopsafe.dumps(obj)
        for compression in ("deflate", "bzip2", "lzma", "zstd"):
            yield skopsafe.dumps({"a": np.zeros(100), "b": [1, 2]}, compression=compression)


def schemas() -> Iterator[bytes]:
    for data in files():
        yield Reader(io.BytesIO(data), DEFAULT_LIMITS).read(MEMBER)


def headers() -> Iterator[bytes]:
    """Return headers as we write them and as numpy does, and descriptions of dtypes."""
    from tests.fuzz.words import DTYPES

    for array in (np.zeros(3), np.eye(2, order="F"), np.zeros((1, 2), [("a", "<f8"), ("b", "<M8[s]", (2,))])):
        out = io.BytesIO()
        np.lib.format.write_array(out, array, (2, 0))
        yield out.getvalue()
        descr = np.lib.format.dtype_to_descr(array.dtype)
        yield header(descr, array.shape, bool(array.flags.f_contiguous))
    for descr in DTYPES:
        yield json.dumps(descr).encode()


def pickles() -> Iterator[bytes]:
    from sklearn.linear_model import LogisticRegression

    for protocol in range(6):
        yield pickle.dumps(
            [1, 2.5, "text", b"bytes", None, True, {1}, {"a": (1, 2)}, bytearray(b"x")], protocol
        )
        yield pickle.dumps(
            [LogisticRegression(), np.arange(2), np.float32(1), len, collections.OrderedDict()], protocol
        )


def opcodes() -> Iterator[bytes]:
    """Return pickles, and each opcode behind what it may take."""
    from tests.fuzz.words import WORDS

    yield from pickles()
    for word in WORDS["machine"]:
        for before in (
            b"",
            b"](K\1K\1",
            b"}(",
            b"\x8f(",
            b"cmath\nfloor\n)",
            b"cmath\nfloor\n)R}",
            b"K\1q\0",
        ):
            yield before + word + b"N."


def streams() -> Iterator[bytes]:
    """Return files that hold pickles, in every wrapping."""
    import gzip
    import tarfile
    import zipfile
    import zlib

    import joblib

    fields = np.zeros(2, [("a", "<f8"), ("b", "U3", (2,)), ("c", "M8[s]")])
    obj = {"a": np.arange(3.0), "b": np.array([complex, None], object), "c": fields}
    for protocol in (0, 2, 4):
        out = io.BytesIO()
        joblib.dump(obj, out, protocol=protocol)
        yield out.getvalue()
    for compression in ("zlib", "gzip", "bz2", "lzma", "xz"):
        out = io.BytesIO()
        joblib.dump([1, len], out, compress=(compression, 1))
        yield out.getvalue()
    small = pickle.dumps([1, len], 2)
    yield small + pickle.dumps(2) + b"\xff"
    yield b"ZF" + hex(len(small)).ljust(19).encode() + zlib.compress(small)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr("a/data.pkl", small)
            archive.writestr("b.gz", gzip.compress(small))
        yield out.getvalue()
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as tar:
            member = tarfile.TarInfo("n" * 120)
            member.size = len(small)
            tar.addfile(member, io.BytesIO(small))
        yield out.getvalue()[:4096]
    for save in (np.save, np.savez):
        out = io.BytesIO()
        save(out, np.array([len, None], object))
        yield out.getvalue()
    yield b"7z\xbc\xaf\x27\x1c"


def decompressions() -> Iterator[bytes]:
    return archives.recipes(iter((b"", b"some content of a member", b"ab" * 5000, bytes(range(256)))))


def xgboosts() -> Iterator[bytes]:
    """Return serialized boosters: of trees, vectors, categories, dropped trees, a line, ranks."""
    import pandas as pd
    import xgboost

    frame = pd.DataFrame({"a": X[:, 0], "c": pd.Categorical.from_codes(Y, ["u", "v"])})
    base = {"n_estimators": 2, "max_depth": 2, "n_jobs": 1}
    models = [
        xgboost.XGBRegressor(**base).fit(X, Y),
        xgboost.XGBClassifier(**base, objective="multi:softprob", num_class=3).fit(X, [0, 1, 2, 0] * 4),
        xgboost.XGBRegressor(**base, enable_categorical=True, max_cat_to_onehot=1).fit(frame, Y),
        xgboost.XGBRegressor(**base, booster="dart", rate_drop=0.5).fit(X, Y),
        xgboost.XGBRegressor(n_estimators=2, booster="gblinear", n_jobs=1).fit(X, Y),
        xgboost.XGBRegressor(**base, multi_strategy="multi_output_tree", tree_method="hist").fit(X, X),
        xgboost.XGBRegressor(**base, objective="reg:quantileerror", quantile_alpha=[0.1, 0.9]).fit(X, Y),
        xgboost.XGBRanker(**base, lambdarank_unbiased=True).fit(X, Y, qid=[0] * 8 + [1] * 8),
    ]
    for model in models:
        yield bytes(model.get_booster().__getstate__()["handle"])


def lightgbms() -> Iterator[bytes]:
    """Return texts of models: numbers, categories, classes, linear leaves, one leaf."""
    import lightgbm

    from skopsafe.handlers.lightgbm.booster import _text_of

    base = {"verbosity": -1, "num_leaves": 3, "min_data_in_leaf": 1, "min_data_in_bin": 1, "num_threads": 1}
    for more, categories, target in (
        ({}, "auto", Y),
        ({"objective": "multiclass", "num_class": 3}, "auto", np.array([0, 1, 2, 0] * 4)),
        ({"min_data_per_group": 1, "max_cat_to_onehot": 1, "cat_smooth": 0}, [0], Y),
        ({"linear_tree": True}, "auto", X[:, 0]),
        ({"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "auto", Y),
        ({"min_data_in_leaf": 100, "monotone_constraints": [1, -1]}, "auto", Y),
    ):
        data = lightgbm.Dataset(X, target, categorical_feature=categories, params=base | more)
        yield _text_of(lightgbm.train(base | more, data, 2))[0]


def catboosts() -> Iterator[bytes]:
    """Return blobs of models: numbers, categories, texts, embeddings, trees that are not symmetric."""
    import catboost
    import pandas as pd

    from skopsafe.handlers.catboost.blob import ordered, parse
    from skopsafe.handlers.catboost.estimators import _blob

    base = {"iterations": 2, "depth": 2, "verbose": False, "allow_writing_files": False, "thread_count": 1}
    letters = pd.DataFrame({"a": X[:, 0], "c": list("uvuw" * 4)})
    words = pd.DataFrame({"a": X[:, 0], "t": ["one two", "three", "one", "two two"] * 4})
    vectors = pd.DataFrame({"a": X[:, 0], "e": [list(row) for row in X]})
    for more, data, options in (
        ({}, X, {}),
        ({"loss_function": "MultiClass"}, X, {}),
        ({"grow_policy": "Depthwise"}, X, {}),
        ({"one_hot_max_size": 2}, letters, {"cat_features": ["c"]}),
        ({"one_hot_max_size": 10}, letters, {"cat_features": ["c"]}),
        ({"text_processing": TEXTS}, words, {"text_features": ["t"]}),
        ({}, vectors, {"embedding_features": ["e"]}),
    ):
        target = [0, 1, 2, 0] * 4 if more.get("loss_function") else Y
        model = catboost.CatBoostClassifier(**base, **more).fit(data, target, **options)
        found = parse(_blob(model)[0])
        # Half of a small model is the story of its training.
        info = {name: value for name, value in found.info.items() if len(value) < 200}
        params = b'{"loss_function":{"type":"Logloss","params":{}}}'
        yield ordered(dataclasses.replace(found, info={**info, b"params": params, b"training": b"{}"}))


def policies() -> Iterator[bytes]:
    yield b'trusted = ["mypkg.models.Model", "mypkg.steps.*", "a.B:memory"]\nplugins = ["other"]\n'
    yield b"trusted = []\n"


def names() -> Iterator[bytes]:
    for text in (
        "sklearn.pipeline:Pipeline",
        "a.b:C.d",
        "sklearn.pipeline.Pipeline:memory",
        "\u00e9.x:y",
        "\x1b[31m",
    ):
        yield text.encode()


SEEDS = {
    "container": files,
    "decompression": decompressions,
    "schema": schemas,
    "npy": headers,
    "pickles": pickles,
    "machine": opcodes,
    "streams": streams,
    "xgboost": xgboosts,
    "lightgbm": lightgbms,
    "catboost": catboosts,
    "policy": policies,
    "name": names,
}
