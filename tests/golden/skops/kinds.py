"""Objects of many kinds, and what is compared of them. Runs under scikit-learn 1.1 and Python 3.9, too."""

import collections
import copy
import datetime
import decimal
import fractions
import functools
import operator

import numpy as np
import scipy.sparse
import scipy.special
import sklearn

_NAMES = [
    "calibration",
    "cluster",
    "compose",
    "covariance",
    "cross_decomposition",
    "decomposition",
    "discriminant_analysis",
    "dummy",
    "ensemble",
    "experimental",
    "feature_extraction.text",
    "feature_selection",
    "gaussian_process",
    "impute",
    "isotonic",
    "kernel_approximation",
    "linear_model",
    "manifold",
    "mixture",
    "model_selection",
    "multiclass",
    "multioutput",
    "naive_bayes",
    "neighbors",
    "neural_network",
    "pipeline",
    "preprocessing",
    "semi_supervised",
    "svm",
    "tree",
]

_EXPERIMENTAL = ("HalvingGridSearchCV", "HalvingRandomSearchCV", "IterativeImputer")

_random = np.random.RandomState(7)
X = np.round(_random.normal(size=(40, 4)), 3)
Y = X[:, 0] + 0.5 * X[:, 1] ** 2 + np.round(_random.normal(size=40) / 10, 3)
C = (np.median(Y) < Y).astype(int) + (np.percentile(Y, 80) < Y)
T = np.array(["no", "yes", "perhaps"])[C]
P = np.abs(X)
S = scipy.sparse.csr_matrix(X * (np.abs(X) > 0.5))
TEXTS = ["the cat sat", "on the mat", "a dog ran", "off the mat to the cat"] * 5
MISSING = np.where(np.abs(X) > 1.5, np.nan, X)
LABELS = np.array([["a", "x"], ["b", "y"], ["a", "z"], ["c", "x"]] * 10, dtype=object)
DATA = {"X": X, "P": P, "S": S, "text": TEXTS, "missing": MISSING, "labels": LABELS, "Y": Y, "C": C, "T": T}

