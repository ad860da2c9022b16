"""What ``skopsafe demo`` works with: a model trained on bundled data, and a file that attacks.

Nothing here prints; the command line tells the story.
"""

from __future__ import annotations

import os
from typing import Any

_STORED = 0  # the number of the zip format for a member without compression


def train() -> tuple[Any, Any]:
    """Fit a pipeline on data that scikit-learn ships.

    Returns
    -------
    model : sklearn.pipeline.Pipeline
        A `StandardScaler` and a `RandomForestClassifier` of 50 trees, fitted.
    X : ndarray of shape (569, 30), float64
        The samples it was fitted on.
    """
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = load_breast_cancer(return_X_y=True)
    return make_pipeline(StandardScaler(), RandomForestClassifier(50, random_state=0)).fit(X, y), X


def write_attack(path: str | os.PathLike[str], command: str) -> None:
    """Write a well-formed file that asks the loader to run a shell command.

    It is what a pickle does with ``__reduce__``: the graph is one call of ``os.system``. `dump` would
    never write it, so the tables are made by hand.

    Parameters
    ----------
    path : str or os.PathLike
        Where to.
    command : str
        What the file asks to run.
    """
    from skopsafe import __version__
    from skopsafe.archive import schema
    from skopsafe.archive.arrays import Collector
    from skopsafe.graph.document import CALL, CLASS, Column, Run, Shape, TypeRow

    with open(path, "wb") as file:
        schema.write(
            file,
            Collector(),
            types=[TypeRow("builtins:tuple", CLASS), TypeRow("os:system", CALL)],
            shapes=[Shape(0, None), Shape(1, ("()args",))],
            runs=[Run(0, 1, [[command]]), Run(1, 1, [Column(ref=0)])],
            root=[1],
            writer={"skopsafe": __version__},
            compression=_STORED,
            compresslevel=None,
        )
