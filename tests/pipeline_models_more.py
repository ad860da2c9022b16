"""More models as people build them: text, odd inputs, several outputs, wrappers and callables."""

from __future__ import annotations

import re

import numpy as np
import scipy.sparse
import scipy.spatial
import scipy.special
import scipy.stats
from sklearn import (
    decomposition,
    ensemble,
    feature_extraction,
    feature_selection,
    impute,
    linear_model,
    metrics,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    semi_supervised,
    svm,
    tree,
)
from sklearn.datasets import make_multilabel_classification

from tests.pipeline_models import (
    BINARY,
    TARGET,
    TEXTS,
    TOPICS,
    VERSION,
    Model,
    X,
    Y,
    frame,
    model,
    without_times,
)


@model
def words_and_pairs() -> Model:
    text = feature_extraction.text
    made = pipeline.make_pipeline(
        pipeline.make_union(
            text.TfidfVectorizer(stop_words=["two", "four"], ngram_range=(1, 2), sublinear_tf=True),
            text.CountVectorizer(
                analyzer="char_wb", ngram_range=(2, 3), max_features=20, strip_accents="unicode"
            ),
            text.HashingVectorizer(n_features=16, stop_words="english", token_pattern=r"\w{2,}"),
        ),
        linear_model.SGDClassifier(loss="modified_huber", random_state=0),
    )
    return made.fit(TEXTS, TOPICS), TEXTS


@model
def words_of_a_fixed_vocabulary() -> Model:
    text = feature_extraction.text
    made = text.TfidfVectorizer(
        vocabulary={"one": 0, "two": 1}, tokenizer=str.split, preprocessor=str.lower, token_pattern=None
    )
    return made.fit(TEXTS), TEXTS


@model
def words_by_a_compiled_pattern() -> Model:
    text = feature_extraction.text
    split = re.compile(r"\w+").findall
    return text.CountVectorizer(tokenizer=split, token_pattern=None, dtype=np.float32).fit(TEXTS), TEXTS


@model
def sparse_input() -> Model:
    sparse = scipy.sparse.csr_array(np.where(np.abs(X) > 1, X, 0))
    made = pipeline.make_pipeline(preprocessing.MaxAbsScaler(), svm.SVC(probability=False))
    return made.fit(sparse, Y), sparse


@model
def single_precision() -> Model:
    small = X.astype("f4")
    made = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge())
    return made.fit(small, TARGET.astype("f4")), small


@model
def objects_as_targets_and_columns() -> Model:
    table = np.array([["a", 1, None], ["b", 2, "x"], ["a", 3, "y"]] * 10, object)
    made = pipeline.make_pipeline(
        preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        tree.DecisionTreeClassifier(random_state=0),
    )
    return made.fit(table, np.array(["p", "q", "p"] * 10, object)), table


@model
def several_outputs() -> Model:
    made = multioutput.MultiOutputClassifier(ensemble.ExtraTreesClassifier(3, random_state=0))
    return made.fit(X, np.c_[Y, BINARY]), X


@model
def trees_of_several_outputs_with_weights() -> Model:
    made = ensemble.RandomForestClassifier(
        4, class_weight=[{0: 1, 1: 2, 2: 1}, {0: 1.0, 1: 3}], random_state=0, warm_start=True
    ).fit(X, np.c_[Y, BINARY])
    return made.set_params(n_estimators=6).fit(X, np.c_[Y, BINARY], np.linspace(1, 2, 90)), X


@model
def many_labels_in_chains() -> Model:
    inputs, labels = make_multilabel_classification(60, 6, n_classes=3, random_state=0)
    made = multioutput.ClassifierChain(
        linear_model.LogisticRegression(), order="random", random_state=0, cv=2
    )
    return made.fit(inputs, labels), inputs


@model
def chained_regression() -> Model:
    made = multioutput.RegressorChain(svm.LinearSVR(random_state=0), order=[1, 0])
    return made.fit(X, np.c_[TARGET, X[:, 2]]), X


@model
def one_against_the_rest() -> Model:
    return multiclass.OneVsRestClassifier(svm.SVC(kernel=metrics.pairwise.chi2_kernel)).fit(
        np.abs(X), Y
    ), np.abs(X)


@model
def one_against_one() -> Model:
    return multiclass.OneVsOneClassifier(linear_model.Perceptron(random_state=0)).fit(X, Y), X


@model
def output_codes() -> Model:
    made = multiclass.OutputCodeClassifier(tree.DecisionTreeClassifier(random_state=0), random_state=0)
    return made.fit(X, Y), X


@model
def elimination_by_cross_validation() -> Model:
    made = feature_selection.RFECV(svm.LinearSVC(random_state=0), cv=2, min_features_to_select=2)
    return made.fit(X, Y), X


@model
def features_by_a_function_of_importances() -> Model:
    made = feature_selection.RFE(
        ensemble.RandomForestClassifier(3, random_state=0), importance_getter="feature_importances_"
    )
    chosen = feature_selection.SelectFromModel(
        tree.ExtraTreeClassifier(random_state=0), threshold="1.25*mean"
    )
    return pipeline.make_pipeline(made, chosen).fit(X, Y), X


@model
def sequential_selection() -> Model:
    made = feature_selection.SequentialFeatureSelector(
        neighbors.NearestCentroid(), n_features_to_select=2, cv=2, scoring="balanced_accuracy"
    )
    return made.fit(X, Y), X


