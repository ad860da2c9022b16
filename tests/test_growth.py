"""Time and memory grow with the size of an object and no faster, which is counted and not timed.

Work is the number of steps of the interpreter, in this package and in what it calls. With twice as many
things, a loop over them takes twice as many steps, and a loop within such a loop four times as many. What
compiled code does within one call is not seen.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import itertools
import json
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer

import skopsafe

X = np.random.default_rng(0).normal(size=(60, 4))
Y = X[:, 0] > 0
MODULE = "growing_types"


def steps(run: Callable[[], Any]) -> int:
    """Return how many instructions the interpreter takes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def per_pair(counts: list[int], size: int) -> float:
    """Return the factor of the square, of counts at a size, twice the size and four times the size.

    Fixed and linear costs cancel out. A loop of every thing over those before it, however little it does,
    takes three steps for each pair of them, of which there are half as many as the square of the size.
    """
    one, two, four = counts
    return (four - 3 * two + 2 * one) / (6 * size**2)


def forest(count: int) -> Any:
    return RandomForestClassifier(count, max_depth=2, random_state=0).fit(X, Y)


def histograms(count: int) -> Any:
    model = HistGradientBoostingClassifier(
        max_iter=count, max_depth=2, early_stopping=False, min_samples_leaf=5
    )
    return model.fit(X, Y)


def xgboost(count: int) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=count, max_depth=2, n_jobs=1).fit(X, Y)


def lightgbm(count: int) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_estimators=count, min_child_samples=2, n_jobs=1, verbose=-1).fit(X, Y)


def catboost(count: int) -> Any:
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(count, depth=2, thread_count=1, verbose=False, allow_writing_files=False)
    return model.fit(X, Y.astype(int))


def vocabulary(count: int) -> Any:
    return CountVectorizer().fit([" ".join(f"word{number}" for number in range(count))])


def depth(count: int) -> Any:
    return functools.reduce(lambda inner, number: [inner, number], range(count), [])


def depth_of_dicts(count: int) -> Any:
    return functools.reduce(lambda inner, number: {"inner": inner, number: None}, range(count), {})


_numbers = itertools.count()


def classes(count: int) -> Any:
    """Return instances of classes, each of which nothing has seen before."""
    module = sys.modules[MODULE]
    made = []
    for number in itertools.islice(_numbers, count):
        cls = dataclasses.make_dataclass(f"Class{number:06}", ["first"])
        cls.__module__ = MODULE
        setattr(module, cls.__name__, cls)
        made.append(cls(number))
    return made


class Loose:
    """A class whose instances have whatever attributes they are given."""


def attributes(count: int) -> Any:
    """Return instances of one class that have different attributes."""
    made = [Loose() for _ in range(count)]
    for number, obj in enumerate(made):
        setattr(obj, f"attribute{number:06}", number)
    return made


def instances(count: int) -> Any:
    made = [Loose() for _ in range(count)]
    for number, obj in enumerate(made):
        obj.__dict__.update(number=number, text=f"{number:06}", items=[number])
    return made


def dtypes(count: int) -> Any:
    return [np.zeros(2, [(f"field{number:06}", "f8")]) for number in range(count)]


def small_arrays(count: int) -> Any:
    return list(np.arange(count * 3.0).reshape(count, 3).copy())


def large_arrays(count: int) -> Any:
    return [np.zeros(10_000) for _ in range(count)]


def shared(count: int) -> Any:
    one = [[1.5]]
    return [(one, number) for number in range(count)]


def cycles(count: int) -> Any:
    made: list[Any] = [[] for _ in range(count)]
    for one, other in itertools.pairwise([*made, made[0]]):
        one.append(other)
    return made


KINDS: dict[str, tuple[Callable[[int], Any], int]] = {
    "trees": (forest, 40),
    "histogram trees": (histograms, 10),
    "XGBoost trees": (xgboost, 20),
    "LightGBM trees": (lightgbm, 20),
    "CatBoost trees": (catboost, 20),
    "words": (vocabulary, 500),
    "depth of lists": (depth, 150),
    "depth of dicts": (depth_of_dicts, 150),
    "classes": (classes, 40),
    "attributes": (attributes, 60),
    "instances": (instances, 100),
    "dtypes": (dtypes, 40),
    "small arrays": (small_arrays, 100),
    "large arrays": (large_arrays, 40),
    "shared objects": (shared, 150),
    "cycles": (cycles, 150),
}
"""By what there is more and more of: what makes an object with so many of it, and how many to begin with.

From 32 on, values are looked at all at once; nothing begins below that and ends above.
"""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, types.ModuleType(MODULE))


def growing(kind: str) -> list[Any]:
    # What is fitted serves all tests; classes have to be new.
    return _made(kind) if kind != "classes" else _made.__wrapped__(kind)


