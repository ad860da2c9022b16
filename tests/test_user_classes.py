"""Classes that nobody reviewed: listed by name, and back as they were once they are trusted."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skopsafe
from tests import user_classes as user

HERE = "tests.user_classes"


def noted(obj: Any) -> Any:
    obj.note = ["n"]
    return obj


SHARED = [1]
CASES: dict[str, tuple[Any, list[str]]] = {
    "plain": (user.Plain(a=1, b=[2], c=np.float32(3)), ["Plain"]),
    "odd attribute names": (user.Plain(**{"not an identifier": 1, "class": 2, "": 3}), ["Plain"]),
    "without attributes": (user.Plain(), ["Plain"]),
    "nested class": (user.Outer.Inner(1), [":Outer.Inner"]),
    "slots": (user.Slotted(1, [2]), ["Slotted"]),
    "slots and dict": (user.SlottedWithDict(1, 2), ["SlottedWithDict"]),
    "mangled name": (user.Mangled(3), ["Mangled"]),
    "dataclass": (user.Record(1, [2]), ["Record"]),
    "frozen dataclass with slots": (user.FrozenRecord(a=1), ["FrozenRecord"]),
    "namedtuple": (user.Point(1, [2]), ["Point"]),
    "typed namedtuple": (user.TypedPoint(1), ["TypedPoint"]),
    "enum": (user.Colour.BLUE, ["Colour"]),
    "alias in an enum": (user.Colour.CRIMSON, ["Colour"]),
    "int enum": (user.Level.LOW, ["Level"]),
    "str enum": (user.Word.YES, ["Word"]),
    "flag": (user.Access.READ, ["Access"]),
    "flags together": (user.Access.READ | user.Access.WRITE, ["Access"]),
    "no flags": (user.Access(0), ["Access"]),
    "state": (user.WithState(2), ["WithState"]),
    "state that is no dict": (user.WithOtherState(2), ["WithOtherState"]),
    "reduce": (user.WithReduce(2), ["WithReduce"]),
    "reduce with another function": (user.WithReduceEx(3), ["rebuild"]),
    "new arguments": (user.WithNewArguments(3), ["WithNewArguments"]),
    "new keywords": (user.WithNewKeywords(x=3), ["WithNewKeywords"]),
    "dict": (noted(user.OwnDict(a=1, b={2: 3})), ["OwnDict"]),
    "list": (noted(user.OwnList([1, [2]])), ["OwnList"]),
    "tuple": (noted(user.OwnTuple((1,))), ["OwnTuple"]),
    "set": (noted(user.OwnSet({1, "a"})), ["OwnSet"]),
    "str": (noted(user.OwnStr("s")), ["OwnStr"]),
    "int": (noted(user.OwnInt(5)), ["OwnInt"]),
    "float": (noted(user.OwnFloat(1.5)), ["OwnFloat"]),
    "bytes": (noted(user.OwnBytes(b"x")), ["OwnBytes"]),
    "defaultdict": (user.OwnDefaultDict(list, {1: [2]}), ["OwnDefaultDict"]),
    "datetime": (user.OwnDatetime(2020, 1, 2, 3), ["OwnDatetime"]),
    "generic": (user.Box[int](3), ["Box"]),
    "alias of a generic": (user.Box[int], ["Box"]),
    "exception": (user.Failure(1, "x"), ["Failure"]),
    "property": (user.WithProperty(2), ["WithProperty"]),
    "metaclass": (user.WithMeta(2), ["WithMeta"]),
    "callable": (user.CallableObject(2.0), ["CallableObject"]),
    "function": (user.half, ["half"]),
    "class": (user.Plain, ["Plain"]),
    "bound method": (user.Plain(a=1).double, ["Plain", ":Plain.double"]),
    "class method": (user.Plain.make, ["Plain", ":Plain.make"]),
    "static method": (user.Plain.triple, [":Plain.triple"]),
    "method of a class": (user.Plain.double, [":Plain.double"]),
    "cached function": (user.cached, ["cached"]),
    "estimator": (user.Doubler(3).fit(np.eye(2)), ["Doubler"]),
    "subclass of an estimator": (user.OwnScaler().fit(np.eye(2)), ["OwnScaler"]),
    "shared parts": (user.Plain(a=SHARED, b=(SHARED, SHARED)), ["Plain"]),
}


def spelled(names: list[str]) -> list[str]:
    return sorted(f"{HERE}{name}" if name.startswith(":") else f"{HERE}.{name}" for name in names)


def content(obj: Any) -> str:
    """Spell an object with its class, items and attributes, without addresses."""
    state = pickle.dumps(obj, 2) if not hasattr(obj, "__func__") else (obj.__func__, vars(obj.__self__))
    return repr((type(obj), state))


@pytest.mark.parametrize("case", CASES)
def test_object_comes_back_once_its_class_is_trusted(case: str) -> None:
    original, names = CASES[case]
    data = skopsafe.dumps({"x": [original]})
    assert skopsafe.get_untrusted_types(data=data) == spelled(names)
    with pytest.raises(skopsafe.UntrustedTypesFoundException) as caught:
        skopsafe.loads(data)
    assert caught.value.types == spelled(names)
    loaded = skopsafe.loads(data, trusted=spelled(names))["x"][0]
    assert type(loaded) is type(original)
    assert content(loaded) == content(original)
    assert skopsafe.dumps({"x": [loaded]}) == data


@pytest.mark.parametrize("obj", [user.Plain(a=1), user.FrozenRecord(a=2), user.Slotted(1, 2), user.OwnInt(3)])
def test_a_class_can_be_trusted_by_itself(obj: Any) -> None:
    data = skopsafe.dumps(obj)
    assert skopsafe.loads(data, trusted=[type(obj)]) == obj
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.loads(data, trusted=[user.Box])


def test_identity_is_kept_where_there_is_one() -> None:
    for obj in (user.Colour.RED, user.Level.LOW, user.half, user.Plain, user.Access.READ | user.Access.WRITE):
        data = skopsafe.dumps(obj)
        assert skopsafe.loads(data, trusted=skopsafe.get_untrusted_types(data=data)) is obj


def test_instances_can_refer_to_each_other() -> None:
    one, other = user.Plain(), user.Slotted(None, None)
    one.other, other.a = other, [one]
    loaded = skopsafe.loads(skopsafe.dumps(one), trusted=[user.Plain, user.Slotted])
    assert loaded.other.a[0] is loaded
    assert not hasattr(loaded.other, "missing")


def test_subclasses_of_containers_can_contain_themselves() -> None:
    for loop in (user.OwnList(), user.OwnDict(), user.Plain()):
        if isinstance(loop, list):
            loop.append(loop)
            inner = lambda obj: obj[0]  # noqa: E731
        elif isinstance(loop, dict):
            loop[1] = loop
            inner = lambda obj: obj[1]  # noqa: E731
        else:
            loop.me = loop  # type: ignore[attr-defined]
            inner = lambda obj: obj.me  # noqa: E731
        loaded = skopsafe.loads(skopsafe.dumps(loop), trusted=[type(loop)])
        assert inner(loaded) is loaded


def test_the_cached_value_of_a_property_comes_back() -> None:
    obj = user.WithCache(4)
    assert obj.square == 16
    obj.__dict__["square"] = 17
    loaded = skopsafe.loads(skopsafe.dumps(obj), trusted=[user.WithCache])
    assert loaded.square == 17


def test_own_estimators_work_in_a_pipeline() -> None:
    X = np.arange(12.0).reshape(6, 2)
    model = make_pipeline(
        user.Doubler(user.OwnFloat(2)), user.OwnScaler(), FunctionTransformer(user.half), StandardScaler()
    ).fit(X)
    data = skopsafe.dumps(model)
    names = skopsafe.get_untrusted_types(data=data)
    assert names == spelled(["Doubler", "OwnFloat", "OwnScaler", "half"])
    loaded = skopsafe.loads(data, trusted=names)
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))
    assert skopsafe.dumps(loaded) == data


def test_what_is_defined_in_a_script_is_found_in_the_same_script_only(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, skopsafe
            class Own:
                pass
            if "dump" in sys.argv:
                skopsafe.dump(Own(), sys.argv[1])
            print(skopsafe.get_untrusted_types(sys.argv[1]))
            print(type(skopsafe.load(sys.argv[1], trusted=["__main__.Own"])) is Own)
            """
        )
    )
    file = tmp_path / "own.skops"
    root = Path(skopsafe.__file__).parents[1]
    for args in ([file, "dump"], [file]):
        found = subprocess.run(
            [sys.executable, script, *args],
            check=False,
            cwd=root,
            env={"PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
        )
        assert found.stdout.split("\n")[:2] == ["['__main__.Own']", "True"], found.stderr
    with pytest.raises(skopsafe.MissingTypeError, match="has no Own"):
        skopsafe.load(file, trusted=["__main__.Own"])


def test_a_name_means_what_its_module_has_now(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("module_that_changes")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    name = f"{module.__name__}.Thing"

    def define() -> type:
        made = type("Thing", (), {"__module__": module.__name__})
        monkeypatch.setattr(module, "Thing", made, raising=False)
        return made

    first = define()
    data = skopsafe.dumps(first())
    assert type(skopsafe.loads(data, [name])) is first
    second = define()
    assert type(skopsafe.loads(data, [name])) is second
    monkeypatch.setattr(module, "Thing", os.system)
    with pytest.raises((skopsafe.MissingTypeError, skopsafe.DeniedTypeError)):
        skopsafe.loads(data, [name])
    monkeypatch.delattr(module, "Thing")
    with pytest.raises(skopsafe.MissingTypeError):
        skopsafe.loads(data, [name])
