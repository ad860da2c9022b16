"""Whatever stands in the records of a pickle of pandas or pyarrow: a file, or an error that says where."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

from skopsafe import api
from skopsafe.conversion.objects import Maker
from skopsafe.conversion.stands import StandTaker
from skopsafe.converting import RULES
from skopsafe.errors import SkopsafeError
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.reading import Memory
from skopsafe.foreign.pickles.values import ByteArray, Call, Dict, List, is_record
from skopsafe.handlers.registry import default
from skopsafe.save import Saver
from tests.foreign.pickles.walking import walk
from tests.handlers.pandas_values import columns, frames, indexes, scalars
from tests.handlers.test_arrow import ARRAYS

ODD: list[Any] = [None, 0, -1, 1, 2**31, 2**63, 2**40, 1.5, float("nan"), "", "x", "<M8[ns]", b"", (), (1,)]
SUBJECTS = [*frames().values(), *indexes().values(), *columns().values(), scalars(), *ARRAYS.values()]
ROUNDS = 150


class Mutator:
    """Changes records in place.

    Parameters
    ----------
    root : Value
        What the records are found from.
    rng : random.Random
        Decides.
    """

    def __init__(self, root: Any, rng: random.Random) -> None:
        self.records = [value for value in walk(root) if is_record(value)]
        self.rng = rng

    def change(self) -> None:
        """Change one record."""
        rng, found = self.rng, self.rng.choice(self.records)
        if isinstance(found, Call):
            state = found.states[-1] if found.states else None
            if state is not None and rng.random() < 0.5:
                found.states[-1] = self._tuple(state) if isinstance(state, tuple) else self._other()
            elif isinstance(found.args, tuple) and rng.random() < 0.9:
                found.args = self._tuple(found.args)
            else:
                rng.choice([found.states, found.items]).append(self._other())
        elif isinstance(found, List):
            found.items = list(self._tuple(tuple(found.items)))
        elif isinstance(found, Dict) and found.pairs:
            place = rng.randrange(len(found.pairs))
            found.pairs[place] = (found.pairs[place][0], self._other())
        elif isinstance(found, ByteArray):
            found.content = rng.randbytes(len(found.content) + rng.choice([-1, 0, 0, 1]) or 1)

    def _other(self) -> Any:
        rng = self.rng
        record = rng.choice(self.records)
        return rng.choice([rng.choice(ODD), record, List([record], 0), Dict([("a", record)], 0)])

    def _tuple(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        rng, found = self.rng, list(items)
        if not found or rng.random() < 0.1:
            return (*found, self._other())
        place = rng.randrange(len(found))
        if isinstance(found[place], tuple) and rng.random() < 0.8:
            found[place] = self._tuple(found[place])
        elif type(found[place]) is int and rng.random() < 0.7:
            found[place] += rng.choice([-1, 1, 7, 2**33])
        else:
            found[place] = self._other()
        return tuple(found)


@pytest.mark.parametrize("seed", range(8))
def test_a_changed_record_gives_a_file_or_an_error(seed: int) -> None:
    rng, registry, made = random.Random(seed), default(), 0
    for _ in range(ROUNDS):
        source = Memory(pickle.dumps(rng.choice(SUBJECTS), rng.choice([2, 5])))
        root = Machine(source).run().root
        mutator = Mutator(root, rng)
        for _ in range(rng.choice([1, 1, 2, 3])):
            mutator.change()
        try:
            obj = Maker(source, RULES, registry, api._tables()).make(root)
            Saver(registry, StandTaker).save(obj)
            made += 1
        except SkopsafeError:
            pass
    assert 0 < made < ROUNDS
