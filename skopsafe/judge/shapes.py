"""What no pickler writes of what was reviewed: how instances are made, filled and given their state.

That a class is harmless was reviewed for instances as picklers make them. Other ways run other code of it:
a constructor, a method that puts items, a method by which a container takes the items of what it is given.
And what has a state already, or memory that others see, must not get another.
"""

from __future__ import annotations

from skopsafe.foreign.pickles.dtypes import is_dtype_call
from skopsafe.foreign.pickles.machine import Operation, Pickle
from skopsafe.foreign.pickles.moved import moved
from skopsafe.foreign.pickles.values import ByteArray, Call, Dict, Global, List, Span, Stored, Value
from skopsafe.judge.calls import (
    Items,
    acting,
    filled_by,
    is_any_run,
    names_with,
    reviewed_call,
    unmade,
    written_form,
)
from skopsafe.judge.levels import Finding
from skopsafe.judge.naming import Names
from skopsafe.judge.shown import show

_ITEMS: dict[str, Items] = {"append": "append", "setitem": "setitem"}
_MAKERS = ("copyreg:__newobj__", "copyreg:__newobj_ex__")
_MAPPINGS = ("builtins:dict", "collections:OrderedDict", "collections:defaultdict", "collections:Counter")
_TEXTS = ("builtins:str", "builtins:getattr", "copyreg:_reconstructor", "numpy._core.multiarray:scalar")
"""Reviewed calls that may give out a text."""
_OF_FIRST = frozenset(("reconstructor", "class first", "index"))
"""Checks of calls that give out an instance of the class that is their first argument."""
_STATES = ("pandas.core.internals.managers:BlockManager", "pandas.core.internals.managers:SingleBlockManager")
"""Classes, other than mappings, whose instances are states: old pandas wrote those of tables so."""
_LIKE_MAPPINGS = ("collections:UserDict", "collections:ChainMap")
_QUIET = ("numpy:dtype", "_codecs:encode", "builtins:bytes")
"""What is called between a dtype and its state, for the state."""


def class_of(made: Value) -> Global | None:
    """Return the class of an instance that a class makes without a call of it, if it has a name."""
    if type(made) is not Call or type(made.function) is not Global:
        return None
    if made.way == "new":
        return made.function
    first = made.args[0] if type(made.args) is tuple and made.args else None
    if made.way != "reduce" or type(first) is not Global or made.function.name not in names_with(_OF_FIRST):
        return None
    reviewed = reviewed_call(made.function.spelled)
    return first if reviewed is not None and reviewed.check in _OF_FIRST else None


def arguments_of_class(call: Call, cls: Global, names: Names) -> Finding | None:
    """Find instances of reviewed classes whose ``__new__`` gets something."""
    if call.way == "new":
        given = call.args != () or _is_full(call.kwargs)
    elif call.function.spelled in _MAKERS:
        given = len(call.args) > 1 and any(arg != () and _is_full(arg) for arg in call.args[1:])
    else:
        return None
    if not given or "given" in filled_by(cls.spelled) or not names.is_class(cls.module, cls.name):
        return None
    return Finding("suspicious", "arguments", f"{show(call)}: no pickler gives arguments to this class")


def _is_full(value: Value) -> bool:
    return value is not None and not (type(value) is Dict and not value.pairs)


def items_put(op: Operation, names: Names) -> Finding | None:
    """Find items that are put into what no pickler puts them, by a method of it."""
    target = op.value
    if isinstance(target, ByteArray | Span | Stored):
        return Finding("suspicious", "items", f"puts items into {show(target)}, which others may look into")
    if type(target) is not Call or type(target.function) is not Global:
        return None
    cls = class_of(target) or target.function
    kind = _ITEMS.get(op.kind)
    if kind is not None and kind in filled_by(cls.spelled):
        return None
    known = names.is_class(cls.module, cls.name) or names.reviewed(cls.module, cls.name) is not None
    if not known:
        return None
    return Finding("suspicious", "items", f"puts items into {show(target)}, as no pickler does")


def state_again(op: Operation) -> Finding | None:
    """Find what gets a second state: others may hold what the first was made of."""
    target = op.value
    if type(target) is Call and len(target.states) > 1 and op.argument is not target.states[0]:
        return Finding("suspicious", "second state", f"sets a state of {show(target)} once more")
    return None


def keys(state: Value, most: int) -> list[Value]:
    """Return the keys of a state that is a mapping, also of one that is made by a call."""
    if type(state) is Dict:
        pairs = state.pairs if len(state.pairs) <= most else state.pairs[:most]
        return [key for key, _ in pairs]
    if not _is_mapping(state):
        return []
    found = [key for key, _ in state.pairs[:most]]
    for arg in state.args:
        found += keys(arg, most) if type(arg) is Dict else []
    return found


