"""For those who serve: load a model with its large arrays mapped from the file, and predict.

Run as ``python examples/serve.py FOLDER`` after ``save.py``. Needs pandas.
"""

# %% Map the arrays. Workers that map the same file share its pages instead of a copy each. A mapped
# array is not read at load, so its checksum is compared only if ``verify`` asks for that.
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import skopsafe

folder = Path(sys.argv[1])
try:
    model = skopsafe.load(folder / "tickets.skops", mmap_mode="r", verify=True)
except skopsafe.SkopsafeError as error:
    sys.exit(f"not served: {error}")

# %% The coefficients of the three calibrated models were large enough to be mapped.
coefficients = [part.estimator.coef_ for part in model[-1].calibrated_classifiers_]
print("mapped:", all(isinstance(found, np.memmap) for found in coefficients), coefficients[0].shape)

# %% Before taking traffic, compare with the predictions from training.
expected = np.load(folder / "expected.npy")
got = model.predict_proba(pd.read_csv(folder / "samples.csv"))
if not np.array_equal(got, expected):
    sys.exit("not served: predictions differ from those at training")
print(f"all {len(got)} predictions are bit-equal to those at training")
