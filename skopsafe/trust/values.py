"""Which values of attributes need no approval, as the rules of the tables say."""

from __future__ import annotations

import dataclasses

from skopsafe.graph.document import CLASS, VALUE, Document, TypeRow, Value
from skopsafe.trust.tables import Rule

_SEQUENCES = ("builtins:list", "builtins:tuple")


class Values:
    """Compares the values of a document with rules.

    A node that many others refer to is looked at once for a rule: a file could otherwise make a long list the
    value of a million attributes.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[tuple[str, str, int], bool] = {}

    def are_allowed(self, value: Value, rule: Rule, owner: int) -> bool:
        """Tell whether a value of an attribute of the node `owner` needs no approval."""
        if not isinstance(value, list):
            return _is_scalar_allowed(value, rule)
        if rule.unless and self._at_end_of(owner, rule.unless[:-1]) == rule.unless[-1]:
            return True
        return self._is_allowed(value[0], rule)

    def _is_allowed(self, number: int, rule: Rule) -> bool:
        key = rule.name, "each" if rule.each else "", number
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._look(number, rule)
        return found

    def _look(self, number: int, rule: Rule) -> bool:
        if rule.keys:
            return self._has_harmless_keys(number, rule)
        kind = self._class_of(number)
        if rule.each and kind in _SEQUENCES:
            alone = dataclasses.replace(rule, each=False)
            return all(
                self._is_allowed(item[0], alone)
                if isinstance(item, list)
                else _is_scalar_allowed(item, alone)
                for item in self._items(number)
            )
        if rule.functions and self._row_of(number).role == VALUE:
            return True
        if kind not in rule.allowed_types:
            return False
        items = self._items(number) if rule.allowed_items else []
        return all(isinstance(item, list) and self._class_of(item[0]) in rule.allowed_items for item in items)

    def _items(self, number: int) -> list[Value]:
        return self._document.node(number)[1:]

    def _row_of(self, number: int) -> TypeRow:
        document = self._document
        return document.types[document.shapes[document.shape_of(number)].type]

    def _class_of(self, number: int) -> str | None:
        row = self._row_of(number)
        return row.name if row.role == CLASS else None

    def _has_harmless_keys(self, number: int, rule: Rule) -> bool:
        """Tell whether no key of a dict, or of the dicts in a list, is one that the rule is about."""
        if self._class_of(number) not in _SEQUENCES:
            return self._is_harmless_dict(number, rule)
        return all(
            isinstance(item, list) and self._is_harmless_dict(item[0], rule) for item in self._items(number)
        )

    def _is_harmless_dict(self, number: int, rule: Rule) -> bool:
        key = rule.name, "dict", number
        found = self._known.get(key)
        if found is None:
            values = self._items(number) if self._class_of(number) == "builtins:dict" else [None, None]
            found = self._known[key] = all(
                isinstance(name, str)
                and (last := name.rpartition("__")[2]) not in rule.keys
                and (last not in rule.texts or self._holds_no_text(below))
                for name, below in zip(values[::2], values[1::2], strict=False)
            )
        return found

    def _holds_no_text(self, value: Value, depth: int = 2) -> bool:
        """Tell whether a value, or a list of lists of values, holds numbers and functions alone."""
        if not isinstance(value, list):
            return not isinstance(value, str)
        key = "", f"text {depth}", value[0]
        found = self._known.get(key)
        if found is None:
            if self._class_of(value[0]) in _SEQUENCES and depth:
                found = all(self._holds_no_text(item, depth - 1) for item in self._items(value[0]))
            else:
                found = self._row_of(value[0]).role == VALUE
            self._known[key] = found
        return found

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


def _is_scalar_allowed(value: Value, rule: Rule) -> bool:
    return any(
        value is allowed or (value == allowed and type(value) is type(allowed)) for allowed in rule.allowed
    )
