"""Runs scripts and loads the pickles that they were made from: a process of its own. Prints what differs.

``python -m tests.foreign.pickles.running FOLDER`` compares each ``NAME.py`` with ``NAME.pkl``.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

_PLAIN = (type(None), bool, int, str, bytes, bytearray)
_NAMES = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, np.ufunc)


def difference(first: Any, second: Any) -> str:
    """Say where two objects differ, in what is shared too; empty if they do not. By a loop."""
    pairs: dict[int, int] = {}
    alive = []
    todo = [(first, second, "result")]
    while todo:
        a, b, path = todo.pop()
        if type(a) is not type(b):
            return f"{path}: {type(a)} and {type(b)}"
        if isinstance(a, _NAMES):
            if a != b:  # a method is made anew each time
                return f"{path}: {a} and {b}"
            continue
        if isinstance(a, _PLAIN) and type(a) in _PLAIN:
            if a != b:
                return f"{path}: {a!r} and {b!r}"
            continue
        if type(a) is float:
            if struct.pack("d", a) != struct.pack("d", b):
                return f"{path}: {a!r} and {b!r}"
            continue
        if type(a) is tuple and not a and not b:
            continue
        if id(a) in pairs:
            if pairs[id(a)] != id(b):
                return f"{path}: one is shared, and not the other"
            continue
        pairs[id(a)] = id(b)
        alive.append((a, b))
        parts = _parts(a), _parts(b)
        if len(parts[0]) != len(parts[1]):
            return f"{path}: {len(parts[0])} parts and {len(parts[1])}"
        todo += [(*both, f"{path}[{n}]") for n, both in enumerate(zip(*parts, strict=True))]
    return ""


def _parts(value: Any) -> list[Any]:
    if type(value) in (list, tuple):
        return list(value)
    if type(value) is dict:
        return [part for pair in value.items() for part in pair]
    if type(value) in (set, frozenset):
        return sorted(map(repr, value))
    if isinstance(value, np.ndarray):
        flags = [value.flags.f_contiguous, value.flags.writeable]
        content = list(value.flat) if value.dtype.hasobject else [value.tobytes()]
        return [str(value.dtype), value.shape, *flags, *content]
    reduce = copyreg.dispatch_table.get(type(value))
    made = value.__reduce_ex__(4) if reduce is None else reduce(value)
    return [list(part) if hasattr(part, "__next__") else part for part in made]


def main(folder: Path) -> None:
    count = 0
    for script in sorted(folder.glob("*.py")):
        names: dict[str, Any] = {"__name__": "script"}
        source = script.read_text("utf-8")
        exec(compile(source, str(script), "exec"), names)
        data = script.with_suffix(".pkl").read_bytes()
        wanted = pickle.Unpickler(io.BytesIO(data)).load()
        if found := difference(wanted, names["result"]):
            sys.stdout.write(f"{script.name}: {found}\n{source[:8000]}\n")
        count += 1
    sys.stdout.write(f"{count} compared\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
