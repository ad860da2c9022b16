"""A script does what its pickle does: the same objects, the same effects, in the same order."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import io
import operator
import pathlib
import pickle
import random
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from tests.foreign.pickles import script_classes as classes
from tests.foreign.pickles.test_machine import OBJECTS, PROTOCOLS

ROOT = Path(__file__).parents[3]


def script(data: bytes, *, complete: bool = True) -> str:
    return skopsafe.decompile(io.BytesIO(data), complete=complete)


def compare(folder: Path, pickles: Iterable[bytes]) -> None:
    """Run scripts, and load the pickles, in a process of their own."""
    count = 0
    for data in pickles:
        (folder / f"{count}.pkl").write_bytes(data)
        (folder / f"{count}.py").write_text(script(data), "utf-8")
        count += 1
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.foreign.pickles.running", str(folder)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
    )
    assert (done.stdout, done.returncode) == (f"{count} compared\n", 0), done.stdout + done.stderr


def test_objects_of_python_come_out_as_from_the_pickle(tmp_path: Path) -> None:
    found: list[bytes] = []

    @given(obj=OBJECTS, protocol=st.sampled_from(PROTOCOLS))
    @settings(max_examples=300, database=None)
    def collect(obj: Any, protocol: int) -> None:
        found.append(pickle.dumps(obj, protocol))

    collect()
    compare(tmp_path, found)


def library_objects() -> list[Any]:
    """Return objects of the standard library and numpy."""
    shared = np.arange(6.0).reshape(2, 3)
    structured = np.zeros(3, [("a", "<i4"), ("b", ">f8", (2,))])
    return [
        collections.OrderedDict(a=1, b=[2]),
        collections.deque([1, [2]], 5),
        collections.defaultdict(list, a=[1]),
        collections.Counter("hello"),
        datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "x")),
        [datetime.date.max, datetime.time(1, 2, 3), datetime.timedelta(5, 6)],
        [decimal.Decimal("1.50"), fractions.Fraction(1, 3), 1 + 2j, uuid.UUID(int=5)],
        [pathlib.PurePosixPath("/a/b"), range(1, 9, 2), slice(1, None), Ellipsis, NotImplemented],
        [functools.partial(int, base=2), operator.itemgetter(1, 2), re.compile("a+", re.I)],
        [len, collections.OrderedDict.fromkeys, np.add, print, object, type(None)],
        [float("nan"), float("-inf"), -0.0, 1e308, 10**100, -(10**5000 // 7)],
        ["\u05d0\u202e\ud800\x00\n'\"\\", b"\x00'\"\\", bytearray(b"x")],
        [shared, shared, shared.T, shared[::2], np.asfortranarray(shared)],
        [np.array([1, "a", [shared]], dtype=object), np.array(["a", "bc"]), np.array([b"a"])],
        [structured, structured.dtype, np.dtype("M8[ns]"), np.float32(1.5), np.array("2020", "M8[D]")],
        [np.random.default_rng(3), np.random.RandomState(3), np.ma.masked_array([1, 2], [True, False])],
    ]


def user_objects() -> list[Any]:
    """Return objects of classes of our own."""
    slots, bare = classes.Slots(), classes.BareSlots()
    slots.first, slots.other, bare.second = [slots], 1, "x"
    bag, table, group = classes.Bag([1, 2]), classes.Table(a=1), classes.Group([1, 2])
    bag.extra, table.extra, group.extra = bag, [table], {"a": group}
    bag.append(bag)
    table["me"] = table
    hashed = classes.Hashed("h")
    hashed.holders = [{hashed: 1}, {hashed}, [frozenset([hashed])]]
    return [
        classes.Plain(a=1, b=classes.Plain()),
        classes.WithState(a=[1]),
        [slots, bare],
        classes.Arguments(1, [2], cls=3, key={"a": 1}),
        [bag, table, group],
        [classes.Colour.RED, classes.Colour.GREEN, classes.Rights.READ | classes.Rights.WRITE],
        classes.Everything(7),
        hashed,
        [hashed.holders, hashed],
        {hashed: {hashed}},
        [classes.Outer.Inner(a=classes.Outer), classes.Outer.Inner],
    ]


def shared_objects() -> list[Any]:
    """Return what is shared, and what holds itself."""
    one: list[Any] = [1]
    loop: list[Any] = [one, one, (one, {"a": one})]
    loop.append((loop, {"loop": loop}))
    mapping: dict[Any, Any] = {"a": {"b": []}}
    mapping["a"]["b"].append((mapping, mapping["a"]))
    chain: Any = ()
    for _ in range(300):
        chain = (chain, [chain])
    laugh: Any = []
    for _ in range(60):
        laugh = [laugh, laugh]
    text, data = "long " * 50, b"long " * 50
    pair = (one, text)
    return [loop, mapping, chain, laugh, [text, text, data, data], [pair, pair, {"k": pair}], loop[3]]


def test_other_objects_come_out_as_from_the_pickle(tmp_path: Path) -> None:
    objects = library_objects() + user_objects() + shared_objects()
    found = []
    for protocol in PROTOCOLS:
        # Not every class can be pickled with the oldest protocols.
        possible = [obj for obj in objects if protocol > 1 or _can(obj, protocol)]
        assert len(possible) > 25
        found += [pickle.dumps(obj, protocol) for obj in possible]
    compare(tmp_path, found)


def _can(obj: Any, protocol: int) -> bool:
    try:
        pickle.loads(pickle.dumps(obj, protocol))
    except Exception:  # of many kinds
        return False
    return True


# Models of the libraries.


def models() -> dict[str, Any]:
    """Return fitted models with a `predict`, and the samples they were fitted on."""
    import lightgbm
    import pandas as pd
    import xgboost
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    forest = RandomForestClassifier(3, max_depth=3, random_state=0)
    return {
        "pipeline": make_pipeline(StandardScaler(), forest).fit(X, y),
        "xgboost": xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(X, y),
        "lightgbm": lightgbm.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1).fit(X, y),
        "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.Categorical(["u", "v"])}),
        "samples": X,
    }


_PREDICT = """
import pathlib, pickle, sys
import numpy as np
import pandas as pd
folder = pathlib.Path(sys.argv[1])
X = pickle.loads((folder / "samples.pkl").read_bytes())
for path in sorted(folder.glob("*.pkl")):
    names = {}
    exec(compile(path.with_suffix(".py").read_text("utf-8"), path, "exec"), names)
    wanted, got = pickle.loads(path.read_bytes()), names["result"]
    assert type(wanted) is type(got)
    if path.stem == "samples":
        assert wanted.tobytes() == got.tobytes()
    elif path.stem == "frame":
        pd.testing.assert_frame_equal(wanted, got)
    else:
        assert wanted.predict_proba(X).tobytes() == got.predict_proba(X).tobytes()
    print(path.stem)
