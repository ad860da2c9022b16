"""Object to Document: a loop over an explicit stack, so that depth costs memory and nothing else.

Objects of one type that stand side by side, such as the trees of a forest, are taken apart together: what
would be a step of Python for each of them is one step for all. Where such objects lead to each other, their
order would not be that of children first; then the graph is walked once more, one object at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from skopsafe import names
from skopsafe.archive.arrays import Collector
from skopsafe.errors import SkopsafeError, UnsupportedTypeError
from skopsafe.frames import Frame, path_of
from skopsafe.graph.document import CLASS, WIDEST, Run, Shape, TypeRow, Value
from skopsafe.graph.parts import Columns, Leaf, Parts
from skopsafe.graph.runs import Group, arrange
from skopsafe.graph.scalars import is_scalar, objects_in
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

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.arrays = Collector()
        self.runs: list[Run] = []
        self._start(together=True)

    def _start(self, *, together: bool) -> None:
        self.types: list[TypeRow] = []
        self.shapes: list[Shape] = []
        self._together = together
        self._taker = Taker(self._registry)
        self._groups: list[Group] = []
        self._heights: list[int] = []
        self._chains: list[int] = []
        self._refs: dict[int, list[int]] = {}
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
        except Exception:  # one object at a time, there may be an order, and an error has a path
            self._start(together=False)
            self._walk_alone(root)
        self.runs = arrange(
            self._groups, [shape.form is not None for shape in self.shapes], self.arrays.add_all
        )
        return self._refs[id(root)]

    def _walk_alone(self, root: Any) -> None:
        try:
            self._walk(root)
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
        refs = self._refs
        for cells in frame.cells:
            places = objects_in(cells)
            frame.objects.append(places)
            if len(places) < _FEW or not self._together:
                for place in places:
                    if id(cells[place]) not in refs:
                        frame.place = place
                        yield [cells[place]]
                continue
            by_type: dict[type, dict[int, Any]] = {}
            found = cells if len(places) == len(cells) else [cells[place] for place in places]
            kinds = set(map(type, found))
            if len(kinds) == 1:
                by_type[kinds.pop()] = dict(zip(map(id, found), found, strict=True))
            else:
                for obj in found:
                    by_type.setdefault(type(obj), {})[id(obj)] = obj
            for same in by_type.values():
                fresh = [obj for key, obj in same.items() if key not in refs]
                if len(fresh) >= _FEW:
                    yield fresh
                else:
                    for obj in fresh:
                        if id(obj) not in refs:
                            yield [obj]

    def _open(self, objs: list[Any]) -> None:
        """Give new objects of one type their references, and go on with what they consist of."""
        first, count = len(self._heights), len(objs)
        refs = [[number] for number in range(first, first + count)]
        self._refs.update(zip(map(id, objs), refs, strict=True))
        self._alive.append(objs)
        self._chains += [0] * count
        if count > 1:
            self._heights += [_TOGETHER] * count
            self._open_together(objs, refs)
            return
        self._heights.append(_OPEN)
        parts, name, can_close = self._taker.take(objs[0])
        if not can_close:
            self._heights[first] = _FIXED
        labels, values = parts.attributes, list(parts.values)
        shape = self._shape(name, parts.role, labels)
        lengths = [len(values)] if labels is None else None
        if parts.keys is None:
            self._stack.append(Frame(refs, shape, [values], labels, lengths))
        else:
            keys = list(parts.keys)
            self._stack.append(Frame(refs, shape, [keys, values], None, lengths, keys))

    def _open_together(self, objs: list[Any], refs: list[list[int]]) -> None:
        taken = self._taker.take_together(objs)
        if isinstance(taken, Columns):
            name = self._taker.name_of(type(objs[0]))
            self._push_columns(name, CLASS, taken.attributes, refs, list(taken.columns))
            return
        by_shape: dict[tuple[Any, ...], list[int]] = {}
        for number, (parts, name, _) in enumerate(taken):
            by_shape.setdefault((name, parts.role, parts.attributes), []).append(number)
        for (name, role, attributes), numbers in reversed(by_shape.items()):
            some = [refs[number] for number in numbers]
            rows = [_row(taken[number][0]) for number in numbers]
            lengths = list(map(len, rows))
            if attributes is None and (set(lengths) != {lengths[0]} or not 0 < lengths[0] <= WIDEST):
                shape, values = self._shape(name, role, None), list(chain.from_iterable(rows))
                self._stack.append(Frame(some, shape, [values], None, lengths))
            else:
                columns = list(map(list, zip(*rows, strict=True)))
                self._push_columns(name, role, attributes, some, columns)

    def _push_columns(
        self,
        name: str,
        role: str,
        attributes: tuple[str, ...] | None,
        refs: list[list[int]],
        columns: list[list[Any]],
    ) -> None:
        shape = self._shape(name, role, len(columns) if attributes is None else attributes)
        self._stack.append(Frame(refs, shape, columns))

    def _close(self, frame: Frame) -> None:
        """Make a group of a frame whose children all have nodes."""
        below = self._refer(frame)
        height = self._height(frame, below)
        refs, name = frame.refs, self.types[self.shapes[frame.shape].type].name
        first, last = refs[0][0], refs[-1][0] + 1
        if name in NAMES or name == "builtins:list":
            length = self._chain(name, below)
            for ref in refs:
                self._chains[ref[0]] = length
        if last - first == len(refs):
            self._heights[first:last] = [height] * len(refs)
        else:
            for ref in refs:
                self._heights[ref[0]] = height
        cells, lengths = frame.cells, frame.lengths
        if frame.keys is not None:
            row: list[Any] = [None] * (2 * len(cells[0]))
            row[::2], row[1::2] = cells
            columns = [row]
        elif frame.labels is not None:
            columns = [[value] for value in cells[0]]
        elif lengths is None:
            columns = cells
        else:
            values = iter(cells[0])
            columns = [list(islice(values, length)) for length in lengths]
        has_leaves = lengths is not None and frame.keys is None and Leaf in set(map(type, cells[0]))
        self._groups.append(Group(height, frame.shape, refs, columns, has_leaves))

    def _refer(self, frame: Frame) -> list[int]:
        """Put references in the place of objects; return the numbers of the nodes they lead to."""
        below: list[int] = []
        refs = self._refs
        for number, (cells, places) in enumerate(zip(frame.cells, frame.objects, strict=True)):
            if len(places) == len(cells):
                found = [refs[key] for key in map(id, cells)]
                frame.cells[number] = found
            else:
                found = [refs[id(cells[place])] for place in places]
                for place, ref in zip(places, found, strict=True):
                    cells[place] = ref
            below += [ref[0] for ref in found]
        return below

    def _height(self, frame: Frame, below: list[int]) -> int:
        """Return the height of nodes that refer to those below."""
        if not below:
            return 0
        heights = list(map(self._heights.__getitem__, below))
        if min(heights) < _OPEN:
            if _TOGETHER in heights:
                raise _Entangled
            number = below[heights.index(_FIXED)]
            frame.place = next(
                p for places in frame.objects for p in places if frame.cells[-1][p] == [number]
            )
            obj = next(islice(chain.from_iterable(self._alive), number, None))
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


def _row(parts: Parts) -> list[Any]:
    if parts.keys is None:
        return list(parts.values)
    return [part for pair in zip(parts.keys, parts.values, strict=True) for part in pair]
