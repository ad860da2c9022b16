"""What is said of content that a script leaves out, such as the bytes of an array."""

from __future__ import annotations

from skopsafe.foreign.pickles.values import Call, Global, Span, Stored, Value

_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


def label_of(value: Value, array: str) -> str:
    """Describe a constant, or an array, that is left out.

    Parameters
    ----------
    value : Value
        The content.
    array : str
        What the array is whose bytes these are; empty for other content.
    """
    match value:
        case Stored(is_beside=True):
            return f"array, in the file {value.file[:80]!r} beside"
        case Stored():
            what = f"{str(value.dtype)[:80]} array, shape {_shape(value.shape)}"
            return f"{what}, {value.size:,} bytes at byte {value.offset}"
        case Span():
            return f"{array or value.kind}, {value.size:,} bytes at byte {value.offset}"
        case str():
            return f"str, {len(value):,} characters that begin with {value[:40]!r}"
        case bytes() | bytearray():
            if array:
                return f"{array}, {len(value):,} bytes"
            return f"{type(value).__name__}, {len(value):,} bytes that begin with {bytes(value[:20])!r}"
    return array or "a number"


def array_of(call: Call, state: Value = None) -> tuple[Value, str]:
    """Return the bytes of an array and what it is, if a call with its state makes one of numpy; else None."""
    name, args = call.function, call.args
    if not isinstance(name, Global) or not name.module.startswith("numpy."):
        return None, ""
    if name.name == "_reconstruct" and type(state) is tuple and len(state) == 5:
        _, shape, dtype, _, content = state
    elif name.name == "_frombuffer" and type(args) is tuple and len(args) == 4:
        content, dtype, shape, _ = args
    else:
        return None, ""
    return content, f"{_dtype(dtype)} array, shape {_shape(shape)}"


def _shape(shape: Value) -> str:
    if type(shape) is tuple and len(shape) <= 64 and all(type(n) is int and 0 <= n < 2**63 for n in shape):
        return str(shape)
    return "unknown"


def _dtype(dtype: Value) -> str:
    """Return the name of a dtype of numbers; the code of another."""
    if not isinstance(dtype, Call) or type(dtype.args) is not tuple or not dtype.args:
        return "unknown"
    code = dtype.args[0]
    if type(code) is not str or not code.isascii() or not code.isprintable() or len(code) > 20:
        return "unknown"
    kind, size = code[:1], code[1:]
    if code == "b1":
        return "bool"
    if kind in _KINDS and size.isdecimal() and len(size) < 3:
        return f"{_KINDS[kind]}{8 * int(size)}"
    return "object" if kind == "O" else code