"""


@pytest.mark.parametrize("protocol", [2, 5])
def test_models_predict_the_same_bits(protocol: int, tmp_path: Path) -> None:
    found = models()
    for name, model in found.items():
        data = pickle.dumps(model, protocol)
        (tmp_path / f"{name}.pkl").write_bytes(data)
        (tmp_path / f"{name}.py").write_text(script(data), "utf-8")
    done = run(_PREDICT, tmp_path)
    assert done.stdout.split() == sorted(found), done.stderr


def run(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *map(str, args)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
    )


# Effects.


def write(text: str) -> bytes:
    """Return opcodes that call a function of a test with a text, which writes it into a log."""
    return b"ctests.foreign.pickles.script_effects\nlog\n(S'%s'\ntR" % text.encode()


_EFFECTS = b"ctests.foreign.pickles.script_effects\n"

EFFECTS: dict[str, bytes] = {
    "REDUCE": write("a") + b".",
    "INST": b"(S'a'\nitests.foreign.pickles.script_effects\nlog\n.",
    "OBJ": b"(" + _EFFECTS + b"log\nS'a'\no.",
    "without arguments": b"(itests.foreign.pickles.script_effects\nLoud\n"
    b"(itests.foreign.pickles.script_effects\nquiet\n\x86.",
    "dropped": write("a") + b"0" + write("b") + b"0N.",
    "in one list": b"(" + write("a") + write("b") + write("c") + b"l.",
    "used in another order": b"(" + write("a") + b"p1\n" + write("b") + b"p2\n1(g2\ng1\nl.",
    "used from the memo, later": write("a") + b"p1\n0" + write("b") + b"0(g1\nt.",
    "as keys": b"}(" + write("a") + write("b") + write("c") + write("d") + b"u.",
    "one key": b"}" + write("a") + write("b") + b"s.",
    "put into an object": _EFFECTS + b"Loud\n)R(" + write("a") + write("b") + b"e(" + write("c") + b"Nu.",
    "one put into an object": _EFFECTS + b"Loud\n)R" + write("k") + write("v") + b"s" + write("i") + b"a.",
    "a list that is seen before it is full": b"]p1\n0"
    + _EFFECTS
    + b"seen\n(g1\ntR0g1\nS'a'\na0"
    + _EFFECTS
    + b"seen\n(g1\ntR0g1\nS'b'\na.",
    "a dict that is seen before it is full": b"}p1\nS'a'\nNs0" + _EFFECTS + b"seen\n(g1\ntR0g1\nS'b'\nNs.",
    "a hash": b"}" + _EFFECTS + b"Loud\n)Rp1\nNs0" + write("a") + b"0N.",
    "a hash, used": b"}" + _EFFECTS + b"Loud\n)Rp1\nNsp2\n0" + write("a") + b"0g2\n.",
    "a hash in a frozenset": b"\x80\x04(" + _EFFECTS + b"Loud\n)R\x91q\x010" + write("a") + b"0h\x01.",
    "before an error": write("a") + write("b") + b"\xff",
    "before a name that is missing": write("a") + b"cnosuchmodule\nname\n.",
    "before an import with effects": write("a") + b"0ctests.foreign.pickles.script_loud_import\nname\n.",
    "a function changed in a module": b"ctests.foreign.pickles\nscript_effects\n(N}S'log'\n"
    + _EFFECTS
    + b"other\nstb0"
    + write("a")
    + b".",
    "a class changed": _EFFECTS
    + b"Quiet\n(N}S'append'\n"
    + _EFFECTS
    + b"other\nstb0"
    + _EFFECTS
    + b"Quiet\n)RS'a'\na.",
    "a module under another name": b"csys\nmodules\nS'madeup'\nctests.foreign.pickles\nscript_effects\ns0"
    b"cmadeup\nlog\n(S'a'\ntR.",
    "a name by pieces": b"\x80\x04\x8c\x24tests.foreign.pickles.script_effects\x8c\x01l" + b"0"
    b"cbuiltins\nstr\n\x8c\x03log\x85R\x93\x8c\x01a\x85R.",
    "a chain": b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n"
    b"(S'tests.foreign.pickles.script_effects'\nS''\nS''\n(S'log'\nltRS'log'\ntR(S'a'\ntR.",
    "a name with a dot": b"\x80\x04ctests.foreign.pickles.script_effects\nLoud.shout\n\x8c\x01a\x85R.",
    "names that are keywords": b"\x80\x04ctests.foreign.pickles.script_effects\nclass\n\x8c\x01a\x85R.",
    "an item of a list": b"(lp1\nS'a'\na0" + write("b") + b"0g1\nI0\nS'c'\ns.",
    "a state on what is shared": _EFFECTS + b"Loud\n)Rp1\n" + write("a") + b"b" + write("b") + b"b0g1\n.",
}

_BOTH = """
import json, pathlib, pickle, sys
folder, number = pathlib.Path(sys.argv[1]), sys.argv[2]
from tests.foreign.pickles import script_effects
try:
    if number.endswith(".pkl"):
        result = pickle.loads((folder / number).read_bytes())
    else:
        names = {"__name__": "script"}
        exec(compile((folder / number).read_text("utf-8"), number, "exec"), names)
        result = names["result"]
