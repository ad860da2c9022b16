"""Whatever a trusted class does with its state beyond arithmetic has a rule, or a reason."""

from __future__ import annotations

import functools
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from skopsafe import api
from skopsafe.graph.document import VALUE
from tests.gadgets import sample
from tests.gadgets.scan import Hit, Reader
from tests.gadgets.trusted import LIBRARIES, OTHERS, trusted

REVIEWED: dict[str, Any] = tomllib.loads((Path(__file__).parent / "reviewed.toml").read_text("utf-8"))


@functools.cache
def reader() -> Reader:
    return Reader(LIBRARIES)


@functools.cache
def hits(library: str) -> list[tuple[str, Hit]]:
    """Return the hits in a library that no rule of the tables covers, each with the trusted name."""
    of_state = library in LIBRARIES
    found = trusted((library,)) if of_state else trusted((library,), (VALUE,))
    reads = reader() if of_state else Reader([library])
    rules = api._tables().rules
    return [
        (name, hit) for name, value in found for hit in reads.of(value) if hit.attribute not in rules(name)
    ]


def reasons(*keys: str) -> dict[tuple[str, str], list[str]]:
    """Return the attributes that were looked into, by kind and place."""
    out: dict[tuple[str, str], list[str]] = {}
    for group in REVIEWED["reviewed"]:
        assert group["reason"].strip()
        for line in (line for key in keys for line in group.get(key, ())):
            kind, place, *attributes = line.split()
            assert attributes, line
            assert (kind, place) not in out, f"{line} stands twice"
            out[kind, place] = attributes
    return out


@pytest.mark.parametrize("library", [*LIBRARIES, *OTHERS])
def test_every_place_has_a_rule_or_a_reason(library: str) -> None:
    pytest.importorskip(library)
    known = reasons("hits", "earlier")
    unknown = {
        f"{hit.kind} {hit.place} {hit.attribute}   ({name}: {hit.text})"
        for name, hit in hits(library)
        if not {"*", hit.attribute} & set(known.get((hit.kind, hit.place), ()))
    }
    assert not unknown, "\n".join(
        ["no rule, and no reason in tests/gadgets/reviewed.toml:", *sorted(unknown)]
    )


def test_every_reason_is_of_use() -> None:
    for distribution, version in REVIEWED["versions"].items():
        try:
            installed = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            installed = "none"
        if installed != version:
            pytest.skip(f"{distribution} is {installed}, and the list is of {version}")
    found: dict[tuple[str, str], set[str]] = {}
    for library in (*LIBRARIES, *OTHERS):
        for _, hit in hits(library):
            found.setdefault((hit.kind, hit.place), set()).add(hit.attribute)
    assert not reasons("hits").keys() - found.keys()


def test_trusted_names_are_found() -> None:
    counts = {library: len(list(trusted((library,)))) for library in LIBRARIES}
    assert counts["sklearn"] > 380
    assert all(counts.values())


EXPECTED = {
    "name": "from_base listed chosen formatted given_partly way given_to_super aggregate named first_of_two "
    "walrus",
    "call": "func called looked_up nested TABLE",
    "file": "path path_",
    "pattern": "expression part",
    "import": "module",
    "process": "command",
    "code": "code",
    "format": "template old_template",
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_what_is_looked_for_is_found(kind: str) -> None:
    found = {hit.attribute for hit in Reader(["tests"]).of(sample.Sample) if hit.kind == kind}
    # What a look-up by a name gives is called too.
    assert found - set(EXPECTED["name"].split()) == set(EXPECTED[kind].split()) - set(
        EXPECTED["name"].split()
    )
    assert kind != "name" or found == set(EXPECTED["name"].split())


def test_arguments_of_a_trusted_function_are_followed() -> None:
    (hit,) = Reader(["tests"]).of(sample.look_up)
    assert (hit.kind, hit.attribute) == ("name", "name")
    assert {hit.attribute for hit in Reader(["tests"]).of(sample.pass_on)} == {"args", "kwargs"}