def _is_mapping(state: Value) -> bool:
    if type(state) is not Call or type(state.function) is not Global or type(state.args) is not tuple:
        return False
    return state.function.spelled in _MAPPINGS or class_of(state) is not None


def computed_keys(state: Value, found: list[Value]) -> str | None:
    """Return what is computed of the names in a state, or None if the stream spells all of them.

    Parameters
    ----------
    state : Value
        The state.
    found : list
        Its keys.
    """
    if type(state) is Call and type(state.function) is Global and type(state.args) is tuple:
        is_told = all(arg is None or type(arg) in (Global, Dict) for arg in state.args)
        if not is_told and state.function.spelled in _MAPPINGS:
            return show(state)
    for key in found:
        if type(key) is Call and type(key.function) is Global:
            name = key.function
            if f"{moved(name.module)}:{name.name}" in _TEXTS:
                return show(key)
    return None


def late_states(pickle: Pickle) -> frozenset[int]:
    """Return the offsets at which a dtype gets its state after something could have been made with it."""
    late: set[int] = set()
    ready: set[int] = set()
    used: set[int] = set()
    for op in pickle.operations:
        kind, value = op.kind, op.value
        if kind == "import":
            continue
        if is_dtype_call(value):
            if kind == "call":
                ready.add(id(value))
                continue
            if kind == "build":
                if id(value) in used:
                    late.add(op.offset)
                ready.discard(id(value))
                continue
        if ready and not (
            kind == "call" and type(value.function) is Global and value.function.spelled in _QUIET
        ):
            used |= ready
            ready.clear()
    return frozenset(late)


def attribute_that_acts(op: Operation, cls: Global, most: int) -> Finding | None:
    """Find states in which an attribute says what is called, such as a method by its name, or an address."""
    acts = acting(cls.spelled)
    if acts is None:
        return None
    for state in op.argument if type(op.argument) is tuple else (op.argument,):
        for key, value in state.pairs[:most] if type(state) is Dict else ():
            names = value if type(value) is tuple else value.items if type(value) is List else (value,)
            if key not in acts.attributes or all(name is None or name in acts.allowed for name in names):
                continue
            return Finding("suspicious", "attribute that acts", f"{show(op.value)}: {acts.reason}")
    return None


def made_by_hand(call: Call, cls: Global) -> Finding | None:
    """Find instances of classes that no pickler makes so."""
    reason = unmade(cls.spelled)
    return None if reason is None else Finding("suspicious", "instance", f"{show(call)}: {reason}")


def state_of_instance(op: Operation, cls: Global | None, names: Names) -> Finding | None:
    """Find states that are instances: what is in them is found by what their class or their own state says.

    A class that reads one may get another value each time, and no rule sees the names of attributes in it.
    """
    state = class_of(op.argument)
    if state is None or "setitem" in filled_by(state.spelled) or state.spelled in _STATES:
        return None
    is_known = cls is not None and names.is_class(cls.module, cls.name)
    if not is_known and state.spelled not in _LIKE_MAPPINGS:
        return None
    return Finding(
        "suspicious", "state", f"the state of {show(op.value)} is an instance: {show(op.argument)}"
    )


def code_in_state(op: Operation, most: int) -> Finding | None:
    """Find texts in a state that a class runs as code, unless they are of the form that it writes itself."""
    for state in op.argument if type(op.argument) is tuple else (op.argument,):
        pairs = state.pairs[:most] if type(state) is Dict or type(state) is Call else []
        if not pairs or not is_any_run([key for key, _ in pairs]):
            continue
        for key, value in pairs:
            form = written_form(key) if type(key) is str else None
            if form is None or (type(value) is str and form.matches(value)):
                continue
            if form.beside and not any(other in form.beside for other, _ in pairs if type(other) is str):
                continue
            return Finding(form.level, "code in a state", f"{show(op.value)}, {show(key)}: {form.reason}")
    return None


def state_of_slots(op: Operation, cls: Global, names: Names) -> Finding | None:
    """Find attributes that are set one by one, as those in slots are: reviewed classes have none."""
    state = op.argument
    if type(state) is not tuple or len(state) != 2 or type(state[1]) is not Dict or not state[1].pairs:
        return None
    if not names.is_class(cls.module, cls.name):
        return None
    return Finding("suspicious", "slots", f"sets attributes of {show(op.value)} that are no slots")