except Exception as error:
    result = "an error"
print(json.dumps([script_effects.LOG, repr(result)]))
"""
_ALL = """
import os, sys
folder = sys.argv[1]
code = sys.argv[2]
for name in sorted(os.listdir(folder)):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        sys.argv[2] = name
        exec(code)
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
"""

_PIECES = [
    *(_EFFECTS + name + b"\n" for name in (b"log", b"keep", b"seen", b"Loud")),
    *(b"I%d\n" % n for n in range(3)),
    *(b"S'%s'\n" % text for text in (b"a", b"b")),
    *(code.encode() for code in "(((ttt]]}lld00120eesuaa222RRRob)))"),
    *(code for code in (b"\x85", b"\x86", b"\x87", b"\x8f", b"\x90", b"\x91", b"\x81")),
    *(code % n for n in range(4) for code in (b"p%d\n", b"g%d\n", b"g%d\n")),
    *([write("x"), write("y"), _EFFECTS + b"Loud\n)R", _EFFECTS + b"keep\n(g0\ng1\ntR"] * 3),
    *([_EFFECTS + b"seen\n(g0\ntR0", b"g0\nS'k'\na0", b"g1\nS'k'\nNs0"] * 2),
]


def program(rng: random.Random) -> bytes:
    """Return opcodes at random, of which most make sense for a while."""
    start = [b"]p0\n", b"}p1\n", write("z") + b"p2\n", b"(g0\ntp3\n"]
    return b"".join([*start, *rng.choices(_PIECES, k=rng.randrange(1, 25)), b"."])


_PROGRAMS = """
import pathlib, pickle, random, sys
from tests.foreign.pickles import script_effects
from tests.foreign.pickles.running import difference
from tests.foreign.pickles.test_script import program, script

