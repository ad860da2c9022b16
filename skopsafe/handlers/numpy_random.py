"""numpy.random: bit generators, the generators on top of them, and seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import array, integer, require

Names = tuple[str, ...] | None

_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_ENTROPY = 2**16
"""Bits of a seed; it is split into words in quadratic time."""
_STEPS = 1024
"""Making a generator out of a state costs as much as making so many values."""


def _get_bit_generator(obj: Any) -> Parts:
    sequence = getattr(obj, "seed_seq", None)
    state = obj.state
    return Parts(("name", "state", "seed_seq"), [state["bit_generator"], state, sequence])


def _load_bit_generator(_: Names, values: list[Any], __: Context) -> Any:
    from numpy import random

    require(len(values) == 3, "unknown form", "BitGenerator")
    name, state, sequence = values
    require(name in _BIT_GENERATORS, "not a bit generator of numpy", "BitGenerator")
    require(
        isinstance(state, dict) and state.get("bit_generator") == name,
        "malformed state",
        "BitGenerator.state",
    )
    require(
        sequence is None or type(sequence) is random.SeedSequence,
        "malformed seed_seq",
        "BitGenerator.seed_seq",
    )
    _check_state(name, state)
    out = getattr(random, name)(sequence if sequence is not None else 0)
    out.state = state
    return out


def _check_state(name: str, state: dict[str, Any]) -> None:
    where = f"{name}.state"
    inner = state.get("state")
    require(isinstance(inner, dict), "malformed", where)
    assert isinstance(inner, dict)
    if name == "MT19937":
        key = array(inner.get("key"), f"{where}.key", shape=(624,))
        require(key.dtype == np.uint32, "not uint32", f"{where}.key")
        # The compiled generator reads key[pos]: 624 means that the block is used up.
        integer(inner.get("pos"), f"{where}.pos", 0, 624)
    elif name in ("PCG64", "PCG64DXSM"):
        for field in ("state", "inc"):
            integer(inner.get(field), f"{where}.{field}", 0, 2**128 - 1)
    else:
        expected = {"Philox": {"counter": 4, "key": 2}, "SFC64": {"state": 4}}[name]
        for field, size in expected.items():
            words = array(inner.get(field), f"{where}.{field}", shape=(size,))
            require(words.dtype == np.uint64, "not uint64", f"{where}.{field}")
        if name == "Philox":
            buffer = array(state.get("buffer"), f"{where}.buffer", shape=(4,))
            require(buffer.dtype == np.uint64, "not uint64", f"{where}.buffer")
            integer(state.get("buffer_pos"), f"{where}.buffer_pos", 0, 4)
    if name != "MT19937":
        integer(state.get("has_uint32"), f"{where}.has_uint32", 0, 1)
        integer(state.get("uinteger"), f"{where}.uinteger", 0, 2**32 - 1)


def _get_random_state(obj: Any) -> Parts:
    # The seed sequence is left out: RandomState never uses it, and it is not that of the seed.
    state = obj.get_state(legacy=False)
    return Parts(
        ("state", "has_gauss", "gauss"), [obj._bit_generator.state, state["has_gauss"], state["gauss"]]
    )


def _load_random_state(_: Names, values: list[Any], context: Context) -> Any:
    from numpy.random import RandomState

    require(len(values) == 3, "unknown form", "RandomState")
    state, has_gauss, gauss = values
    require(isinstance(state, dict), "malformed state", "RandomState.state")
    if not context.account.is_new("state", state):
        context.account.spend(_STEPS, "RandomState.state")
    out = RandomState(_load_bit_generator(None, [state.get("bit_generator"), state, None], context))
    full = out.get_state(legacy=False)
    full["has_gauss"] = integer(has_gauss, "RandomState.has_gauss", 0, 1)
    require(type(gauss) is float, "not a float", "RandomState.gauss")
    full["gauss"] = gauss
    out.set_state(full)
    return out


def _load_generator(_: Names, values: list[Any], __: Context) -> Any:
    from numpy.random import BitGenerator, Generator

    require(len(values) == 1 and isinstance(values[0], BitGenerator), "no bit generator", "Generator")
    return Generator(values[0])


def _get_seed(obj: Any) -> Parts:
    return Parts(
        ("entropy", "spawn_key", "pool_size", "children"),
        [obj.entropy, obj.spawn_key, obj.pool_size, obj.n_children_spawned],
    )


def _load_seed(_: Names, values: list[Any], context: Context) -> Any:
    from numpy.random import SeedSequence

    require(len(values) == 4, "unknown form", "SeedSequence")
    entropy, key, size, children = values
    integer(size, "SeedSequence.pool_size", 4, 4096)
    require(isinstance(key, tuple), "not a tuple", "SeedSequence.spawn_key")
    if isinstance(entropy, (list, np.ndarray)):
        entropy = entropy.copy()  # what has been checked is what is kept
    words = [entropy] if not isinstance(entropy, (list, tuple, np.ndarray)) else list(entropy)
    bits = 0
    for word in (*words, *key):
        if word is not None:
            genuine = isinstance(word, (int, np.integer)) and word >= 0
            require(genuine, "not a natural number", "SeedSequence.entropy")
            bits += 32 + int(word).bit_length()
    require(bits <= _ENTROPY, "too long a seed", "SeedSequence.entropy")
    context.account.spend((bits // 64) ** 2 // 2 + size**2 // 64, "SeedSequence")
    return SeedSequence(
        entropy,
        spawn_key=key,
        pool_size=size,
        n_children_spawned=integer(children, "SeedSequence", 0, 2**32 - 1),
    )


HANDLERS = (
    Handler("numpy.random:BitGenerator", _get_bit_generator, _load_bit_generator),
    Handler("numpy.random:RandomState", _get_random_state, _load_random_state),
    Handler("numpy.random:Generator", lambda o: Parts(None, [o.bit_generator]), _load_generator),
    Handler("numpy.random:SeedSequence", _get_seed, _load_seed),
)
