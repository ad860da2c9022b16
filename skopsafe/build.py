"""Approved Document to object: one loop over the runs, children first."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from skopsafe import names
from skopsafe.errors import FormatError, SkopsafeError, ValidationError, shown
from skopsafe.graph.account import BYTES_A_STEP, FEW, LARGE, MUCH
from skopsafe.graph.document import CALL, CLASS, FLOAT, VALUE, Column, Run, Shape, Values
from skopsafe.graph.given import NEXT, Given
from skopsafe.graph.parts import Handler
from skopsafe.handlers import generic_load
from skopsafe.handlers.registry import Registry
from skopsafe.resolve import prepare, resolve
from skopsafe.trust.audit import Approved
from skopsafe.trust.tables import Tables

_MISSING: Any = object()


class Builder(Given):
    """Builds the object of an approved Document: one loop over the nodes, children first.

    Parameters
    ----------
    approved : Approved
        What only the audit gives out.
    registry : Registry
        Finds the loader by the name of a type, and the validators of a class without a loader.
    """

    def __init__(self, approved: Approved, registry: Registry, tables: Tables) -> None:
        if type(approved) is not Approved:
            raise TypeError("only the audit approves a Document")
        super().__init__(approved.document)
        self._bare = approved.document.bare
        self._registry = registry
        self._checks = registry.checks_of
        self._tables = tables
        self._objects: list[Any] = []
        self._shells: dict[int, Any] = {}
        self._to_check: list[Any] = []
        self._row = 0
        self._resolved: dict[int, Any] = {}

    def build(self) -> Any:
        """Return the object.

        Raises
        ------
        SkopsafeError
            Something in the file does not fit together; the error says where.
        """
        document, objects = self._document, self._objects
        name, checked = "", None
        prepare([row.name for row in document.types])
        try:
            for run in document.runs:
                shape = document.shapes[run.shape]
                name = document.types[shape.type].name
                self._run(run, shape)
            # Only now: an object that was checked earlier could still be filled by a later node.
            with self.account.in_use():
                found = [(obj, checks) for obj in self._to_check if (checks := self._checks(type(obj)))]
                for checked, checks in found:
                    if len(found) > FEW or self.read > MUCH:
                        self.account.look(checked, names.of(type(checked)) or "")
                    for check in checks:
                        check(checked)
        except (SkopsafeError, MemoryError):
            raise
        except RecursionError as error:
            raise self._failed(name, "it is nested too deeply") from error
        except Exception as error:  # approved classes raise whatever they like
            name = name if checked is None else names.of(type(checked)) or ""
            raise self._failed(name, f"{type(error).__name__}: {error}") from shown(error)
        root = document.root
        return objects[root[0]] if isinstance(root, list) else root

    def _run(self, run: Run, shape: Shape) -> None:
        """Build the nodes of a run and append them to the objects."""
        objects, shells = self._objects, self._shells
        start, count = len(objects), run.count
        handler = self._handler(shape)
        if shape.form is None:
            load = self._loader(shape, handler)
            load_pairs = None if handler is None else handler.load_pairs
            for row in run.columns:
                if load_pairs and isinstance(row, Column) and len(objects) not in shells:
                    pair = row.columns or []
                    if len(pair) == 2:
                        keys, items = (self._column(column, row.count) for column in pair)
                        objects.append(load_pairs(keys, items, self))
                        continue
                self._node(load, self._row_of(row), shape)
            return
        columns = [self._column(column, count) for column in run.columns]
        if not shells or shells.keys().isdisjoint(range(start, start + count)):
            if handler is not None and handler.load_run is not None:
                paid = () if handler.is_light else columns
                size, before = self.account.pay_columns(paid, handler.type), self.read
                made = handler.load_run(shape.attributes, columns, self)
                if len(made) != count:
                    raise AssertionError("a run gave another number of objects than it has nodes")
                if not handler.is_light:
                    self.account.note(made, size + (self.read - before) // BYTES_A_STEP)
                objects += made
                return
            if count > 1 and handler is None and self._is_plain(shape):
                objects += self._instances(shape, run.columns, columns, count)
                return
        load = self._loader(shape, handler)
        rows: Any = zip(*columns, strict=True) if columns else [()] * count
        for values in rows:
            self._node(load, list(values), shape)

    def _node(self, load: Callable[[list[Any]], Any], values: list[Any], shape: Shape) -> None:
        number = len(self._objects)
        if number in self._shells:
            self._fill(number, shape, values)
            self._objects.append(self._shells[number])
        else:
            self._objects.append(load(values))

    def _row_of(self, row: Any) -> list[Any]:
        """Return the values of a row, references replaced by what they mean."""
        if type(row) is Column:
            columns = [self._column(column, row.count) for column in row.columns or ()]
            if len(columns) == 1:
                return list(columns[0])
            values: list[Any] = [None] * (row.count * len(columns))
            for place, column in enumerate(columns):
                values[place :: len(columns)] = column
            return values
        if id(row) in self._bare:
            return row  # type: ignore[no-any-return]
        return [self._referred(value[0]) if type(value) is list else value for value in row]

    def _referred(self, number: int) -> Any:
        return self._objects[number] if number < len(self._objects) else self._shell(number)

    def _column(self, column: Any, count: int) -> Sequence[Any]:
        """Return the values of a column."""
        kind = type(column)
        if kind is list:
            return self._row_of(column)
        if kind is not Column:
            return [column] * count
        built, first = len(self._objects), column.ref
        if first is None:
            if column.floats is not None:
                return self._floats(column.floats, count)
            if column.refs is None:
                return range(column.first, column.first + count)
            if max(column.refs) < built:
                return list(map(self._objects.__getitem__, column.refs))
            return [self._referred(number) for number in column.refs]
        if not column.step:
            return [self._referred(first)] * count
        if first + count <= built:
            return self._objects[first : first + count]
        return [self._referred(first + row) for row in range(count)]

    def _floats(self, number: int, count: int) -> list[float]:
        found = self.array(number)
        if found.dtype != FLOAT or found.shape != (count,):
            raise ValidationError(
                "an array is not a column of floats", path=f"schema.json array {number}", next_step=NEXT
            )
        return found.tolist()  # type: ignore[no-any-return]

    def _is_plain(self, shape: Shape) -> bool:
        row = self._document.types[shape.type]
        attributes = shape.attributes
        return row.role == CLASS and attributes is not None and not (attributes and attributes[0][:2] == "()")

    def _instances(
        self, shape: Shape, stored: list[Values], columns: list[Sequence[Any]], count: int
    ) -> list[Any]:
        """Build many instances of one class: a template for what they share, the rest one by one."""
        cls = self._resolve(shape.type)
        attributes = shape.attributes or ()
        made = [generic_load.new(cls) for _ in range(count)]
        if generic_load.slots_to_set(cls, attributes):
            for obj, *values in zip(made, *columns, strict=True):
                generic_load.set_attributes(obj, attributes, values)
        elif attributes:
            states = [obj.__dict__ for obj in made]
            template = {name: column[0] for name, column in zip(attributes, columns, strict=True)}
            for state in states:
                state.update(template)
            for name, column, form in zip(attributes, columns, stored, strict=True):
                if isinstance(form, list) or (isinstance(form, Column) and (form.ref is None or form.step)):
                    for state, value in zip(states, column, strict=True):
                        state[name] = value
        if self._checks(cls):
            self._to_check += made
        return made

    def resolve(self) -> Any:
        """Return what the name of the type of the present node means."""
        return self._resolve(self._row)

    def _failed(self, name: str, reason: str) -> FormatError:
        return FormatError(
            f"{names.spell(name)} cannot be built: {reason}",
            path=f"schema.json nodes[{len(self._objects)}]",
            next_step=NEXT,
        )

    def _handler(self, shape: Shape) -> Handler | None:
        row = self._document.types[shape.type]
        self._row = shape.type
        return self._registry.by_name(row.name) if row.role == CLASS else None

    def _loader(self, shape: Shape, handler: Handler | None) -> Callable[[list[Any]], Any]:
        """Return the function that builds a node of `shape` from its values."""
        role = self._document.types[shape.type].role
        if role == VALUE:
            return functools.partial(self._value, shape.type)
        if role == CALL:
            return functools.partial(self._call, shape)
        if handler is not None:
            if not handler.is_light:
                return functools.partial(self._paid, handler, shape.attributes)
            load, attributes = handler.load, shape.attributes
            return lambda values: load(attributes, values, self)
        return functools.partial(self._instance, shape)

    def _paid(self, handler: Handler, attributes: tuple[str, ...] | None, values: list[Any]) -> Any:
        size, before = self.account.pay(values, handler.type), self.read
        made = handler.load(attributes, values, self)
        size += (self.read - before) // BYTES_A_STEP
        if size >= LARGE:
            self.account.note([made], size)
        return made

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
        shape = self._document.shapes[self._document.shape_of(index)]
        row = self._document.types[shape.type]
        present, handler = self._row, self._handler(shape)
        if row.role != CLASS or (handler is not None and handler.shell is None):
            raise FormatError(
                "a reference points ahead to an object that cannot be part of a cycle",
                path=f"schema.json nodes[{index}]",
                next_step=NEXT,
            )
        if handler is not None and handler.shell is not None:
            made = handler.shell(self)
        else:
            if {"()args", "()kwargs", "()member"} & set(shape.attributes or ()):
                raise FormatError(
                    "a reference points ahead", path=f"schema.json nodes[{index}]", next_step=NEXT
                )
            made = generic_load.new(self._resolve(shape.type))
        self._row = present
        self._shells[index] = made
        return made

    def _fill(self, index: int, shape: Shape, values: list[Any]) -> None:
        shell, handler = self._shells[index], self._handler(shape)
        attributes = shape.attributes or ("()",)
        if not (attributes[0][:2] != "()" if handler is None else handler.is_light):
            self.account.pay(values, self._document.types[shape.type].name)
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
                raise ValidationError(f"{cls.__name__} has no such member", path=self.path, next_step=NEXT)
            return member
        if attributes and attributes[0].startswith("()"):
            self.account.pay(values, cls.__qualname__)
            given = dict(zip(attributes, values, strict=True))
            obj = generic_load.new(cls, given.get("()args", ()), given.get("()kwargs", {}))
        else:
            obj = generic_load.new(cls)
        self._give_state(obj, shape, values)
        return obj

    def _call(self, shape: Shape, values: list[Any]) -> Any:
        self.account.pay(values, self._document.types[shape.type].name)
        given = dict(zip(shape.attributes or (), values, strict=True))
        args = given.get("()args", ())
        if not isinstance(args, tuple):
            raise ValidationError("the arguments of a call are no tuple", path=self.path, next_step=NEXT)
        obj = self._resolve(shape.type)(*args)
        self._give_parts(obj, given)
        return obj

    def _give_state(self, obj: Any, shape: Shape, values: list[Any]) -> None:
        attributes = shape.attributes
        if attributes is None:
            raise ValidationError(
                f"{type(obj).__name__} is written in a form that it does not have",
                path=self.path,
                next_step=NEXT,
            )
        if attributes and attributes[0].startswith("()"):
            self._give_parts(obj, dict(zip(attributes, values, strict=True)))
        else:
            generic_load.set_attributes(obj, attributes, values)
        if self._checks(type(obj)):
            self._to_check.append(obj)

    def _give_parts(self, obj: Any, given: dict[str, Any]) -> None:
        name = names.of(type(obj))
        is_reviewed = name is not None and self._tables.reviewed(name, CLASS) is not None
        generic_load.give_parts(obj, given, is_reviewed)