def outcome(action):
    script_effects.LOG.clear()
    try:
        result = action()
    except Exception as error:
        result = None
        script_effects.LOG.append("an error")
    return list(script_effects.LOG), result

def run_script(source):
    names = {}
    exec(compile(source, "script", "exec"), names)
    return names["result"]

whole = 0
for seed in range(int(sys.argv[1]), int(sys.argv[2])):
    data = program(random.Random(seed))
    source = script(data)
    wanted, got = outcome(lambda: pickle.loads(data)), outcome(lambda: run_script(source))
    if wanted[0][-1] == "an error":  # a script may go on, as some unpicklers do
        is_same = got[0][:len(wanted[0]) - 1] == wanted[0][:-1]
    else:
        is_same = wanted[0] == got[0] and not difference(wanted[1], got[1])
    if not is_same:
        print(seed, data, wanted, got, source, sep="\\n")
        break
    whole += wanted[0][-1:] != ["an error"]
print("whole" if whole > 20 else whole)
"""


def test_opcodes_at_random_have_the_same_effects() -> None:
    start = random.randrange(10**6)
    done = run(_PROGRAMS, start, start + 1500)
    assert done.stdout == "whole\n", done.stdout + done.stderr


MARKERS = {
    "REDUCE": b"cos\nsystem\n(S'echo > %s'\ntR.",
    "INST": b"(S'echo > %s'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'echo > %s'\no.",
    "dropped": b"cos\nsystem\n(S'echo > %s'\ntR0I1\n.",
    "before an error": b"cos\nsystem\n(S'echo > %s'\ntR\xff",
    "through exec": b'cbuiltins\nexec\n(S\'open("%s", "w").close()\'\ntR.',
}


@pytest.mark.parametrize("name", MARKERS)
def test_a_script_of_a_payload_is_the_payload(name: str, tmp_path: Path) -> None:
    for runs in ("pickle.loads(open(sys.argv[1], 'rb').read())", "exec(open(sys.argv[2]).read())"):
        marker = tmp_path / "marker"
        data = MARKERS[name] % str(marker).encode()
        (tmp_path / "x.pkl").write_bytes(data)
        (tmp_path / "x.py").write_text(script(data))
        assert not marker.exists()
        done = run(f"import pickle, sys\n{runs}", tmp_path / "x.pkl", tmp_path / "x.py")
        assert marker.exists()
        assert bool(done.returncode) == (name == "before an error")
        marker.unlink()


def test_effects_happen_as_in_the_pickle(tmp_path: Path) -> None:
    for number, data in enumerate(EFFECTS.values()):
        (tmp_path / f"{number:03}.pkl").write_bytes(data)
        (tmp_path / f"{number:03}.py").write_text(script(data), "utf-8")
    done = run(_ALL, tmp_path, _BOTH)
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * len(EFFECTS), done.stderr
    for name, wanted, got in zip(EFFECTS, lines[::2], lines[1::2], strict=True):
        assert got == wanted, f"{name}\n{script(EFFECTS[name])}"
        assert "an error" in wanted or len(wanted) > 12, name
        assert wanted != "[[], \"'an error'\"]", name
