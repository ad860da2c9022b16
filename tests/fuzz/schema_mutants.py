"""Mutants of a schema that most often are schemas again: their tables still refer to each other."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from tests.fuzz.noise import ATOMS, INTEGERS, bytes_mutant, json_mutant
from tests.fuzz.words import ARRAY_RUNS, ATTRIBUTES, DTYPES, SCHEMA_PARTS, TYPES, WORDS

Schema = dict[str, Any]
_MOST_ROWS = 100
_TABLES = ("types", "shapes", "runs", "arrays", "dtypes", "members")


def schema_mutant(data: bytes, rng: random.Random) -> bytes:
    """Change a schema in its own terms, or values anywhere in it, or bytes."""
    try:
        schema = json.loads(data)
        is_whole = isinstance(schema, dict) and all(isinstance(schema.get(key), list) for key in _TABLES)
    except (ValueError, RecursionError):
        schema, is_whole = None, False
    how = rng.random()
    if not isinstance(schema, dict | list) or how < 0.05:
        return bytes_mutant(data, rng, WORDS["schema"])
    if not is_whole or how < 0.2:
        return _text(json_mutant(schema, rng, SCHEMA_PARTS))
    for _ in range(rng.choice((1, 1, 2, 3))):
        try:
            rng.choice(_CHANGES)(schema, rng)
        except (TypeError, KeyError, IndexError, ValueError, AttributeError):
            schema = json_mutant(schema, rng, SCHEMA_PARTS)  # it was no schema that much
            break
    return _text(schema)


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _nodes(schema: Schema) -> int:
    return sum(run[1] for run in schema["runs"])


def _value(schema: Schema, rng: random.Random) -> Any:
    """Return a scalar or a reference to a node."""
    if rng.randrange(2):
        return [rng.randrange(max(_nodes(schema), 1))]
    return rng.choice((*ATOMS[:12], *INTEGERS[:6], "memory", "a"))


def _column(schema: Schema, count: int, rng: random.Random) -> Any:
    """Return the values of an attribute in `count` rows."""
    nodes = max(_nodes(schema) - 1, 1)
    count = min(count, _MOST_ROWS)  # which a mutant may have made any number
    return rng.choice(
        (
            _value(schema, rng) if rng.randrange(2) else rng.choice(ATOMS[:12]),
            [_value(schema, rng) for _ in range(count)],
            {"ref": rng.randrange(nodes)},
            {"ref": rng.randrange(nodes), "step": 1},
            {"refs": [rng.randrange(nodes) for _ in range(count)]},
            {"first": rng.choice((0, 1, 2**53 - 1))},
            {"floats": rng.choice((0, 1, 5))},
        )
    )


def _add_run(schema: Schema, rng: random.Random) -> None:
    """Add nodes of one of the shapes, and perhaps make them the root."""
    shape = rng.randrange(len(schema["shapes"]))
    form = schema["shapes"][shape][1]
    count = rng.choice((1, 1, 2, 3, 40))
    if form is None:
        columns = [_row(schema, rng) for _ in range(count)]
    else:
        width = form if isinstance(form, int) else len(form)
        columns = [_column(schema, count, rng) for _ in range(min(width, 30))]
    if rng.randrange(3):
        schema["runs"].append([shape, count, columns])
        schema["root"] = [_nodes(schema) - 1]
    else:
        schema["runs"].insert(rng.randrange(len(schema["runs"]) + 1), [shape, count, columns])


def _row(schema: Schema, rng: random.Random) -> Any:
    length = rng.choice((0, 1, 2, 4, 40))
    if rng.randrange(3):
        return [_value(schema, rng) for _ in range(length)]
    parts = [_column(schema, length, rng) for _ in range(rng.choice((1, 2)))]
    return {"columns": [part if isinstance(part, list | dict) else [part] for part in parts], "count": length}


def _add_type(schema: Schema, rng: random.Random) -> None:
    schema["types"].append(list(rng.choice(TYPES)))
    form = rng.choice((None, None, 1, 2, [], [rng.choice(ATTRIBUTES)], rng.sample(ATTRIBUTES, 2)))
    schema["shapes"].append([len(schema["types"]) - 1, [] if schema["types"][-1][1] == "value" else form])
    _add_run(schema, rng)


def _rename(schema: Schema, rng: random.Random) -> None:
    schema["types"][rng.randrange(len(schema["types"]))] = list(rng.choice(TYPES))


def _rename_attribute(schema: Schema, rng: random.Random) -> None:
    names = rng.choice([shape[1] for shape in schema["shapes"] if isinstance(shape[1], list) and shape[1]])
    names[rng.randrange(len(names))] = rng.choice(ATTRIBUTES)


def _put_value(schema: Schema, rng: random.Random) -> None:
    """Put another value or column at a place of the nodes."""
    run = rng.choice([run for run in schema["runs"] if run[2]])
    place = rng.randrange(len(run[2]))
    if schema["shapes"][run[0]][1] is not None:
        run[2][place] = _column(schema, run[1], rng)
    elif isinstance(run[2][place], list) and run[2][place] and rng.randrange(2):
        run[2][place][rng.randrange(len(run[2][place]))] = _value(schema, rng)
    else:
        run[2][place] = _row(schema, rng)


def _put_root(schema: Schema, rng: random.Random) -> None:
    schema["root"] = _value(schema, rng)


def _arrays(schema: Schema, rng: random.Random) -> None:
    """Change a dtype or a run of arrays."""
    if rng.randrange(2):
        schema["dtypes"] = json_mutant(schema["dtypes"], rng, DTYPES)
    else:
        schema["arrays"] = json_mutant(schema["arrays"], rng, ARRAY_RUNS)


def _table(schema: Schema, rng: random.Random) -> None:
    """Change any value of one table."""
    field = rng.choice(("types", "shapes", "runs", "runs"))
    schema[field] = json_mutant(schema[field], rng, SCHEMA_PARTS)


def _move(schema: Schema, rng: random.Random) -> None:
    rng.shuffle(schema[rng.choice(("runs", "shapes", "types"))])


_CHANGES: tuple[Callable[[Schema, random.Random], None], ...] = (
    _add_run,
    _add_run,
    _add_type,
    _add_type,
    _rename,
    _rename_attribute,
    _put_value,
    _put_value,
    _put_root,
    _arrays,
    _table,
    _move,
)
