"""The tree of a Document as lines of text. Nothing is built and no array is read.

Every text that comes from the file passes `escape`, so that a file cannot send control sequences to
the terminal that shows it.
"""

from __future__ import annotations

import html
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from skopsafe import names
from skopsafe.api import audit_of, described
from skopsafe.collecting import without_collections
from skopsafe.errors import ArgumentError, escape
from skopsafe.graph.document import CALL, ROLES, VALUE, Document
from skopsafe.graph.references import references
from skopsafe.handlers.aliases import SPELLED
from skopsafe.limits import DEFAULT_LIMITS, Limits
from skopsafe.memory import within_memory
from skopsafe.report.nodes import SHOWN, drawn, look_of, walk
from skopsafe.streams import File
from skopsafe.trust.audit import Entry
from skopsafe.trust.policy import Policy, policy_of

DEPTH = 12
"""Levels that are drawn unless a caller says otherwise."""
WIDTH = 20
"""Children of one node that are drawn unless a caller says otherwise."""
LINES = 2000
"""Lines that are drawn unless a caller says otherwise: depth and width alone would allow far too many."""

_TEXT = 60
_MAPPINGS = {
    "builtins:dict": 0,
    "collections:OrderedDict": 0,
    "collections:Counter": 0,
    "collections:defaultdict": 1,
    "sklearn.utils._bunch:Bunch": 0,
}
"""Types whose values are key, value, key, value, with the number of values before the first key."""


def tree(
    document: Document,
    *,
    marks: Mapping[str, str] | None = None,
    depth: int = DEPTH,
    width: int = WIDTH,
    lines: int = LINES,
) -> Iterator[str]:
    """Draw a Document, one line for each value.

    A node that stands in several places is drawn once, with its number; the other places, and the
    closing link of a cycle, show the number alone.

    Parameters
    ----------
    document : Document
        What to draw.
    marks : mapping of str to str, optional
        A remark to show behind a type, by the name in the type table.
    depth, width, lines : int
        How many levels, children of one node, and lines to draw.

    Yields
    ------
    str
        Lines without line ends.
    """
    shared = _shared(document)
    drawn: set[int] = set()
    # What is still to be drawn, next last: indentation, branch, label, value, level, or a remark instead.
    stack: list[tuple[str, str, str, Any, int]] = [("", "", "", document.root, 0)]
    count = 0
    while stack:
        indent, branch, label, value, level = stack.pop()
        if count == lines:
            yield f"... more than {lines} lines"
            return
        count += 1
        head = f"{indent}{branch}{label}"
        if isinstance(value, _Remark):
            yield head + value
            continue
        if not isinstance(value, list):
            yield head + _scalar(value)
            continue
        number = value[0]
        if number in drawn:
            yield f"{head}-> #{number}"
            continue
        title, children = _describe(document, number, marks or {})
        drawn.add(number)
        tag = f" #{number}" if number in shared else ""
        yield f"{head}{title}{tag}"
        if not children:
            continue
        below = indent + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        if level == depth:
            stack.append((below, "└─ ", "", _Remark("... deeper"), level + 1))
            continue
        shown: list[tuple[str, Any]] = list(children[:width])
        if len(children) > width:
            shown.append(("", _Remark(f"... {len(children) - width} more")))
        for position in range(len(shown) - 1, -1, -1):
            text, child = shown[position]
            stack.append((below, "└─ " if position == len(shown) - 1 else "├─ ", text, child, level + 1))


@dataclass(frozen=True, slots=True, repr=False)
class Drawing:
    """A tree as lines of text; printing it, or showing it in a notebook, shows the tree."""

    lines: tuple[str, ...]
    colors: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self.lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if not self.colors:
            return f"<pre>{html.escape(str(self))}</pre>"
        lines = map(_colored, self.lines, self.colors)
        return f"<pre>{chr(10).join(lines)}</pre>"


def _colored(line: str, color: str) -> str:
    """Return a line as HTML, in a color by its name."""
    found = html.escape(line)
    # Names of shades, such as orange1, are of `rich`.
    name = color.rstrip("0123456789")
    return f'<span style="color: {name}">{found}</span>' if name.isalpha() and name.isascii() else found


