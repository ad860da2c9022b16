"""The conformance suite: what the author of a plugin runs on the types that it supports.

A *family* is a module, importable or a file, with

- ``MODELS``: by name, a function without arguments that returns an object and valid input for it;
- ``outputs(obj, X)``: returns, as a dict, what every method of the object gives for that input;
- optionally ``BLOB`` and ``mutate``, where another parser reads a part of the object: see `mutants`.

The author's test is three lines::

    @pytest.mark.parametrize("model", family.MODELS)
    @pytest.mark.parametrize("check", skopsafe.testing.CHECKS)
    def test_conformance(check, model):
        check(family, model)

Each check raises `AssertionError` with what is wrong.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import skopsafe
from skopsafe.testing.mutants import run

MUTANTS = 200
"""How many mutants `check_mutants` makes of each model."""


def differs(one: Any, other: Any) -> str:
    """Return where two outputs differ, or an empty text. Arrays must be equal in every bit."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return f"keys {sorted(map(str, one.keys() ^ other.keys()))}"
        found = ((f"[{key!r}]", differs(one[key], other[key])) for key in one)
        return next((f"{where}{what}" for where, what in found if what), "")
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            return " lengths"
        found = ((f"[{i}]", differs(*pair)) for i, pair in enumerate(zip(one, other, strict=True)))
        return next((f"{where}{what}" for where, what in found if what), "")
    if type(one) is not type(other):
        return f" types {type(one).__name__} and {type(other).__name__}"
    if isinstance(one, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        if same and one.dtype.hasobject:
            return differs(one.tolist(), other.tolist())
        return "" if same and one.tobytes() == other.tobytes() else " arrays"
    same = one is other or bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - NaN
    return "" if same else " values"


def check_round_trip(family: Any, model: str) -> None:
    """It loads with nothing to approve, and gives the same outputs as before."""
    obj, X = family.MODELS[model]()
    expected = family.outputs(obj, X)
    data = skopsafe.dumps(obj)
    untrusted = skopsafe.get_untrusted_types(data=data)
    assert not untrusted, f"{model}: these names need approval: {untrusted}"
    loaded = skopsafe.loads(data)
    assert type(loaded) is type(obj), f"{model}: comes back as a {type(loaded).__name__}"
    where = differs(expected, family.outputs(loaded, X))
    assert not where, f"{model}: other outputs after a load: {where}"


def check_same_bytes(family: Any, model: str) -> None:
    """The same object gives the same bytes twice, and once more after a load."""
    obj, _ = family.MODELS[model]()
    data = skopsafe.dumps(obj)
    assert skopsafe.dumps(obj) == data, f"{model}: two dumps of one object differ"
    assert skopsafe.dumps(skopsafe.loads(data)) == data, f"{model}: the dump after a load differs"


def check_shared_references(family: Any, model: str) -> None:
    """An object that is held twice comes back as one object."""
    obj, _ = family.MODELS[model]()
    one, other = skopsafe.loads(skopsafe.dumps([obj, obj]))
    assert one is other, f"{model}: comes back as two objects"


def check_vouched(family: Any, model: str) -> None:
    """Every name of the file is one for which skopsafe or a plugin vouches."""
    obj, _ = family.MODELS[model]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skops"
        skopsafe.dump(obj, path)
        report = skopsafe.audit(path)
    nobody = [entry.name for entry in report.entries if not entry.by]
    assert not nobody, f"{model}: nobody vouches for {nobody}"


_AUDIT = """
import sys
import skopsafe
print(skopsafe.get_untrusted_types(sys.argv[1]))
try:
    skopsafe.load(sys.argv[1])
except skopsafe.UntrustedTypesFoundException:
    pass
print(*sorted(set(sys.argv[2:]) & sys.modules.keys()))
"""


def check_nothing_imported(family: Any, model: str) -> None:
    """An audit, and a load that is refused, import none of the modules that the file names."""
    obj, _ = family.MODELS[model]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skops"
        skopsafe.dump([obj, family.outputs], path)  # a function that nobody approves
        entries = skopsafe.audit(path).entries
        tops = {entry.name.partition(".")[0].partition(":")[0] for entry in entries}
        tops -= sys.stdlib_module_names | {"numpy", "skopsafe"}
        command = [sys.executable, "-c", _AUDIT, str(path), *sorted(tops)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{model}: the audit failed:\n{done.stderr}"
    untrusted, imported = done.stdout.splitlines()[-2:]
    assert "outputs" in untrusted, f"{model}: to approve were {untrusted}"
    assert not imported, f"{model}: imported before approval: {imported}"


def check_mutants(family: Any, model: str) -> None:
    """Files changed at random are refused, or give objects that do no more than raise."""
    name = family.__file__ if isinstance(family, ModuleType) and family.__file__ else family.__name__
    tally = run(name, model, MUTANTS)
    assert not tally.bad, f"{model}: {len(tally.bad)} mutants were harmful: {tally.bad[:5]}"
    assert tally.endings.total() == MUTANTS


Check = Callable[[Any, str], None]

CHECKS: tuple[Check, ...] = (
    check_round_trip,
    check_same_bytes,
    check_shared_references,
    check_vouched,
    check_nothing_imported,
    check_mutants,
)
"""All of them."""
