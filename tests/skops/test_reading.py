"""What files of skops hold, where it is not plain: keys, shared objects, forms of old protocols, versions."""

from __future__ import annotations

import io
import zipfile
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

import skopsafe
from tests.attacks.skops_files import file, instance, items, mapping, name, node, value

X = np.arange(40.0).reshape(20, 2)


@pytest.fixture
def sio() -> Any:
    return pytest.importorskip("skops.io")


def test_keys_are_of_their_types(sio: Any) -> None:
    # skops gives True for both bools, and an error for None.
    obj = {True: 1, None: 2, 3: 3, 4.5: 4, "5": 5, np.int64(6): 6}
    found = skopsafe.loads(sio.dumps(obj))
    assert found == {True: 1, None: 2, 3: 3, 4.5: 4, "5": 5, 6: 6}
    assert [type(key) for key in found] == [bool, type(None), int, float, str, np.int64]
    assert skopsafe.loads(sio.dumps({False: 1})) == {False: 1}


def test_what_is_shared_stays_shared(sio: Any) -> None:
    inner, array = [1], np.arange(3)
    first, again, third = skopsafe.loads(sio.dumps([inner, inner, {"a": inner, "b": (array, array)}]))
    assert first is again is third["a"]
    assert third["b"][0] is third["b"][1]


def test_a_cached_node_is_the_object_before_it() -> None:
    cached = {"__loader__": "CachedNode", "__id__": 5, "__class__": None, "__module__": None}
    first, again = skopsafe.loads(file(items("list", items("list", value(1)) | {"__id__": 5}, cached)))
    assert first is again
    assert first == [1]


def test_no_two_parts_of_an_object_share_memory(sio: Any) -> None:
    model = RandomForestClassifier(2, random_state=0).fit(X, X[:, 0] > 20)
    loaded = skopsafe.loads(sio.dumps(model))
    trees = [tree.tree_.__getstate__()["values"] for tree in loaded.estimators_]
    assert not np.shares_memory(*trees)
    assert trees[0].flags.writeable


