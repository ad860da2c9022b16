"""Looks at trees that xgboost has just written, which is enough to save most models.

xgboost writes what it has in its memory, and that is sound but for a few ways to train, each of which leaves
a sign. Where there is one, or nothing that is known, the trees are read as for a load; which does not
come here, and checks everything.
"""

from __future__ import annotations

import numpy as np

from skopsafe.handlers.xgboost.layout import END, LAYOUTS, START, TEXTS, Array, Octets, form_of
from skopsafe.handlers.xgboost.trees import DEEPEST

_CATEGORICAL = b"SL" + bytes(7) + b"\1c"
"""The type of a feature that has categories."""
_FIRST_CHILD = (b"\0\0\0\1", b"\xff\xff\xff\xff")
"""The left child of a root: the next node, or none."""


class UnusualError(Exception):
    """Trees that are to be read."""


class WrittenTrees:
    """The trees of a model that xgboost has just written.

    Parameters
    ----------
    data : bytes or bytearray
        The document.
    count : int
        How many trees are announced.
    at : int
        Where the first one starts.

    Attributes
    ----------
    form : int
        Which of `skopsafe.handlers.xgboost.layout.FORMS` the trees have: the one of most models.
    end : int
        Where the last tree ends.

    Raises
    ------
    UnusualError
        If a load may refuse the trees or ask for approval.
    """

    form = 0

    def __init__(self, data: Octets, count: int, at: int) -> None:
        self.count = count
        heads = LAYOUTS[0].heads
        usual = (
            data.startswith(START, at)
            and form_of(data, at) == 0
            # Sets of categories may be large.
            and data.find(_CATEGORICAL, data.rfind(b"feature_types", 0, at), at) < 0
        )
        if not usual:
            raise UnusualError
        end = data.rfind(END, at) + len(END)
        for name in TEXTS:
            end += len(heads[name]) + 7
            end += 1 + data[end]
        self.end = end + len(heads["end"])
        # A deep tree has many nodes: no other one starts in the bytes that they take.
        room = 2 * DEEPEST * LAYOUTS[0].each
        left = heads["left_children"]
        while at >= 0:
            # Trees that were let grow twice start anew, and have nodes that no way leads to.
            place = data.find(left, at, at + room) + len(left) + 8
            if data[place : place + 4] not in _FIRST_CHILD:
                break
            if at + room >= end:
                return
            at = data.rfind(START, at + 1, at + room)
        raise UnusualError

    def check(self, info: Array, n_outputs: int) -> None:
        """Look whether there are as many trees for each output.

        Parameters
        ----------
        info : ndarray of shape (n_trees,)
            The output of each tree.
        n_outputs : int
            The number of outputs.
        """
        # Trees of several outputs, which may stand behind others, all count as those of the first one.
        counts = np.bincount(info, minlength=n_outputs)
        if (counts != counts[0]).any():
            raise UnusualError
