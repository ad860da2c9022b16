"""Approved Document to object. The only module that imports by name, and only what was approved."""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

from numpy.typing import NDArray

from skopsafe import names
from skopsafe.errors import DeniedTypeError, FormatError, MissingTypeError, SkopsafeError, ValidationError
from skopsafe.graph.document import CALL, CLASS, VALUE, Document, Shape
from skopsafe.handlers import generic
from skopsafe.handlers.registry import Registry
from skopsafe.trust.audit import Approved
from skopsafe.trust.tables import Tables

Check = Callable[[Any], None]
Checks = Callable[[type], Sequence[Check]]
_MISSING: Any = object()
_NEXT = "The file is damaged or crafted; do not load it."


class Builder:
    """Builds the object of an approved Document: one loop over the nodes, children first.

    Parameters
    ----------
    approved : Approved
        What only the audit gives out.
    registry : Registry
        Finds the loader by the name of a type.
    checks : callable
        ``checks(cls)`` returns the validators of a class without a handler.
    """

    def __init__(self, approved: Approved, registry: Registry, checks: Checks, tables: Tables) -> None:
        if type(approved) is not Approved:
            raise TypeError("only the audit approves a Document")
        self._document: Document = approved.document
        self._registry = registry
        self._checks = checks
        self._tables = tables
        self._objects: list[Any] = [_MISSING] * len(self._document.nodes)
        self._shells: dict[int, Any] = {}
        self._to_check: list[Any] = []
        self._row = 0
        self._resolved: dict[int, Any] = {}
        self.path = ""

    def build(self) -> Any:
        """Return the object.

        Raises
        ------
        SkopsafeError
            Something in the file does not fit together; the error says where.
        """
        document = self._document
        loaders = [self._loader(shape) for shape in document.shapes]
        objects = self._objects
        index = -1
        try:
            for index, node in enumerate(document.nodes):
                values: list[Any] = []
                for value in node[1:]:
                    if type(value) is list:
                        found = objects[value[0]]
                        if found is _MISSING:
                            found = self._shell(value[0])
                        values.append(found)
                    else:
                        values.append(value)
                if index in self._shells:
                    objects[index] = self._shells[index]
                    self._fill(index, values)
                else:
                    objects[index] = loaders[node[0]](values)
            # Only now: an object that was checked earlier could still be filled by a later node.
            for obj in self._to_check:
                for check in self._checks(type(obj)):
                    check(obj)
            root = document.root
            return objects[root[0]] if isinstance(root, list) else root
        except SkopsafeError:
            raise
        except RecursionError as error:
            raise self._failed(index, "it is nested too deeply") from error
        except (
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            MemoryError,
            AssertionError,
            RuntimeError,
            OSError,
        ) as error:
            raise self._failed(index, f"{type(error).__name__}: {error}") from error

    def array(self, index: object) -> NDArray[Any]:
        """Return array `index` of the file."""
        if type(index) is not int or not 0 <= index < self._document.array_count:
            raise ValidationError("a node refers to no array", next_step=_NEXT)
        try:
            return self._document.array(index)
        except (ValueError, OverflowError, MemoryError) as error:
            raise FormatError(
                f"an array cannot be made ({error})", path=f"schema.json arrays[{index}]", next_step=_NEXT
            ) from error

    def resolve(self) -> Any:
        """Return what the name of the type of the present node means."""
        return self._resolve(self._row)

    def _failed(self, index: int, reason: str) -> FormatError:
        node = self._document.nodes[index]
        name = self._document.types[self._document.shapes[node[0]].type].name
        return FormatError(
            f"{names.spell(name)} cannot be built: {reason}",
            path=f"schema.json nodes[{index}]",
            next_step=_NEXT,
        )

    def _loader(self, shape: Shape) -> Callable[[list[Any]], Any]:
        """Return the function that builds a node of `shape` from its values."""
        row = self._document.types[shape.type]
        if row.role == VALUE:
            return functools.partial(self._value, shape.type)
        if row.role == CALL:
            return functools.partial(self._call, shape)
        handler = self._registry.by_name(row.name)
        if handler is not None:
            load, attributes = handler.load, shape.attributes

            def run(values: list[Any]) -> Any:
                self._row = shape.type
                return load(attributes, values, self)

            return run
        return functools.partial(self._instance, shape)

    def _value(self, row: int, _: list[Any]) -> Any:
        return self._resolve(row)

    def _resolve(self, row: int) -> Any:
        found = self._resolved.get(row, _MISSING)
        if found is _MISSING:
            found = self._resolved[row] = resolve(
                self._document.types[row].name, self._document.types[row].role, self._tables
            )
        return found

    def _shell(self, index: int) -> Any:
        """Return the empty object to which a reference ahead of its node points."""
        if index in self._shells:
            return self._shells[index]
        shape = self._document.shapes[self._document.nodes[index][0]]
        row = self._document.types[shape.type]
        handler = self._registry.by_name(row.name) if row.role == CLASS else None
        if row.role != CLASS or (handler is not None and handler.shell is None):
            raise FormatError(
                "a reference points ahead to an object that cannot be part of a cycle",
                path=f"schema.json nodes[{index}]",
                next_step=_NEXT,
            )
        if handler is not None and handler.shell is not None:
            self._row = shape.type
            made = handler.shell(self)
        else:
            if {"()args", "()kwargs", "()member"} & set(shape.attributes or ()):
                raise FormatError(
                    "a reference points ahead", path=f"schema.json nodes[{index}]", next_step=_NEXT
                )
            made = new(self._resolve(shape.type))
        self._shells[index] = made
        return made

    def _fill(self, index: int, values: list[Any]) -> None:
        shell = self._shells[index]
        shape = self._document.shapes[self._document.nodes[index][0]]
        handler = self._registry.by_name(self._document.types[shape.type].name)
        if handler is not None and handler.fill is not None:
            handler.fill(shell, shape.attributes, values, self)
        else:
            self._give_state(shell, shape, values)

    def _instance(self, shape: Shape, values: list[Any]) -> Any:
        cls = self._resolve(shape.type)
        attributes = shape.attributes or ()
        if attributes == ("()member",):
            member = getattr(cls, "__members__", {}).get(values[0])
            if member is None:
                raise ValidationError(f"{cls.__name__} has no such member", path=self.path, next_step=_NEXT)
            return member
        if attributes and attributes[0].startswith("()"):
            given = dict(zip(attributes, values, strict=True))
            obj = new(cls, given.get("()args", ()), given.get("()kwargs", {}))
        else:
            obj = new(cls)
        self._give_state(obj, shape, values)
        return obj

    def _call(self, shape: Shape, values: list[Any]) -> Any:
        given = dict(zip(shape.attributes or (), values, strict=True))
        args = given.get("()args", ())
        if not isinstance(args, tuple):
            raise ValidationError("the arguments of a call are no tuple", path=self.path, next_step=_NEXT)
        obj = self._resolve(shape.type)(*args)
        self._give_parts(obj, given)
        return obj

    def _give_state(self, obj: Any, shape: Shape, values: list[Any]) -> None:
        attributes = shape.attributes
        if attributes is None:
            raise ValidationError(
                f"{type(obj).__name__} is written in a form that it does not have",
                path=self.path,
                next_step=_NEXT,
            )
        if attributes and attributes[0].startswith("()"):
            self._give_parts(obj, dict(zip(attributes, values, strict=True)))
        else:
            set_attributes(obj, attributes, values)
        if self._checks(type(obj)):
            self._to_check.append(obj)

    def _give_parts(self, obj: Any, given: dict[str, Any]) -> None:
        for item in given.get("()list", ()):
            obj.append(item)
        for key, value in given.get("()dict", {}).items():
            obj[key] = value
        if "()state" not in given:
            return
        state = given["()state"]
        setstate = getattr(type(obj), "__setstate__", None)
        if setstate is not None:
            name = names.of(type(obj))
            if (
                isinstance(state, dict)
                and name is not None
                and self._tables.reviewed(name, CLASS) is not None
            ):
                _slots_to_set(cast("Hashable", type(obj)), tuple(state))
            setstate(obj, state)
            return
        in_dict, in_slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
        for part in (in_dict, in_slots):
            if part is not None:
                if not isinstance(part, dict):
                    raise ValidationError("a state is no dict", path=self.path, next_step=_NEXT)
                set_attributes(obj, tuple(part), list(part.values()))


