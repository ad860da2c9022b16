"""The rules: what is said of an operation of a pickle. Each is a function and an entry of a table.

A rule gets an operation and its `Context`, and returns a finding or None. The worst finding of an operation
is its verdict; an operation of which no rule says anything is safe.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import get_args

from skopsafe.foreign.pickles.dtypes import Known, contradiction, is_dtype_call
from skopsafe.foreign.pickles.machine import Kind, Operation
from skopsafe.foreign.pickles.values import Call, Computed, Dict, Global, List, Value
from skopsafe.judge.arguments import CHECKS
from skopsafe.judge.attributes import is_getattr, resolved
from skopsafe.judge.levels import Finding, Level, rank, worst
from skopsafe.judge.naming import REACHING, Names, Role
from skopsafe.judge.shapes import (
    arguments_of_class,
    attribute_that_acts,
    class_of,
    code_in_state,
    computed_keys,
    items_put,
    made_by_hand,
    state_again,
    state_of_instance,
    state_of_slots,
)
from skopsafe.judge.shapes import keys as keys_of
from skopsafe.judge.shown import show

SAFE = Finding("safe", "", "")
_KEYS = 10_000
"""Keys of a state that are looked at."""
_PARTS = 10
"""Parts of a state that are looked at."""


@dataclass(frozen=True, slots=True)
class Context:
    """What rules know beside the operation.

    Attributes
    ----------
    names : Names
        Judges names.
    roles : dict of int to set of str
        In which roles an imported name is used, by the identity of its record.
    reachable : container of int
        Identities of the records that the root leads to.
    beside : mapping of str to Finding
        By the name of a file in the folder of the pickle: what was found there.
    late : container of int
        Offsets at which a dtype gets its state after it may have been used.
    dtypes : Known
        Those that were made from records of the pickle.
    """

    names: Names
    roles: dict[int, set[Role]]
    reachable: Container[int]
    beside: Mapping[str, Finding] = field(default_factory=dict)
    late: Container[int] = ()
    dtypes: Known = field(default_factory=Known)


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of the table.

    Attributes
    ----------
    kinds : tuple of str
        Operations that it is about.
    says : callable
        ``says(operation, context)`` returns a finding, or None.
    """

    kinds: tuple[Kind, ...]
    says: Callable[[Operation, Context], Finding | None]


def _import(op: Operation, context: Context) -> Finding | None:
    name: Global | Computed = op.value
    if isinstance(name, Computed):
        return None
    roles = context.roles.get(id(name)) or {"value"}
    if len(roles) == 1:
        return context.names.finding(name.module, name.name, *roles)
    found = [context.names.finding(name.module, name.name, role) for role in sorted(roles)]
    return worst(found, SAFE)


def _computed_name(op: Operation, context: Context) -> Finding | None:
    if not isinstance(op.value, Computed):
        return None
    return Finding("malicious", "computed name", f"imports {show(op.value)}: no pickler computes names")


def _call(op: Operation, context: Context) -> Finding | None:
    call: Call = op.value
    function, names = call.function, context.names
    if type(function) is Global:
        return _named_call(call, function.module, function.name, context)
    if function is None:
        return None
    if is_getattr(function):
        found = resolved(names, function)
        if found is not None:
            return _named_call(call, *found, context)
    if isinstance(function, Call) and isinstance(function.function, Global):
        inner = names.finding(function.function.module, function.function.name, "call")
        if inner.level == "malicious":
            return Finding(
                "malicious", "call of a result", f"{show(call)} calls what a denied function gave out"
            )
    return Finding("suspicious", "call of a result", f"{show(call)} calls what another call gave out")


def _named_call(call: Call, module: str, name: str, context: Context) -> Finding | None:
    names = context.names
    if call.way == "new" or (call.way == "instantiate" and call.args == () and names.is_class(module, name)):
        found = names.finding(module, name, "class")
        is_known = found.level == "safe"
    else:
        found, reviewed = names.finding(module, name, "call"), names.reviewed(module, name)
        if reviewed is not None and reviewed.check:
            return CHECKS[reviewed.check](names, call)
        is_known = reviewed is not None
    if is_known and not isinstance(call.args, tuple):
        return Finding("suspicious", "arguments", f"{show(call)}: computes its arguments")
    return found


