"""The targets hold for bytes at random, for mutants of the corpus, and for what each reader expects."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skopsafe.archive.compression import BZIP2, DEFLATED, LZMA, STORED, ZSTANDARD
from tests.archive.zips import craft
from tests.fuzz.archives import METHODS, RECIPE, container, decompression, packed
from tests.fuzz.arrays import npy_header
from tests.fuzz.boosters import lightgbm, xgboost
from tests.fuzz.corpus import of
from tests.fuzz.pickles import verdicts
from tests.fuzz.schemas import schema
from tests.fuzz.stages import reached
from tests.fuzz.targets import TARGETS
from tests.fuzz.texts import name, policy
from tests.fuzz.ubjson import Alone, Typed, write
from tests.fuzz.words import ATTRIBUTES, DTYPES, TYPES, WORDS
from tests.fuzz.zip_mutants import Member, crafted

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

KEPT = {target: of(target) for target in TARGETS}


@pytest.mark.parametrize("target", TARGETS)
@FEW
@given(data=st.binary(max_size=200))
def test_bytes_at_random(target: str, data: bytes) -> None:
    TARGETS[target].run(data)


@pytest.mark.parametrize("target", TARGETS)
@FEW
@given(data=st.data())
def test_mutants_of_the_corpus(target: str, data: st.DataObject) -> None:
    found = data.draw(st.sampled_from(KEPT[target]))
    for seed in data.draw(st.lists(st.integers(0, 2**32), min_size=1, max_size=3)):
        found = TARGETS[target].mutate(found, random.Random(seed))
    TARGETS[target].run(found[: TARGETS[target].longest])


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
forms = st.none() | st.integers(1, 4) | st.lists(st.sampled_from(ATTRIBUTES), max_size=3, unique=True)
small = st.integers(0, 4)
array_runs = st.tuples(
    small, small, st.integers(0, 1), small, st.lists(small | st.lists(small, max_size=2), max_size=3)
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a schema; one reference in many may lead to a node that is not there."""
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=5, unique=True))
    shapes = []
    for _ in range(draw(st.integers(1, 4))):
        number = draw(st.integers(0, len(types) - 1))
        shapes.append((number, [] if types[number][1] == "value" else draw(forms)))
    parts = draw(st.lists(st.tuples(st.integers(0, len(shapes) - 1), st.integers(1, 4)), max_size=6))
    nodes = sum(count for _, count in parts)
    ahead = st.sampled_from([*range(nodes), *range(nodes), nodes])
    values = scalars | ahead.map(lambda number: [number])

    def column(count: int) -> Any:
        ruled = (
            st.builds(
                lambda ref, step: {"ref": max(ref - step * count, 0), "step": step}, ahead, st.integers(0, 1)
            ),
            st.builds(lambda refs: {"refs": refs}, st.lists(ahead, min_size=count, max_size=count)),
            st.builds(lambda first: {"first": first}, st.integers(0, 2**53 - 1)),
            st.builds(lambda number: {"floats": number}, small),
        )
        return draw(st.one_of(scalars, st.lists(values, min_size=count, max_size=count), *ruled))

    def row() -> Any:
        count = draw(st.integers(0, 4))
        if draw(st.booleans()):
            return draw(st.lists(values, min_size=count, max_size=count))
        parts = [
            draw(st.lists(values, min_size=count, max_size=count)) for _ in range(draw(st.integers(1, 2)))
        ]
        return {"columns": parts, "count": count}

    runs = []
    for shape, count in parts:
        form = shapes[shape][1]
        width = form if isinstance(form, int) else len(form or ())
        runs.append(
            (
                shape,
                count,
                [row() for _ in range(count)] if form is None else [column(count) for _ in range(width)],
            )
        )
    return {
        "format": "skopsafe",
        "protocol": 1,
        "__class__": "load",
        "__module__": "skopsafe",
        "__loader__": "skopsafe.load",
        "writer": draw(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2)),
        "types": types,
        "shapes": shapes,
        "dtypes": draw(st.lists(st.sampled_from(DTYPES), max_size=2)),
        "members": draw(st.lists(st.sampled_from(["pool/0.npy", "arrays/1.npy"]), max_size=2, unique=True)),
        "arrays": draw(st.lists(array_runs, max_size=1)),
        "runs": runs,
        "root": draw(values),
    }


