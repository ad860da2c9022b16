"""Goes over opcodes without running them, to see whether they could do anything before they break off.

The bytes of arrays are no opcodes, and a reader that takes them for some breaks off soon. How long an opcode
is does not depend on what was before it, so that this is told without a stack or a memo.
"""

from __future__ import annotations

from skopsafe.foreign.pickles.reading import Source

_MOST = 100
"""Opcodes that are gone over, and the bytes of them that are read."""
_WINDOW = 4096

_LENGTHS = {
    **dict.fromkeys(b"(012N)]}tld\x85\x86\x87\x88\x89\x8f\x91\x94\x98", 0),
    **dict.fromkeys(b"Khq\x80", 1),
    **dict.fromkeys(b"M", 2),
    **dict.fromkeys(b"Jjr", 4),
    **dict.fromkeys(b"G\x95", 8),
}
"""By opcode: the bytes of its argument."""
_SIZED = {
    **dict.fromkeys(b"CU\x8a\x8c", 1),
    **dict.fromkeys(b"BTX\x8b", 4),
    **dict.fromkeys(b"\x8d\x8e\x96", 8),
}
"""By opcode: the bytes of the number that says how long its argument is."""
_OPCODES = frozenset((*b"()]}.012BCFGIJKLMNPQRSTUVXabcdeghijlopqrstu", *range(0x80, 0x99)))
"""All that there are."""


def could_act(source: Source, place: int) -> bool:
    """Tell whether opcodes could do anything before they break off.

    Parameters
    ----------
    source : Source
        The stream.
    place : int
        Where the first of them is.

    Returns
    -------
    bool
        False where there is no opcode, or none of those that are run before import a name, call, build, or
        put anything into what there is. True also where that would take long to tell.
    """
    data = source.read(place, _WINDOW)
    at = 0
    for _ in range(_MOST):
        if at >= len(data):
            return place + at < source.size
        code = data[at]
        if code in _LENGTHS:
            at += 1 + _LENGTHS[code]
        elif code in _SIZED:
            width = _SIZED[code]
            at += 1 + width + int.from_bytes(data[at + 1 : at + 1 + width], "little")
        else:
            return code in _OPCODES
    return True