@functools.lru_cache(maxsize=4096)
def _slots_to_set(cls: type, attributes: tuple[str, ...]) -> dict[str, Any]:
    """Check that instance attributes hide nothing of the class; return its slots.

    An instance attribute named like a method would be called in its place.
    """
    slots = generic.slots(cls)
    for name in attributes:
        if not isinstance(name, str) or name.startswith("()"):
            raise ValidationError("an attribute's name is malformed", path=cls.__qualname__, next_step=_NEXT)
        if name in slots:
            continue
        for base in cls.__mro__:
            found = vars(base).get(name)
            if (found is not None and hasattr(type(found), "__get__")) or name in ("__class__", "__dict__"):
                raise ValidationError(
                    "an attribute would hide a method of its class",
                    path=f"{cls.__qualname__}.{name}",
                    next_step=_NEXT,
                )
    return slots


def set_attributes(obj: Any, attributes: tuple[str, ...], values: list[Any]) -> None:
    """Set attributes without running code of the class."""
    slots = _slots_to_set(cast("Hashable", type(obj)), attributes)
    if not slots:
        if attributes:
            obj.__dict__.update(zip(attributes, values, strict=True))
        return
    for name, value in zip(attributes, values, strict=True):
        if name in slots:
            slots[name].__set__(obj, value)
        else:
            obj.__dict__[name] = value


