"""Each type with a loader has a reason: what the loader checks."""

from __future__ import annotations

from skopsafe import names
from skopsafe.handlers.registry import default
from skopsafe.trust import tables
from skopsafe.trust.tables import Tables


def test_every_type_with_a_loader_has_a_reason() -> None:
    found = Tables(default())
    assert [name for name in default().types if not found.validates(name)] == []


def test_no_reason_is_without_a_type() -> None:
    types = default().types
    modules = {f"{names.parse(name).module}:*" for name in types}
    assert tables._loaders().keys() <= types | modules


def test_the_reasons_are_no_table_of_a_library() -> None:
    assert not tables.is_known("loaders")
