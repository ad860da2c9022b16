"""The published attacks on skops: the files themselves, and what they would be in a file of ours."""

from __future__ import annotations

import builtins
import collections
import functools
import io
import json
import operator
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB

import skopsafe
from skopsafe.testing.crafted import call, changed, forged
from tests.attacks import skops_files
from tests.attacks.published import LOOKS, assert_refused, needs, renamed

FILES = {
    skops_files.hidden_operator: "to be loaded by OperatorFuncNode",
    skops_files.nested_load: "to be loaded by OperatorFuncNode",
    skops_files.hidden_method: "no type of a key|of another class than its object",
}


def works_in_skops(make: Callable[..., bytes], marker: Path) -> bytes:
    """Return a file that does harm once all that it asks for is approved."""
    skops = pytest.importorskip("skops.io")
    data = make(marker, genuine=True)
    skops.loads(data, trusted=skops.get_untrusted_types(data=data))
    assert marker.exists()
    marker.unlink()
    return data


@pytest.mark.filterwarnings("ignore:Trying to unpickle")
@pytest.mark.parametrize("make", FILES, ids=lambda make: make.__name__)
def test_files_of_published_exploits_contradict_themselves(
    make: Callable[..., bytes], tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    for data in (works_in_skops(make, marker), make(marker)):
        assert_refused(data, FILES[make], tmp_path)
    assert not marker.exists()


def test_a_call_by_its_name_is_denied(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    data = works_in_skops(skops_files.reduced, marker)
    assert skopsafe.audit(data).denied == ["builtins.exec"]
    with pytest.raises(skopsafe.DeniedTypeError, match=r"builtins\.exec"):
        skopsafe.loads(data, trusted=["builtins.exec"])
    for new in (skopsafe.convert, skopsafe.update):
        with pytest.raises(skopsafe.DeniedTypeError):
            new(io.BytesIO(data), tmp_path / "new.skops")
    assert not marker.exists()
    assert not (tmp_path / "new.skops").exists()


def test_a_smuggled_bit_generator_of_skops_is_not_read(tmp_path: Path) -> None:
    skops = pytest.importorskip("skops.io")
    source = io.BytesIO(skops.dumps(np.random.default_rng(0)))
    with zipfile.ZipFile(source) as zipped:
        text = zipped.read("schema.json").decode()
    assert '\\"PCG64\\"' in text
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("schema.json", text.replace('\\"PCG64\\"', '\\"set_bit_generator\\"'))
    path = tmp_path / "smuggled.skops"
    path.write_bytes(out.getvalue())
    for look in LOOKS.values():
        with pytest.raises(skopsafe.SkopsafeError, match="could not be loaded"):
            look(path)


class Touches:
    """Pickled, a call of a function that touches a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (Path.touch, (self.marker,))


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("lzma", 3)], ids=str)
@pytest.mark.parametrize("suffix", ["skops", "zip", "joblib"])
def test_a_pickle_is_never_loaded_instead(compress: Any, suffix: str, tmp_path: Path) -> None:
    """What the model card of skops did with any file that was no zip."""
    marker, path = tmp_path / "marker", tmp_path / f"model.{suffix}"
    joblib.dump(Touches(marker), path, compress=compress)
    joblib.load(path)
    assert marker.exists()
    marker.unlink()
    assert_refused(path.read_bytes(), "pickle", tmp_path)
    for look in LOOKS.values():
        with pytest.raises(skopsafe.FormatError, match="pickle"):
            look(path)
    assert not marker.exists()


def test_what_a_method_is_of_stands_in_the_audit() -> None:
    """A bound method was any attribute of any object in skops: here it is a function, listed by its name."""
    bound = QuadraticDiscriminantAnalysis().decision_function
    assert bound.__builtins__["exec"] is exec  # what the exploit reached in this way
    listed = "sklearn.discriminant_analysis:QuadraticDiscriminantAnalysis.decision_function"
    data = skopsafe.dumps(bound)
    assert needs(data) == [listed]
    for attribute in ("__builtins__", "__globals__", "__func__", "__class__"):
        deeper = renamed(bound, listed, f"{listed}.{attribute}")
        assert needs(deeper) == [f"{listed}.{attribute}"]
        with pytest.raises(skopsafe.MissingTypeError):
            skopsafe.loads(deeper, trusted=[f"{listed}.{attribute}"])
    with pytest.raises(skopsafe.DeniedTypeError):
        skopsafe.loads(
            renamed("a".upper, "builtins:str.upper", "builtins:str.format"), trusted=["builtins:str.format"]
        )


def search(scorer: Any) -> Any:
    model = GridSearchCV(GaussianNB(), {})
    model.scorer_, model.refit, model.multimetric_ = {"exec": scorer}, "exec", True
    return model


def test_a_search_cannot_be_made_to_call_exec(tmp_path: Path) -> None:
    """The gadget of CVE-2025-54413: ``score`` calls what stands in ``scorer_`` with the best estimator."""
    marker = tmp_path / "marker"
    code = f"open({str(marker)!r}, 'w').close()"
    live = search(exec)
    live.best_estimator_ = code
    live.score({}, {})
    assert marker.exists()
    marker.unlink()
    with pytest.raises(skopsafe.UnsupportedTypeError, match="exec"):
        skopsafe.dumps(live)
    harmless = search(len)
    harmless.best_estimator_ = code
    assert needs(skopsafe.dumps(harmless)) == []
    for name in ("builtins:exec", "builtins:eval", "builtins:map", "operator:call"):
        for role in ("value", "call"):
            data = renamed(harmless, "builtins:len", name, role)
            with pytest.raises((skopsafe.DeniedTypeError, skopsafe.FormatError)):
                skopsafe.loads(data, trusted=[name.replace(":", ".")])
    assert not marker.exists()


def test_an_operator_is_not_called_under_another_module(tmp_path: Path) -> None:
    """CVE-2025-54412: the module that was audited was not the one that was used."""
    marker = tmp_path / "marker"
    operator.call(exec, f"open({str(marker)!r}, 'w').close()")
    assert marker.exists()
    name = "sklearn.linear_model._stochastic_gradient.SGDRegressor:call"
    spelled = "sklearn.linear_model._stochastic_gradient.SGDRegressor.call"
    data = call(name, "call", "a text")
    assert skopsafe.get_untrusted_types(data=data) == [spelled]
    with pytest.raises(skopsafe.MissingTypeError):
        skopsafe.loads(data, trusted=[spelled])
    for function in ("call", "methodcaller", "attrgetter", "itemgetter"):
        for role in ("class", "value", "call"):
            is_getter = function != "call" and role == "class"  # of which there are harmless ones
            with pytest.raises(skopsafe.FormatError if is_getter else skopsafe.DeniedTypeError):
                skopsafe.loads(call(f"operator:{function}", role), trusted=[f"operator.{function}"])


@pytest.mark.parametrize(
    "name", ["skopsafe:loads", "skopsafe.api:loads", "skops.io:loads", "skops.io._persist:load"]
)
def test_a_file_in_a_file_is_not_loaded(name: str) -> None:
    inner = skopsafe.dumps([1])
    assert skopsafe.loads(skopsafe.dumps({"inner": inner})) == {"inner": inner}  # bytes, and nothing else
    spelled = name.replace(":", ".")
    for data in (call(name, "call", "model"), renamed(functools.partial(len, inner), "builtins:len", name)):
        assert skopsafe.get_untrusted_types(data=data) == [spelled]
        with pytest.raises(skopsafe.DeniedTypeError):
            skopsafe.loads(data, trusted=[spelled])


def test_factories_keys_and_functions_in_partials_are_listed(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    collections.defaultdict(functools.partial(marker.touch))["missing"]
    assert marker.exists()
    for obj in (
        collections.defaultdict(json.dumps),
        {json.dumps: 1},
        {(1, json.dumps): 1},
        functools.partial(len, json.dumps),
        functools.partial(len, key=json.dumps),
        np.array([json.dumps, None], dtype=object),
        frozenset([json.dumps]),
    ):
        assert needs(skopsafe.dumps(obj)) == ["json.dumps"]


@pytest.mark.parametrize(
    "name", ["set_bit_generator", "seed", "RandomState", "_pickle", "__builtins__", "", None, 5]
)
def test_the_name_of_a_bit_generator_is_one_of_those_of_numpy(name: Any) -> None:
    """skops before 0.16 called any member of ``numpy.random`` by the name in the state."""
    before = np.random.get_state()[1]
    getattr(np.random, "seed")(int(before[0]) ^ 1)  # noqa: B009  # what it did
    assert (np.random.get_state()[1] != before).any()
    before = np.random.get_state()[1]
    for obj in (np.random.default_rng(0), np.random.RandomState(0)):
        state: Callable[[Any], Any] = lambda old: old | {"bit_generator": name}  # noqa: E731
        forgeries = [
            forged(np.random.default_rng(0), "numpy.random:BitGenerator", name=lambda _: name, state=state)
        ]
        if isinstance(obj, np.random.RandomState):
            forgeries = [forged(obj, "numpy.random:RandomState", state=state)]
        for data in forgeries:
            with pytest.raises(skopsafe.ValidationError, match="bit generator"):
                skopsafe.loads(data)
    assert (np.random.get_state()[1] == before).all()


def test_a_loss_is_one_of_those_that_have_a_loader() -> None:
    """skops makes a loss of the class that the file names."""
    from sklearn._loss._loss import CyHuberLoss

    loss = CyHuberLoss(1.5)
    assert needs(skopsafe.dumps(loss)) == []
    for name in ("evil._loss:CyHuberLoss", "sklearn._loss._loss:Other", "subprocess:Popen"):
        data = renamed(loss, "sklearn._loss._loss:CyHuberLoss", name)
        assert needs(data) == [name.replace(":", ".")]


def test_every_node_is_of_a_type_that_the_audit_lists() -> None:
    """In skops an ``__id__`` let a node stand for another one than the one that was shown."""
    shared: list[Any] = [json.dumps]
    looped: list[Any] = [shared, shared, {"again": shared}]
    looped.append(looped)
    data = skopsafe.dumps(looped)
    assert needs(data) == ["json.dumps"]
    loaded = skopsafe.loads(data, trusted=["json.dumps"])
    assert loaded[0] is loaded[1] is loaded[2]["again"]
    assert loaded[3] is loaded

    def drop_row(schema: dict[str, Any]) -> None:
        schema["types"] = [row for row in schema["types"] if row[0] != "json:dumps"]

    def add_row(schema: dict[str, Any]) -> None:
        schema["types"] += [["os:system", "call"], ["unused.module:Name", "class"]]

    with pytest.raises(skopsafe.FormatError, match="shape refers to no type"):
        skopsafe.loads(changed(looped, drop_row))
    # A row that no node uses is listed as well: the audit is the table.
    assert skopsafe.get_untrusted_types(data=changed(looped, add_row)) == [
        "json.dumps",
        "os.system",
        "unused.module.Name",
    ]


def test_trust_beside_a_model_or_in_it_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow took the types to trust out of the model's own description."""
    data = renamed([json.dumps], "json:dumps", "evil.module:f")
    monkeypatch.chdir(tmp_path)
    for name in (
        "policy.toml",
        "skopsafe.toml",
        "model.toml",
        "MLmodel",
        "pyproject.toml",
        "skops_trusted_types",
    ):
        (tmp_path / name).write_text('trusted = ["evil.module.f"]\n')
    (tmp_path / "model.skops").write_bytes(data)
    with pytest.raises(skopsafe.MissingTypeError):  # it is a policy, if the caller says so
        skopsafe.load("model.skops", policy="policy.toml")
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as zipped:
        for name in ("policy.toml", "skopsafe.toml", "trusted", "METADATA", "entry_points.txt"):
            zipped.writestr(name, 'trusted = ["evil.module.f"]\n')
    for file in (tmp_path / "model.skops", "model.skops", io.BytesIO(data), io.BytesIO(out.getvalue())):
        with pytest.raises(skopsafe.UntrustedTypesFoundException):
            skopsafe.load(file)


def test_what_was_approved_once_needs_approval_again_when_it_is_saved_again(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skopsafe.dump([json.dumps], path)
    skopsafe.dump(skopsafe.load(path, trusted=["json.dumps"]), path)
    assert needs(path.read_bytes()) == ["json.dumps"]


def test_what_is_denied_stays_denied_with_a_reference_from_builtins() -> None:
    """`builtins` of the exploit by name: the module itself is no value, and its dict has none."""
    for name in (
        "builtins:__dict__",
        "builtins:__loader__.load_module",
        "json:loads.__globals__",
        "json:decoder",
    ):
        data = call(name, "value")
        assert needs(data)
        with pytest.raises((skopsafe.MissingTypeError, skopsafe.DeniedTypeError)):
            skopsafe.loads(data, trusted=[name, name.replace(":", ".")])
    assert vars(builtins)["exec"] is exec
