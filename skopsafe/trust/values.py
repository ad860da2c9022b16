"""Which values of attributes need approval although the type is trusted: what the rules of the tables say."""

from __future__ import annotations

import base64
import binascii
import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence

from skopsafe.graph.document import CLASS, VALUE, Column, Document, TypeRow, Value, at
from skopsafe.trust.patterns import is_safe
from skopsafe.trust.tables import Rule
from skopsafe.trust.verdicts import Verdict

_SEQUENCES = ("builtins:list", "builtins:tuple")
_PATTERN = "re:Pattern"
"""Its values, the pattern and flags, have no names that its loader would look at."""
_MOST_PATTERNS = 100
"""Different ones in a file that are looked into, and compiled without approval: each may take a while."""


def suspicious(document: Document, verdicts: Sequence[Verdict]) -> dict[str, tuple[str, int, str]]:
    """Find values that need approval.

    Returns
    -------
    dict of str to tuple of (str, int, str)
        By the name to approve, such as ``sklearn.pipeline.Pipeline:memory``: the reason, how many there are,
        and where the first one is.
    """
    judge = _Judge(document)
    found: dict[str, tuple[str, int, str]] = {}
    for rule, number, count in (*_by_name(document, verdicts, judge), *_compiled(document, verdicts, judge)):
        _, before, where = found.get(rule.name, (rule.reason, 0, f"nodes[{number}]"))
        found[rule.name] = (rule.reason, before + count, where)
    return found


def _by_name(
    document: Document, verdicts: Sequence[Verdict], judge: _Judge
) -> Iterator[tuple[Rule, int, int]]:
    """Yield rules that the value of an attribute breaks, with the node, and for how many it stands."""
    watched: dict[int, list[tuple[int, Rule]]] = {}
    for number, shape in enumerate(document.shapes):
        rules = verdicts[shape.type].rules
        attributes = shape.attributes
        if rules and attributes and not rules.keys().isdisjoint(attributes):
            watched[number] = [(i, rules[name]) for i, name in enumerate(attributes) if name in rules]
    if not watched:
        return
    for run, start in zip(document.runs, document.starts, strict=False):
        for place, rule in watched.get(run.shape, ()):
            column = run.columns[place]
            # A rule that depends on its owner has to be asked for each of them.
            if isinstance(column, Column):
                same = column.ref is not None and not column.step and not rule.unless
            else:
                same = not isinstance(column, list)
            for row in range(1 if same else run.count):
                if not judge.allows(at(column, row), rule, start + row):
                    yield rule, start + row, run.count if same else 1


def _compiled(
    document: Document, verdicts: Sequence[Verdict], judge: _Judge
) -> Iterator[tuple[Rule, int, int]]:
    """Yield the rule that a compiled pattern breaks, as `_by_name` does."""
    for run, start in zip(document.runs, document.starts, strict=False):
        row = document.types[document.shapes[run.shape].type]
        if row.name != _PATTERN or row.role != CLASS:
            continue
        rule = verdicts[document.shapes[run.shape].type].rules["pattern"]
        for number in range(start, start + run.count):
            _, *values = document.node(number)
            pattern, flags = (judge.text(values[0]), values[1]) if len(values) == 2 else (None, None)
            unknown = any(isinstance(value, list) for value in (pattern, flags))
            if unknown or not judge.is_harmless(pattern, flags, whole=True):
                yield rule, number, 1


