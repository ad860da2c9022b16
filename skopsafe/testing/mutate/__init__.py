"""Changes a file at each of its layers, by a random generator, so that the same number makes the same change.

A layer is what a reader gets through before it meets the change:

- ``raw``: bytes of the file as it stands; almost all end at the zip or at a CRC;
- ``zip``: fields of the records of the zip, members that are missing, twice, compressed;
- ``json``: the text of the schema: keys twice, numbers without end, deep nesting, broken texts;
- ``names``: types, roles, shapes and names of attributes;
- ``nodes``: values, references, counts of the nodes;
- ``headers``: dtypes, shapes and orders of arrays, in the schema and in the ``.npy`` headers;
- ``values``: items of arrays by their dtype: out of range, NaN, shuffled;
- ``swaps``: members and arrays of other files, or of another place in the same one;
- ``grafts``: parts of another object, put into this one before it is saved;
- ``blob``: a part that another parser reads, changed by the family's own ``mutate``.

All but the first two keep the zip whole and its checksums right, so that a change reaches the reader that it
is meant for.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import skopsafe
from skopsafe.testing.crafted import forged, members_of, schema_of, zipped
from skopsafe.testing.mutate import arrays, grafts, nodes, records, texts


@dataclass(frozen=True, slots=True)
class Subject:
    """What mutants are made of.

    Attributes
    ----------
    model : object
        The object itself.
    data : bytes
        Its file.
    donors : tuple of Subject
        Others, for swaps; they have no donors themselves.
    blob : tuple of str or None
        Name of a handled type and of its part that the family's own `mutate` changes.
    mutate : callable or None
        ``mutate(blob, rng)``.
    """

    model: Any
    data: bytes
    donors: tuple[Subject, ...] = ()
    blob: tuple[str, str] | None = None
    mutate: Callable[[bytes, random.Random], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed file, and the layer at which it was changed."""

    layer: str
    data: bytes


def mutant(subject: Subject, rng: random.Random) -> Mutant:
    """Return the file of `subject` with a change or two at one layer."""
    if subject.mutate is not None and rng.random() < 0.7:
        return Mutant("blob", _blob(subject, rng))
    layer = rng.choices(tuple(_LAYERS), [weight for weight, _ in _LAYERS.values()])[0]
    return Mutant(layer, _LAYERS[layer][1](subject, rng))


def _blob(subject: Subject, rng: random.Random) -> bytes:
    import numpy as np

    assert subject.blob is not None
    assert subject.mutate is not None
    type_name, part = subject.blob
    mutate = subject.mutate

    def change(blob: Any) -> Any:
        changed = mutate(bytes(blob), rng)
        return changed if isinstance(blob, bytes) else np.frombuffer(changed, np.uint8)

    return forged(subject.model, type_name, **{part: change})


def _raw(subject: Subject, rng: random.Random) -> bytes:
    return records.raw(subject.data, [donor.data for donor in subject.donors], rng)


def _zip(subject: Subject, rng: random.Random) -> bytes:
    return records.changed(subject.data, rng)


def _json(subject: Subject, rng: random.Random) -> bytes:
    return zipped(texts.changed(schema_of(subject.data), rng), members_of(subject.data))


def _names(subject: Subject, rng: random.Random) -> bytes:
    schema = schema_of(subject.data)
    known = [row for donor in subject.donors for row in schema_of(donor.data)["types"]]
    for _ in range(rng.choice((1, 1, 2))):
        nodes.change_name(schema, known, rng)
    return zipped(schema, members_of(subject.data))


def _nodes(subject: Subject, rng: random.Random) -> bytes:
    schema = schema_of(subject.data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        nodes.change_value(schema, rng)
    return zipped(schema, members_of(subject.data))


def _headers(subject: Subject, rng: random.Random) -> bytes:
    schema, members = schema_of(subject.data), members_of(subject.data)
    if not schema["arrays"]:
        return _nodes(subject, rng)
    arrays.change_header(schema, members, rng)
    return zipped(schema, members)


def _values(subject: Subject, rng: random.Random) -> bytes:
    schema, members = schema_of(subject.data), members_of(subject.data)
    found = [place for place in arrays.places(schema, members) if place.size]
    if not found:
        return _nodes(subject, rng)
    for _ in range(rng.choice((1, 1, 2))):
        arrays.change_items(members, rng.choice(found), rng)
    return zipped(schema, members)


def _swaps(subject: Subject, rng: random.Random) -> bytes:
    schema, members = schema_of(subject.data), members_of(subject.data)
    others = [(schema_of(donor.data), members_of(donor.data)) for donor in subject.donors]
    if not members:
        return _nodes(subject, rng)
    arrays.swap(schema, members, [*others, (schema, dict(members))], rng)
    return zipped(schema, members)


def _grafts(subject: Subject, rng: random.Random) -> bytes:
    donors = [donor.model for donor in subject.donors]
    # What cannot be saved is no file: another place, another part.
    for _ in range(5):
        found = grafts.grafted(subject.model, subject.data, donors, rng)
        if found is not None:
            return found
    return _nodes(subject, rng)


_LAYERS: dict[str, tuple[int, Callable[[Subject, random.Random], bytes]]] = {
    "raw": (4, _raw),
    "zip": (6, _zip),
    "json": (5, _json),
    "names": (10, _names),
    "nodes": (20, _nodes),
    "headers": (10, _headers),
    "values": (25, _values),
    "swaps": (8, _swaps),
    "grafts": (12, _grafts),
}
"""Each layer with its weight."""

LAYERS = (*_LAYERS, "blob")
"""Names of all layers."""


def subject_of(model: Any, family: Any = None, donors: tuple[Subject, ...] = ()) -> Subject:
    """Save a model of a family, to make mutants of it."""
    mutate = getattr(family, "mutate", None)
    blob = getattr(family, "BLOB", None)
    if callable(blob):
        blob = blob(model)
    return Subject(model, skopsafe.dumps(model), donors, blob, mutate)