# Name: what makes the estimator, what it is fitted to, and the target.
ESTIMATORS = {
    "logistic": ("LogisticRegression()", "X", "C"),
    "logistic-texts": ("LogisticRegression()", "X", "T"),
    "ridge": ("Ridge()", "X", "Y"),
    "ridge-cv": ("RidgeCV()", "X", "Y"),
    "lasso-cv": ("LassoCV(cv=3)", "X", "Y"),
    "sgd-log": ("SGDClassifier(loss='log_loss', random_state=0)", "X", "C"),
    "sgd-hinge": ("SGDClassifier(random_state=0)", "X", "T"),
    "sgd-huber": ("SGDRegressor(loss='huber', random_state=0)", "X", "Y"),
    "sgd-squared": ("SGDRegressor(random_state=0)", "X", "Y"),
    "passive": ("SGDOneClassSVM(random_state=0)", "X", None),
    "poisson": ("PoissonRegressor()", "X", "P0"),
    "graphical-lasso": ("GraphicalLassoCV(cv=2)", "X", None),
    "lda": ("LinearDiscriminantAnalysis()", "X", "C"),
    "qda": ("QuadraticDiscriminantAnalysis()", "X", "C2"),
    "tree": ("DecisionTreeClassifier(max_depth=3, random_state=0)", "X", "T"),
    "tree-regressor": ("DecisionTreeRegressor(max_depth=3, random_state=0)", "X", "Y"),
    "forest": ("RandomForestClassifier(3, max_depth=3, random_state=0)", "X", "C"),
    "extra-trees": ("ExtraTreesRegressor(3, max_depth=3, random_state=0)", "X", "Y"),
    "isolation": ("IsolationForest(n_estimators=3, max_samples=16, random_state=0)", "X", None),
    "boosting": ("GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0)", "X", "C"),
    "boosting-huber": (
        "GradientBoostingRegressor(loss='huber', n_estimators=2, max_depth=2, random_state=0)",
        "X",
        "Y",
    ),
    "hist": ("HistGradientBoostingClassifier(max_iter=2, max_depth=2, min_samples_leaf=5)", "X", "C2"),
    "hist-poisson": (
        "HistGradientBoostingRegressor(loss='poisson', max_iter=2, min_samples_leaf=5)",
        "X",
        "P0",
    ),
    "ada": ("AdaBoostClassifier(n_estimators=2, random_state=0)", "X", "C"),
    "bagging": ("BaggingRegressor(n_estimators=2, random_state=0)", "X", "Y"),
    "voting": (
        "VotingClassifier([('a', GaussianNB()), ('b', LogisticRegression())], voting='soft')",
        "X",
        "C",
    ),
    "stacking": ("StackingRegressor([('a', Ridge()), ('b', KNeighborsRegressor())], cv=2)", "X", "Y"),
    "svc": ("SVC(probability=True, random_state=0)", "X", "C"),
    "svr": ("SVR()", "X", "Y"),
    "one-class": ("OneClassSVM()", "X", None),
    "linear-svc": ("LinearSVC(dual=True, random_state=0)", "X", "C"),
    "svc-sparse": ("SVC()", "S", "C"),
    "knn-kd": ("KNeighborsClassifier(3, algorithm='kd_tree')", "X", "C"),
    "knn-ball": ("KNeighborsRegressor(3, algorithm='ball_tree', metric='manhattan')", "X", "Y"),
    "knn-brute": ("KNeighborsClassifier(3, algorithm='brute')", "S", "C"),
    "density": ("KernelDensity()", "X", None),
    "outliers": ("LocalOutlierFactor(5, novelty=True)", "X", None),
    "gaussian-nb": ("GaussianNB()", "X", "C"),
    "multinomial-nb": ("MultinomialNB()", "P", "C"),
    "kmeans": ("KMeans(3, n_init=1, random_state=0)", "X", None),
    "minibatch-kmeans": ("MiniBatchKMeans(3, n_init=1, random_state=0)", "X", None),
    "agglomerative": ("AgglomerativeClustering(3)", "X", None),
    "dbscan": ("DBSCAN()", "X", None),
    "spectral": ("AffinityPropagation(random_state=0)", "X", None),
    "mixture": ("GaussianMixture(2, random_state=0)", "X", None),
    "pca": ("PCA(2)", "X", None),
    "svd": ("TruncatedSVD(2, random_state=0)", "S", None),
    "nmf": ("NMF(2, init='nndsvda', max_iter=50, tol=0.1)", "P", None),
    "ica": ("FastICA(2, random_state=0, whiten='unit-variance')", "X", None),
    "kernel-pca": ("KernelPCA(2, kernel='rbf')", "X", None),
    "topics": ("LatentDirichletAllocation(2, max_iter=2, random_state=0)", "P", None),
    "pls": ("PLSRegression(2)", "X", "Y"),
    "isomap": ("Isomap(n_components=2, n_neighbors=20)", "X", None),
    "tfidf": ("TfidfVectorizer()", "text", None),
    "count": ("CountVectorizer(ngram_range=(1, 2), min_df=1)", "text", None),
    "hashing": ("HashingVectorizer(n_features=16)", "text", None),
    "text-pipeline": ("make_pipeline(TfidfVectorizer(), SGDClassifier(random_state=0))", "text", "C20"),
    "scaler": ("StandardScaler()", "X", None),
    "min-max": ("MinMaxScaler()", "X", None),
    "robust": ("RobustScaler()", "X", None),
    "one-hot": ("OneHotEncoder(handle_unknown='ignore')", "labels", None),
    "ordinal": ("OrdinalEncoder()", "labels", None),
    "bins": ("KBinsDiscretizer(3, encode='ordinal', strategy='uniform')", "X", None),
    "spline": ("SplineTransformer(n_knots=3)", "X", None),
    "polynomial": ("PolynomialFeatures()", "X", None),
    "quantile": ("QuantileTransformer(n_quantiles=10)", "X", None),
    "power": ("PowerTransformer()", "X", None),
    "imputer": ("SimpleImputer(strategy='median')", "missing", None),
    "knn-imputer": ("KNNImputer(n_neighbors=2)", "missing", None),
    "function": ("FunctionTransformer(np.log1p)", "P", None),
    "sqrt": ("FunctionTransformer(np.sqrt)", "P", None),
    "expit": ("FunctionTransformer(scipy.special.expit)", "X", None),
    "columns": (
        "ColumnTransformer([('a', StandardScaler(), [0, 1]),"
        " ('b', FunctionTransformer(np.square), slice(2, 3))], remainder='passthrough')",
        "X",
        None,
    ),
    "union": ("make_union(PCA(1), StandardScaler())", "X", None),
    "pipeline": ("make_pipeline(StandardScaler(), PCA(2), LogisticRegression())", "X", "C"),
    "mlp": ("MLPClassifier((3,), max_iter=3, random_state=0)", "X", "C"),
    "gaussian-process": (
        "GaussianProcessRegressor(kernels.RBF() + kernels.WhiteKernel(), random_state=0)",
        "X",
        "Y",
    ),
    "calibrated": ("CalibratedClassifierCV(GaussianNB(), cv=2)", "X", "C2"),
    "grid": ("GridSearchCV(SVC(), {'C': [1, 10]}, cv=2)", "X", "C"),
    "random-search": (
        "RandomizedSearchCV(Ridge(), {'alpha': [1, 2, 3]}, n_iter=2, cv=2, random_state=0)",
        "X",
        "Y",
    ),
    "one-vs-rest": ("OneVsRestClassifier(LogisticRegression())", "X", "C"),
    "chain": ("ClassifierChain(LogisticRegression(), order=[1, 0])", "X", "C2D"),
    "multi-output": ("MultiOutputRegressor(Ridge())", "X", "X2D"),
    "k-best": ("SelectKBest(f_classif, k=2)", "X", "C"),
    "from-model": ("SelectFromModel(DecisionTreeClassifier(max_depth=2, random_state=0))", "X", "C"),
    "rfe": ("RFE(Ridge(), n_features_to_select=2)", "X", "Y"),
    "isotonic": ("IsotonicRegression(out_of_bounds='clip')", "X0", "Y"),
    "dummy": ("DummyClassifier(strategy='prior')", "X", "C"),
    "target": ("TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1)", "X", "P0"),
    "nystroem": ("Nystroem(n_components=5, random_state=0)", "X", None),
    "labels": ("LabelBinarizer()", "T", None),
    "label-encoder": ("LabelEncoder()", "T", None),
    "propagation": ("LabelPropagation(kernel='knn', n_neighbors=3)", "X", "C"),
    "covariance": ("EmpiricalCovariance()", "X", None),
    "random-state": (
        "RandomForestClassifier(2, max_depth=2, random_state=np.random.RandomState(3))",
        "X",
        "C",
    ),
    "unfitted": ("RandomForestClassifier(5)", None, None),
}
DATA |= {"P0": P[:, 0] + 0.1, "C2": (C > 0).astype(int), "C20": C[:20] > 0, "X0": X[:, 0]}
DATA |= {"C2D": np.column_stack([C > 0, X[:, 1] > 0]).astype(int), "X2D": X[:, :2]}

