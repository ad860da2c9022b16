"""What a script says: readable, short, always Python, and nothing of the file leaves its literal."""

from __future__ import annotations

import ast
import pickle
import pickletools
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.cli import main
from skopsafe.foreign.pickles import sections
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.reading import Memory
from skopsafe.foreign.pickles.values import Call, Stored
from tests.attacks.test_messages import HOSTILE
from tests.foreign.pickles.test_machine import PROTOCOLS
from tests.foreign.pickles.test_script import EFFECTS, library_objects, script, user_objects

_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def body(data: bytes, *, complete: bool = True) -> list[str]:
    """Return the statements of a script: no comments, imports and helper functions."""
    tree = ast.parse(script(data, complete=complete))
    kinds = (ast.FunctionDef, ast.ImportFrom)
    return [ast.unparse(node) for node in tree.body if not isinstance(node, kinds)]


def utf8(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"X" + len(data).to_bytes(4, "little") + data


# What it looks like.


def test_a_script_reads_like_one() -> None:
    data = pickle.dumps({"a": [1, 2.5, ("x", None)], "b": {3}, "c": b"y"}, 4)
    assert script(data).splitlines()[1:] == [
        f"# bytes 0 to {len(data)}, protocol 4, 31 opcodes.",
        "",
        "result = {'a': [1, 2.5, ('x', None)], 'b': {3}, 'c': b'y'}",
    ]


def test_calls_stand_where_they_are_used_as_long_as_the_order_is_kept() -> None:
    log = b"cpackage.module\nlog\np0\n0"
    one, two = (b"g0\n(S'%s'\ntR" % name for name in (b"a", b"b"))
    assert body(log + b"(" + one + two + b"l.") == ["result = [log('a'), log('b')]"]
    assert body(log + one + b"p1\n0" + two + b"0g1\n.") == [
        "log_value = log('a')",
        "log('b')",
        "result = log_value",
    ]


@pytest.mark.parametrize(
    ("data", "statements"),
    [
        (b"cos\nsystem\n(S'echo 1'\ntR.", ["result = system('echo 1')"]),
        (b"(S'echo 1'\nios\nsystem\n.", ["result = system('echo 1')"]),
        (b"(cos\nsystem\nS'echo 1'\no.", ["result = system('echo 1')"]),
        (b"cos\nsystem\n(S'echo 1'\ntR0I1\n.", ["system('echo 1')", "result = 1"]),
        (b"ccollections\nOrderedDict\n.", ["result = OrderedDict"]),
        (
            b"cos\nenviron\n(S'a'\nS'b'\nu0cos\npath\n(N}S'join'\ncos\nsystem\nstb.",
            ["environ['a'] = 'b'", "_build(path, (None, {'join': system}))", "result = path"],
        ),
        (b"]p0\ng0\na.", ["items = []", "items.append(items)", "result = items"]),
        (b"Pabc\n.", ["result = _persistent_load('abc')"]),
        (b"\x82\x05.", ["result = _extension(5)"]),
        (b"\x80\x05\x97.", ["result = _next_buffer()"]),
    ],
)
def test_statements_of_a_pickle(data: bytes, statements: list[str]) -> None:
    assert body(data) == statements


def test_a_payload_before_an_error_is_above_it() -> None:
    text = script(b"cos\nsystem\n(S'one'\ntR0cos\nsystem\n(S'two'\ntR\xff")
    assert text.index("system('one')") < text.index("'two'") < text.index("raise ValueError('byte ")


def test_names_of_the_same_spelling_are_told_apart() -> None:
    data = b"(ca\nx\ncb\nx\ncb\n_build\ncb\nresult\ncb\nlist\ncbuiltins\nlist\nl."
    assert "from b import x as x_2" in script(data)
    assert body(data) == ["result = [x, x_2, _build_2, result_2, list_2, list]"]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("a-b", "c"),
        ("os", "a b"),
        ("os", "\uff53ystem"),
        ("class", "x"),
        ("os", "class"),
        ("__future__", "annotations"),
        ("os", "__debug__"),
        ("", "x"),
        ("os", "*"),
        ("os.", "x"),
        ("os\nimport sys", "x"),
        ("os; x", "system) as y"),
        ("o" * 5000, "x"),
    ],
)
def test_a_name_that_source_cannot_spell_is_looked_up(module: str, name: str) -> None:
    data = b"\x80\x04" + utf8(module) + utf8(name) + b"\x93."
    assert body(data) == [f"v = _find({module!r}, {name!r})", "result = v"]


def test_arrays_are_described(tmp_path: Path) -> None:
    for protocol in PROTOCOLS:
        found = script(pickle.dumps([np.zeros((3, 40)), np.zeros(10**5, "i4")], protocol), complete=False)
        if protocol > 2:  # before, bytes are written as a text and a call that encodes it
            assert "_left_out('float64 array, shape (3, 40), 960 bytes')" in found
        if protocol == 5:
            assert re.search(r"'int32 array, shape \(100000,\), 400,000 bytes at byte \d+'", found)
        assert len(found) < 8000
    long = script(pickle.dumps(["x" * 10**5, b"y" * 10**5, bytearray(10**5), "z" * 3000], 5), complete=False)
    assert re.search(r"'str, 100,000 bytes at byte \d+'", long)
    assert "str, 3,000 characters that begin with" in long


def test_a_script_with_content_that_was_left_out_does_not_run() -> None:
    with pytest.raises(NotImplementedError, match="--complete"):
        exec(script(pickle.dumps(b"y" * 10**4), complete=False), {})


def test_too_much_content_is_no_complete_script() -> None:
    data = pickle.dumps([b"y" * 6 * 10**5, "x" * 6 * 10**5])
    with pytest.raises(skopsafe.LimitError, match="1,200,000 bytes of content"):
        script(data)
    assert len(script(data, complete=False)) < 1000


