"""The tools that look for accesses outside of memory: each must see what is known to be one."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import skopsafe
from tests.attacks import crashes, test_cluster, test_neighbors
from tests.attacks.crashes import Case
from tests.attacks.test_structures import X, put, with_state
from tests.memory import guard, seen
from tests.memory.changes import Changes
from tests.memory.memcheck import Reports
from tests.memory.results import difference, kept
from tests.memory.runner import environment_of, run
from tests.memory.separate import packed, separate_arrays, unpacked

needs_gcc = pytest.mark.skipif(not guard.CAN_BUILD, reason="needs Linux, glibc, gcc and numpy 2")


def wide_matrix() -> Any:
    """Return a matrix whose last item is in a column behind the last."""
    made = sp.csr_matrix(np.eye(5))
    made.indices[-1] = 5
    return made, "toarray", ()


# Each reads or writes a few bytes outside, where other memory of the process is.
BEHIND = {
    **{name: test_cluster.CASES[name] for name in ("no_centers", "norms")},
    **{
        name: test_neighbors.CASES[name]
        for name in ("norms_of_samples", "no_neighbors", "tree_bounds", "tree_seuclidean", "tree_haversine")
    },
    "feature_behind": Case(lambda: with_state(nodes=put("feature", X.shape[1])), ""),
    "written": test_neighbors.CASES["tree_mahalanobis"],
    "added_by_scipy": Case(wide_matrix, ""),
}
BEFORE = {"feature_before": Case(lambda: with_state(nodes=put("feature", -1)), "")}


@needs_gcc
def test_accesses_behind_a_block_are_seen_that_end_no_process(tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    assert set(crashes.endings(BEHIND | BEFORE, tmp_path / "alone").values()) == {0}
    (tmp_path / "guarded").mkdir()
    found = seen.endings(BEHIND | BEFORE, tmp_path / "guarded")
    assert found.pop("feature_before") == "", "the allocator cannot tell what it cannot see"
    for name, text in found.items():
        kind = "write" if "written" in name else "read"
        assert text.startswith(f"guard: {kind} 0 bytes behind a block of "), (name, text)


@needs_gcc
def test_accesses_before_a_block_are_seen(tmp_path: Path) -> None:
    found = seen.endings(BEFORE, tmp_path, side="begin")
    assert "guard: read 4 bytes before a block of " in found["feature_before"]


@needs_gcc
def test_the_allocator_takes_arrays_of_numpy_of_every_size() -> None:
    code = """
import numpy as np
from tests.memory.guard import Guard
guard = Guard()
guard.take_numpy()
guard.turn_on()
before = guard.counts()
arrays = [np.ones(size, np.uint8) for size in range(1000)]
assert all(int(array.sum()) == size for size, array in enumerate(arrays))
assert np.arange(10.0).reshape(5, 2).copy().resize((7, 3)) is None
after = guard.counts()
assert after["alive"] - before["alive"] >= 1000, after
assert not after["passed_on"]
del arrays
assert guard.counts()["alive"] < before["alive"] + 50
guard.turn_off()
assert np.zeros(2000).sum() == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=guard.environment(), timeout=100)


@needs_gcc
@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("put(block + 70, 1)", "write behind a block of 65 bytes, seen when it was freed"),
        ("put(block - 3, 1)", "write before a block of 65 bytes, seen when it was freed"),
        ("free(block)", "second free of a block of 65 bytes"),
        ("free(block); get(block)", "read in a freed block of 65 bytes"),
        ("get(block + 20_000)", "read 19935 bytes behind a block of 65 bytes"),
        ("get(64)", "read far from all blocks"),
    ],
)
def test_misuse_of_a_block_is_told(act: str, told: str) -> None:
    code = f"""
import ctypes
from tests.memory.guard import Guard
Guard().turn_on()
libc = ctypes.CDLL(None)
aligned = libc.aligned_alloc
aligned.restype, aligned.argtypes = ctypes.c_void_p, [ctypes.c_size_t, ctypes.c_size_t]
free = libc.free
free.restype, free.argtypes = None, [ctypes.c_void_p]
def put(place, value):
    ctypes.c_char.from_address(place).value = value
def get(place):
    return ctypes.c_char.from_address(place).value
block = aligned(64, 65)
assert block % 64 == 0
{act}
free(block)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        env=guard.environment(),
        timeout=100,
        capture_output=True,
        text=True,
    )
    assert done.returncode < 0, done.stderr
    assert f"guard: {told}" in done.stderr


@needs_gcc
def test_uninitialised_memory_is_seen() -> None:
    code = """