def new(cls: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Make an instance by ``cls.__new__`` alone."""
    if not isinstance(args, tuple):
        raise ValidationError("the arguments of __new__ are no tuple", path=cls.__qualname__, next_step=_NEXT)
    return cls.__new__(cls, *args, **(kwargs or {}))


def resolve(name: str, role: str, tables: Tables) -> Any:
    """Import an approved name.

    Nothing but the attributes of exactly that module, and of classes in it, is looked at; the result
    must be what its name says.

    Raises
    ------
    MissingTypeError
        It is not installed, or not there.
    DeniedTypeError
        It resolves to something that is denied under its real name.
    """
    module_name, qualname = names.parse(name)
    try:
        found: Any = importlib.import_module(module_name)
    except ImportError as error:
        raise MissingTypeError(
            f"{names.spell(name)} was approved but cannot be imported ({error})",
            next_step=f"Install the distribution that has it: {tables.distribution(module_name)}.",
        ) from error
    for position, part in enumerate(qualname.split(".")):
        if position and not isinstance(found, type):
            raise _not_there(name, tables)
        where = vars(found)
        if part not in where:
            standin = _standin(module_name, qualname)
            if standin is None:
                raise _not_there(name, tables)
            return standin
        found = where[part]
    found = getattr(found, "__func__", found) if isinstance(found, (classmethod, staticmethod)) else found
    _must_be(found, name, role, tables)
    return found


def _standin(module: str, qualname: str) -> Any:
    if module == "builtins":
        for value in (None, Ellipsis, NotImplemented):
            if type(value).__name__ == qualname:
                return type(value)
    return None


def _must_be(found: Any, name: str, role: str, tables: Tables) -> None:
    if isinstance(found, types.ModuleType) or not callable(found):
        raise MissingTypeError(f"{names.spell(name)} is neither a class nor a function", next_step=_NEXT)
    if role == CLASS and not isinstance(found, type):
        raise MissingTypeError(f"{names.spell(name)} is not a class", next_step=_NEXT)
    real = names.of(found)
    qualname = names.parse(name).qualname
    if real is not None:
        reason = tables.denied(real)
        if reason is not None:
            raise DeniedTypeError([names.spell(name)], f"it is {names.spell(real)}: {reason}")
    if (isinstance(found, type) and real != name) or (
        isinstance(found, types.FunctionType) and "." not in qualname and real != name
    ):
        raise MissingTypeError(
            f"{names.spell(name)} is only another name of {real}",
            next_step="Save the object again under the installed version of its package.",
        )


def _not_there(name: str, tables: Tables) -> MissingTypeError:
    module, qualname = names.parse(name)
    return MissingTypeError(
        f"the installed {module} has no {qualname}",
        next_step=f"Install the version of {tables.distribution(module)} that wrote the file.",
    )