Point = collections.namedtuple("Point", "x y")
_structure = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")])

_INNER = [1, 2]

VALUES = {
    "scalars": lambda: [None, True, False, 3, -1.5, "text", "\u00e9\U0001f600", 2**70, 1e-300, float("inf")],
    "nan": lambda: [float("nan"), -float("inf")],
    "dict": lambda: {"a": 1, "b": {"c": [1, 2]}, "d": ()},
    "dict-keys": lambda: {1: "a", 2.5: "b", "c": "d", True + 1: "e"},
    "dict-numpy-keys": lambda: {np.int64(4): "a", np.float32(0.5): "b"},
    "lists": lambda: [[1, [2, [3, []]]], (1, (2, ()))],
    "set": lambda: {1, 2, 3, "a"},
    "shared": lambda: [_INNER, _INNER, {"again": _INNER}],
    "bytes": lambda: [b"abc", b""],
    "bytearray": lambda: bytearray(b"xyz"),
    "slice": lambda: [slice(1, 5, 2), slice(None)],
    "ordered": lambda: collections.OrderedDict([("b", 1), ("a", 2)]),
    "default": lambda: collections.defaultdict(list, {"a": [1]}),
    "counter": lambda: collections.Counter("abca"),
    "arrays": lambda: [
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.ones((2, 3))),
        np.array([]),
        np.zeros((0, 3)),
        np.array(5),
    ],
    "dtypes-arrays": lambda: [
        np.array([True, False]),
        np.array(["a", "bcd"]),
        np.array([b"x"]),
        np.array([1 + 2j]),
        np.array(["2020-01-01"], "M8[D]"),
        np.array([3], "m8[s]"),
        np.arange(3, dtype=">i4"),
        np.float16([1.5]),
    ],
    "structured": lambda: _structure,
    "objects": lambda: np.array([1, "a", None, 2.5], dtype=object),
    "objects-2d": lambda: np.array([[1, "a"], [None, 2.5]], dtype=object),
    "numpy-scalars": lambda: [np.float64(1.5), np.float32(0.5), np.int8(3), np.bool_(True), np.str_("a")],
    "dates": lambda: [np.datetime64("2020-01-01"), np.timedelta64(3, "s")],
    "dtypes": lambda: [np.dtype("f4"), np.dtype(">i2"), np.dtype("U3"), np.dtype(object), _structure.dtype],
    "masked": lambda: np.ma.MaskedArray([1, 2, 3], [0, 1, 0]),
    "masked-none": lambda: np.ma.MaskedArray([1.0, 2.0]),
    "csr": lambda: S,
    "csc": S.tocsc,
    "coo": S.tocoo,
    "bsr": lambda: scipy.sparse.bsr_matrix(np.eye(4), blocksize=(2, 2)),
    "dia": lambda: scipy.sparse.eye(4).todia(),
    "csr-array": lambda: scipy.sparse.csr_array(np.eye(3)),
    "coo-array": lambda: scipy.sparse.coo_array(np.eye(3)),
    "state": lambda: np.random.RandomState(5),
    "generator": lambda: np.random.default_rng(5),
    "generator-sfc": lambda: np.random.Generator(np.random.SFC64(5)),
    "generator-mt": lambda: np.random.Generator(np.random.MT19937(5)),
    "ufuncs": lambda: [np.sqrt, np.add, scipy.special.expit],
    "functions": lambda: [np.mean, np.sum],
    "builtin": lambda: len,
    "types": lambda: [int, float, str, np.float64, np.int32],
    "partial": lambda: functools.partial(np.sum, axis=0),
    "method": lambda: sklearn.preprocessing.StandardScaler().fit(X).transform,
    "itemgetter": lambda: operator.itemgetter(1),
    "attrgetter": lambda: operator.attrgetter("shape"),
    "methodcaller": lambda: operator.methodcaller("sum"),
    "datetime": lambda: [datetime.datetime(2020, 1, 2, 3), datetime.date(2020, 1, 2), datetime.timedelta(3)],
    "zone": lambda: datetime.UTC,
    "range": lambda: range(2, 9, 3),
    "frozenset": lambda: frozenset([1, "a"]),
    "numbers": lambda: [decimal.Decimal("1.50"), fractions.Fraction(1, 3)],
    "bunch": lambda: sklearn.utils.Bunch(a=1, b=[2]),
    "kernel": lambda: sklearn.gaussian_process.kernels.RBF(2.0) * 3,
    "tree": lambda: sklearn.neighbors.KDTree(X[:5]),
}


