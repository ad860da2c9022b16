"""Pickles and files of older numpy, pandas, XGBoost, LightGBM and CatBoost, as those releases wrote them.

See ``tests/golden/libraries/make.py``; the zips are never written anew.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import itertools
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import skopsafe
from tests.convert.converting import converted
from tests.golden.libraries.make import answers

FOLDER = Path(__file__).parents[1] / "golden" / "libraries"
ZIPS = ["2022", "2023", "2024", "2025", "oldest"]
LIBRARIES = ["catboost", "lightgbm", "numpy", "pandas", "python", "xgboost"]
ALONE = ["catboost-1.1", "lightgbm-3.0", "xgboost-1.6"]
PAIRS = [*itertools.product(ZIPS, LIBRARIES), *((name, name.partition("-")[0]) for name in ALONE)]
LIBRARY = {"python": "numpy"}


def release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def check(found: Any, plain: Any) -> None:
    """Compare with what the pickle gives under the installed libraries."""
    if isinstance(plain, pd.DataFrame):
        pd.testing.assert_frame_equal(found, plain)
    elif isinstance(plain, np.random.RandomState):
        assert (found.rand(9) == plain.rand(9)).all()
    elif isinstance(plain, np.random.Generator):
        assert (found.random(9) == plain.random(9)).all()
    elif isinstance(plain, list) and isinstance(plain[0], np.random.BitGenerator):
        assert [each.random_raw() for each in found] == [each.random_raw() for each in plain]
    else:
        assert type(found) is type(plain)
        assert repr(found) == repr(plain)


@pytest.mark.parametrize(("name", "library"), PAIRS)
def test_what_older_releases_wrote_is_read(name: str, library: str) -> None:
    with zipfile.ZipFile(FOLDER / f"{name}.zip") as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    wrote = json.loads(members["versions.json"])[LIBRARY.get(library, library)]
    installed = release(importlib.metadata.version(LIBRARY.get(library, library)))
    if release(wrote) > installed:
        pytest.skip("it is newer than what is installed")
    names = [
        member
        for member in members
        if member.startswith(f"{library}-") and member.endswith((".pkl", ".skops"))
    ]
    assert names
    for member in names:
        data, stem = members[member], member.rpartition(".")[0]
        if member.endswith(".pkl"):
            data = converted(data)
        assert skopsafe.get_untrusted_types(data=data) == [], member
        if stem == "pandas-zoned" and importlib.util.find_spec("pytz") is None:
            # pandas needed it before 3.0, and its zones are in the pickle.
            with pytest.raises(skopsafe.MissingTypeError, match="pytz"):
                skopsafe.loads(data)
            continue
        found = skopsafe.loads(data)
        if f"{stem}.json" in members:
            expected = json.loads(members[f"{stem}.json"])
            # Since 3.3 XGBoost adds up the trees of dart, which are of float32, in another order.
            adds_otherwise = stem == "xgboost-dart" and release(importlib.metadata.version("xgboost")) >= (
                3,
                3,
            )
            rtol = 1e-6 if adds_otherwise else 1e-9
            for method, values in answers(found, list(expected)).items():
                np.testing.assert_allclose(values, expected[method], rtol, err_msg=f"{member} {method}")
            continue
        try:
            plain = pickle.loads(members[f"{stem}.pkl"])
        except (ImportError, AttributeError):
            continue  # pandas itself does not read it any more
        if member.endswith(".pkl") or stem != "numpy-big_endian":  # numpy turns its bytes around
            check(found, plain)


def test_indexes_of_numbers_outlive_their_classes() -> None:
    with zipfile.ZipFile(FOLDER / "2022.zip") as archive:
        data = {name: archive.read(f"pandas-{name}.pkl") for name in ("index_of_ints", "index_of_floats")}
    assert skopsafe.loads(converted(data["index_of_ints"])).tolist() == [1, 2, 3]
    assert skopsafe.loads(converted(data["index_of_floats"])).tolist() == [0.5, 1.5]