def _from_outside(op: Operation, context: Context) -> Finding | None:
    call: Call = op.value
    if call.function is not None:
        return None
    match call.way:
        case "persistent":
            # torch writes tuples, and reads them with a function of its own.
            is_usual = (
                isinstance(call.args, tuple) and len(call.args) == 1 and isinstance(call.args[0], tuple)
            )
            level: Level = "unknown" if is_usual else "suspicious"
            return Finding(level, "persistent id", f"{show(call)}: what it stands for is up to the loader")
        case "extension":
            return Finding(
                "suspicious", "extension", f"{show(call)}: a number for any name that was registered"
            )
        case "file":
            name = call.args[0] if isinstance(call.args, tuple) else None
            unseen = Finding("unknown", "file beside", f"{show(call)}: that file was not looked at")
            return context.beside.get(name, unseen) if isinstance(name, str) else unseen
        case "buffer":
            return Finding("unknown", "buffer", "needs a buffer from outside of the file")
    return None


def _dropped(op: Operation, context: Context) -> Finding | None:
    call: Call = op.value
    if id(call) in context.reachable or call.way in ("buffer", "file"):
        return None
    return Finding("suspicious", "dropped result", f"{show(call)}: it is called, and its result is not used")


def _put_into(op: Operation, context: Context) -> Finding | None:
    target = op.value
    if isinstance(target, (Global, Computed)):
        return Finding(
            "malicious", "changes what is imported", f"changes {show(target)} for the whole process"
        )
    if isinstance(target, Call) and _is_shared(target, context.names):
        return Finding(
            "malicious", "changes what is imported", f"changes {show(target)}, which is no new object"
        )
    if isinstance(target, List):
        return Finding("suspicious", "changes a list", "sets items of a list, which no pickler writes")
    return None


def _is_shared(call: Call, names: Names) -> bool:
    """Tell whether what a call gives out is held by others too."""
    if call.way != "reduce":
        return False
    if type(call.function) is not Global:
        return True
    reviewed = names.reviewed(call.function.module, call.function.name)
    return reviewed is not None and reviewed.is_shared


_TEXTS = frozenset((str,))
_NAMED = frozenset((Dict, Call))
"""What may have names of attributes."""
_METHODS = {"append": ("append", "extend"), "add": ("add",), "setitem": ("__setitem__",), "build": ()}


def _own_method(op: Operation, context: Context) -> Finding | None:
    """Find items that are put into an object by what its state says, and not its class."""
    states = op.value.states if isinstance(op.value, Call) else []
    for state in states:
        for part in state if isinstance(state, tuple) else (state,):
            if any(key in _METHODS[op.kind] for key in _keys(part)):
                return Finding(
                    "malicious", "calls what is in a state", f"{show(op.value)} calls its own attribute"
                )
    return None


def _state(op: Operation, context: Context) -> Finding | None:
    state = op.argument
    if type(state) is not tuple:
        return _set_by(state, op, "suspicious")
    for part in state[:_PARTS]:
        # Most are those of arrays, with a dtype among them.
        if type(part) is Dict or (type(part) is Call and not is_dtype_call(part)):
            # Those of two parts are set by the unpickler; of others, a class may set what is in any of them.
            is_set = len(state) == 2 and part is state[1]
            found = _set_by(part, op, "malicious" if is_set else "suspicious")
            if found is not None:
                return found
    return None


def _item(op: Operation, context: Context) -> Finding | None:
    """Find items that are attributes too, as those of a Bunch are."""
    for key, _ in op.argument[:_KEYS]:
        if isinstance(key, str) and key in REACHING:
            return Finding("suspicious", "special attribute", f"sets {show(key)} of {show(op.value)}")
    return None


def _made(op: Operation, context: Context) -> Finding | None:
    cls = class_of(op.value)
    if cls is None:
        return None
    return made_by_hand(op.value, cls) or arguments_of_class(op.value, cls, context.names)


def _changed(op: Operation, context: Context) -> Finding | None:
    cls, names = class_of(op.value), context.names
    found = code_in_state(op, _KEYS) or state_again(op)
    if cls is not None:
        found = found or attribute_that_acts(op, cls, _KEYS) or state_of_slots(op, cls, names)
    return found or state_of_instance(op, cls, names)