def _xgboost():
    import xgboost

    return xgboost.XGBClassifier(n_estimators=2, max_depth=2, random_state=0).fit(X, C)


def _lightgbm():
    import lightgbm

    return lightgbm.LGBMClassifier(n_estimators=2, min_child_samples=2, num_leaves=4, verbose=-1).fit(X, C)


def _quantile_forest():
    import quantile_forest

    return quantile_forest.RandomForestQuantileRegressor(3, max_depth=3, random_state=0).fit(X, Y)


LIBRARIES = {"xgboost": _xgboost, "lightgbm": _lightgbm, "quantile-forest": _quantile_forest}
KINDS = [*ESTIMATORS, *(f"value-{name}" for name in VALUES), *LIBRARIES]
SMALL = [
    "logistic-texts",
    "ridge",
    "sgd-log",
    "sgd-huber",
    "graphical-lasso",
    "tree",
    "forest",
    "boosting-huber",
    "hist",
    "svc",
    "knn-kd",
    "knn-ball",
    "kmeans",
    "pca",
    "tfidf",
    "text-pipeline",
    "scaler",
    "one-hot",
    "spline",
    "sqrt",
    "expit",
    "columns",
    "pipeline",
    "mlp",
    "gaussian-process",
    "grid",
    "k-best",
    "target",
    "random-state",
    "unfitted",
    "xgboost",
    "lightgbm",
    "quantile-forest",
    "value-scalars",
    "value-dict-keys",
    "value-dict-numpy-keys",
    "value-lists",
    "value-set",
    "value-shared",
    "value-bytes",
    "value-slice",
    "value-ordered",
    "value-default",
    "value-counter",
    "value-arrays",
    "value-dtypes-arrays",
    "value-objects-2d",
    "value-numpy-scalars",
    "value-dtypes",
    "value-masked",
    "value-csr",
    "value-csr-array",
    "value-state",
    "value-generator",
    "value-ufuncs",
    "value-functions",
    "value-partial",
    "value-method",
    "value-types",
    "value-range",
    "value-datetime",
    "value-tree",
    "value-itemgetter",
]
"""What is kept of releases that are neither the first nor the last."""