import numpy as np
from sklearn.preprocessing import PolynomialFeatures
from tests.memory.guard import Guard
from tests.memory.worker import filled
Guard().take_numpy()
X = np.arange(6.0).reshape(3, 2)
model = PolynomialFeatures().fit(X)
print(filled(lambda: ("loaded", model.transform(X))))
model._n_out_full += 1  # a column that nothing is written to
print(filled(lambda: ("loaded", model.transform(X))))
print(filled(lambda: ("loaded", np.random.rand())))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env=environment_of("fill", ""),
        timeout=100,
        capture_output=True,
        text=True,
    )
    right, wrong, random = done.stdout.splitlines()
    assert right == "loaded"
    assert wrong.startswith("uninitialised: [1]: ")
    assert random.startswith("unsteady: [1]: ")


@needs_gcc
def test_mutants_under_the_allocator_are_harmless() -> None:
    found = run("guard", "tests.memory.sklearn_family", ["KMeans"], 12)
    assert found.endings["loaded"] >= 2
    assert found.bad == []
    assert found.passed_on == 0


def test_a_file_is_the_same_with_its_arrays_apart() -> None:
    model = {"many": [np.arange(i, dtype=np.int16) for i in range(40)], "f": np.ones((2, 3), order="F")}
    data = skopsafe.dumps(model)
    with separate_arrays():
        loaded = skopsafe.loads(packed(*unpacked(data)))
    assert skopsafe.dumps(loaded) == data
    # In a pool they would be parts of another array.
    assert all(array.base is None for array in [*loaded["many"], loaded["f"]])
    assert not all(array.base is None for array in skopsafe.loads(data)["many"])


def test_changes_are_made_again_from_their_number_and_keep_the_format() -> None:
    data = skopsafe.dumps({"a": np.arange(4.0), "b": [1, 2, np.ones((2, 2), np.int64)], "c": "text"})
    changes, again = Changes(data, "x"), Changes(data, "x")
    files = [changes.file(number) for number in range(100)]
    assert files == [again.file(number) for number in range(100)]
    assert len(set(files)) > 80
    loaded = 0
    for file in files:
        with contextlib.suppress(skopsafe.SkopsafeError):
            skopsafe.loads(file)
            loaded += 1
    assert loaded > 70, "changes are there to get past the checks of the format"


def test_reports_of_memcheck_are_told_from_those_of_an_unchanged_file() -> None:
    report = """==7== Invalid read of size 8
==7==    at 0x1F: inner (in /lib/x.so)
==7==    by 0x2F: {} (in /lib/y.so)
==7==  Address 0x5 is 0 bytes after a block of size 40 alloc'd
==7==
""".splitlines()
    reports = Reports([])
    for number, caller in (-1, "usual"), (3, "usual"), (4, "other"):
        reports.at("model", number)
        for line in report:
            reports.add(line.format(caller))
    assert reports.usual == 2
    (new,) = reports.new
    assert new.startswith("model 4: Invalid read of size 8: inner (in /lib/x.so) < other (in /lib/y.so)")
    assert new.endswith("Address 0x5 is 0 bytes after a block of size 40 alloc'd")


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        (np.array([1.0, np.nan]), np.array([1.0 + 1e-9, np.nan]), False),
        (np.array([1.0, 2.0]), np.array([1.0, 32.5]), True),
        (np.array([1, 2]), np.array([1, 3]), True),
        (np.ones(2), np.ones(3), True),
        (np.array(["a", None], object), np.array(["a", 1.0], object), True),
        (sp.csr_matrix(np.eye(2)), sp.csr_matrix(np.eye(2)), False),
        (sp.csr_matrix(np.eye(2)), sp.csr_matrix(2 * np.eye(2)), True),
        ({"a": [1.0, "x"]}, {"a": [1.0, "y"]}, True),
        (("ValueError", "at 1"), ("ValueError", "at 1"), False),
    ],
)
def test_results_are_compared(first: Any, second: Any, differ: bool) -> None:
    assert bool(difference(kept(first), kept(second))) == differ
