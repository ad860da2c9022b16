"""What a call of the symbolic machine is: of which class an instance, with which arguments."""

from __future__ import annotations

from skopsafe.convert.rules import refuse, settled
from skopsafe.foreign.pickles.values import Call, Global, Value


def direct(call: Call) -> list[Value]:
    """Return what the parts of an object without arguments are made of."""
    found = list(call.items)
    for pair in call.pairs:
        found += pair
    return found


def class_of(call: Call) -> str | None:
    """Return the name of the class of which a call makes an instance by ``__new__`` alone, or None."""
    if call.way == "new" and isinstance(call.function, Global):
        return settled(call.function)
    if call.way == "reduce" and isinstance(call.function, Global) and isinstance(call.args, tuple):
        maker, args = call.function.spelled, call.args
        if maker == "copyreg:_reconstructor" and len(args) == 3:
            plain = isinstance(args[1], Global) and args[1].spelled == "builtins:object" and args[2] is None
            if plain and isinstance(args[0], Global):
                return settled(args[0])
        if maker == "copyreg:__newobj__" and args and isinstance(args[0], Global):
            return settled(args[0])
    return None


def bound(function: Value) -> str:
    """Return the name of a method that is taken from its class before it is called; else nothing."""
    if isinstance(function, Call) and isinstance(function.function, Global):
        args = function.args
        if function.function.spelled == "builtins:getattr" and isinstance(args, tuple) and len(args) == 2:
            cls, method = args
            if isinstance(cls, Global) and isinstance(method, str):
                return f"{settled(cls)}.{method}"
    return ""


def arguments(call: Call) -> tuple[Value, ...]:
    if not isinstance(call.args, tuple):
        refuse("the arguments of a call are computed", call.offset)
    if call.way == "reduce" and isinstance(call.function, Global):
        if call.function.spelled == "copyreg:_reconstructor":
            return () if class_of(call) is not None else call.args
        if call.function.spelled == "copyreg:__newobj__":
            return call.args[1:] if class_of(call) is not None else call.args
    return call.args