@within_memory
@without_collections
def visualize(
    file: File | bytes,
    *,
    show: Literal["all", "untrusted", "trusted"] = "all",
    trusted: Sequence[str | type] | None = None,
    sink: Callable[..., Any] | None = None,
    depth: int = DEPTH,
    width: int = WIDTH,
    lines: int = LINES,
    limits: Limits = DEFAULT_LIMITS,
    **kwargs: Any,
) -> Any:
    """Draw what is in a file as a tree. Nothing of it is built or imported, and no array is read.

    Parameters
    ----------
    file : str, os.PathLike, bytes or binary file object
        What to draw.
    show : {"all", "untrusted", "trusted"}
        Which nodes: all, those that need approval with what leads to them, or those that need none.
    trusted : sequence of str or type, optional
        Names, or classes, that are drawn as if they needed none.
    sink : callable, optional
        ``sink(nodes, show, **kwargs)`` draws instead: `nodes` is an iterator of records with `level`, `key`,
        `val`, `is_self_safe`, `is_safe` and `is_last`.
    depth, width, lines : int
        How many levels, children of one node, and lines to draw.
    limits : Limits
        Upper bounds for the file.
    **kwargs
        For `sink`; without one, what that of skops takes: `tag_safe`, `tag_unsafe`, `use_colors`,
        `color_safe`, `color_unsafe` and `color_child_unsafe`. Notebooks show colors, terminals do not.

    Returns
    -------
    Drawing
        What `print` or a notebook shows. Types that need approval or are denied are marked. With a `sink`,
        what that returns.

    Raises
    ------
    FormatError
        The file is damaged.
    """
    if show not in SHOWN:
        raise ArgumentError(f"show={show!r} is unknown", next_step=f"Use one of {', '.join(SHOWN)}.")
    policy = policy_of(trusted, None, SPELLED)
    look = look_of(kwargs) if sink is None else None
    with described(io.BytesIO(file) if isinstance(file, bytes) else file, limits) as document:
        report = audit_of(document)
        if sink is None and show == "all" and trusted is None and not kwargs:
            drawing = tree(document, marks=_marks(report.entries), depth=depth, width=width, lines=lines)
            return Drawing(tuple(drawing))
        unsafe = _marked([entry for entry in report.entries if not _is_approved(entry, policy)])
        nodes = walk(document, unsafe, lambda number: _describe(document, number, {}), _scalar)
        if sink is not None:
            return sink(nodes, show, **kwargs)
        assert look is not None
        found, colors = drawn(nodes, show, look, depth=depth, lines=lines)
        return Drawing(tuple(found), tuple(colors))


def _marked(entries: list[Entry]) -> set[str]:
    """Return the types that need approval, for themselves or for the value of an attribute."""
    found = set(_marks(entry for entry in entries if entry.role in ROLES))
    for entry in entries:
        if entry.role not in ROLES and entry.tier in ("unknown", "denied"):
            module, _, name = entry.name.partition(":")[0].rpartition(".")
            found.add(f"{module}:{name}")
    return found


def _is_approved(entry: Entry, policy: Policy) -> bool:
    return entry.tier != "denied" and policy.allows(entry.name, entry.role in ROLES)


def _marks(entries: Iterable[Entry]) -> dict[str, str]:
    """Return a remark for every type that does not load as it is, by its name in the type table."""
    out: dict[str, str] = {}
    for entry in entries:
        if entry.tier in ("unknown", "denied"):
            # A name is spelled with a dot or with a colon; the table has the colon always.
            module, _, qualname = entry.name.rpartition(".")
            name = entry.name if ":" in entry.name else f"{module}:{qualname}"
            out[name] = "denied" if entry.tier == "denied" else out.get(name, "needs approval")
    return out


class _Remark(str):
    """A line of our own among values from the file."""

    __slots__ = ()


def _shared(document: Document) -> set[int]:
    """Return the numbers of nodes that more than one place refers to."""
    once: set[int] = set()
    more: set[int] = set()
    if isinstance(document.root, list):
        once.add(document.root[0])
    for _, _, owners, numbers in references(document):
        found = set(numbers)
        more |= once & found
        once |= found
        if len(numbers) == 1:
            if len(owners) > 1:
                more |= found
        elif len(found) < len(numbers):
            more |= {number for number, count in Counter(numbers).items() if count > 1}
    return more


def _describe(document: Document, number: int, marks: Mapping[str, str]) -> tuple[str, list[tuple[str, Any]]]:
    """Return the title of a node, and its children as (label, value)."""
    node = document.node(number)
    shape = document.shapes[node[0]]
    row = document.types[shape.type]
    name = escape(names.spell(row.name))
    title = {VALUE: f"<{name}>", CALL: f"call of {name}"}.get(row.role, name)
    mark = marks.get(row.name)
    if mark:
        title += f" [{escape(mark)}]"
    values = node[1:]
    if shape.attributes is None:
        return f"{title} ({len(values)})" if row.name in _COUNTED else title, _unnamed(row.name, values)
    if shape.attributes == ("array",) and type(values[0]) is int:
        return f"{title} (array {values[0]})", []
    return title, [
        (f"{_short(label)}: ", value) for label, value in zip(shape.attributes, values, strict=True)
    ]


_COUNTED = ("builtins:list", "builtins:tuple", "builtins:set", "builtins:frozenset")


def _unnamed(name: str, values: list[Any]) -> list[tuple[str, Any]]:
    first = _MAPPINGS.get(name)
    if first is None or (len(values) - first) % 2:
        return [("", value) for value in values]
    out = [("factory: ", value) for value in values[:first]]
    for position in range(first, len(values), 2):
        key, value = values[position : position + 2]
        if isinstance(key, list):
            out += [("key: ", key), ("value: ", value)]
        else:
            out.append((f"{_scalar(key)}: ", value))
    return out


def _scalar(value: Any) -> str:
    return f"'{_short(value)}'" if isinstance(value, str) else str(value)


def _short(text: str) -> str:
    return escape(text) if len(text) <= _TEXT else f"{escape(text[:_TEXT])}... ({len(text)} characters)"
