"""For those who train: fit an awkward pipeline, ask what its file will need, and save it.

Run as ``python examples/save.py FOLDER``; then ``audit.py`` and ``serve.py`` on the same folder.
Needs pandas: ``pip install pandas``.
"""

# %% Support tickets: a text, a category with gaps, a number with gaps. The task: which are urgent?
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import skopsafe

PROBLEMS = ["outage", "crash", "invoice", "password", "delay", "question", "refund", "export"]
PRODUCTS = ["mail", "storage", "billing", None]
URGENT = {"outage", "crash"}


def tickets(count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make up tickets, the same ones on every run."""
    rng = np.random.default_rng(0)
    problems = rng.choice(PROBLEMS, size=(count, 2))
    frame = pd.DataFrame(
        {
            "message": [f"we have a {a} and since today also a {b}" for a, b in problems],
            "product": [PRODUCTS[i] for i in rng.integers(len(PRODUCTS), size=count)],
            "users": np.where(rng.random(count) < 0.1, np.nan, rng.integers(1, 5000, size=count)),
        }
    )
    urgent = np.isin(problems, list(URGENT)).any(axis=1) & (frame["users"].fillna(0) > 500)
    return frame, urgent.to_numpy()


folder = Path(sys.argv[1])
X, y = tickets(900)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %% Words and character n-grams of the text side by side, the other columns by name, and a calibrated
# classifier behind them.
text = FeatureUnion(
    [
        ("words", TfidfVectorizer(sublinear_tf=True)),
        ("letters", HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), n_features=2**14)),
    ]
)
category = make_pipeline(
    SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore")
)
number = make_pipeline(SimpleImputer(), FunctionTransformer(np.log1p), StandardScaler())
columns = ColumnTransformer(
    [("text", text, "message"), ("category", category, ["product"]), ("number", number, ["users"])]
)
model = make_pipeline(columns, CalibratedClassifierCV(LogisticRegression(C=10), cv=3)).fit(X_train, y_train)
print(f"accuracy on held-out tickets: {model.score(X_test, y_test):.3f}")

# %% What will those who load it have to approve? The answer needs no file yet.
print("to approve:", skopsafe.audit(model).untrusted)

# %% Save. A path is replaced only when everything was written.
path = folder / "tickets.skops"
skopsafe.dump(model, path)
print(f"wrote {path}, {path.stat().st_size:,} bytes")

# %% Leave samples with their predictions beside it, so that whoever serves the model can compare.
X_test.to_csv(folder / "samples.csv", index=False)
np.save(folder / "expected.npy", model.predict_proba(pd.read_csv(folder / "samples.csv")))
