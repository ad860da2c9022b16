"""For those who serve: load a model with its large arrays mapped from the file, and predict.

Run as ``python examples/serve.py FOLDER`` after ``save.py``.
"""

# %% Map the arrays. Workers that map the same file share its pages instead of a copy each.
import sys
from pathlib import Path

import numpy as np

import skopsafe

folder = Path(sys.argv[1])
try:
    model = skopsafe.load(folder / "digits.skops", mmap_mode="r")
except skopsafe.SkopsafeError as error:
    sys.exit(f"not served: {error}")

# %% The training samples that the neighbours are looked up in were large enough to be mapped.
samples = model[-1]._fit_X
print("mapped:", isinstance(samples, np.memmap), samples.shape)

# %% Before taking traffic, compare with the predictions from training.
expected = np.load(folder / "expected.npy")
got = model.predict_proba(np.load(folder / "samples.npy"))
if not np.array_equal(got, expected):
    sys.exit("not served: predictions differ from those at training")
print(f"all {len(got)} predictions are bit-equal to those at training")
