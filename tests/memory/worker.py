"""A process that goes through mutants of models of a family, and tells each before it is loaded and after.

::

    python -m tests.memory.worker TOOL FAMILY FIRST LAST MODEL...

TOOL is ``guard`` (whose process has the allocator: see `guard.environment`), ``fill`` or ``memcheck``; FAMILY
is a module as `skopsafe.testing.mutants` describes it. It begins with mutant FIRST of the first model; mutant
-1 is the file as it is. Each line of its output is a dict.

With ``SKOPSAFE_UNCHECKED`` in the environment nothing checks estimators: to see whether the tool would see.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import json
import os
import random
import resource
import sys
import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

import skopsafe
from skopsafe.handlers.registry import Registry
from skopsafe.testing.mutate import Subject, mutant, subject_of
from tests.memory.changes import Changes
from tests.memory.guard import REGION, Guard
from tests.memory.results import Recording, difference, kept
from tests.memory.separate import separate_arrays

_MEMORY = 4 * 2**30  # bytes above what the process has when the model is made
_PERTURB = -6  # M_PERTURB of mallopt
_FILLS = (0xBF, 0x3C)  # new blocks are full of 0x40 or 0xC3, freed ones of these: no small numbers, no nan
_MOST_COLUMNS = 2000


def _file(subject: Subject, changes: Changes, name: str, number: int) -> bytes:
    """Return a mutant: of one thing in the file, or of the bytes of what another parser reads."""
    if number < 0:
        return changes.unchanged()
    turn, kind = divmod(number, 4)
    if kind == 0 if subject.blob else kind != 3:
        return changes.file(turn if subject.blob else 3 * turn + kind)
    return mutant(subject, random.Random(f"{name} {number}")).data


def _fitting(loaded: Any, X: Any) -> Any:
    """Return X in as many columns as the model says that it wants.

    Whoever crafts a file knows what data it will be given, and may have crafted them too.
    """
    wanted = getattr(loaded, "__dict__", {}).get("n_features_in_")
    if (
        isinstance(wanted, int | np.integer)
        and isinstance(X, np.ndarray)
        and X.ndim == 2
        and X.shape[1] != wanted
        and 0 < wanted <= _MOST_COLUMNS
    ):
        return np.take(X, np.arange(wanted) % X.shape[1], axis=1)
    return X.copy() if hasattr(X, "copy") else X


def _use(family: Any, data: bytes, trusted: list[str], X: Any) -> Any:
    """Load a file and return what it puts out, or the error of ours that refuses it."""
    random.seed(0)
    np.random.seed(0)
    with separate_arrays():
        try:
            loaded = skopsafe.loads(data, trusted)
        except skopsafe.SkopsafeError as error:
            return type(error).__name__
    with contextlib.suppress(Exception):  # as the harness of mutants does: errors of a model are its own
        if family.outputs.__annotations__["return"] != "None":
            return ("loaded", family.outputs(loaded, _fitting(loaded, X)))
        recording = Recording(loaded)
        family.outputs(recording, _fitting(loaded, X))
        return ("loaded", recording.results())
    return ("loaded", None)


def _ending(found: Any) -> str:
    return found if isinstance(found, str) else found[0]


def _once(use: Callable[[], Any]) -> str:
    return _ending(use())


def filled(use: Callable[[], Any]) -> str:
    """Use a file over memory full of one byte, and of another: what differs came from there."""
    mallopt = ctypes.CDLL(None).mallopt
    found = []
    for fill in (*_FILLS, _FILLS[0]):
        mallopt(_PERTURB, fill)
        found.append(kept(use()))
        if len(found) == 2 and not difference(*found):
            break
    mallopt(_PERTURB, 0)
    if len(found) == 2:
        return _ending(found[0])
    # The first once more: a model that draws at random, or counts its calls, differs from itself.
    again = difference(found[0], found[2])
    return f"unsteady: {again}" if again else f"uninitialised: {difference(*found[:2])}"


_TOOLS = {"guard": _once, "fill": filled, "memcheck": _once}


def _tell(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main(tool: str, family_name: str, first: int, last: int, names: list[str]) -> None:
    """Go through the mutants of some models."""
    warnings.simplefilter("ignore")
    if "SKOPSAFE_UNCHECKED" in os.environ:
        mock.patch.object(Registry, "checks_of", return_value=()).start()
    family = importlib.import_module(family_name)
    guard = Guard()
    guard.take_numpy()
    limit_memory()
    for name in names:
        if tool == "guard":
            guard.turn_off()
        model, X = family.MODELS[name]()
        subject = subject_of(model, family)
        trusted = skopsafe.get_untrusted_types(data=subject.data)
        changes = Changes(subject.data, name)
        _use(family, subject.data, trusted, X)  # imports what it needs
        if tool == "guard":
            guard.turn_on()
        for number in range(first, last):
            _tell(model=name, number=number)
            made = _file(subject, changes, name, number)
            try:
                ending = _TOOLS[tool](functools.partial(_use, family, made, trusted, X))
            except Exception as error:
                ending = f"undocumented: {type(error).__name__}: {error}"[:200]
            _tell(model=name, number=number, ending=ending, passed_on=guard.counts()["passed_on"])
        first = -1


def limit_memory() -> None:
    """Let this process have a few gigabytes more than it has; not what the allocator sets aside."""
    with open("/proc/self/statm") as stream:
        used = int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY + REGION, used + _MEMORY + REGION))


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:5]), sys.argv[5:])
