"""Object to Document: a loop over an explicit stack, so that depth costs memory and nothing else.

Objects of one type that stand side by side, such as the trees of a forest, are taken apart together: what
would be a step of Python for each of them is one step for all. Where such objects lead to each other, their
order would not be that of children first; then the graph is walked once more, one object at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from skopsafe import names
from skopsafe.archive.arrays import Collector
from skopsafe.errors import SkopsafeError, UnsupportedTypeError
from skopsafe.frames import Frame, path_of
from skopsafe.graph.document import CLASS, MOST_TYPES, WIDEST, Run, Shape, TypeRow, Value
from skopsafe.graph.parts import Columns, Parts
from skopsafe.graph.runs import Arranger, Cells, Group, Refs
from skopsafe.graph.scalars import is_scalar
from skopsafe.handlers.depth import DEEPEST, NAMES
from skopsafe.handlers.registry import Registry
from skopsafe.taking import Taker

_FEW = 4
"""Objects of one type that are worth taking apart together."""

_OPEN, _FIXED, _TOGETHER = -1, -2, -3
"""Heights of nodes on their way: one that a cycle may lead to, one that none may, one of several at once."""


class _Entangled(Exception):
    """Objects that were taken apart together lead to each other."""


class Saver:
    """Writes one object graph into flat tables.

    Attributes
    ----------
    types, shapes, runs, arrays
        The tables of the Document; `runs` and `arrays` are there when `save` has returned.
    """

    def __init__(
        self, registry: Registry, taker: type[Taker] = Taker, arrays: Collector | None = None
    ) -> None:
        self._registry = registry
        self._taker_class = taker
        self.arrays = Collector() if arrays is None else arrays
        self.runs: list[Run] = []
        self._start(together=True)

    def _start(self, *, together: bool) -> None:
        self.types: list[TypeRow] = []
        self.shapes: list[Shape] = []
        self._together = together
        self._taker = self._taker_class(self._registry)
        self._groups: list[Group] = []
        self._heights: list[int] = []
        self._chains: list[int] = []
        self._numbers: dict[int, int] = {}
        self._loose: list[list[int]] = []
        self._alive: list[list[Any]] = []
        self._stack: list[Frame] = []
        self._rows: dict[tuple[str, str], int] = {}
        self._shape_numbers: dict[Any, int] = {}

    def save(self, root: Any) -> Value:
        """Write `root` and all that it leads to; return the value that stands for it.

        Raises
        ------
        UnsupportedTypeError
            Something in the graph could not be loaded again; the error has the path to it.
        """
        if is_scalar(root):
            return root  # type: ignore[no-any-return]
        try:
            self._walk(root)
        except MemoryError:
            raise
        except Exception:  # one object at a time, there may be an order, and an error has a path
            self._start(together=False)
            self._walk_alone(root)
        arranger = Arranger(self._groups, self._loose, self.arrays.add_all)
        self.runs = arranger.runs()
        return [arranger.final[self._numbers[id(root)]]]

    def _walk_alone(self, root: Any) -> None:
        try:
            self._walk(root)
        except MemoryError:
            raise
        except SkopsafeError as error:
            if error.path or not isinstance(error, UnsupportedTypeError):
                raise
            raise self._unsupported(error.reason, error.next_step) from error
        except Exception as error:  # whatever a getter, or a method of the object itself, raises
            raise self._unsupported(f"cannot be saved: {error}") from error

    def _walk(self, root: Any) -> None:
        self._open([root])
        stack = self._stack
        while stack:
            frame = stack[-1]
            if frame.batches is None:
                frame.batches = self._unknown(frame)
            batch = next(frame.batches, None)
            if batch is None:
                self._close(frame)
                stack.pop()
            else:
                self._open(batch)

    def _unknown(self, frame: Frame) -> Iterator[list[Any]]:
        """Find the objects in a frame that have no node yet, as lists of those to take apart together."""
        known = self._numbers
        for turn, (cells, places) in enumerate(zip(frame.cells, frame.objects, strict=True)):
            frame.turn = turn
            if len(places) < _FEW or not self._together:
                for place in places:
                    if id(cells[place]) not in known:
                        frame.place = place
                        yield [cells[place]]
                continue
            by_type: defaultdict[type, list[Any]] = defaultdict(list)
            found = cells if len(places) == len(cells) else [cells[place] for place in places]
            kinds = set(map(type, found))
            if len(kinds) == 1:
                by_type[kinds.pop()] = found
            else:
                for obj in found:
                    by_type[type(obj)].append(obj)
            for same in by_type.values():
                once = dict(zip(map(id, same), same, strict=True))
                is_new = known.keys().isdisjoint(once)
                fresh = list(once.values()) if is_new else [once[key] for key in once if key not in known]
                if len(fresh) >= _FEW:
                    yield fresh
                else:
                    for obj in fresh:
                        if id(obj) not in known:
                            yield [obj]

    def _open(self, objs: list[Any]) -> None:
        """Give new objects of one type their numbers, and go on with what they consist of."""
        first, count = len(self._heights), len(objs)
        numbers = range(first, first + count)
        self._numbers.update(zip(map(id, objs), numbers, strict=True))
        self._alive.append(objs)
        self._chains += [0] * count
        if count > 1:
            self._heights += [_TOGETHER] * count
            self._open_together(objs, numbers)
            return
        self._heights.append(_OPEN)
        parts, name, can_close = self._taker.take(objs[0])
        if not can_close:
            self._heights[first] = _FIXED
        labels, values = parts.attributes, list(parts.values)
        shape = self._shape(name, parts.role, labels)
        lengths = [len(values)] if labels is None else None
        if parts.keys is None:
            self._push(Frame(numbers, shape, [values], labels, lengths))
        else:
            keys = list(parts.keys)
            self._push(Frame(numbers, shape, [keys, values], None, lengths, keys))

    def _open_together(self, objs: list[Any], numbers: range) -> None:
        taken = self._taker.take_together(objs)
        if isinstance(taken, Columns):
            name = self._taker.name_of(type(objs[0]))
            if taken.lengths is None:
                self._push_columns(name, CLASS, taken.attributes, numbers, list(taken.columns))
            else:
                shape = self._shape(name, CLASS, None)
                self._push(Frame(numbers, shape, list(taken.columns), None, taken.lengths))
            return
        by_shape: dict[tuple[Any, ...], list[int]] = {}
        for place, (parts, name, _) in enumerate(taken):
            by_shape.setdefault((name, parts.role, parts.attributes), []).append(place)
        for (name, role, attributes), places in reversed(by_shape.items()):
            some = numbers if len(by_shape) == 1 else [numbers[place] for place in places]
            rows = [_row(taken[place][0]) for place in places]
            lengths = list(map(len, rows))
            values = list(chain.from_iterable(rows))
            width = lengths[0]
            if attributes is None and (lengths.count(width) != len(lengths) or not 0 < width <= WIDEST):
                self._push(Frame(some, self._shape(name, role, None), [values], None, lengths))
            else:
                columns = [values[place::width] for place in range(width)]
                self._push_columns(name, role, attributes, some, columns)

    def _push_columns(
        self,
        name: str,
        role: str,
        attributes: tuple[str, ...] | None,
        numbers: Sequence[int],
        columns: list[list[Any]],
    ) -> None:
        shape = self._shape(name, role, len(columns) if attributes is None else attributes)
        self._push(Frame(numbers, shape, columns))

    def _push(self, frame: Frame) -> None:
        if any(frame.objects):
            self._stack.append(frame)
        else:
            self._close(frame)

    def _close(self, frame: Frame) -> None:
        """Make a group of a frame whose children all have nodes."""
        below: list[int] = []
        cells = [self._refer(*pair, below) for pair in zip(frame.cells, frame.objects, strict=True)]
        height = self._height(frame, below)
        numbers, name = frame.numbers, self.types[self.shapes[frame.shape].type].name
        if name in NAMES or name == "builtins:list":
            _set(self._chains, numbers, self._chain(name, below))
        _set(self._heights, numbers, height)
        columns: list[Cells] = []
        rows: list[list[Cells]] = []
        if frame.labels is not None:
            columns = [[value] for value in self._listed(cells[0])]
        elif frame.lengths is None:
            columns = cells
        elif len(frame.lengths) == 1:
            rows = [cells]
        else:
            values = iter(self._listed(cells[0]))
            rows = [[list(islice(values, length))] for length in frame.lengths]
        self._groups.append(Group(height, frame.shape, numbers, columns, rows))

    def _refer(self, values: list[Any], places: Sequence[int], below: list[int]) -> Cells:
        """Put references in the place of objects; add the numbers of their nodes to those below."""
        if not places:
            return values
        known = self._numbers
        if len(places) == len(values):
            numbers = [known[key] for key in map(id, values)]
            below += numbers
            return Refs(numbers)
        for place in places:
            number = known[id(values[place])]
            below.append(number)
            values[place] = ref = [number]
            self._loose.append(ref)
        return values

    def _listed(self, cells: Cells) -> list[Any]:
        """Return values in which references stand among others."""
        if not isinstance(cells, Refs):
            return cells
        refs = [[number] for number in cells.numbers]
        self._loose += refs
        return refs

    def _height(self, frame: Frame, below: list[int]) -> int:
        """Return the height of nodes that refer to those below."""
        if not below:
            return 0
        heights = list(map(self._heights.__getitem__, below))
        if min(heights) < _OPEN:
            if _TOGETHER in heights:
                raise _Entangled
            number = below[heights.index(_FIXED)]
            obj = next(islice(chain.from_iterable(self._alive), number, None))
            frame.place = next(
                p for p, value in enumerate(frame.cells[-1]) if value is obj or value == [number]
            )
            raise self._unsupported(
                f"a {type(obj).__name__} that contains itself cannot be loaded again",
                "Only lists, dicts, sets and instances can be part of a cycle.",
            )
        return max(heights) + 1

    def _chain(self, name: str, below: list[int]) -> int:
        """Return how many objects hang below each other where Python recurses, and refuse too many.

        An array of objects has its items in a list of its own: a list passes on what its parents need, as a
        negative number, for it ends a chain for all others.
        """
        lengths = [self._chains[number] for number in below]
        if name == "builtins:list":
            return -max(lengths, default=0) if max(lengths, default=0) > 0 else 0
        longest = -min(lengths, default=0) if name == "numpy:ndarray" else max(lengths, default=0)
        if max(longest, 0) >= DEEPEST:
            raise self._unsupported(
                f"{names.spell(name)} is nested more than {DEEPEST} deep",
                "Python recurses into such objects; use lists or dicts, which may be nested without end.",
            )
        return 1 + max(longest, 0)

    def _shape(self, name: str, role: str, form: tuple[str, ...] | int | None) -> int:
        key = (name, role, form)
        number = self._shape_numbers.get(key)
        if number is None:
            row = self._rows.get(key[:2])
            if row is None:
                row = self._rows[key[:2]] = len(self.types)
                if row >= MOST_TYPES:
                    reason = f"the object leads to more than {MOST_TYPES} types"
                    raise self._unsupported(reason, "Save its parts to files of their own.")
                self.types.append(TypeRow(name, role))
            number = self._shape_numbers[key] = len(self.shapes)
            self.shapes.append(Shape(row, form))
        return number

    def _unsupported(self, reason: str, next_step: str = "") -> UnsupportedTypeError:
        step = next_step or (
            "Remove it from the object before saving, or give its class a __getstate__ that leaves it out."
        )
        return UnsupportedTypeError(reason, path=self._path(), next_step=step)

    def _path(self) -> str:
        """Return the way to the value that is on its way; objects were taken apart one by one."""
        last = self._stack[-50:]
        return path_of(last, [self.types[self.shapes[frame.shape].type].name for frame in last])


def _set(table: list[int], numbers: Sequence[int], value: int) -> None:
    if isinstance(numbers, range):
        table[numbers.start : numbers.stop] = [value] * len(numbers)
    else:
        for number in numbers:
            table[number] = value


def _row(parts: Parts) -> list[Any]:
    if parts.keys is None:
        return list(parts.values)
    return [part for pair in zip(parts.keys, parts.values, strict=True) for part in pair]
