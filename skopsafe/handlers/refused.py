"""Types that have a handler only so that a dump says what to save in their place."""

from __future__ import annotations

from typing import Any

from skopsafe.errors import ValidationError
from skopsafe.graph.parts import Context, Handler, Parts


def refused(type_name: str, reason: str) -> Handler:
    """Return a handler that never writes an instance and never makes one.

    Parameters
    ----------
    type_name : str
        ``module:qualname`` of the type.
    reason : str
        Why it cannot be saved, and what can be instead.
    """

    def get(obj: Any) -> Parts:
        raise TypeError(reason)

    def load(names: tuple[str, ...] | None, values: list[Any], context: Context) -> Any:
        raise ValidationError(
            "objects of this type are never written to a file",
            path=type_name.partition(":")[2],
            next_step="The file is damaged or crafted; do not load it.",
        )

    return Handler(type_name, get, load)
