"""Object to Document: a loop over an explicit stack, so that depth costs memory and nothing else."""

from __future__ import annotations

import sys
import types
from typing import Any

from skopsafe import names
from skopsafe.archive.arrays import Collector
from skopsafe.errors import SkopsafeError, UnsupportedTypeError
from skopsafe.graph.document import CLASS, VALUE, Run, Shape, TypeRow, Value
from skopsafe.graph.parts import Handler, Leaf, NameOf, Parts
from skopsafe.graph.runs import group
from skopsafe.handlers import generic
from skopsafe.handlers.aliases import ALIASES
from skopsafe.handlers.depth import DEEPEST, NAMES
from skopsafe.handlers.registry import Registry

_FUNCTIONS = (type, types.FunctionType, types.BuiltinFunctionType)
_SAFE_INTEGER = 2**53


class Frame:
    """One object on its way: what is still to be written of it."""

    __slots__ = ("height", "iterator", "labels", "out", "ref")

    def __init__(self, ref: list[int], out: list[Any], parts: Parts) -> None:
        self.ref = ref
        self.out = out
        self.iterator = iter(parts.values)
        self.labels = parts.attributes
        self.height = 0

    @property
    def position(self) -> int:
        """Which value is on its way."""
        return len(self.out) - 1


class Saver:
    """Writes one object graph into flat tables.

    Attributes
    ----------
    types, shapes, runs, arrays
        The tables of the Document; `runs` and `arrays` are there when `save` has returned.
    """

    def __init__(self, registry: Registry) -> None:
        self.types: list[TypeRow] = []
        self.shapes: list[Shape] = []
        self.runs: list[Run] = []
        self.arrays = Collector()
        self._nodes: list[list[Any]] = []
        self._refs: list[list[int]] = []
        self._heights: list[int] = []
        self._registry = registry
        self._rows: dict[tuple[str, str], int] = {}
        self._shape_numbers: dict[tuple[str, str, tuple[str, ...] | None], int] = {}
        self._memo: dict[int, tuple[list[int], Any]] = {}
        self._stack: list[Frame] = []
        self._named: dict[int, str] = {}
        self._cyclic: dict[int, bool] = {}

    def save(self, root: Any) -> Value:
        """Write `root` and all that it leads to; return the value that stands for it.

        Raises
        ------
        UnsupportedTypeError
            Something in the graph could not be loaded again; the error has the path to it.
        """
        try:
            value = self._value(root)
            self._walk()
        except SkopsafeError:
            raise
        except Exception as error:  # whatever a getter, or a method of the object itself, raises
            raise self._unsupported(f"cannot be saved: {error}") from error
        self._require_shallow()
        is_named = [shape.attributes is not None for shape in self.shapes]
        self.runs = group(self._nodes, self._heights, self._refs, is_named, self.arrays.add)
        return value

    def _walk(self) -> None:
        stack, heights = self._stack, self._heights
        while stack:
            frame = stack[-1]
            append, depth = frame.out.append, len(stack)
            for child in frame.iterator:
                kind = type(child)
                if (
                    (kind is str and child.isascii())
                    or kind is Leaf
                    or child is None
                    or kind is bool
                    or (kind is int and -_SAFE_INTEGER < child < _SAFE_INTEGER)
                ):
                    append(child)
                else:
                    value = self._value(child)
                    if len(stack) != depth:
                        break  # `value` is appended when the child is done
                    append(value)
                    if type(value) is list and value[0] >= 0:
                        frame.height = max(frame.height, heights[value[0]] + 1)
            else:
                stack.pop()
                ref = frame.ref
                ref[0] = len(heights)
                heights.append(frame.height)
                self._refs.append(ref)
                self._nodes.append(frame.out)
                if stack:
                    parent = stack[-1]
                    parent.out.append(ref)
                    parent.height = max(parent.height, frame.height + 1)

    def _require_shallow(self) -> None:
        """Refuse what is nested so deep that the loaders would refuse it."""
        names_ = [self.types[shape.type].name for shape in self.shapes]
        fragile = {number for number, name in enumerate(names_) if name in NAMES}
        if not fragile:
            return
        # An array of objects has its items in a list of its own.
        within = {number for number, name in enumerate(names_) if name == "builtins:list"}
        below, items = [0] * len(self._nodes), [0] * len(self._nodes)
        for number, node in enumerate(self._nodes):
            kind = node[0]
            if kind not in fragile and kind not in within:
                continue
            inner = [v[0] for v in node if type(v) is list and v[0] < number]
            deepest = max((below[place] for place in inner), default=0)
            if kind in within:
                items[number] = deepest
                continue
            if names_[kind] == "numpy:ndarray":
                deepest = max((items[place] for place in inner), default=0)
            below[number] = 1 + deepest
            if below[number] > DEEPEST:
                raise self._unsupported(
                    f"{names.spell(names_[kind])} is nested more than {DEEPEST} deep",
                    "Python recurses into such objects; use lists or dicts, which may be nested without end.",
                )

    def _text(self, text: str) -> Value:
        try:
            text.encode()
        except UnicodeEncodeError:
            return self._node(text)
        return text

    def _value(self, obj: Any) -> Value:
        kind = type(obj)
        if obj is None or kind is bool:
            return obj  # type: ignore[no-any-return]
        if kind is int and -_SAFE_INTEGER < obj < _SAFE_INTEGER:
            return obj  # type: ignore[no-any-return]
        if kind is float and obj - obj == 0.0:
            return obj  # type: ignore[no-any-return]
        if kind is str:
            return self._text(obj)
        return self._node(obj)

    def _node(self, obj: Any) -> list[int]:
        known = self._memo.get(id(obj))
        if known is not None:
            ref = known[0]
            if ref[0] < 0 and self._cyclic.get(id(obj)) is False:
                raise self._unsupported(
                    f"a {type(obj).__name__} that contains itself cannot be loaded again",
                    "Only lists, dicts, sets and instances can be part of a cycle.",
                )
            return ref
        ref = [-1]
        self._memo[id(obj)] = (ref, obj)
        parts, name, handler = self._take_apart(obj)
        shellable = parts.attributes is None or not {"()args", "()kwargs"} & set(parts.attributes)
        self._cyclic[id(obj)] = handler.shell is not None if handler else shellable
        self._stack.append(Frame(ref, [self._shape(name, parts)], parts))
        return ref

    def _take_apart(self, obj: Any) -> tuple[Parts, str, Handler | None]:
        cls = type(obj)
        handler = self._registry.by_type(cls)
        if handler is not None:
            return handler.get(obj), handler.type, handler
        if isinstance(obj, _FUNCTIONS) or _is_ufunc(obj):
            obj = NameOf(obj, VALUE)
        elif cls is not NameOf:
            taken = generic.take_apart(obj)
            if isinstance(taken, Parts):
                maker = taken.type if isinstance(taken.type, NameOf) else NameOf(cls, CLASS)
                return taken, self._name(maker), None
            obj = taken
        return Parts((), (), role=obj.role), self._name(obj), None

    def _name(self, named: NameOf) -> str:
        target = named.target
        known = self._named.get(id(target))
        if known is not None and named.name is None:
            return known
        name = named.name or _ufunc_name(target) or names.of(target)
        alias = ALIASES.get(name or "")
        if alias is not None and _look_up(alias) is target:
            name = alias
        if name is None or not names.is_name(name):
            raise self._unsupported(
                f"{_describe(target)} has no name by which it could be found again",
                "Define it at the top level of a module that can be imported where the file is loaded.",
            )
        if _look_up(name) is not target:
            raise self._unsupported(
                f"{_describe(target)} is not what {names.spell(name)} means",
                "Define it at the top level of a module, under its own name.",
            )
        self._memo.setdefault(~id(target), ([-1], target))  # keeps the target, and so its id, alive
        if named.name is None:
            self._named[id(target)] = name
        return name

    def _shape(self, name: str, parts: Parts) -> int:
        key = (name, parts.role, parts.attributes)
        number = self._shape_numbers.get(key)
        if number is None:
            row = self._rows.get(key[:2])
            if row is None:
                row = self._rows[key[:2]] = len(self.types)
                self.types.append(TypeRow(name, parts.role))
            number = self._shape_numbers[key] = len(self.shapes)
            self.shapes.append(Shape(row, parts.attributes))
        return number

    def _unsupported(self, reason: str, next_step: str = "") -> UnsupportedTypeError:
        step = next_step or (
            "Remove it from the object before saving, or give its class a __getstate__ that leaves it out."
        )
        return UnsupportedTypeError(reason, path=self._path(), next_step=step)

    def _path(self) -> str:
        path = "object"
        for frame in self._stack[-50:]:
            if frame.labels is not None and frame.position >= len(frame.labels):
                continue
            label = None if frame.labels is None else frame.labels[frame.position]
            type_name = self.types[self.shapes[frame.out[0]].type].name
            if label is None and type_name.endswith((":dict", ":OrderedDict")):
                key = frame.out[frame.position + 1 - frame.position % 2] if frame.position % 2 else "<key>"
                path += f"[{key!r}]" if isinstance(key, (str, int)) else "[...]"
            elif label is None:
                path += f"[{frame.position}]"
            else:
                path += f".{label}"
        return path


def _is_ufunc(obj: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(obj) in (numpy.ufunc, type(numpy.mean))


def _ufunc_name(target: Any) -> str | None:
    numpy: Any = sys.modules["numpy"]
    if type(target) is not numpy.ufunc:
        return None
    name: str = target.__name__
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), name, None) is target:
            return f"{module}:{name}"
    return None


def _look_up(name: str) -> Any:
    """Find what `name` means in the modules that are loaded already."""
    module, qualname = names.parse(name)
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        try:
            found = vars(found)[part]
        except (KeyError, TypeError):
            return names.standin(module, qualname)
    return getattr(found, "__func__", found)


def _describe(target: Any) -> str:
    kind = "the class" if isinstance(target, type) else "the function"
    return f"{kind} {getattr(target, '__qualname__', None) or type(target).__name__!r}"
