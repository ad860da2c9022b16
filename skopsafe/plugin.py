"""What the author of a plugin writes it with: see the guide "Support the types of your own package"."""

from skopsafe.graph.parts import Columns, Context, Handler, Leaf, NameOf, Parts
from skopsafe.handlers.checks import array, in_range, integer, require
from skopsafe.handlers.library import Check, Library

__all__ = [
    "Check",
    "Columns",
    "Context",
    "Handler",
    "Leaf",
    "Library",
    "NameOf",
    "Parts",
    "array",
    "in_range",
    "integer",
    "require",
]
