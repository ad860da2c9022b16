"""Writes a pickle as a Python script that does the same, in the same order.

A call whose result is used once stands where it is used, if everything then still happens in order. For that,
calls wait until something uses them, and all that wait are written down as statements of their own as soon
as another order would come out. What is used more than once has a name; so has what is nested deeply. All
is loops: a script is as long as the pickle has opcodes, however often it uses the same object.
"""

from __future__ import annotations

import heapq
from typing import Any

from skopsafe.foreign.pickles.expressions import DEEPEST, Expression, Flush
from skopsafe.foreign.pickles.forms import Puts, assemble, pieces
from skopsafe.foreign.pickles.importing import Imports
from skopsafe.foreign.pickles.labels import array_of
from skopsafe.foreign.pickles.literals import Literals
from skopsafe.foreign.pickles.machine import Operation, Pickle
from skopsafe.foreign.pickles.naming import Names, base_of, is_quiet
from skopsafe.foreign.pickles.uses import Uses, is_long
from skopsafe.foreign.pickles.values import (
    ByteArray,
    Call,
    Dict,
    FrozenSet,
    Global,
    List,
    Set,
    Span,
    Value,
    filled,
)

_EMPTY = {List: "[]", Dict: "{}", Set: "set()"}
_SMALL = 24
"""Characters of a tuple of constants that is written again where it stands again."""


