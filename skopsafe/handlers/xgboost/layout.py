"""How a tree is written: its members in their order, what stands between them, and how long it is."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Octets = bytes | bytearray

_SCALAR = {
    "base_weights": "d",
    "categories": "l",
    "categories_nodes": "l",
    "categories_segments": "L",
    "categories_sizes": "L",
    "default_left": "U",
    "id": "",
    "left_children": "l",
    "loss_changes": "d",
    "parents": "l",
    "right_children": "l",
    "split_conditions": "d",
    "split_indices": "l",
    "split_type": "U",
    "sum_hessian": "d",
}
_STATISTICS = ("loss_changes", "sum_hessian")

FORMS = (
    _SCALAR,
    dict(sorted({**_SCALAR, "leaf_weights": "d"}.items())),  # vectors in the leaves, since 3.2
    {name: kind for name, kind in _SCALAR.items() if name not in _STATISTICS},  # the same, before 3.2
)
"""Names of the members of a tree in the order of the file, and the types of the arrays."""

SIZES = {"d": 4, "l": 4, "L": 8, "U": 1}
TEXTS = ("num_deleted", "num_feature", "num_nodes", "size_leaf_vector")
"""Numbers behind the arrays, which are texts."""


def _key(name: str) -> bytes:
    return b"L" + struct.pack(">q", len(name)) + name.encode()


START = b"{" + _key("base_weights") + b"[$d#L"
END = _key("tree_param") + b"{"
BEFORE = 40
"""At least the bytes of a head."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the trees of one form are written.

    Attributes
    ----------
    kinds : dict of str to str
        As `FORMS` has it.
    heads : dict of str to bytes
        What stands before each length, before the id, and where there are neither.
    own : tuple of str
        The members up to the last one with a length of its own.
    rest : tuple of str
        The arrays behind them, which have an item for each node.
    steps, widths : ndarray of shape (n_rest + 1, 1)
        How far behind `own` the lengths of `rest`, and then their end, stand: bytes, and bytes for each node.
    least, each : int
        The bytes that the arrays take at least, and besides for each weight.
    expected, mask : ndarray of uint64
        For each head, `BEFORE` bytes that end with it and a length; and which of their bits are known.
    """

    kinds: dict[str, str]
    heads: dict[str, bytes]
    own: tuple[str, ...]
    rest: tuple[str, ...]
    steps: Array
    widths: Array
    least: int
    each: int
    expected: Array
    mask: Array


def _layout(kinds: dict[str, str]) -> Layout:
    arrays = {name: _key(name) + (f"[${kind}#L".encode() if kind else b"") for name, kind in kinds.items()}
    arrays["base_weights"] = START
    heads = {**arrays, "tree_param": END, **{name: _key(name) + b"SL" for name in TEXTS}, "end": b"}}"}
    names = tuple(kinds)
    at = names.index("left_children")
    own, rest = names[:at], names[at:]
    per_node = [name for name in names if kinds[name] and "categories" not in name]
    known = [b"\xff" * len(head) for head in heads.values()]
    # A text has less than 256 bytes.
    lengths = [b"\xff" * 7 * (name in TEXTS) for name in heads]
    return Layout(
        kinds,
        heads,
        own,
        rest,
        np.cumsum([*(len(arrays[name]) for name in rest), 0])[:, None]
        + 8 * np.arange(len(rest) + 1)[:, None],
        np.cumsum([0, *(SIZES[kinds[name]] for name in rest)])[:, None],
        sum(map(len, arrays.values())) + 8 * len(arrays) - 6,  # of an id, two bytes
        # Weights are vectors in some forms.
        sum(SIZES[kinds[name]] for name in per_node) if kinds == _SCALAR else SIZES["d"],
        np.frombuffer(b"".join(head.rjust(BEFORE, b"\0") + bytes(8) for head in heads.values()), np.uint64),
        np.frombuffer(
            b"".join(a.rjust(BEFORE, b"\0") + b.ljust(8, b"\0") for a, b in zip(known, lengths, strict=True)),
            np.uint64,
        ),
    )


LAYOUTS = tuple(map(_layout, FORMS))


def form_of(data: Octets, at: int) -> int:
    """Return which of `FORMS` the tree that starts at a place has, by the members it has."""
    stop = data.find(END, at)
    if data.find(LAYOUTS[1].heads["leaf_weights"], at, stop) >= 0:
        return 1
    return 0 if data.find(LAYOUTS[0].heads["loss_changes"], at, stop) >= 0 else 2
