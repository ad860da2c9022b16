"""What a module binds, by the outline of its source: only the statements that matter are parsed.

To parse a large module takes a tenth of a second, and one name of it is asked for. Statements begin in the
first column, so that the source falls into pieces at those lines, once long texts are taken out. A piece that
is none, because such a line is within brackets, cannot be parsed, and then all of the module is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from skopsafe.judge.definitions import Binding, Definitions, definitions

_TEXT = re.compile(
    r'''"""[^\\]*?(?:\\.[^\\]*?)*?"""|\'\'\'[^\\]*?(?:\\.[^\\]*?)*?\'\'\''''
    r"""|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'|#[^\n]*""",
    re.DOTALL,
)
_BEGINNING = re.compile(r"^(?!(?:else|elif|except|finally)\b)[^\s#)\]}]", re.MULTILINE)
_DEFINED = re.compile(r"(?:@|(?:async[ \t]+)?def[ \t]+(\w+)|class[ \t]+(\w+))")
_DECORATED = re.compile(r"^(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)", re.MULTILINE)
_CLASS = re.compile(r"^class[ \t]", re.MULTILINE)
_ASSIGNED = re.compile(r"(\w+)[ \t]*(?::[^=\n]*)?=(?!=)")
_METHOD = re.compile(r"^([ \t]+)(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)
_FAILURES = (SyntaxError, ValueError, RecursionError, MemoryError)


class Outline:
    """What a module binds at its top level.

    Parameters
    ----------
    source : str
        Its text.
    package : str
        What relative imports are relative to.
    file : str
        Where the text is from: Python opens that file to show a line of it in an error of syntax, or, where
        no name is given, one with a name that somebody may have chosen.

    Attributes
    ----------
    stars : tuple of str
        Modules all of whose names it imports.

    Raises
    ------
    SyntaxError, ValueError, RecursionError, MemoryError
        It cannot be parsed.
    """

    def __init__(self, source: str, package: str, file: str) -> None:
        self._file = file
        self._source = _TEXT.sub(_short, source)
        self._package = package
        self._later: dict[str, list[str]] = {}
        self._known: dict[str, tuple[Binding, ...]] = {}
        self._whole: Definitions | None = None
        at_once: list[str] = []
        for piece in _pieces(self._source):
            name = _bound(piece)
            if name:
                self._later.setdefault(name, []).append(piece)
            elif not piece.startswith(("@", '"', "'")):
                at_once.append(piece)
        try:
            self._first = definitions(ast.parse("".join(at_once), file), package)
        except _FAILURES:
            self._first = self._parsed()
        self.stars = self._first.stars

    def has(self, name: str) -> bool:
        """Tell whether the module binds a name."""
        return name in self._later or name in self._first.names

    def bindings(self, name: str) -> tuple[Binding, ...]:
        """Return the ways in which it binds a name."""
        if name not in self._known:
            self._known[name] = tuple(self._find(name))
        return self._known[name]

    def _find(self, name: str) -> Iterable[Binding]:
        if self._whole is not None:
            return self._whole.names.get(name, ())
        found = list(self._first.names.get(name, ()))
        for piece in self._later.get(name, ()):
            if _CLASS.search(piece):
                found.append(Binding("class", methods=MethodsOf(piece, self._file)))
                continue
            try:
                found += definitions(ast.parse(piece, self._file), self._package).names.get(name, ())
            except _FAILURES:
                try:
                    return self._parsed().names.get(name, ())
                except _FAILURES:
                    return ()
        return found

    def _parsed(self) -> Definitions:
        """Parse all of the module."""
        self._whole = definitions(ast.parse(self._source, self._file), self._package)
        return self._whole


class MethodsOf:
    """What the methods of a class call, each parsed when it is asked for.

    Parameters
    ----------
    source : str
        The text of the class.
    file : str
        Where it is from.
    """

    def __init__(self, source: str, file: str) -> None:
        self._source = source
        self._file = file

    def get(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the dotted names that a method calls."""
        found = [(match.group(1), match.group(2), match.start()) for match in _METHOD.finditer(self._source)]
        indent = min((len(space) for space, _, _ in found), default=0)
        for space, method, start in found:
            if method != name or len(space) != indent:
                continue
            behind = re.compile(rf"^[ \t]{{0,{indent}}}[^\s#)\]}}]", re.MULTILINE)
            next_one = behind.search(self._source, self._source.index("\n", start))
            end = len(self._source) if next_one is None else next_one.start()
            for text in (f"class _:\n{self._source[start:end]}", self._source):
                try:
                    (binding,) = definitions(ast.parse(text, self._file), "").names.popitem()[1]
                except _FAILURES:
                    continue
                return binding.methods.get(name, default)
        return default


def _short(text: re.Match[str]) -> str:
    found, start = text.group(), text.start()
    # One with values in it may call something.
    has_values = "f" in text.string[max(0, start - 2) : start].lower()
    return '""' if found.startswith(('"""', "'''")) and not has_values else found


def _pieces(source: str) -> list[str]:
    """Return the text from each line that begins in the first column to the next, decorators with theirs."""
    starts = [match.start() for match in _BEGINNING.finditer(source)]
    joined = [
        start
        for before, start in zip([0, *starts], starts, strict=False)
        if before == start or source[before] != "@"
    ]
    ends = [*joined, len(source)][1:]
    return [source[start:end] for start, end in zip(joined, ends, strict=True)]


def _bound(piece: str) -> str:
    """Return the one name that a statement binds, if it can be parsed later, or an empty text."""
    defined = _DEFINED.match(piece)
    if defined is not None:
        if piece[0] != "@":
            return defined.group(1) or defined.group(2) or ""
        decorated = _DECORATED.search(piece)
        return decorated.group(1) if decorated is not None else ""
    assigned = _ASSIGNED.match(piece)
    # ``a = b = c`` binds two.
    return assigned.group(1) if assigned is not None and piece.count("=") == 1 else ""