def test_nothing_is_imported_before_approval(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fresh_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    data = file(items("list", name("fresh_module", "Model"), instance("fresh_module", "Other")))
    assert skopsafe.get_untrusted_types(data=data) == ["fresh_module.Model", "fresh_module.Other"]
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.loads(data)


def test_functions_and_generators_of_protocol_0() -> None:
    content = {"module_path": "numpy", "function": "sqrt"}
    state = np.random.PCG64(3).state
    data = items(
        "list",
        node("FunctionNode", "numpy", "ufunc", content=content),
        node("RandomGeneratorNode", "numpy.random._generator", "Generator", content={"bit_generator": state}),
    )
    function, generator = skopsafe.loads(file(data))
    assert function is np.sqrt
    assert generator.bit_generator.state == state


def test_a_dict_of_deprecated_keys_is_a_dict() -> None:
    content = {"main": mapping({"a": value(1)}), "_deprecated_key_to_new_key": mapping({"b": value("a")})}
    kind = "sklearn.covariance._graph_lasso", "_DictWithDeprecatedKeys"
    assert skopsafe.loads(file(node("_DictWithDeprecatedKeysNode", *kind, content=content))) == {"a": 1}


def test_a_loss_whose_parameter_was_lost_has_zero_as_in_skops() -> None:
    found = skopsafe.loads(file(instance("_loss", "CyHuberLoss")))
    assert repr(found.__reduce__()[1]).strip("(,)").endswith("0.0")  # in one form or another, by release
    found = skopsafe.loads(file(instance("_loss", "CyHalfSquaredError")))
    assert type(found).__name__ == "CyHalfSquaredError"


def test_a_defaultdict_of_skops_without_its_factory() -> None:
    root = node(
        "DictNode", "collections", "defaultdict", content={"a": value(1)}, key_types=items("list", STR)
    )
    found = skopsafe.loads(file(root))
    assert found == {"a": 1}
    assert found.default_factory is None


STR = name("builtins", "str")


def test_classes_derived_from_containers_need_approval() -> None:
    root = node("DictNode", "mypkg", "Settings", content={"a": value(1)}, key_types=items("list", STR))
    assert skopsafe.get_untrusted_types(data=file(root)) == ["mypkg.Settings"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_every_compression_is_read(compression: int, sio: Any) -> None:
    obj = OrderedDict(a=X, b=StandardScaler().fit(X))
    found = skopsafe.loads(sio.dumps(obj, compression=compression))
    assert (found["a"] == X).all()
    assert (found["b"].mean_ == obj["b"].mean_).all()


def test_every_kind_of_file_is_read(sio: Any, tmp_path: Any) -> None:
    path = tmp_path / "model.skops"
    sio.dump(X, path)
    for source in (path, str(path), io.BytesIO(path.read_bytes())):
        assert (skopsafe.load(source) == X).all()
    with open(path, "rb") as stream:
        assert (skopsafe.load(stream) == X).all()
    assert (skopsafe.load(path, mmap_mode="r") == X).all()


@pytest.mark.parametrize("kind", ["coo_array", "csr_array"])
def test_sparse_arrays_of_one_dimension_are_read(kind: str, sio: Any) -> None:
    made = getattr(scipy.sparse, kind)(np.array([0.0, 1.0, 0.0, 2.0]))
    if made.shape != (4,):
        pytest.skip("scipy has none of one dimension yet")
    found = skopsafe.loads(sio.dumps(made))
    assert type(found) is type(made)
    assert (found.toarray() == made.toarray()).all()


def test_an_audit_tells_which_releases_wrote_the_file(sio: Any) -> None:
    import sklearn
    import skops

    writer = skopsafe.audit(sio.dumps(StandardScaler().fit(X))).writer
    assert writer == {"skops": skops.__version__, "scikit-learn": sklearn.__version__}


def test_another_release_of_scikit_learn_is_warned_about() -> None:
    version = mapping({"with_mean": value(True), "_sklearn_version": value("0.24.2")})
    data = file(instance("sklearn.preprocessing._data", "StandardScaler", version))
    with pytest.warns(skopsafe.VersionSkewWarning, match=r"0\.24\.2"):
        skopsafe.loads(data)


def test_an_error_says_where_in_the_file() -> None:
    bad = node("JsonNode", "builtins", "str", content="no json")
    data = file(instance("mypkg", "Model", mapping({"steps": items("list", value(1), bad)})))
    with pytest.raises(skopsafe.FormatError) as caught:
        skopsafe.audit(data)
    assert caught.value.path == "schema.json.content.content.steps.content[1]"
    bad = instance("datetime", "datetime")
    with pytest.raises(skopsafe.UnsupportedTypeError) as refused:
        skopsafe.audit(file(items("list", value(1), bad)))
    assert refused.value.path == "schema.json.content[1]"
    assert "skops.io" in refused.value.next_step


def test_arrays_that_an_object_depends_on_are_read_for_an_audit(sio: Any) -> None:
    generators = [np.random.RandomState(0) for _ in range(3)]
    assert skopsafe.audit(sio.dumps(generators)).ok


MASKED = {
    "a mask": lambda: np.ma.MaskedArray([1, 2, 3], [0, 1, 0]),
    "no mask": lambda: np.ma.MaskedArray([1.5, 2.0]),
    "of a structure": lambda: np.ma.MaskedArray(np.zeros(2, [("a", "i4"), ("b", "f8")])),
    "of objects": lambda: np.ma.MaskedArray(np.array([None, "b"], object), [0, 1]),
    "one number": lambda: np.ma.MaskedArray(5, True),
}


@pytest.mark.parametrize("kind", MASKED)
def test_a_masked_array_has_what_skops_keeps_of_it_and_nothing_else(kind: str, sio: Any) -> None:
    data = sio.dumps(MASKED[kind]())
    found, expected = skopsafe.loads(data), sio.loads(data)
    assert (found._mask is np.ma.nomask) == (expected._mask is np.ma.nomask)
    assert (np.ma.getmaskarray(found) == np.ma.getmaskarray(expected)).all()
    # One without a fill value gets that of its dtype, also of the dtype that it is changed to.
    assert (found._fill_value is None) == (expected._fill_value is None)
    if kind == "a mask":
        assert found.astype(float).fill_value == expected.astype(float).fill_value == 1e20


def test_the_masked_constant_is_itself(sio: Any) -> None:
    assert skopsafe.loads(sio.dumps([np.ma.masked]))[0] is np.ma.masked  # another masked array in skops


def test_keys_and_values_of_numpy_that_are_those_of_python_too(sio: Any) -> None:
    found = skopsafe.loads(sio.dumps({np.bool_(True): np.bytes_(b"abc")}))
    assert found == {True: b"abc"}
    assert [type(part) for part in (*found, *found.values())] == [np.bool_, np.bytes_]


@pytest.mark.parametrize("cls", [np.random.RandomState, np.random.PCG64, np.random.SeedSequence])
def test_a_class_is_itself_and_approved_by_itself_or_by_any_of_its_names(cls: Any, sio: Any) -> None:
    for data in (sio.dumps([cls]), skopsafe.dumps([cls])):
        for names in (
            [cls],
            [f"{cls.__module__}.{cls.__qualname__}"],
            skopsafe.get_untrusted_types(data=data),
        ):
            assert skopsafe.loads(data, trusted=names)[0] is cls


def test_the_class_of_mapped_arrays_is_not_that_of_arrays(sio: Any) -> None:
    assert skopsafe.audit(sio.dumps([np.memmap])).denied == ["numpy.memmap"]


def test_a_dtype_is_that_of_an_array() -> None:
    crafted = node("DTypeNode", "numpy", "dtype", content=items("list", value(1)))
    with pytest.raises(skopsafe.FormatError, match="not that of an array"):
        skopsafe.loads(file(crafted))