def test_arrays_of_joblib_are_described_with_what_describes_them() -> None:
    source = Memory(b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)R}S'a'\nI1\nsb" + bytes(range(16)) + b".")

    def built(machine: Machine, call: Call) -> None:
        place = machine.place
        machine.go(place + 16)
        machine.stack[-1] = Stored(call, "float64", (2,), "C", place, 16)

    found = [sections.Found("", source, [Machine(source, built=built).run()])]
    text = sections.script(found)
    assert "_stored(numpy_array_wrapper, _left_out('float64 array, shape (2,), 16 bytes at byte 52'))" in text
    assert repr(bytes(range(16))) in sections.script(found, complete=True)


def test_each_pickle_of_a_stream_has_a_section() -> None:
    data = pickle.dumps([1]) + b"cos\nsystem\n(S'echo'\ntR." + b"I1\n"
    assert body(data) == ["result_1 = [1]", "result_2 = system('echo')"]
    assert "# It follows another in the stream" in script(data)
    assert script(b"N." * 200).count("\nresult_") == 200


# Nothing leaves a literal.


HOSTILES = [HOSTILE, "'''\"\"\"\\", "\\", "\u05d0\u0627\u0301", "\ud800", "}{", "\r\nimport os", "#"]


@pytest.mark.parametrize("text", HOSTILES)
def test_no_text_of_a_file_leaves_its_place(text: str, tmp_path: Path) -> None:
    name = utf8(text)
    data = (
        b"\x80\x04("
        + name
        + name
        + b"\x93"
        + utf8("os")
        + name
        + b"\x93"
        + name
        + utf8("a")
        + b"\x93}"
        + name
        + name
        + b"s("
        + name
        + b"ios\nsystem\n"
        + b"cbuiltins\nobject\n)R}"
        + name
        + name
        + b"sb"
        + name
        + b"Q"
        + b"t."
    )
    for content in (data, data[:-1] + b"\xff", data[:-1], data + b"N."):
        for complete in (True, False):
            found = script(content, complete=complete)
            assert not _CONTROLS.search(found)
            assert not re.search("[\u0590-\u08ff]", found)
            assert not re.search(r"^\s*(import os|reviewed)", found, re.M)
            ast.parse(found)
    path = tmp_path / "x.pkl"
    path.write_bytes(data)
    for options in ([], ["--trace"], ["--complete"]):
        result = CliRunner().invoke(main, ["decompile", *options, str(path)])
        assert result.exit_code == 0, result.output
        assert not _CONTROLS.search(result.output)


def _bases() -> list[bytes]:
    found = []
    for protocol in PROTOCOLS:
        for obj in library_objects() + user_objects():
            try:
                found.append(pickle.dumps(obj, protocol))
            except Exception:  # not every class can be pickled with every protocol
                continue
    return [data for data in (*found, *EFFECTS.values()) if len(data) < 1000]


BASES = _bases()
_CODES = [ord(opcode.code) for opcode in pickletools.opcodes]


def mutant(rng: random.Random) -> bytes:
    data = bytearray(rng.choice(BASES))
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                data[at : at + 1] = [rng.choice(_CODES)]
            case 1:
                data.insert(at, rng.choice(_CODES))
            case 2:
                del data[at : at + 1]
            case 3:
                data[at:at] = data[at : at + rng.randrange(20)]
            case 4:
                other = rng.choice(BASES)
                start = rng.randrange(len(other))
                data[at:at] = other[start : start + rng.randrange(20)]
    return bytes(data)


@given(seed=st.integers(0, 2**32), complete=st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_script_of_any_pickle_is_python(seed: int, complete: bool) -> None:
    try:
        found = script(mutant(random.Random(seed)), complete=complete)
    except skopsafe.FormatError:
        return
    compile(found, "script", "exec")
    assert all(map(str.isprintable, found.split("\n")))


# Length and time.


def count_lines(data: bytes) -> int:
    found = script(data)
    compile(found, "script", "exec")
    assert len(found) < 60 * len(data) + 5000
    return found.count("\n")


def test_deep_values_are_split_and_take_no_recursion() -> None:
    depth = 5_000
    assert count_lines(b"N" + b"\x85" * depth + b".") < depth / 10
    assert count_lines(b"(" * depth + b"l" * depth + b".") < depth / 10
    assert count_lines(b"N" + b"K\x01\x86" * depth + b".") < 2 * depth
    calls = b"cbuiltins\nlist\n"
    assert count_lines(calls * 2000 + b")" + b"R\x85" * 2000 + b".") < 4000
    assert count_lines(calls + b")R" * 5000 + b".") < 1000


def test_a_hundred_thousand_levels_are_no_recursion() -> None:
    found = script(b"N" + b"\x85" * 100_000 + b".")
    assert len(found) < 10**6


@pytest.mark.parametrize("protocol", [2, 4])
def test_what_is_used_twice_at_each_level_is_written_once(protocol: int) -> None:
    laugh: Any = ["ha"]
    for _ in range(200):
        laugh = [laugh, laugh]
    rows: Any = (["ha"],)
    for _ in range(200):
        rows = (rows, rows)
    for found in (laugh, rows):
        data = pickle.dumps(found, protocol)
        assert len(script(data)) < 15_000
    text = utf8("x" * 60_000) + b"q\x000("
    assert len(script(b"\x80\x04" + text + b"h\x00" * 10_000 + b"l.")) < 200_000
    names = utf8("x" * 60_000) + b"q\x000" + b"h\x00h\x00\x930" * 500
    assert len(script(b"\x80\x04" + names + b"N.")) < 200_000
