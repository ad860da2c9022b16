"""Puts the script of a file together: a section for each pickle of each stream. See `script`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skopsafe.errors import LimitError, escape
from skopsafe.foreign.pickles.expressions import constant
from skopsafe.foreign.pickles.literals import Literals
from skopsafe.foreign.pickles.machine import Pickle
from skopsafe.foreign.pickles.naming import Names
from skopsafe.foreign.pickles.reading import Source
from skopsafe.foreign.pickles.script import Writer
from skopsafe.foreign.pickles.uses import Uses, count

MOST_CONTENT = 10**6
"""Bytes of texts, bytes and arrays together that a complete script has as literals at most."""

_HEAD = """\
# What loading the file does, in the order in which it happens. Nothing of it was run or imported.
"""
_OMITTED = "# Without what is in _left_out(...) the script does not run; --complete leaves nothing out.\n"


@dataclass(frozen=True, slots=True)
class Found:
    """The pickles of a stream.

    Attributes
    ----------
    name : str
        Of the stream, such as the member of a zip; empty if the file is one stream.
    source : Source
        Its bytes.
    pickles : sequence of Pickle
        What machines found in it.
    """

    name: str
    source: Source
    pickles: Sequence[Pickle]


def script(streams: Sequence[Found], *, complete: bool = False) -> str:
    """Return a Python script that does what loading the streams would do.

    Parameters
    ----------
    streams : sequence of Found
        What was found in a file.
    complete : bool
        Whether long content stands in it, so that it runs.

    Raises
    ------
    LimitError
        There is too much content for a complete script.
    """
    counted = [(stream, pickle, count(pickle)) for stream in streams for pickle in stream.pickles]
    if complete:
        _check([uses for _, _, uses in counted])
    prelude = _prelude()
    names = Names((*prelude, *(f"result_{n}" for n in range(1, len(counted) + 1)), "result"))
    parts = []
    helpers: set[str] = set()
    for number, (stream, pickle, uses) in enumerate(counted, 1):
        literals = Literals(stream.source, complete)
        writer = Writer(pickle, uses, names, literals)
        writer.write("result" if len(counted) == 1 else f"result_{number}")
        imports = "".join(f"{line}\n" for line in writer.imports.lines)
        helpers |= literals.helpers
        head = _about(stream, pickle, number, len(counted))
        body = "".join(f"{line}\n" for line in (*writer.lines, *_end(pickle)))
        parts.append((head, imports, body))
    functions = "".join(f"\n\n{prelude[name]}" for name in prelude if name in helpers)
    out = [_HEAD, _OMITTED if "_left_out" in helpers else ""]
    for number, (head, imports, body) in enumerate(parts):
        out += ["\n" if number else "", head, "\n" if imports else "", imports]
        if not number and functions:
            out.append(f"{functions}\n")
        out += ["\n", body]
    return "".join(out)


def _check(uses: Sequence[Uses]) -> None:
    size = sum(part.content for part in uses)
    if size > MOST_CONTENT:
        raise LimitError(
            f"a complete script would have {size:,} bytes of content as literals, more than {MOST_CONTENT:,}",
            next_step="Leave complete away: content is then described, and all operations are there.",
        )


def _prelude() -> dict[str, str]:
    """Return the helper functions by their names."""
    text = Path(__file__).with_name("prelude.txt").read_text("utf-8")
    functions = [f"{function.strip()}\n" for function in text.split("\n\n\n")]
    return {function[4 : function.index("(")]: function for function in functions}


def _about(stream: Found, pickle: Pickle, number: int, total: int) -> str:
    what = f"# Pickle {number} of {total}: " if total > 1 else "# "
    where = f" of {escape(stream.name)!r}" if stream.name else ""
    lines = [
        f"{what}bytes {pickle.start} to {pickle.end}{where}, protocol {pickle.protocol}, "
        f"{pickle.opcodes} opcodes."
    ]
    if pickle is not stream.pickles[0]:
        lines.append("# It follows another in the stream: only who loads once more comes to it.")
    lines += [f"# Note, byte {offset}: {escape(text)}." for offset, text in pickle.notes[:20]]
    if len(pickle.notes) > 20:
        lines.append(f"# And {len(pickle.notes) - 20} more notes.")
    return "".join(f"{line}\n" for line in lines)


def _end(pickle: Pickle) -> list[str]:
    if not pickle.error:
        return []
    return [
        "# Every unpickler stops here with an error. What stands above has happened by then.",
        f"raise ValueError({constant(f'byte {pickle.end}: {pickle.error}')})",
    ]
