"""More models of scikit-learn, of all metrics, kernels and kinds of data; and values of scipy and numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.interpolate
import scipy.sparse as sp
import scipy.stats
from sklearn import (
    calibration,
    cluster,
    decomposition,
    ensemble,
    feature_extraction,
    gaussian_process,
    impute,
    isotonic,
    kernel_approximation,
    kernel_ridge,
    linear_model,
    manifold,
    mixture,
    multiclass,
    multioutput,
    neighbors,
    pipeline,
    preprocessing,
    random_projection,
    semi_supervised,
    svm,
    tree,
)
from sklearn.gaussian_process import kernels

from tests.memory.uses import outputs

__all__ = ["MODELS", "outputs"]

RNG = np.random.RandomState(0)
X = np.abs(RNG.rand(60, 5)).round(3)
FEW = X[:, :2]
BITS = X > 0.5
GAPS = np.where(RNG.rand(60, 5) < 0.2, np.nan, X)
SMALL = np.floor(X * 4)
Y = np.digitize(X[:, 0] + X[:, 1], [0.8, 1.2])
TWO = np.column_stack([Y, (X[:, 2] > 0.5) * 1])
NUMBERS = X @ np.arange(1.0, 6)
TARGETS = np.column_stack([NUMBERS, -NUMBERS, NUMBERS**2])
SPARSE = sp.csr_matrix(np.where(X > 0.6, X, 0))
SQUARE = X @ X.T
COVARIANCE = np.cov(X.T) + np.eye(5)

MODELS: dict[str, Callable[[], tuple[Any, Any]]] = {}


def _add(name: str, model: Any, data: Any = X, target: Any = None) -> None:
    MODELS[name] = lambda: (model.fit(data, target), data)


_METRICS: dict[str, tuple[Any, dict[str, Any]]] = {
    "seuclidean": (X, {"V": X.var(0) + 0.1}),
    "mahalanobis": (X, {"VI": np.linalg.inv(COVARIANCE)}),
    "minkowski": (X, {"w": np.ones(5)}),
    "haversine": (FEW, {}),
    "chebyshev": (X, {}),
    "canberra": (X, {}),
    "braycurtis": (X, {}),
    "hamming": (SMALL, {}),
    "jaccard": (BITS, {}),
    "yule": (BITS, {}),
    "cosine": (X, {}),
    "nan_euclidean": (GAPS, {}),
    "precomputed": (np.abs(SQUARE), {}),
}
for metric, (samples, params) in _METRICS.items():
    for algorithm in ("brute", "kd_tree", "ball_tree"):
        usable = neighbors.VALID_METRICS[algorithm]
        weighted = metric == "minkowski" and algorithm == "kd_tree"
        if metric in usable and not weighted:
            options = {"metric": metric, "metric_params": params or None, "algorithm": algorithm}
            _add(f"near {metric} {algorithm}", neighbors.KNeighborsClassifier(3, **options), samples, Y)
            _add(
                f"radius {metric} {algorithm}",
                neighbors.RadiusNeighborsClassifier(9.0, outlier_label=0, **options),
                samples,
                Y,
            )
for kernel in ("poly", "sigmoid", "rbf", "linear", "precomputed"):
    data = SQUARE if kernel == "precomputed" else X
    _add(f"machine {kernel}", svm.SVC(kernel=kernel), data, Y)
    _add(f"machine nu {kernel}", svm.NuSVR(kernel=kernel), data, NUMBERS)
    if kernel != "precomputed":
        _add(f"machine sparse {kernel}", svm.SVC(kernel=kernel), SPARSE, Y)
        _add(f"machine one sparse {kernel}", svm.OneClassSVM(kernel=kernel), SPARSE)
for name in ("DecisionTree", "RandomForest", "ExtraTrees"):
    module = tree if name == "DecisionTree" else ensemble
    some = {"n_estimators": 3} if module is ensemble else {}
    _add(f"{name} of two", getattr(module, f"{name}Classifier")(random_state=0, **some), X, TWO)
    _add(f"{name} of numbers", getattr(module, f"{name}Regressor")(random_state=0, **some), X, TARGETS)
    _add(f"{name} sparse", getattr(module, f"{name}Classifier")(random_state=0, **some), SPARSE, Y)
    _add(f"{name} gaps", getattr(module, f"{name}Classifier")(random_state=0, **some), GAPS, Y)
_BOOST = {"n_estimators": 4, "random_state": 0}
_HIST = {"max_iter": 4, "min_samples_leaf": 2}
_add("boosting", ensemble.GradientBoostingClassifier(**_BOOST), X, Y)
_add("boosting sparse", ensemble.GradientBoostingClassifier(**_BOOST), SPARSE, Y)
_add("boosting zero", ensemble.GradientBoostingRegressor(init="zero", **_BOOST), X, NUMBERS)
_add("histogram", ensemble.HistGradientBoostingClassifier(**_HIST), GAPS, Y)
_add(
    "histogram categories",
    ensemble.HistGradientBoostingClassifier(categorical_features=[0, 3], **_HIST),
    SMALL,
    Y,
)
_add("isolation sparse", ensemble.IsolationForest(n_estimators=4, random_state=0), sp.csc_matrix(SPARSE))
_add("embedding", ensemble.RandomTreesEmbedding(n_estimators=3, max_depth=3, random_state=0))
for sparse in (False, True):
    data = SPARSE if sparse else X
    _add(f"topics {sparse}", decomposition.LatentDirichletAllocation(3, max_iter=2, random_state=0), data)
    _add(f"factors mu {sparse}", decomposition.NMF(3, solver="mu", max_iter=50, random_state=0), data)
    _add(f"factors {sparse}", decomposition.MiniBatchNMF(3, max_iter=2, random_state=0), data)
    _add(f"means {sparse}", cluster.KMeans(3, n_init=1, random_state=0), data)
    _add(f"means elkan {sparse}", cluster.KMeans(3, n_init=1, random_state=0, algorithm="elkan"), data)
    _add(f"birch {sparse}", cluster.Birch(threshold=0.3, n_clusters=2), data)
    _add(f"projection {sparse}", random_projection.SparseRandomProjection(3, random_state=0), data)
    _add(f"expansion {sparse}", preprocessing.PolynomialFeatures(3), data)
    _add(f"interactions {sparse}", preprocessing.PolynomialFeatures((1, 3), interaction_only=True), data)
    _add(f"imputer {sparse}", impute.SimpleImputer(add_indicator=True, missing_values=-1), data)
_add("means 32", cluster.KMeans(3, n_init=1, random_state=0), X.astype(np.float32))
_add("bisections", cluster.BisectingKMeans(4, random_state=0))
_add("density clusters", cluster.HDBSCAN(3, store_centers="both"))
_add("agglomeration", cluster.FeatureAgglomeration(2))
for how in ("omp", "lars", "lasso_cd", "lasso_lars", "threshold"):
    _add(
        f"dictionary {how}",
        decomposition.DictionaryLearning(4, max_iter=2, transform_algorithm=how, random_state=0),
    )
_KERNELS = {
    "rbf": kernels.RBF(np.ones(5)) + kernels.WhiteKernel(),
    "matern": kernels.ConstantKernel() * kernels.Matern(np.ones(5), nu=1.5),
    "others": kernels.RationalQuadratic() + kernels.DotProduct() ** 2,
    "sines": kernels.ExpSineSquared() + kernels.WhiteKernel(20.0),
    "pairs": kernels.PairwiseKernel(metric="laplacian"),
}
for name, made in _KERNELS.items():
    _add(
        f"process {name}", gaussian_process.GaussianProcessRegressor(made, optimizer=None), X, TARGETS[:, :2]
    )
    _add(
        f"classes by {name}", gaussian_process.GaussianProcessClassifier(made, optimizer=None), X[:30], Y[:30]
    )
for name in ("rbf", "poly", "chi2", "laplacian", "cosine", "additive_chi2", "sigmoid"):
    _add(f"nystroem {name}", kernel_approximation.Nystroem(name, n_components=8, random_state=0))
    _add(f"ridge {name}", kernel_ridge.KernelRidge(kernel=name, gamma=1.0), X, NUMBERS)
for name in ("rbf", "poly", "cosine", "precomputed"):
    _add(
        f"components {name}",
        decomposition.KernelPCA(3, kernel=name, fit_inverse_transform=name != "precomputed"),
        SQUARE if name == "precomputed" else X,
    )
for name in ("constant", "linear", "continue", "periodic", "error"):
    for sparse in (False, True):
        _add(
            f"splines {name} {sparse}",
            preprocessing.SplineTransformer(4, extrapolation=name, sparse_output=sparse),
        )
for name in ("onehot", "onehot-dense", "ordinal"):
    _add(
        f"bins {name}",
        preprocessing.KBinsDiscretizer(3, encode=name, quantile_method="averaged_inverted_cdf"),
    )
_add(
    "columns",
    preprocessing.OneHotEncoder(drop="first", max_categories=3, handle_unknown="infrequent_if_exist"),
    SMALL,
)
_add(
    "columns of words",
    preprocessing.OneHotEncoder(handle_unknown="ignore"),
    SMALL.astype(int).astype(str).astype(object),
)
_add(
    "numbers of words",
    preprocessing.OrdinalEncoder(max_categories=3),
    SMALL.astype(int).astype(str).astype(object),
)
_add("by target", preprocessing.TargetEncoder(cv=2, random_state=0), SMALL, Y)
_add("isotonic", isotonic.IsotonicRegression(out_of_bounds="clip"), X[:, 0], NUMBERS)
_add(
    "calibrated",
    calibration.CalibratedClassifierCV(linear_model.LogisticRegression(), method="isotonic", cv=2),
    X,
    Y,
)
_add("imputed by neighbours", impute.KNNImputer(n_neighbors=2, add_indicator=True), GAPS)
_add("imputed by models", impute.IterativeImputer(max_iter=2, random_state=0), GAPS)
_add("gaps", impute.MissingIndicator(sparse=True), GAPS)
for name in ("tophat", "cosine", "gaussian"):
    _add(f"density {name}", neighbors.KernelDensity(kernel=name, metric="manhattan", bandwidth=0.4))
_add("outliers", neighbors.LocalOutlierFactor(3, novelty=True))
_add("outliers sparse", neighbors.LocalOutlierFactor(3, novelty=True), SPARSE)
_add("isomap", manifold.Isomap(n_neighbors=4))
_add("isomap radius", manifold.Isomap(n_neighbors=None, radius=0.9))
_add("local embedding", manifold.LocallyLinearEmbedding(n_neighbors=4, random_state=0))
for name in ("knn", "rbf"):
    _add(
        f"spreading {name}",
        semi_supervised.LabelSpreading(kernel=name, n_neighbors=3),
        X,
        np.where(X[:, 3] > 0.5, Y, -1),
    )
for name in ("full", "tied", "diag", "spherical"):
    _add(f"mixture {name}", mixture.GaussianMixture(2, covariance_type=name, random_state=0))
_add("one of many", multiclass.OneVsRestClassifier(svm.LinearSVC()), X, Y)
_add("codes", multiclass.OutputCodeClassifier(linear_model.LogisticRegression(), random_state=0), X, Y)
_add("chain", multioutput.ClassifierChain(tree.DecisionTreeClassifier(max_depth=2)), X, TWO)
_add("outputs", multioutput.MultiOutputClassifier(neighbors.KNeighborsClassifier(3)), X, TWO)
_add("neighbours of outputs", neighbors.KNeighborsClassifier(3), X, TWO)
_add("neighbours sparse", neighbors.KNeighborsClassifier(3), SPARSE, Y)
_add(
    "graph",
    pipeline.make_pipeline(
        neighbors.KNeighborsTransformer(n_neighbors=5),
        neighbors.KNeighborsClassifier(2, metric="precomputed"),
    ),
    X,
    Y,
)
_add("hashes", feature_extraction.FeatureHasher(16), [{"a": 1.0, "b": 2.0}] * 4)
_add(
    "patches",
    feature_extraction.image.PatchExtractor(patch_size=(3, 2), max_patches=4, random_state=0),
    RNG.rand(3, 6, 6),
)

_PLACES = np.linspace(0, 1, 9)
VALUES: dict[str, Any] = {
    "spline": scipy.interpolate.make_interp_spline(_PLACES, np.sin(_PLACES)[:, None] * [1, 2]),
    "spline 1": scipy.interpolate.make_interp_spline(_PLACES, np.sin(_PLACES), k=1),
    **{
        kind: getattr(sp, f"{kind}_matrix")(SPARSE)
        for kind in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
    },
    **{
        name: np.random.Generator(getattr(np.random, name)(3))
        for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
    },
    "RandomState": np.random.RandomState(5),
    "frozen": scipy.stats.norm(0.5, 2),
    "tree of kd": neighbors.KDTree(X, leaf_size=3),
    "tree of balls": neighbors.BallTree(X, leaf_size=3, metric="manhattan"),
    "tree of words": neighbors.BallTree(X, leaf_size=3, metric="mahalanobis", VI=np.linalg.inv(COVARIANCE)),
}
for name, value in VALUES.items():
    MODELS[f"value {name}"] = lambda value=value: (value, X)
