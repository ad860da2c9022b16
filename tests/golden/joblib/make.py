"""Writes the files of this folder with a release of joblib that kept arrays in files beside the pickle.

::

    python make.py 0.8.4    # Python 2.7, numpy 1.16.6
    python make.py 0.9.4    # Python 3.6, numpy 1.19.5

The files are never made anew: they are what those releases wrote.
"""

import os
import sys

import joblib
import numpy as np

version = sys.argv[1]
assert joblib.__version__ == version, joblib.__version__
os.chdir(os.path.dirname(os.path.abspath(__file__)))
os.mkdir(version)
model = {
    "rows": np.arange(12.0).reshape(3, 4),
    "columns": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
    "matrix": np.matrix([[1, 2], [3, 4]]),
    "empty": np.zeros((0, 3)),
    "texts": np.array(["a", "bcd"]),
}
if version == "0.9.4":
    joblib.dump(model, os.path.join(version, "packed.pkl"), compress=3, cache_size=0)
else:
    model["objects"] = np.array([1, "a", None, (2.5,)], object)
    joblib.dump(model, os.path.join(version, "arrays.pkl"))