class Writer:
    """Writes the statements of one pickle.

    Parameters
    ----------
    found : Pickle
        What a machine found.
    uses : Uses
        Of its values.
    names : Names
        Gives out names.
    literals : Literals
        Writes constants.

    Attributes
    ----------
    lines : list of str
        The statements.
    imports : Imports
        What stands above them.
    """

    def __init__(self, found: Pickle, uses: Uses, names: Names, literals: Literals) -> None:
        self.lines: list[str] = []
        self.imports = Imports(names)
        self._found = found
        self._uses = uses
        self._names = names
        self._literals = literals
        self._now = found.start
        self._named: dict[int, Expression] = {}
        self._waiting: list[tuple[Value, Expression]] = []
        self._calls: dict[int, Expression] = {}
        self._due: list[List | Set | Dict] = []
        self._later: list[tuple[int, int, Any, int, int]] = []
        self._plans = 0

    def write(self, result: str) -> None:
        """Write all operations in their order, and at last what comes out under the name `result`."""
        for container in self._uses.hashing:
            first = container.offset if isinstance(container, FrozenSet) else filled(container)[0][0]
            self._plan(first, container, -1, -1)
        for operation in self._found.operations:
            self._put_until(operation.offset)
            self._now = operation.offset
            self._operation(operation)
        self._put_until(self._found.end)
        self._now = self._found.end
        if self._found.error:
            self._flush()
            return
        self._statement(self._consume(Puts("result", result, (self._found.root,))))

    # Operations.

    def _operation(self, operation: Operation) -> None:
        value, argument = operation.value, operation.argument
        match operation.kind:
            case "import" if isinstance(value, Global):
                self._import(value)
                return
            case "import" | "call":
                self._label(value, None)
                self._make(value)
            case "build":
                self._label(value, argument)
                self._statement(self._consume(Puts("build", value, (argument,))))
            case "setitem":
                self._statement(self._consume(Puts("setitem", value, tuple(argument))))
            case kind:
                self._statement(self._consume(Puts(kind, value, tuple(argument))))
        if not isinstance(value, Call) or not is_quiet(value):
            self.imports.disturb()

    def _label(self, value: Value, state: Value) -> None:
        if isinstance(value, Call):
            content, what = array_of(value, state)
            if what:
                self._literals.arrays[id(content)] = what

    def _import(self, value: Global) -> None:
        statement = self.imports.add(value)
        if statement is None:  # its name is no identifier
            self._make(value)
        elif statement:
            self._flush()
            self.lines.append(statement)

    def _make(self, value: Value) -> None:
        expression = self._consume(value)
        if self._uses.counts.get(id(value), 0) <= 1 and not isinstance(value, Global):
            self._wait(value, expression)
        else:
            self._name(value, expression)

    def _wait(self, value: Value, expression: Expression) -> None:
        """Let a call wait for what uses it; it takes the place of those that it uses."""
        if expression.first >= 0:
            del self._waiting[expression.first :]
        expression = expression.numbered(len(self._waiting))
        self._waiting.append((value, expression))
        self._calls[id(value)] = expression

    def _name(self, value: Value, expression: Expression) -> Expression:
        """Write a statement that gives a name to a value."""
        name = Expression(self._names.fresh(base_of(value)))
        self._statement(Expression("", [name, expression], separator=" = "))
        self._named[id(value)] = name
        return name

    def _statement(self, expression: Expression) -> None:
        """Write a statement, behind the calls that wait and do not stand in it."""
        if expression.first >= 0:
            del self._waiting[expression.first :]
        self._flush()
        self.lines.append(expression.layout())

    def _flush(self) -> None:
        """Write the calls that wait as statements of their own."""
        waiting, self._waiting = self._waiting, []
        for value, expression in waiting:
            del self._calls[id(value)]
            if self._uses.counts.get(id(value), 0):
                name = Expression(self._names.fresh(base_of(value)))
                self._named[id(value)] = name
                expression = Expression("", [name, expression], separator=" = ", order=())
            self.lines.append(expression.layout())

    # Expressions.

    def _consume(self, value: Value) -> Expression:
        """Return the expression of a value; the calls in it are the last that wait, in order."""
        while True:
            try:
                expression = self._expression(value)
            except Flush:
                self._flush()
                continue
            if self._due:
                self._settle()
            elif expression.first >= 0 and expression.last != len(self._waiting) - 1:
                self._flush()
            else:
                return expression

    def _settle(self) -> None:
        """Fill what holds itself, and was written empty."""
        while self._due:
            container = self._due.pop()
            size = self._size(container)
            if not size:
                continue
            puts = self._puts(container, 0, size)
            try:
                expression = self._expression(puts)
            except Flush:
                self._flush()
                expression = self._expression(puts)
            if expression.first >= 0:
                self._flush()
                expression = self._expression(puts)
            self._statement(expression)

    def _expression(self, top: Value) -> Expression:
        """Return the expression of a value, itself without a name; names are given to parts of it."""
        todo: list[tuple[Value, Any, list[Expression]]] = [(top, pieces(top, self._size, self._alone), [])]
        while True:
            value, rest, out = todo[-1]
            for part in rest:
                found = self._ready(part)
                if found is None:
                    todo.append((part, pieces(part, self._size, self._alone), []))
                    break
                out.append(found)
            else:
                todo.pop()
                found = assemble(value, out, self._alone, self._literals)
                if not todo:
                    return found
                todo[-1][2].append(self._placed(value, found))

    def _ready(self, value: Value) -> Expression | None:
        """Return what stands for a value without a look into it; None where one is needed."""
        key = id(value)
        kind = type(value)
        if kind in (str, bytes, int) and is_long(value) and self._uses.counts.get(key, 0) > 1:
            return self._named.get(key) or self._name_at_rest(value, self._literals.of(value))
        if value is None or value == () or kind in (str, bytes, int, float, bool):
            return self._literals.of(value)
        if key in self._named:
            return self._named[key]
        if key in self._calls:
            if self._calls[key].depth >= DEEPEST:
                raise Flush
            return self._calls[key]
        if kind is Global:
            return self.imports.name_of(value)
        if kind in (Span, ByteArray):
            return self._placed(value, self._literals.of(value))
        if key in self._uses.cyclic and kind in _EMPTY:
            self._due.append(value)
            self._plan_rest(value)
            return self._name_at_rest(value, Expression(_EMPTY[kind]))
        return None

    def _placed(self, value: Value, expression: Expression) -> Expression:
        """Return an expression to stand where a value is used: itself, or a name for it."""
        is_final = not isinstance(value, List | Set | Dict) or self._is_final(value)
        if is_final and expression.depth < DEEPEST:
            if self._uses.counts.get(id(value), 0) <= 1:
                return expression
            if type(value) is tuple and expression.size <= _SMALL and not any(map(_is_object, value)):
                return expression
        if expression.first >= 0:
            raise Flush
        if not is_final:
            self._plan_rest(value)
        return self._name_at_rest(value, expression)

    def _name_at_rest(self, value: Value, expression: Expression) -> Expression:
        """Name a value whose making has no effect: calls that wait may go on waiting."""
        name = Expression(self._names.fresh(base_of(value)))
        self.lines.append(Expression("", [name, expression], separator=" = ").layout())
        self._named[id(value)] = name
        return name

    def _alone(self, value: Value) -> bool:
        """Tell whether arguments of a call stand nowhere else."""
        return type(value) is tuple and (value == () or self._uses.counts.get(id(value), 0) <= 1)

    # What containers hold when.

    def _size(self, value: List | Set | Dict) -> int:
        """Return how much a container holds at the present operation."""
        return max((size for offset, size in filled(value) if offset <= self._now), default=0)

    def _is_final(self, value: List | Set | Dict) -> bool:
        return (value.last or value.offset) <= self._now

    def _plan(self, offset: int, value: Value, start: int, stop: int) -> None:
        self._plans += 1
        heapq.heappush(self._later, (offset, self._plans, value, start, stop))

    def _plan_rest(self, value: List | Set | Dict) -> None:
        """Have what comes later put into a container that has a name from now on."""
        start = 0
        for offset, stop in filled(value):
            if offset > self._now:
                self._plan(offset, value, start, stop)
            start = stop

    def _put_until(self, end: int) -> None:
        """Put into containers what belongs there before the operation at an offset."""
        while self._later and self._later[0][0] < end:
            self._now, _, value, start, stop = heapq.heappop(self._later)
            if start >= 0:
                self._statement(self._consume(self._puts(value, start, stop)))
            elif id(value) not in self._named:
                self._hash(value)

    def _hash(self, value: Set | FrozenSet | Dict) -> None:
        """Write a container whose making calls methods of what it holds."""
        if id(value) in self._uses.cyclic and not isinstance(value, FrozenSet):
            self._ready(value)
            self._settle()
        elif isinstance(value, FrozenSet) or (self._is_final(value) and self._alone_at_all(value)):
            self._make(value)
        else:
            self._plan_rest(value)
            self._name(value, self._consume(value))

    def _alone_at_all(self, value: Value) -> bool:
        return self._uses.counts.get(id(value), 0) <= 1

    def _puts(self, value: List | Set | Dict, start: int, stop: int) -> Puts:
        if isinstance(value, Dict):
            return Puts("setitem", value, tuple(value.pairs[start:stop]))
        kind = "append" if isinstance(value, List) else "add"
        return Puts(kind, value, tuple(value.items[start:stop]))


def _is_object(value: Value) -> bool:
    return type(value) not in (str, bytes, int, float, bool, type(None))
