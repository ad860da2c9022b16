"""Names of importable things: ``module:qualname``. Parse, spell, compare; nothing here imports.

Inside a file a name is always ``module:qualname``, which is unambiguous. People read and write
``module.qualname`` where the qualname has no dot of its own, and the colon form otherwise, so that
one spelling never means two things.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

# Identifiers only: a name can carry no markup, terminal escape or path. Cython and C types
# keep to this too. Length is bounded so that messages stay readable.
_IDENTIFIER = r"[^\W\d]\w{0,199}"
_NAME = re.compile(rf"{_IDENTIFIER}(?:\.{_IDENTIFIER}){{0,30}}:{_IDENTIFIER}(?:\.{_IDENTIFIER}){{0,30}}")
_LONGEST = 2 * 31 * 201


class Name(NamedTuple):
    """A parsed name."""

    module: str
    qualname: str


def is_name(text: str) -> bool:
    """Tell whether `text` is a well-formed ``module:qualname``."""
    # What is remembered stays in memory, and a text from a file can be as long as the file.
    return len(text) < _LONGEST and _matches(text)


@functools.lru_cache(maxsize=1024)
def _matches(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Name:
    """Split ``module:qualname``; `text` must satisfy `is_name`."""
    module, _, qualname = text.partition(":")
    return Name(module, qualname)


def spell(text: str) -> str:
    """Spell ``module:qualname`` as people read it.

    Examples
    --------
    >>> spell("sklearn.pipeline:Pipeline")
    'sklearn.pipeline.Pipeline'
    >>> spell("package.module:Outer.Inner")
    'package.module:Outer.Inner'
    """
    module, qualname = parse(text)
    return text if "." in qualname else f"{module}.{qualname}"


def of(obj: object) -> str | None:
    """Return the name that a class or function claims for itself, or None."""
    module = getattr(obj, "__module__", None)
    qualname = getattr(obj, "__qualname__", None) or getattr(obj, "__name__", None)
    if not isinstance(module, str) or not isinstance(qualname, str):
        return None
    name = f"{module}:{qualname}"
    return name if is_name(name) else None


def standin(module: str, qualname: str) -> type | None:
    """Return a type that no module shows under the name that it claims, such as NoneType, or None."""
    if module == "builtins":
        for value in (None, Ellipsis, NotImplemented):
            if type(value).__name__ == qualname:
                return type(value)
    return None