class _Judge:
    """Tells whether values need no approval.

    Parameters
    ----------
    document : Document
        Where references lead.

    Notes
    -----
    A node that many others refer to is looked at once for a rule: a file could otherwise make one long list
    the value of a million attributes.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[tuple[str, str, int], bool] = {}
        self._patterns: dict[tuple[str | bytes, int, bool], bool] = {}

    def is_harmless(self, pattern: Value | bytes, flags: Value, *, whole: bool) -> bool:
        """Tell whether a pattern is known to be harmless. What is none at all is: its loader refuses it."""
        if not isinstance(pattern, str | bytes) or type(flags) is not int or not 0 <= flags < 2**32:
            return True
        key = pattern, flags, whole
        if key not in self._patterns:
            few = len(self._patterns) < _MOST_PATTERNS
            self._patterns[key] = few and is_safe(pattern, flags, whole=whole)
        return self._patterns[key]

    def text(self, value: Value) -> Value | bytes:
        """Return bytes as what they are, where they stand in the table of nodes; all else as it is."""
        if isinstance(value, list) and self._class_of(value) == "builtins:bytes":
            values = self._values_of(value)
            with contextlib.suppress(binascii.Error, ValueError):
                if len(values) == 1 and isinstance(values[0], str):
                    return base64.b64decode(values[0], validate=True)
        return value

    def allows(self, value: Value, rule: Rule, owner: int) -> bool:
        """Tell whether a value of the attribute of a rule needs no approval."""
        if not isinstance(value, list):
            known = any(value is a or (value == a and type(value) is type(a)) for a in rule.allowed)
            return known or (isinstance(value, str) and self._says_nothing(value, rule))
        if rule.unless and self._at_end_of(owner, rule.unless[:-1]) == rule.unless[-1]:
            return True
        return self._once(
            rule.name, "each" if rule.each else "", value, lambda: self._allows_node(value, rule, owner)
        )

    def _once(self, rule: str, what: str, reference: list[int], look: Callable[[], bool]) -> bool:
        key = rule, what, reference[0]
        if key not in self._known:
            self._known[key] = look()
        return self._known[key]

    def _allows_node(self, value: list[int], rule: Rule, owner: int) -> bool:
        if rule.keys or rule.patterns:
            return self._has_harmless_keys(value, rule)
        if rule.heads:
            return self._class_of(value) in _SEQUENCES and all(
                self._has_harmless_head(item, rule) for item in self._values_of(value)
            )
        if rule.each and self._class_of(value) in _SEQUENCES:
            alone = dataclasses.replace(rule, each=False)
            return all(self.allows(item, alone, owner) for item in self._values_of(value))
        if rule.functions and self._row_of(value).role == VALUE:
            return True
        if self._class_of(value) not in rule.allowed_types:
            return False
        items = self._values_of(value) if rule.allowed_items else []
        return all(isinstance(item, list) and self._class_of(item) in rule.allowed_items for item in items)

    def _says_nothing(self, text: str, rule: Rule) -> bool:
        """Tell whether a text is of the form that a rule allows."""
        if rule.pattern:
            return self.is_harmless(text, 0, whole=False)
        return bool(rule.form) and text.isprintable() and re.fullmatch(rule.form, text) is not None

    def _has_harmless_head(self, item: Value, rule: Rule) -> bool:
        """Tell whether the first part of an item, a name, needs no approval."""
        if not isinstance(item, list):
            return True  # nothing that could be taken apart
        return self._once(rule.name, "head", item, lambda: self._has_harmless_first(item, rule))

    def _has_harmless_first(self, item: list[int], rule: Rule) -> bool:
        parts = self._values_of(item)
        if self._class_of(item) not in _SEQUENCES or (parts and isinstance(parts[0], list)):
            return False
        return not parts or not isinstance(parts[0], str) or self._says_nothing(parts[0], rule)

    def _row_of(self, reference: list[int]) -> TypeRow:
        document = self._document
        return document.types[document.shapes[document.shape_of(reference[0])].type]

    def _class_of(self, reference: list[int]) -> str | None:
        row = self._row_of(reference)
        return row.name if row.role == CLASS else None

    def _values_of(self, reference: list[int]) -> list[Value]:
        return self._document.node(reference[0])[1:]

    def _has_harmless_keys(self, value: list[int], rule: Rule) -> bool:
        """Tell whether no key of a dict, or of the dicts in a list, is one that the rule is about."""
        return self._once(rule.name, "keys", value, lambda: self._look_at_keys(value, rule))

    def _look_at_keys(self, value: list[int], rule: Rule) -> bool:
        kind, values = self._class_of(value), self._values_of(value)
        if kind in _SEQUENCES:
            return all(
                isinstance(item, list)
                and self._class_of(item) == "builtins:dict"
                and self._has_harmless_keys(item, rule)
                for item in values
            )
        return kind == "builtins:dict" and all(
            isinstance(name, str)
            and (last := name.rpartition("__")[2]) not in rule.keys
            and (last not in rule.texts or self._has_texts(below, "texts"))
            and (last not in rule.patterns or self._has_texts(below, "patterns"))
            for name, below in zip(values[::2], values[1::2], strict=False)
        )

    def _has_texts(self, value: Value, kind: str, depth: int = 2) -> bool:
        """Tell whether a value, or a list of lists of values, has numbers and functions alone.

        Under the kind "patterns", harmless patterns too.
        """
        if not isinstance(value, list):
            return not isinstance(value, str) or (
                kind == "patterns" and self.is_harmless(value, 0, whole=False)
            )

        def look() -> bool:
            if self._class_of(value) in _SEQUENCES and depth:
                return all(self._has_texts(item, kind, depth - 1) for item in self._values_of(value))
            return self._row_of(value).role == VALUE

        return self._once("", f"{kind} {depth}", value, look)

    def _at_end_of(self, number: int, attributes: tuple[str, ...]) -> Value:
        """Follow attributes from a node; None where there are none of that name."""
        found: Value = [number]
        for attribute in attributes:
            if not isinstance(found, list):
                return None
            shape, *values = self._document.node(found[0])
            names = self._document.shapes[shape].attributes or ()
            found = values[names.index(attribute)] if attribute in names else None
        return found
