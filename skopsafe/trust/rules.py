"""Whether the value of an attribute is one that its rule allows.

Many objects can have one value in common, and that may be a long list: each answer is found once.
"""

from __future__ import annotations

import dataclasses

from skopsafe.graph.document import CLASS, VALUE, Document, Value
from skopsafe.trust.tables import Rule

_SEQUENCES = ("builtins:list", "builtins:tuple")
_NESTED = 2
"""How deep lists of numbers are looked into."""


class Rules:
    """What rules say of the values in a Document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._answers: dict[tuple[Rule, int], bool] = {}
        self._without_text: dict[tuple[int, int], bool] = {}
        self._places: dict[int, dict[str, int]] = {}

    def allows(self, value: Value, rule: Rule, owner: int) -> bool:
        """Tell whether a rule allows a value of an attribute of node `owner`."""
        if not isinstance(value, list):
            return any(value is a or (value == a and type(value) is type(a)) for a in rule.allowed)
        if rule.unless and self._at_end_of(owner, rule.unless[:-1]) == rule.unless[-1]:
            return True
        key = rule, value[0]
        if key not in self._answers:
            # A rule looks into lists, but not into lists in them: a list in itself does not come back here.
            self._answers[key] = self._is_allowed(value, rule, owner)
        return self._answers[key]

    def _is_allowed(self, value: list[int], rule: Rule, owner: int) -> bool:
        if rule.keys:
            return self._has_harmless_keys(value, rule)
        kind = self._class_of(value)
        if rule.each and kind in _SEQUENCES:
            alone = dataclasses.replace(rule, each=False)
            return all(self.allows(item, alone, owner) for item in self._items(value))
        if rule.functions and self._document.type_of(value[0]).role == VALUE:
            return True
        if kind not in rule.allowed_types:
            return False
        items = self._items(value) if rule.allowed_items else []
        return all(isinstance(item, list) and self._class_of(item) in rule.allowed_items for item in items)

    def _has_harmless_keys(self, value: list[int], rule: Rule) -> bool:
        """Tell whether no key of a dict, or of the dicts in a list, is one that the rule is about."""
        kind = self._class_of(value)
        if kind in _SEQUENCES:
            return all(
                isinstance(item, list)
                and self._class_of(item) == "builtins:dict"
                and self.allows(item, rule, item[0])
                for item in self._items(value)
            )
        values = self._items(value) if kind == "builtins:dict" else []
        return kind == "builtins:dict" and all(
            isinstance(name, str)
            and (last := name.rpartition("__")[2]) not in rule.keys
            and (last not in rule.texts or self._holds_no_text(below, _NESTED))
            for name, below in zip(values[::2], values[1::2], strict=False)
        )

    def _holds_no_text(self, value: Value, depth: int) -> bool:
        """Tell whether a value, or a list of lists of values, holds numbers and functions alone."""
        if not isinstance(value, list):
            return not isinstance(value, str)
        key = value[0], depth
        if key not in self._without_text:
            if self._class_of(value) in _SEQUENCES and depth:
                found = all(self._holds_no_text(item, depth - 1) for item in self._items(value))
            else:
                found = self._document.type_of(value[0]).role == VALUE
            self._without_text[key] = found
        return self._without_text[key]

    def _at_end_of(self, number: int, attributes: tuple[str, ...]) -> Value:
        """Follow attributes from a node; None where there are none of that name."""
        found: Value = [number]
        for attribute in attributes:
            if not isinstance(found, list):
                return None
            shape = self._document.shape_of(found[0])
            places = self._places.get(shape)
            if places is None:
                names = self._document.shapes[shape].attributes or ()
                places = self._places[shape] = {name: place for place, name in enumerate(names)}
            place = places.get(attribute)
            found = None if place is None else self._document.value(found[0], place)
        return found

    def _items(self, reference: list[int]) -> list[Value]:
        return self._document.node(reference[0])[1:]

    def _class_of(self, reference: list[int]) -> str | None:
        row = self._document.type_of(reference[0])
        return row.name if row.role == CLASS else None
