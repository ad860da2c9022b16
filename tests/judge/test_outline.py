"""An outline says of a module what parsing all of it says, and parses little of it."""

from __future__ import annotations

import ast
import collections
import enum
import json.decoder
import os
import random
import textwrap
from types import ModuleType

import numpy as np
import pytest
import sklearn.pipeline
import sklearn.tree._classes

from skopsafe.judge.definitions import Binding, definitions
from skopsafe.judge.outline import Outline

MODULES = [os, collections, enum, random, textwrap, json.decoder, np, sklearn.pipeline, sklearn.tree._classes]

SOURCE = '''
"""A text
def not_a_function(): pass
of several lines."""
import os, sys as system
from . import near
from ..far import (
    one,
    two as three,
)
try:
    import fast
except ImportError:
    fast = None
else:
    class Late: pass
@decorate(
    1
)
class Made(Base):
    """A text
def neither(): pass
"""
    def __init__(self): first(); self.go()
    if True:
        def other(self): second()
    async def wait(self):
        f"""
{third()}
"""
async def later(): fourth()
alias = os.path.join
number: int = 3
a = b = os.sep
text = "".join(x for x in "a\\"'b" if x == '"""')
table = {
"unusual": fifth(),
}
'''


def told(bindings: tuple[Binding, ...]) -> list[tuple[str, ...]]:
    return [(each.kind, each.module, each.name, *each.calls) for each in bindings]


def _called(bindings: tuple[Binding, ...], method: str) -> list[str]:
    return [call for each in bindings if each.kind == "class" for call in each.methods.get(method, ())]


def compare(source: str, methods: tuple[str, ...]) -> None:
    whole, outline = definitions(ast.parse(source), "a.b"), Outline(source, "a.b", "x.py")
    assert outline.stars == whole.stars
    for name, bindings in whole.names.items():
        assert outline.has(name), name
        found = outline.bindings(name)
        assert sorted(told(found)) == sorted(told(bindings)), name
        for method in methods:
            called = {
                call for each in bindings if each.kind == "class" for call in each.methods.get(method, ())
            }
            seen = {call for each in found if each.kind == "class" for call in each.methods.get(method, ())}
            assert seen == called, (name, method)
    assert not outline.has("not_a_function")
    assert not outline.has("neither")


def test_of_all_kinds_of_statements() -> None:
    compare(SOURCE, ("__init__", "other", "wait", "absent"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_of_real_modules(module: ModuleType) -> None:
    assert module.__file__ is not None
    with open(module.__file__, encoding="utf-8") as file:
        compare(file.read(), ("__init__", "__new__", "__call__"))


def test_a_function_that_is_never_asked_for_is_not_parsed() -> None:
    outline = Outline("def broken(:\n    pass\nimport os\n", "", "x.py")
    assert told(outline.bindings("os")) == [("import", "os", "")]


@pytest.mark.parametrize("source", ["", "\n", "# nothing\n", '"""text"""'])
def test_of_nothing(source: str) -> None:
    assert not Outline(source, "", "x.py").has("x")
