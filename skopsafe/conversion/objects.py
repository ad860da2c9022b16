"""From records to objects: a loop over an explicit stack, so that depth costs memory and nothing else.

Each record is made once, and what holds others is there before it is filled, so that what is shared and what
holds itself stays so. Objects with a rule are made when all that the rule looks at is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from skopsafe import names
from skopsafe.conversion.calls import arguments, bound, class_of
from skopsafe.conversion.numpy_rules import not_here, stored
from skopsafe.conversion.rules import (
    Budget,
    Case,
    Misfit,
    Rules,
    dependencies,
    named,
    place_of,
    put_into,
    refuse,
    require_keys,
    settled,
)
from skopsafe.conversion.stands import Naming, Stand, called
from skopsafe.errors import SkopsafeError
from skopsafe.foreign.pickles.reading import Source
from skopsafe.foreign.pickles.values import (
    OUTSIDE,
    ByteArray,
    Call,
    Computed,
    Dict,
    FrozenSet,
    Global,
    List,
    Set,
    Span,
    Stored,
    Value,
    is_record,
)
from skopsafe.graph.document import LONGEST_NAME
from skopsafe.graph.parts import Parts
from skopsafe.handlers.registry import Registry
from skopsafe.trust.tables import Tables

_VERSION, _RELEASE = "_sklearn_version", re.compile(r"[0-9A-Za-z.+_-]{1,50}")
_MISTAKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Maker:
    """Makes the object that a record stands for.

    Parameters
    ----------
    source : Source
        The bytes of the stream.
    rules : Rules
        What is understood.
    registry : Registry
        Which types have a loader: these are made by a rule or not at all.
    tables : Tables
        Which reviewed classes have a ``__setstate__``.
    beside : callable
        Returns an array that is in a file beside the pickle, or raises.

    Attributes
    ----------
    versions : dict of str to str
        Versions of libraries that states tell.
    """

    def __init__(
        self,
        source: Source,
        rules: Rules,
        registry: Registry,
        tables: Tables,
        beside: Callable[[Stored, Case], Any] = not_here,
    ) -> None:
        self._source = source
        self._rules = rules
        self._registry = registry
        self._tables = tables
        self._beside = beside
        self._made: dict[int, Any] = {}
        self._kept: list[Any] = []
        self._unfilled: list[tuple[Value, Any]] = []
        self._budget = Budget(source.size)
        self.versions: dict[str, str] = {}

    def make(self, root: Value) -> Any:
        """Return the object that `root` stands for.

        Raises
        ------
        UnsupportedTypeError
            Something in it is not understood, and could not be approved either.
        """
        made = self._create(root)
        while self._unfilled:
            record, shell = self._unfilled.pop()
            self._fill(record, shell)
        return made

    def get(self, value: Value) -> Any:
        """Return what a value has become."""
        if type(value) is not tuple and not is_record(value):
            return value
        try:
            return self._made[id(value)]
        except KeyError:
            raise Misfit("a part of it stands deeper in containers than in any known form") from None

    def _create(self, root: Value) -> Any:
        """Make a record and all that must be there before it, but fill nothing."""
        on_their_way: set[int] = set()
        stack: list[tuple[Value, list[Value] | None]] = [(root, None)]
        made = self._made
        while stack:
            value, needed = stack.pop()
            if (type(value) is not tuple and not is_record(value)) or id(value) in made:
                continue
            if needed is None:
                needed = self._needed(value)
                self._pay(len(needed), value)
                missing = [
                    part
                    for part in needed
                    if (type(part) is tuple or is_record(part)) and id(part) not in made
                ]
                if missing:
                    if id(value) in on_their_way:
                        refuse("an object that is part of what makes it cannot be converted", place_of(value))
                    on_their_way.add(id(value))
                    stack.append((value, needed))
                    stack += [(part, None) for part in reversed(missing)]
                    continue
            self._kept.append(value)
            made[id(value)] = self._new(value)
        return self.get(root)

    def _pay(self, count: int, value: Value) -> None:
        try:
            self._budget.spend(8 * count)  # a pointer to each
        except Misfit as error:
            refuse(str(error), place_of(value))

    def _needed(self, value: Value) -> list[Value]:
        match value:
            case tuple():
                return list(value)
            case FrozenSet():
                return value.items
            case Call():
                cls = class_of(value, self._rules.classes)
                if self._is_shell(value, cls):
                    return []
                name = cls or (settled(value.function) if isinstance(value.function, Global) else "")
                return self._rules.needs.get(name, dependencies)(value)
            case Stored():
                return [value.objects, *dependencies(value.wrapper)]
        return []

    def _is_shell(self, call: Call, cls: str | None) -> bool:
        """Tell whether an object is there before its parts: one of a class, of its attributes alone."""
        if cls is None or cls in self._rules.classes:
            return False
        return not arguments(call, cls) and call.kwargs is None

    def _new(self, value: Value) -> Any:
        match value:
            case tuple():
                return tuple(map(self.get, value))
            case List():
                return self._shell(value, [])
            case Dict():
                return self._shell(value, {})
            case Set():
                return self._shell(value, set())
            case FrozenSet():
                items = list(map(self.get, value.items))
                require_keys(items, value.offset, self._budget)
                return frozenset(items)
            case ByteArray():
                return bytearray(value.content)
            case Span():
                return self._read(value)
            case Global():
                name = self._name(value, is_value=True)
                if name in self._rules.values:
                    return self._rules.values[name]()
                return Naming(name)
            case Computed():
                refuse("a name that the pickle computes could be any", value.offset)
            case Stored():
                return self._stored(value)
            case Call():
                return self._call(value)
        raise AssertionError(type(value))

    def _shell(self, record: Value, shell: Any) -> Any:
        self._unfilled.append((record, shell))
        return shell

    def _read(self, span: Span) -> Any:
        content = self._source.read(span.offset, span.size)
        if span.kind == "str":
            try:
                return content.decode("utf-8", "surrogatepass")
            except UnicodeDecodeError:
                refuse("a text is not UTF-8", span.offset, "Get the file again from its author.")
        return content if span.kind == "bytes" else bytearray(content)

    def _name(self, found: Global, *, is_value: bool = False) -> str:
        name = settled(found, is_value=is_value)
        if not names.is_name(name):
            refuse(f"{found.written!r} is no name of a class or function", found.offset)
        return name

    def _call(self, call: Call) -> Any:
        if call.way in OUTSIDE:
            refuse(f"an object that comes from outside of the pickle ({call.way}) is not in it", call.offset)
        cls = class_of(call, self._rules.classes)
        if cls is not None and cls in self._rules.classes:
            return self._by_rule(self._rules.classes[cls], call, cls)
        if cls is not None:
            self._require_no_loader(cls, call)
            if self._is_shell(call, cls):
                return self._shell(call, Stand(cls, can_close=True))
            return Stand(cls, self._parts(call, list(arguments(call, cls)), cls))
        method = bound(call.function)
        if method in self._rules.calls:
            return self._by_rule(self._rules.calls[method], call, method)
        if not isinstance(call.function, Global):
            refuse("it calls something that the pickle computes, which could be anything", call.offset)
        name = self._name(call.function)
        if name in self._rules.calls:
            return self._by_rule(self._rules.calls[name], call, name)
        self._require_no_loader(name, call)
        parts = self._parts(call, list(arguments(call, None)), None)
        return called(name, parts.attributes or (), list(parts.values))

    def _stored(self, record: Stored) -> Any:
        case = Case(record.wrapper, "numpy:ndarray", self.get, self._source, self._budget, self.versions)
        try:
            return self._beside(record, case) if record.is_beside else stored(record, case)
        except Misfit as error:
            refuse(f"an array of joblib is not in its form: {error}", record.wrapper.offset)

    def _by_rule(self, rule: Any, call: Call, name: str) -> Any:
        try:
            return rule(Case(call, name, self.get, self._source, self._budget, self.versions))
        except Misfit as error:
            refuse(f"{names.spell(name)} is not in the form in which it is pickled: {error}", call.offset)
        except SkopsafeError as error:
            refuse(f"{names.spell(name)} could not be loaded: {error.reason}", call.offset)
        except _MISTAKEN as error:
            # A part of a type that no rule thinks of: an array where a text is compared, and the like.
            kind = type(error).__name__
            refuse(f"{names.spell(name)} is not in the form in which it is pickled ({kind})", call.offset)

    def _require_no_loader(self, name: str, call: Call) -> None:
        if not names.is_name(name):
            refuse(f"{name!r} is no name of a class", call.offset)
        if self._registry.by_name(name) is not None:
            refuse(f"there is no rule yet by which a {names.spell(name)} is converted", call.offset)

    def _fill(self, record: Value, shell: Any) -> None:
        match record:
            case List():
                for item in record.items:
                    shell.append(self._create(item))
            case Set():
                items = [self._create(item) for item in record.items]
                require_keys(items, record.offset, self._budget)
                shell.update(items)
            case Dict():
                pairs = [(self._create(key), self._create(value)) for key, value in record.pairs]
                require_keys([key for key, _ in pairs], record.offset, self._budget)
                shell.update(pairs)
            case Call():
                for part in put_into(record):
                    self._create(part)
                shell.parts = self._parts(record, [], shell.name)

    def _parts(self, call: Call, args: list[Value], cls: str | None) -> Parts:
        """Return the parts of an object that has no rule, in the forms that the generic loader knows."""
        labels: list[str] = []
        values: list[Any] = []
        if args or cls is None:
            labels.append("()args")
            values.append(tuple(map(self.get, args)))
        if call.kwargs is not None and isinstance(call.kwargs, Dict) and call.kwargs.pairs:
            labels.append("()kwargs")
            values.append(self.get(call.kwargs))
        if len(call.states) > 1:
            refuse("an object is given more than one state", call.offset)
        if call.states:
            plain = not labels and cls is not None and not call.items and not call.pairs
            found = self._attributes(call.states[0], cls) if plain and cls is not None else None
            if found is not None:
                return Parts(tuple(found), list(found.values()))
            labels.append("()state")
            values.append(self._create(call.states[0]))
            if cls is not None and cls.startswith("sklearn.") and isinstance(call.states[0], Dict):
                for name, value in call.states[0].pairs:
                    if type(name) is str and name == _VERSION:
                        self._note_version(self._create(value))
        if call.items:
            labels.append("()list")
            values.append([self.get(item) for item in call.items])
        if call.pairs:
            labels.append("()dict")
            require_keys([self.get(key) for key, _ in call.pairs], call.offset, self._budget)
            values.append({self.get(key): self.get(value) for key, value in call.pairs})
        return Parts(tuple(labels), values)

    def _note_version(self, version: Any) -> None:
        """Note the version of scikit-learn that a state tells."""
        if isinstance(version, str) and _RELEASE.fullmatch(version):
            self.versions.setdefault("scikit-learn", version)

    def _attributes(self, state: Value, cls: str) -> dict[str, Any] | None:
        """Return a state as attributes, if it is one of a reviewed class that keeps its state in them."""
        if not self._tables.reviewed(cls, "class") or self._tables.setstate(cls):
            return None
        parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
        found: dict[str, Any] = {}
        for part in [part for part in parts if part is not None]:
            try:
                pairs = named(part)
            except Misfit:
                return None
            for name, value in pairs:
                made = self._create(value)
                if name == _VERSION and cls.startswith("sklearn."):
                    self._note_version(made)
                    continue
                if not name.isidentifier() or len(name) > LONGEST_NAME:
                    return None
                found[name] = made
        if cls in self._rules.older:
            self._rules.older[cls](found)
        return found