@model
def self_training() -> Model:
    known = np.where(np.arange(90) % 3, Y, -1)
    return semi_supervised.SelfTrainingClassifier(naive_bayes.GaussianNB()).fit(X, known), X


@model
def bag_of_pipelines() -> Model:
    steps = pipeline.make_pipeline(decomposition.PCA(2), svm.SVC(gamma=0.1))
    made = ensemble.BaggingClassifier(steps, 3, max_features=4, bootstrap_features=True, random_state=0)
    return made.fit(X, Y), X


@model
def tuned_threshold() -> Model:
    scorer = metrics.make_scorer(metrics.f1_score, pos_label=1)
    made = model_selection.TunedThresholdClassifierCV(
        linear_model.LogisticRegression(), scoring=scorer, thresholds=20, store_cv_results=True, cv=3
    )
    return made.fit(X, BINARY), X


@model
def random_states_are_instances() -> Model:
    rng = np.random.RandomState(3)
    made = pipeline.make_pipeline(
        preprocessing.QuantileTransformer(n_quantiles=10, random_state=rng),
        ensemble.RandomForestRegressor(3, random_state=rng),
    )
    return made.fit(X, TARGET), X


@model
def boosted_with_early_stopping_and_categories() -> Model:
    table = frame()[["age", "pay", "kind"]]
    made = ensemble.HistGradientBoostingClassifier(
        max_iter=5,
        categorical_features="from_dtype",
        monotonic_cst={"age": 1},
        early_stopping=True,
        scoring="accuracy",
        random_state=0,
    )
    return made.fit(table, BINARY), table


@model
def boosted_over_adaptive_weights() -> Model:
    made = ensemble.AdaBoostRegressor(tree.DecisionTreeRegressor(max_depth=2), n_estimators=4, random_state=0)
    return made.fit(X, TARGET), X


@model
def imputed_by_models() -> Model:
    holes = np.where(np.arange(540).reshape(90, 6) % 7 == 0, np.nan, X)
    made = impute.IterativeImputer(
        linear_model.BayesianRidge(), max_iter=2, add_indicator=True, random_state=0, sample_posterior=True
    )
    return made.fit(holes), holes


@model
def neighbours_by_a_function() -> Model:
    made = neighbors.KNeighborsRegressor(3, metric=scipy.spatial.distance.canberra, weights=np.reciprocal)
    return made.fit(X, TARGET), X


@model
def neighbours_on_a_sphere() -> Model:
    return neighbors.KNeighborsClassifier(metric="haversine", algorithm="ball_tree").fit(X[:, :2], Y), X[
        :, :2
    ]


@model
def neighbours_by_mahalanobis_distance() -> Model:
    made = neighbors.NearestNeighbors(
        metric="mahalanobis", metric_params={"VI": np.eye(6)}, algorithm="ball_tree"
    )
    return made.fit(X), X


@model
def network_that_can_go_on() -> Model:
    made = neural_network.MLPClassifier(
        (5, 3), max_iter=3, early_stopping=True, warm_start=True, random_state=np.random.RandomState(0)
    )
    return made.fit(X, Y), X


@model
def search_over_distributions() -> Model:
    search = model_selection.RandomizedSearchCV(
        linear_model.ElasticNet(),
        {
            "alpha": scipy.stats.loguniform(1e-3, 1e1),
            "l1_ratio": scipy.stats.uniform(0.1, 0.8),
            "max_iter": scipy.stats.randint(100, 200),
        },
        n_iter=2,
        random_state=0,
    )
    return without_times(search.fit(X, TARGET)), X


@model
def ransac_over_a_pipeline() -> Model:
    steps = pipeline.make_pipeline(preprocessing.SplineTransformer(n_knots=3), linear_model.Ridge())
    made = linear_model.RANSACRegressor(steps, random_state=0, min_samples=30, loss="squared_error")
    return made.fit(X, TARGET), X


@model
def inputs_of_dicts() -> Model:
    rows = [{"a": 1.0, "b": "x"}, {"a": 2.0, "c": 3}] * 10
    made = pipeline.make_pipeline(
        feature_extraction.DictVectorizer(sparse=False, dtype=np.float32), decomposition.NMF(2, max_iter=500)
    )
    return made.fit(rows), rows


@model
def functions_with_arguments() -> Model:
    made = pipeline.make_pipeline(
        preprocessing.FunctionTransformer(
            np.clip, kw_args={"a_min": -1, "a_max": 1}, feature_names_out="one-to-one"
        ),
        preprocessing.FunctionTransformer(scipy.special.expit, scipy.special.logit),
        preprocessing.KBinsDiscretizer(3, encode="onehot", quantile_method="averaged_inverted_cdf")
        if VERSION >= (1, 7)
        else preprocessing.KBinsDiscretizer(3),
        feature_selection.SelectPercentile(feature_selection.mutual_info_classif, percentile=50),
    )
    return made.fit(X, Y), X


@model
def weights_for_classes() -> Model:
    made = svm.SVC(class_weight={0: 1, 1: np.float64(2)}, probability=False, decision_function_shape="ovo")
    return made.fit(X, Y, sample_weight=np.linspace(1, 2, 90)), X


@model
def fitted_again_after_a_warm_start() -> Model:
    made = ensemble.GradientBoostingClassifier(n_estimators=2, warm_start=True, random_state=0).fit(X, Y)
    return made.set_params(n_estimators=4).fit(X, Y), X
