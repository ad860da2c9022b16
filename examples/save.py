"""For those who train: save a fitted model.

Run as ``python examples/save.py FOLDER``; then ``audit.py`` and ``serve.py`` on the same folder.
"""

# %% Train a model as always.
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopsafe

folder = Path(sys.argv[1])
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = make_pipeline(StandardScaler(), KNeighborsClassifier()).fit(X_train, y_train)
print(f"accuracy on held-out digits: {model.score(X_test, y_test):.3f}")

# %% What will those who load it have to approve? The answer needs no file yet.
print("to approve:", skopsafe.audit(model).untrusted)

# %% Save. A path is replaced only when everything was written.
path = folder / "digits.skops"
skopsafe.dump(model, path)
print(f"wrote {path}, {path.stat().st_size:,} bytes")

# %% Leave samples with their predictions beside it, so that whoever serves the model can compare.
np.save(folder / "samples.npy", X_test)
np.save(folder / "expected.npy", model.predict_proba(X_test))