@functools.cache
def _made(kind: str) -> list[Any]:
    make, count = KINDS[kind]
    return [make(count * factor) for factor in (1, 2, 4)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("module")
def test_twice_as_much_is_twice_the_work(kind: str) -> None:
    # What is worked out once in a process is none of this, and what no class was told before is seen anew.
    for obj in growing(kind):
        warm = skopsafe.dumps(obj)
        skopsafe.loads(warm, skopsafe.get_untrusted_types(data=warm))
    work: dict[str, list[int]] = {"dump": [], "audit": [], "load": []}
    for obj in growing(kind):
        work["dump"].append(steps(lambda obj=obj: skopsafe.dumps(obj)))
        data = skopsafe.dumps(obj)
        work["audit"].append(steps(lambda data=data: skopsafe.audit(data)))
        names = skopsafe.get_untrusted_types(data=data)
        work["load"].append(steps(lambda data=data, names=names: skopsafe.loads(data, names)))
    for verb, counts in work.items():
        assert per_pair(counts, KINDS[kind][1]) < 0.5, (verb, counts)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("module")
def test_twice_as_much_is_twice_the_file(kind: str) -> None:
    sizes, schemas, members = [], [], []
    for obj in growing(kind):
        data = skopsafe.dumps(obj)
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            schemas.append(len(file.read("schema.json")))
            members.append(len(file.namelist()))
        sizes.append(len(data))
    for counts in (sizes, schemas):
        assert per_pair(counts, KINDS[kind][1]) < 1, counts
    if kind not in ("dtypes", "large arrays"):
        assert len(set(members)) == 1, members


def test_more_of_the_same_needs_no_more_types_shapes_and_dtypes() -> None:
    found = set()
    for kind in ("trees", "histogram trees", "small arrays", "instances"):
        for obj in growing(kind):
            with zipfile.ZipFile(io.BytesIO(skopsafe.dumps(obj))) as file:
                schema = json.loads(file.read("schema.json"))
            found.add((kind, *(len(schema[table]) for table in ("types", "shapes", "dtypes", "members"))))
    assert len(found) == 4, found


class Reads(io.BytesIO):
    """A file that counts how often, and how much of it, is read."""

    calls = 0
    amount = 0

    def _counted(self, size: int) -> None:
        self.calls += 1
        self.amount += size

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self._counted(len(data))
        return data

    def readinto(self, buffer: Any) -> int:
        size = super().readinto(buffer)
        self._counted(size)
        return size

    def seek(self, offset: int, whence: int = 0) -> int:
        self.calls += 1
        return super().seek(offset, whence)


class Writes(io.BytesIO):
    """A file that counts how often, and how much, it is written to."""

    calls = 0
    amount = 0

    def write(self, data: Any) -> int:
        self.calls += 1
        self.amount += memoryview(data).nbytes
        return super().write(data)


@pytest.mark.parametrize("kind", ["trees", "histogram trees", "words", "instances", "small arrays", "cycles"])
def test_more_small_parts_need_no_more_reads_and_writes(kind: str) -> None:
    written_calls = set()
    for obj in growing(kind):
        written, data = Writes(), skopsafe.dumps(obj)
        skopsafe.dump(obj, written)
        assert written.amount <= len(data) + 1000
        audited, loaded = Reads(data), Reads(data)
        names = skopsafe.audit(audited).untrusted
        skopsafe.load(loaded, names)
        assert loaded.amount <= len(data) + 100_000
        written_calls.add(written.calls)
        # What is not in the end of the file, which is read at once, takes two reads for each member.
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            members = len(file.namelist())
        assert audited.calls <= 5
        assert loaded.calls <= 5 + 4 * members
    assert len(written_calls) == 1, written_calls


# As many digits, and a multiple of the alignment, so that all but the arrays has the same size.
SHAPES = ((1000, 128), (9984, 999))


def test_an_audit_reads_the_same_of_one_megabyte_and_of_eighty() -> None:
    found = set()
    for shape in SHAPES:
        file = Reads(skopsafe.dumps({"array": np.zeros(shape)}))
        skopsafe.audit(file)
        found.add((file.calls, file.amount))
    assert len(found) == 1
    assert found.pop()[1] < 100_000


def _bytes_read() -> int:
    """Return how much this process has read from files so far, not counting what it mapped."""
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="only Linux counts what a process reads")
@pytest.mark.parametrize("verb", ["audit", "mapped load"])
def test_a_path_is_read_without_its_arrays(verb: str, tmp_path: Path) -> None:
    found = []
    for number, shape in enumerate((SHAPES[0], *SHAPES)):
        path = tmp_path / f"{number}"
        skopsafe.dump({"array": np.ones(shape)}, path)
        before = _bytes_read()
        if verb == "audit":
            skopsafe.audit(path)
        else:
            loaded = skopsafe.load(path, mmap_mode="r")["array"]
            assert isinstance(loaded, np.memmap)
        found.append(_bytes_read() - before)
        if verb == "mapped load":
            assert loaded.sum() == loaded.size
    # The first of the three also reads the modules that it needs.
    assert 0 < found[1] < 100_000
    assert abs(found[2] - found[1]) < 1000