def _filled(op: Operation, context: Context) -> Finding | None:
    return items_put(op, context.names)


def _dtype(op: Operation, context: Context) -> Finding | None:
    """Find states of dtypes that numpy would believe, and read or write outside of arrays then."""
    made = op.value
    if not is_dtype_call(made):
        return None
    args = made.args if type(made.args) is tuple else ()
    if op.offset in context.late:
        return Finding("suspicious", "dtype", f"changes {show(made)} after it may have been used")
    if len(args) != 3 or type(args[2]) not in (bool, int) or not args[2]:
        return Finding("suspicious", "dtype", f"changes {show(made)}, which is no copy")
    wrong = contradiction(made, context.dtypes)
    if wrong is None:
        return None
    why = f"the state of {show(made)} contradicts it: {wrong[0]}"
    return Finding("unknown" if wrong[1] else "suspicious", "dtype", why)


def _set_by(state: Value, op: Operation, level: Level) -> Finding | None:
    """Look at names of attributes. Those in slots are set by setattr: a new class, for one, takes effect."""
    if type(state) not in _NAMED:
        return None
    found = keys_of(state, _KEYS)
    if type(state) is Call or not _TEXTS.issuperset(map(type, found)):
        computed = computed_keys(state, found)
        if computed is not None:
            why = f"sets attributes by names that it computes: {computed}"
            return Finding("suspicious", "computed attribute", why)
    if not REACHING.isdisjoint(found):
        for key in found:
            if key in REACHING and key != "__wrapped__":
                return Finding(level, "special attribute", f"sets {show(key)} of {show(op.value)}")
    if type(state) is Dict and len(state.pairs) > _KEYS:
        why = f"a state of more than {_KEYS} keys was not looked through"
        return Finding("unknown", "long state", why)
    return None


def _keys(state: Value) -> list[str]:
    return [key for key in keys_of(state, _KEYS) if isinstance(key, str)]


_PLANS = ("LazyFrame", "Expr")
"""Classes of polars whose state is a plan, with functions that are pickles: polars 1.32 unpickles them when
it loads the plan, 2.1 when it runs it."""


def _plan(op: Operation, context: Context) -> Finding | None:
    made = op.value
    if type(made) is not Call:
        return None
    first = made.args[0] if type(made.args) is tuple and made.args else None
    for name in (made.function, first):
        if type(name) is not Global or not name.module.startswith("polars"):
            continue
        if name.module.partition(".")[0] == "polars" and name.name.rpartition(".")[2] in _PLANS:
            why = f"{show(name)} is a plan: functions in it are unpickled, and it opens files when it runs"
            return Finding("suspicious", "plan", why)
    return None


RULES: dict[str, Rule] = {
    "what a name is": Rule(("import",), _import),
    "a name that is computed": Rule(("import",), _computed_name),
    "what is called, and with what": Rule(("call",), _call),
    "what comes from outside": Rule(("call",), _from_outside),
    "results that nobody uses": Rule(("call",), _dropped),
    "what is changed": Rule(("build", "append", "setitem", "add"), _put_into),
    "methods that are attributes": Rule(("append", "setitem", "add"), _own_method),
    "special attributes in a state, and states too long to look at": Rule(("build",), _state),
    "names of attributes that are items": Rule(("setitem",), _item),
    "how no pickler makes what was reviewed": Rule(("call",), _made),
    "how no pickler changes what was reviewed": Rule(("build",), _changed),
    "how no pickler fills what was reviewed": Rule(("append", "setitem", "add"), _filled),
    "states of dtypes": Rule(("build",), _dtype),
    "states that are plans": Rule(("build",), _plan),
}
"""All rules. One more is one more entry."""

_BY_KIND = {kind: [rule.says for rule in RULES.values() if kind in rule.kinds] for kind in get_args(Kind)}


def finding(op: Operation, context: Context) -> Finding:
    """Return the worst that the rules say of an operation."""
    found = SAFE
    for says in _BY_KIND[op.kind]:
        said = says(op, context)
        if said is not None and said.level != found.level and rank(said.level) > rank(found.level):
            found = said
    return found
