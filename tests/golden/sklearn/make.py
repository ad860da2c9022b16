"""Fits all models under the installed release, pickles them and notes their outputs, in one small archive.

``python -m tests.golden.sklearn.make FOLDER`` under an old release writes ``FOLDER/sklearn-1.2.2.tar.xz``;
see ``nox -s golden_sklearn``. The archive is compressed as a whole, for its members are much alike.
"""

from __future__ import annotations

import copy
import io
import os
import pickle
import sys
import tarfile
import warnings

import numpy as np
import sklearn
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.utils import all_estimators

from tests.golden.sklearn.data import DATA
from tests.golden.sklearn.models import UNFITTED, models
from tests.golden.sklearn.outputs import outputs
from tests.golden.sklearn.sweep import swept


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def main(folder: str, *options: str) -> None:
    """Write the archive of the installed release into a folder."""
    warnings.simplefilter("ignore")
    path = os.path.join(folder, f"sklearn-{sklearn.__version__}.tar.xz")
    made, failed = 0, []
    with tarfile.open(path, "w:xz", preset=9, format=tarfile.USTAR_FORMAT) as archive:
        for model in (swept if options else models)(dict(all_estimators())):
            try:
                fitted, T = copy.deepcopy(model.estimator), None
                if model.data != UNFITTED:
                    X, y, T = DATA[model.data]
                    fitted = fitted.fit(X) if y is None else fitted.fit(X, y)
                # What an estimator keeps must not change with what it is asked for.
                content = pickle.dumps(fitted, protocol=4)
                found = {} if T is None else outputs(pickle.loads(content), T, known=(X, y))
            except Exception as error:
                failed.append(f"{model.key}: {type(error).__name__}: {str(error)[:100]}")
                continue
            made += 1
            _add(archive, f"{model.key}/model.pkl", content)
            for name, value in found.items():
                out = io.BytesIO()
                np.save(out, value, allow_pickle=False)
                _add(archive, f"{model.key}/{name}.npy", out.getvalue())
    print(
        f"{path}: {made} models, {os.path.getsize(path)} bytes; {len(failed)} do not fit", *failed, sep="\n  "
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