_INPUTS = {"xgboost": "X", "lightgbm": "X", "quantile-forest": "X"}


def make(kind):
    """Return the object of a kind; what the installed releases do not have raises an exception."""
    if kind in LIBRARIES:
        return LIBRARIES[kind]()
    for name in _NAMES:
        __import__(f"sklearn.{name}")
    __import__("sklearn.gaussian_process.kernels")
    if kind.startswith("value-"):
        return VALUES[kind[6:]]()
    known = {"np": np, "scipy": scipy, "kernels": sklearn.gaussian_process.kernels}
    for name in _NAMES:
        module = functools.reduce(getattr, name.split("."), sklearn)
        public = getattr(module, "__all__", None) or [name for name in dir(module) if name[0].isupper()]
        known.update({name: getattr(module, name) for name in public if name not in _EXPERIMENTAL})
    code, data, target = ESTIMATORS[kind]
    made = eval(code, known)
    if data is None:
        return made
    return made.fit(DATA[data]) if target is None else made.fit(DATA[data], DATA[target])


METHODS = (
    *("predict", "predict_proba", "decision_function", "transform", "score_samples", "get_feature_names_out"),
)


def look(kind, obj):
    """Return what is compared of an object of a kind, as JSON has it."""
    if kind.startswith("value-"):
        return {"value": canon(obj)}
    data = _INPUTS.get(kind) or ESTIMATORS[kind][1]
    if data is None:
        return {"parameters": canon(str(obj.get_params()))}
    found = {}
    for method in METHODS:
        if not hasattr(obj, method):
            continue
        try:
            result = getattr(obj, method)(*[] if "names" in method else [DATA[data]])
        except (TypeError, AttributeError, NotImplementedError):
            continue
        found[method] = canon(result)
    for attribute in ("labels_", "covariance_", "cv_results_"):
        if hasattr(obj, attribute) and "predict" not in found:
            value = getattr(obj, attribute)
            if not isinstance(value, dict):
                found[attribute] = canon(value)
    return found


