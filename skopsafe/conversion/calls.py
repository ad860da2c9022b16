"""What a call of a pickle makes: an instance of a class by ``__new__``, in one of the ways to say so."""

from __future__ import annotations

from collections.abc import Container

from skopsafe.conversion.rules import refuse, settled
from skopsafe.foreign.pickles.values import Call, Global, Value


def class_of(call: Call, ruled: Container[str]) -> str | None:
    """Return the name of the class of which a call makes an instance by ``__new__`` alone, or None.

    Parameters
    ----------
    call : Call
        The call.
    ruled : container of str
        Classes with a rule, which looks at what a base in C brings; for others it has to be nothing.
    """
    if not isinstance(call.function, Global) or not isinstance(call.args, tuple):
        return None
    if call.way == "new":
        return settled(call.function)
    maker, args = call.function.spelled, call.args
    if call.way != "reduce" or not args or not isinstance(args[0], Global):
        return None
    if maker == "copyreg:__newobj__":
        return settled(args[0])
    if maker != "copyreg:_reconstructor" or len(args) != 3:
        return None
    is_plain = isinstance(args[1], Global) and args[1].spelled == "builtins:object" and args[2] is None
    found = settled(args[0])
    return found if is_plain or found in ruled else None


def arguments(call: Call, cls: str | None) -> tuple[Value, ...]:
    """Return the arguments of ``__new__`` of the class that `class_of` told, or of whatever is called."""
    if not isinstance(call.args, tuple):
        refuse("the arguments of a call are computed", call.offset)
    if call.way == "reduce" and cls is not None:
        return call.args[1:] if call.function.spelled == "copyreg:__newobj__" else ()
    return call.args


def bound(function: Value) -> str:
    """Return the name of a method that is taken from its class before it is called; else nothing."""
    if isinstance(function, Call) and isinstance(function.function, Global):
        args = function.args
        if function.function.spelled == "builtins:getattr" and isinstance(args, tuple) and len(args) == 2:
            cls, method = args
            if isinstance(cls, Global) and isinstance(method, str):
                return f"{settled(cls)}.{method}"
    return ""
