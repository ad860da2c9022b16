"""Files changed at random, each loaded and used by a process of its own kind: what becomes of them.

A *family* is a module with these names:

- ``MODELS``: by name, a function that returns a fitted model and valid input for it;
- ``outputs(model, X)``: calls every method that gives something out;
- ``mutate(blob, rng)`` and ``BLOB`` (name of a handled type, name of its part; or a function of the model
  that returns them), where one part of a type is a blob that another parser reads: changes it so that the
  change reaches deep.

A worker makes a model and goes through numbered mutants; the number is all that is needed to make one again::

    python -m skopsafe.testing.mutants FAMILY MODEL 17 1
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import queue
import random
import resource
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import skopsafe
from skopsafe.testing.crafted import forged, members_of, schema_of, zipped

SECONDS = 30.0
"""How long one mutant may take: longer is a hang."""
_MEMORY = 4 * 2**30  # bytes above what the process has when the model is made
_EFFECTS = ("socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")
_INTEGERS = (0, -1, 1, 2, 3, 7, 255, 256, 1000, 2**31 - 1, -(2**31), 2**31, 2**40, 2**53, 10**9)
_TEXTS = (
    "",
    "auto",
    "precomputed",
    "euclidean",
    "rbf",
    "brute",
    "int64",
    "object",
    "category",
    "UTC",
    "../x",
)
_WORDS = [
    number.to_bytes(8, "little", signed=True) for number in (-1, 5, 2**31 - 1, 2**62, 10**6, -(2**63), 2**32)
] + [b"\0\0\0\0\0\0\xf8\x7f", b"\0\0\0\0\0\0\xf0\x7f"]


@dataclass(slots=True)
class Tally:
    """What became of the mutants of a model.

    Attributes
    ----------
    endings : Counter of str
        ``loaded``, the class of the `SkopsafeError`, ``died: ...``, ``hung``, ``undocumented: ...`` or
        ``effect: ...``.
    bad : list of str
        Every ending of the last three kinds, with the number of the mutant.
    """

    endings: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    def add(self, number: int, ending: str) -> None:
        """Count one ending."""
        self.endings[ending] += 1
        if ending.startswith(("died", "hung", "undocumented", "effect")):
            self.bad.append(f"{number}: {ending}")


def run(family: str, model: str, count: int, first: int = 0, seconds: float = SECONDS) -> Tally:
    """Let workers go through `count` mutants of a model; one that dies or hangs is followed by another."""
    tally, number, end = Tally(), first, first + count
    while number < end:
        for done, ending in _worker(family, model, number, end - number, seconds):
            tally.add(done, ending)
            number = done + 1
    return tally


def _worker(family: str, model: str, first: int, count: int, seconds: float) -> Iterator[tuple[int, str]]:
    command = [sys.executable, "-m", "skopsafe.testing.mutants", family, model, str(first), str(count)]
    environment = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        lines: queue.Queue[str] = queue.Queue()
        errors: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        threading.Thread(target=_lines, args=(process.stdout, lines), daemon=True).start()
        threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True).start()
        current: int | None = None
        try:
            while True:
                # The first line waits for the model to be made.
                line = lines.get(timeout=seconds if current is not None else 20 * SECONDS)
                if not line:
                    break
                found = json.loads(line)
                current = found["number"]
                if "ending" in found:
                    yield found["number"], found["ending"]
                    current = found["number"] + 1
                    if current == first + count:
                        return
            process.wait()
            if current is None:
                raise AssertionError(f"no mutant of {model} could be made:\n{''.join(errors)}")
            text = "".join(errors).strip().splitlines()[-1:]
            yield current, f"died: {process.returncode} {text}"
        except queue.Empty:
            assert current is not None, f"making {model} takes too long"
            yield current, "hung"
        finally:
            process.kill()


def _lines(stream: Any, lines: queue.Queue[str]) -> None:
    for line in stream:
        if line.startswith('{"number"'):
            lines.put(line)
    lines.put("")


def mutant(family: Any, model: Any, data: bytes, rng: random.Random) -> bytes:
    """Return `data`, the file of `model`, with a change or two."""
    if hasattr(family, "BLOB") and rng.random() < 0.8:
        type_name, part = family.BLOB(model) if callable(family.BLOB) else family.BLOB
        return forged(model, type_name, **{part: lambda blob: _like(blob, family.mutate(bytes(blob), rng))})
    schema = schema_of(data)
    members = members_of(data)
    for _ in range(rng.choice((1, 1, 2))):
        kind = rng.random()
        if kind < 0.45 and members:
            name = rng.choice(sorted(members))
            members[name] = _bytes(members[name], rng)
        elif kind < 0.85:
            _value(schema, rng)
        elif schema["arrays"]:
            _shape(schema["arrays"], rng)
    return zipped(schema, members)


def _like(blob: Any, changed: bytes) -> Any:
    import numpy as np

    return changed if isinstance(blob, bytes) else np.frombuffer(changed, np.uint8)


def _bytes(content: bytes, rng: random.Random) -> bytes:
    """Change bytes behind the header of an ``.npy`` member."""
    if len(content) <= 128:
        return content
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(128, len(out))
        how = rng.random()
        if how < 0.35:
            out[at] ^= 1 << rng.randrange(8)
        elif how < 0.55:
            out[at] = rng.choice((0, 1, 127, 128, 255))
        else:
            at -= at % 8
            word = rng.choice(_WORDS)
            out[at : at + 8] = word[: len(out) - at]
    return bytes(out)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(below, (*path, key))
    else:
        yield path, value


def _value(schema: dict[str, Any], rng: random.Random) -> None:
    """Change a value of a node, or a number of its run."""
    path, old = rng.choice([leaf for leaf in _leaves(schema["runs"]) if len(leaf[0]) > 2])
    new: Any
    if isinstance(old, bool):
        new = rng.choice((not old, None, 0, "x"))
    elif isinstance(old, int):
        new = rng.choice((*_INTEGERS, old + 1, old - 1, old * 2, None, 1.5, True, "1"))
    elif isinstance(old, float):
        new = rng.choice((0.0, -1.0, 1e308, 5, None, "nan"))
    elif isinstance(old, str):
        new = rng.choice((*_TEXTS, old + "x", old[:-1], 5, None))
    else:
        new = rng.choice((0, 1, "x", True, 1.0, [0], 5, 10**6))
    owner: Any = schema["runs"]
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = new


def _shape(runs: list[Any], rng: random.Random) -> None:
    """Give arrays another shape within their bytes, another order, or the place of others."""
    if rng.random() < 0.3:
        i, j = rng.randrange(len(runs)), rng.randrange(len(runs))
        runs[i], runs[j] = runs[j], runs[i]
        return
    run = rng.choice(runs)
    _, _, fortran, count, dims = run
    if not rng.randrange(4):
        run[2:4] = rng.choice(([1 - fortran, count], [fortran, count + 1], [fortran, max(count - 1, 0)]))
        return
    several = [place for place, size in enumerate(dims) if isinstance(size, list)]
    if several and rng.randrange(3):
        # As many items as before, in other arrays of the run.
        sizes = dims[rng.choice(several)]
        i, j = rng.randrange(len(sizes)), rng.randrange(len(sizes))
        sizes[i], sizes[j] = rng.choice(((sizes[j], sizes[i]), (sizes[i] + 1, sizes[j] - 1), (0, sizes[j])))
        return
    size = math.prod(dim for dim in dims if isinstance(dim, int))
    run[4] = rng.choice(
        ([size], [1, size], [max(size - 1, 0)], dims[::-1], [0], [0, *dims[1:]], dims[:-1], [size // 2, 2])
    )


def _ending(data: bytes, family: Any, X: Any, trusted: list[str]) -> str:
    """Load a mutant, use it, and say how that ends."""
    effects.clear()
    try:
        loaded = skopsafe.loads(data, trusted)
    except skopsafe.SkopsafeError as error:
        return type(error).__name__
    except BaseException as error:
        return f"undocumented: {type(error).__name__}: {error}"[:200]
    # Errors of an object that loaded are its own; what counts is that it does no more than raise.
    with contextlib.suppress(Exception):
        family.outputs(loaded, X)
    return f"effect: {effects[0]}" if effects else "loaded"


effects: list[str] = []
"""What the present mutant did outside of its process."""


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and isinstance(arguments[1], str) and not set(arguments[1]).isdisjoint("wax+")
    if writes or event in _EFFECTS:
        effects.append(f"{event} {arguments!r}"[:150])


def _tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _family(name: str) -> Any:
    """Import a family by the name of its module or the path of its file."""
    if not name.endswith(".py"):
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location("family", name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["family"] = module
    spec.loader.exec_module(module)
    return module


def main(family_name: str, model_name: str, first: int, count: int) -> None:
    """Go through mutants, telling each before it is loaded and after."""
    warnings.simplefilter("ignore")
    family = _family(family_name)
    model, X = family.MODELS[model_name]()
    data = skopsafe.dumps(model)
    trusted = skopsafe.get_untrusted_types(data=data)  # what the model itself needs
    family.outputs(skopsafe.loads(data, trusted), X)  # imports what it needs, before anything is counted
    sys.addaudithook(_watch)
    with open("/proc/self/statm") as stream:
        used = int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))
    for number in range(first, first + count):
        _tell({"number": number})
        changed = mutant(family, model, data, random.Random(f"{model_name} {number}"))
        ending = _ending(changed, family, X, trusted)
        _tell({"number": number, "ending": ending})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