def _of_array(obj):
    if obj.dtype.names is not None:
        items = [repr(item) for item in obj.tolist()]
    else:
        items = [item if isinstance(item, float) else canon(item) for item in obj.ravel().tolist()]
    return [obj.dtype.str if obj.dtype.names is None else str(obj.dtype.descr), list(obj.shape), items]


def canon(obj):
    """Return an object as JSON, alike under all releases; floats of arrays as they are, with a tolerance."""
    name = type(obj).__name__
    if isinstance(obj, np.dtype):
        return ["dtype", str(obj)]
    if isinstance(obj, np.generic):
        return ["scalar", *_of_array(np.asarray(obj))]
    if obj is None or isinstance(obj, (bool, str)):
        return obj
    if isinstance(obj, int):
        return ["int", str(obj)]
    if isinstance(obj, np.ma.MaskedArray):
        return ["masked", canon(np.array(obj.data)), canon(np.ma.getmaskarray(obj))]
    if isinstance(obj, np.ndarray):
        return ["ndarray", *_of_array(obj)]
    if isinstance(obj, float):
        return ["float", obj.hex()]
    if isinstance(obj, (bytes, bytearray)):
        return [name, obj.hex()]
    if scipy.sparse.issparse(obj):
        return [name, canon(obj.toarray())]
    if isinstance(obj, collections.defaultdict):
        return [name, canon(obj.default_factory), canon(dict(obj))]
    if isinstance(obj, dict):
        return [name, [[canon(key), canon(value)] for key, value in obj.items()]]
    if isinstance(obj, (set, frozenset)):
        return [name, sorted(map(canon, obj), key=repr)]
    if isinstance(obj, (list, tuple)):
        return [name, list(map(canon, obj))]
    if isinstance(obj, np.random.RandomState):
        return [name, canon(copy.deepcopy(obj).randint(0, 2**31 - 1, 5))]
    if isinstance(obj, np.random.Generator):
        return [name, canon(copy.deepcopy(obj).integers(0, 2**31 - 1, 5))]
    if isinstance(obj, functools.partial):
        return [name, canon(obj.func), canon(obj.args), canon(obj.keywords)]
    if isinstance(obj, (operator.itemgetter, operator.attrgetter, operator.methodcaller)):
        return [name, canon(obj.__reduce__()[1])]
    if name == "KDTree":
        return [name, canon(obj.query(X[:5], 2)[0])]
    if hasattr(obj, "__self__") and hasattr(obj, "__func__"):
        return ["method", obj.__name__, canon(obj(X))]
    if hasattr(obj, "__name__"):
        return ["name", obj.__name__]
    return [name, repr(obj)]


def differ(one, other, tolerance=1e-9):
    """Tell how two results of `look` differ; nothing where they agree."""
    if isinstance(one, float) and isinstance(other, float):
        close = (
            one == other
            or (np.isnan(one) and np.isnan(other))
            or abs(one - other) <= tolerance * max(abs(one), abs(other)) + 1e-12
        )
        return "" if close else f"{one!r} is not {other!r}"
    if type(one) is not type(other):
        return f"{str(one)[:80]} is not {str(other)[:80]}"
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return f"{sorted(one)} is not {sorted(other)}"
        return next(
            (f"{key}: {found}" for key in one if (found := differ(one[key], other[key], tolerance))), ""
        )
    if isinstance(one, list):
        if len(one) != len(other):
            return f"{len(one)} items are not {len(other)}"
        pairs = zip(one, other)
        return next((found for a, b in pairs if (found := differ(a, b, tolerance))), "")
    return "" if one == other else f"{one!r} is not {other!r}"


SENSITIVE = ("isomap",)


def problem(expected, kind, obj):
    """Tell how an object does not do what one of its kind did; nothing where it does. It may do more."""
    found = look(kind, obj)
    # Eigenvalues near zero make more of the last bits, which are those of the processor.
    tolerance = 1e-6 if kind in SENSITIVE else 1e-9
    for method, result in expected.items():
        if method not in found:
            return f"{method}: fails"
        if differs := differ(result, found[method], tolerance):
            return f"{method}: {differs}"
    return ""