@settings(FEW, max_examples=150)
@given(document=documents())
def test_tables_of_a_schema(document: dict[str, Any]) -> None:
    schema(json.dumps(document).encode())


names_of_members = st.sampled_from([b"schema.json", b"pool/0.npy", b"arrays/1.npy", b"\xc3\xa9", b""])
members = st.builds(
    Member,
    names_of_members,
    st.binary(max_size=40) | documents().map(lambda document: json.dumps(document).encode()),
    st.sampled_from((STORED, DEFLATED, BZIP2, LZMA, ZSTANDARD)),
    st.binary(max_size=6),
)


@FEW
@given(found=st.lists(members, max_size=3))
def test_members_of_a_zip(found: list[Member]) -> None:
    container(craft(*map(crafted, found)))


@FEW
@given(
    number=st.integers(0, 3),
    content=st.binary(max_size=300),
    pieces=st.integers(0, 7),
    off=st.sampled_from((0, 0, 1, -1)),
    tail=st.sampled_from((b"", b"", b"x")),
)
def test_packed_content(number: int, content: bytes, pieces: int, off: int, tail: bytes) -> None:
    """What was packed comes out again, unless its size is another one or bytes follow."""
    reached.clear()
    size = max(len(content) + off, 0)
    decompression(RECIPE.pack(number, 2, pieces, size) + packed(METHODS[number], content) + tail)
    whole = size == len(content) and not tail
    assert bool(reached[f"method {METHODS[number]} comes to its end"]) == whole


descrs = st.recursive(
    st.sampled_from(["<f8", "|u1", "|b1", "<U2", "|S0", "<M8[s]", "|O", "f4", "x", "", "(2,)f8", "f8,i4"]),
    lambda inner: st.lists(
        st.tuples(st.text(max_size=2) | st.tuples(st.text(max_size=1), st.text(max_size=1)), inner)
        | st.tuples(st.text(max_size=2), inner, st.lists(st.integers(-1, 3), max_size=2).map(tuple)),
        max_size=3,
    ),
    max_leaves=4,
)


@settings(FEW, max_examples=150)
@given(
    descr=descrs,
    order=st.booleans(),
    shape=st.lists(st.integers(-1, 4), max_size=3).map(tuple),
    wide=st.booleans(),
)
def test_headers_of_arrays(descr: Any, order: bool, shape: tuple[int, ...], wide: bool) -> None:
    text = f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape!r}, }}\n".encode(
        "latin1", "replace"
    )
    npy_header(
        b"\x93NUMPY" + (b"\2\0" if wide else b"\1\0") + struct.pack("<I" if wide else "<H", len(text)) + text
    )
    npy_header(json.dumps(descr).encode())


@settings(FEW, max_examples=200)
@given(codes=st.lists(st.sampled_from(WORDS["pickles"]), max_size=20))
def test_opcodes(codes: list[bytes]) -> None:
    verdicts(b"\x80\4" + b"".join(codes) + b".")


ubjsons = st.recursive(
    st.booleans()
    | st.binary(max_size=3)
    | st.builds(Alone, st.sampled_from([b"i", b"I", b"l", b"L"]), st.integers(-100, 100))
    | st.builds(
        Typed, st.sampled_from([b"i", b"U", b"l", b"L", b"d"]), st.lists(st.integers(0, 9), max_size=3)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.binary(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@FEW
@given(document=st.dictionaries(st.binary(max_size=3), ubjsons, max_size=3))
def test_documents_of_xgboost(document: dict[bytes, Any]) -> None:
    """What is written in order is read, and as the same."""
    reached.clear()
    xgboost(write(document))
    assert reached["document"] == 1


@FEW
@given(lines=st.lists(st.sampled_from(WORDS["lightgbm"]), max_size=20))
def test_lines_of_lightgbm(lines: list[bytes]) -> None:
    lightgbm(b"tree\nversion=v4\n" + b"".join(lines))


@FEW
@given(text=st.text(st.sampled_from("aB_.:*\u00e9\u00b2 \x1b"), max_size=12) | st.text(max_size=12))
def test_names(text: str) -> None:
    name(text.encode("utf-8", "surrogatepass"))
    policy(f"trusted = [{json.dumps(text)}]".encode("utf-8", "surrogatepass"))
