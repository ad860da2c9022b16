"""What is gone through at each place where it stands: paid for, so that sharing makes no long work."""

from __future__ import annotations

from typing import Any

from skopsafe.errors import LimitError


class Account:
    """What one load, or one conversion, knows of the objects that it has made.

    An object stands once in a file and can be a part of any number of others. Each check that looks into what
    is shared either remembers what it found, or pays for looking again.

    Parameters
    ----------
    steps : float
        How much may be gone through more than once.

    Attributes
    ----------
    chains : dict of int to tuple
        By the id of an object: itself, which keeps the id its own, and how many objects hang below each other
        from it on where Python recurses. See `skopsafe.handlers.depth`.
    copies : dict of int to tuple
        By the id of an object: itself, and the copy that others are given in its place.
    """

    __slots__ = ("_left", "chains", "copies")

    def __init__(self, steps: float) -> None:
        self._left = steps
        self.chains: dict[int, tuple[Any, int]] = {}
        self.copies: dict[int, tuple[Any, Any]] = {}

    def spend(self, count: int, where: str) -> None:
        """Take steps from what is left.

        Raises
        ------
        LimitError
            There are not as many.
        """
        self._left -= count
        if self._left < 0:
            raise LimitError(
                "the same objects are gone through too often",
                path=where,
                next_step="Pass limits=Limits(work=...) if you know the file.",
            )
