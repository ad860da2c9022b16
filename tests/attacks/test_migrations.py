"""Files that claim to be of an older release: what changes them runs before anyone has approved them."""

from __future__ import annotations

import functools
import io
import time
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier

import skopsafe
from skopsafe import api
from skopsafe.graph.document import Column, Document, Run, Shape, TypeRow
from skopsafe.migrate.encoding import encoded
from skopsafe.migrate.migrating import RECORDS, migrated
from skopsafe.migrate.nodes import Graph, Node, array
from skopsafe.migrate.records import Migration, Record
from skopsafe.migrate.releases import Release
from skopsafe.testing.crafted import changed, schema_of, with_schema
from tests.golden.sklearn.compare import converted, stored
from tests.golden.sklearn.examples import EXAMPLES

OLD, NEW = Release(1, 2, 2), Release(1, 9, 1)
NAMES = (
    *("array", "shape", "data", "indices", "objects", "nodes", "values", "tree_", "estimators_", "classes_"),
    *("_loss", "init_", "strategy", "learning_rate", "class_prior_", "transformers_", "estimator", "scorer_"),
    *("_name_to_fitted_passthrough", "base_estimator", "penalty", "l1_ratio", "metric", "_scorer", "loss"),
    *("_label_binarizer", "dictionary", "_idf_diag", "use_idf", "coef_", "_x_std", "X_offset_", "sigma_"),
    *("initial_imputer_", "statistics_", "indicator_", "n_features_in_", "_fit_dtype", "multi_class"),
    *(
        "keep_empty_features",
        "gamma",
        "kernel",
        "X_fit_",
        "_inner_stats",
        "n_classes_",
        "alpha",
        "K",
        "threshold",
        "solver",
    ),
    *("sample_interval_", "n_components_", "loss_function_", "_coef_", "cv_values_", "algorithm"),
)
VALUES = ("sklearn.utils.validation:check_array", "sklearn.metrics._scorer:_passthrough_scorer")
MORE_TYPES = (
    *("builtins:list", "builtins:tuple", "builtins:dict", "numpy:ndarray", "numpy:ndarray", "numpy:dtype"),
    *("scipy.sparse._csr:csr_matrix", "sklearn.dummy:DummyClassifier", "sklearn.tree._tree:Tree"),
    *("sklearn.ensemble._gb_losses:MultinomialDeviance", "sklearn._loss.loss:HalfMultinomialLoss"),
    *("sklearn.preprocessing._label:LabelBinarizer", "sklearn.impute._base:SimpleImputer"),
    *("sklearn.impute._base:MissingIndicator", "functools:partial", *VALUES),
    *("numpy:ndarray", "numpy:ndarray", "sklearn.linear_model._logistic:LogisticRegression"),
)
SCALARS: list[Any] = [None, True, False, 0, 1, 2, -1, 2**53 - 1, 0.0, 0.5, -1e300, "", "x", "passthrough"]
SCALARS += ["SAMME", "SAMME.R", "l1", "elasticnet", "warn", "zero", "prior", "ovr", "force_all_finite", "rbf"]


LIKELY = {
    **dict.fromkeys(("tree_",), "sklearn.tree._tree:Tree"),
    **dict.fromkeys(("init_",), "sklearn.dummy:DummyClassifier"),
    **dict.fromkeys(("transformers_", "objects"), "builtins:list"),
    **dict.fromkeys(("_inner_stats", "shape"), "builtins:tuple"),
    **dict.fromkeys(("_name_to_fitted_passthrough",), "builtins:dict"),
    "_loss": "sklearn.ensemble._gb_losses:MultinomialDeviance",
    "_idf_diag": "scipy.sparse._csr:csr_matrix",
    "_label_binarizer": "sklearn.preprocessing._label:LabelBinarizer",
    "initial_imputer_": "sklearn.impute._base:SimpleImputer",
    "indicator_": "sklearn.impute._base:MissingIndicator",
    "scorer_": "sklearn.metrics._scorer:_passthrough_scorer",
    "estimator": "sklearn.linear_model._logistic:LogisticRegression",
    "_fit_dtype": "numpy:dtype",
    **dict.fromkeys(("class_prior_", "dictionary", "coef_", "_x_std", "X_offset_"), "numpy:ndarray"),
    **dict.fromkeys(("statistics_", "classes_", "data", "indices"), "numpy:ndarray"),
}
SOME: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("nodes", "values", "array"), (0, 1, 2, 3, 4, 5)),
    "algorithm": ("SAMME", "SAMME.R"),
    "penalty": ("l1", "elasticnet", "l2"),
    "multi_class": ("ovr", "auto", "multinomial"),
    "solver": ("liblinear", "newton-cholesky"),
    **dict.fromkeys(("gamma", "threshold", "l1_ratio", "init_"), (None,)),
    **dict.fromkeys(("use_idf", "metric", "keep_empty_features"), (True,)),
    **dict.fromkeys(("n_features_in_", "n_classes_", "K"), (3,)),
    "strategy": ("prior",),
    "learning_rate": (0.1, 0.0),
}


def junk(seed: int) -> Document:
    """Make a Document of types that changes look for, with attributes that they look at: junk otherwise."""
    random = np.random.RandomState(seed)
    pick = lambda found: found[random.randint(len(found))]  # noqa: E731
    rows = [TypeRow(name, "value" if name in VALUES else "class") for name in MORE_TYPES]
    rows += [TypeRow(pick(pick(RECORDS).types), "class") for _ in range(random.randint(1, 6))]
    random.shuffle(rows)  # type: ignore[arg-type]
    types = list(dict.fromkeys([*rows, TypeRow("builtins:list", "class")]))
    shapes, runs = [], []

    def cell(name: str) -> Any:
        likely = [place for place, row in enumerate(rows) if row.name == LIKELY.get(name)]
        chance = random.rand()
        if chance < 0.7 and (likely or name in SOME):
            return (
                [pick(likely)] if likely and (name not in SOME or random.rand() < 0.7) else pick(SOME[name])
            )
        return [random.randint(len(rows))] if chance < 0.85 else pick(SCALARS)

    for row in rows:
        names: list[str] | None = [name for name in NAMES if random.rand() < 0.8]
        if row.role == "value":
            names = []
        elif row.name == "numpy:ndarray":
            names = pick((["array"], ["array"], ["shape", "fortran", "objects"], ["array", "shape"]))
        elif row.name.split(":")[0] in ("builtins", "functools") and random.rand() < 0.95:
            names = None
        width = random.choice([1, 2, 3, 4, 6]) if names is None else len(names or ())
        cells = [cell("" if names is None else names[place]) for place in range(width)]
        shapes.append(Shape(types.index(row), None if names is None else tuple(names)))
        columns: Any = [cells] if names is None else [[value] for value in cells]
        runs.append(Run(len(shapes) - 1, 1, columns))
    shapes.append(Shape(types.index(TypeRow("builtins:list", "class")), None))
    runs.append(Run(len(shapes) - 1, 1, [[[place] for place in range(len(rows))]]))
    extent = {0: (3,), 1: (2, 2), 2: (1,)}.get
    return Document(types, shapes, runs, len(_ARRAYS), [len(rows)], {}, _junk, extent=extent)


_ARRAYS = [
    *(np.zeros(3, "V3"), np.ones((2, 2), bool), np.array(["a"]), np.ones(3), np.ones((3, 1, 2))),
    np.zeros(3, [(name, "<i8") for name in ("left_child", "right_child", "n_node_samples")]),
]


def _junk(numbers: Any) -> Any:
    for number in numbers:
        yield None, [_ARRAYS[number].copy()]


def test_junk_is_changed_or_refused() -> None:
    seen: Counter[str] = Counter()
    for seed in range(600):
        try:
            found, applied = migrated(junk(seed), OLD, NEW)
            seen.update(step.migration.name for step in applied)
            for number in range(found.array_count):
                for _, (item,) in found.arrays([number]):
                    assert not item.dtype.hasobject
        except skopsafe.SkopsafeError as error:
            seen[type(error).__name__] += 1
    # The junk leads into most of the changes; the test below has the rest.
    assert seen["ValidationError"] > 50
    assert seen["MigrationError"] > 50
    reached = [record.name for record in RECORDS if isinstance(record, Migration) and seen[record.name]]
    assert len(reached) > 45


@functools.cache
def _models() -> dict[tuple[str, str], bytes]:
    wanted: dict[str, set[str]] = {}
    for release, key in EXAMPLES.values():
        wanted.setdefault(release, set()).add(key)
    return {
        (release, model.key): converted(model.content)
        for release, keys in wanted.items()
        for model in stored(release)
        if model.key in keys
    }


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_files_changed_at_random_give_no_other_error_than_ours(record: Record) -> None:
    """Each file of an older release, whatever is changed in its schema, is loaded or refused."""
    data = _models()[EXAMPLES[record.name]]
    random = np.random.RandomState(0)
    for _ in range(6):
        schema = schema_of(data)
        run = schema["runs"][random.randint(len(schema["runs"]))]
        if not run[2]:
            continue
        place = random.randint(len(run[2]))
        run[2][place] = [None, 0, "x", {"ref": 0}, {"ref": random.randint(9)}, 2.5, [], -1][random.randint(8)]
        crafted = with_schema(data, schema)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                skopsafe.loads(crafted, trusted=skopsafe.get_untrusted_types(data=crafted))
            except skopsafe.SkopsafeError:
                continue


def test_a_file_that_lies_about_its_release_is_audited_and_validated_like_any_other() -> None:
    def lie(schema: dict[str, Any]) -> None:
        schema["writer"]["scikit-learn"] = "1.2.2"
        schema["types"][0][0] = "os:system"

    data = changed(LogisticRegression(), lie)
    assert skopsafe.audit(data).denied
    with pytest.raises(skopsafe.DeniedTypeError):
        skopsafe.loads(data)


def _graph_of(count: int, items: int) -> Document:
    """Return a Document of many forests that share one list of trees."""
    types = [
        TypeRow("sklearn.tree._classes:ExtraTreeRegressor", "class"),
        TypeRow("builtins:list", "class"),
        TypeRow("sklearn.ensemble._iforest:IsolationForest", "class"),
    ]
    shapes = [Shape(0, ()), Shape(1, None), Shape(2, ("estimators_",))]
    runs: list[Any] = [Run(0, 1, []), Run(1, 1, [[[0]] * items])]
    runs += [Run(2, count, [Column(ref=1)]), Run(1, 1, [[[2 + place] for place in range(count)]])]
    return Document(types, shapes, runs, 0, [2 + count], {}, _junk)


def test_many_objects_with_the_same_list_make_no_more_work_than_they_are() -> None:
    start = time.perf_counter()
    with pytest.raises(skopsafe.LimitError, match="at too many places"):
        migrated(_graph_of(20_000, 20_000), OLD, NEW)
    assert time.perf_counter() - start < 20


def test_many_objects_with_the_same_array_make_no_more_copies_than_they_are() -> None:
    big = np.zeros(2**20)
    graph = Graph(
        Document(
            [TypeRow("numpy:ndarray", "class"), TypeRow("builtins:list", "class")],
            [Shape(0, ("array",)), Shape(1, None)],
            [Run(0, 1, [0]), Run(1, 1, [[[0]]])],
            1,
            [1],
            {},
            lambda numbers: iter([(None, [big])]),
        )
    )
    assert isinstance(graph.root, Node)
    graph.root.items += [array(np.array, graph.nodes[0]) for _ in range(1000)]
    document = encoded(graph)

    def read() -> None:
        for number in range(1, document.array_count):
            list(document.arrays([number]))

    with pytest.raises(skopsafe.LimitError, match="copied too often"):
        read()


def test_an_array_that_many_objects_share_is_made_of_itself_once() -> None:
    """A chain of a million steps would end the process by its recursion."""
    models = [RidgeClassifier() for _ in range(3)]
    for model in models:
        model.X_offset_ = model.sigma_ = None

    def share(schema: dict[str, Any]) -> None:
        schema["writer"]["scikit-learn"] = "1.8.0"

    assert skopsafe.loads(changed(models, share))
    types = [
        TypeRow("numpy:ndarray", "class"),
        TypeRow("sklearn.linear_model._bayes:BayesianRidge", "class"),
        TypeRow("builtins:list", "class"),
    ]
    count = 5000
    runs = [
        Run(0, 1, [0]),
        Run(1, count, [Column(ref=0), None]),
        Run(2, 1, [[[1 + place] for place in range(count)]]),
    ]
    shapes = [Shape(0, ("array",)), Shape(1, ("X_offset_", "sigma_")), Shape(2, None)]
    document = Document(types, shapes, runs, 1, [1 + count], {}, lambda numbers: iter([(None, [np.ones(2)])]))
    found, (step,) = migrated(document, Release(1, 8, 0), NEW)
    assert step.objects == count
    assert [item.tolist() for _, (item,) in found.arrays([1])] == [[0.0, 0.0]]


def test_a_document_too_large_to_be_changed_says_so_before_it_is_taken_apart() -> None:
    types = [TypeRow("builtins:list", "class"), TypeRow("sklearn.svm._classes:SVC", "class")]
    runs = [Run(0, 2**25, [1] * 1), Run(1, 1, []), Run(0, 1, [Column(ref=0)])]
    document = Document(types, [Shape(0, 1), Shape(1, ())], runs, 0, [2**25 + 1], {}, _junk)
    with pytest.raises(skopsafe.LimitError, match="too many to be changed"):
        migrated(document, OLD, NEW)


def test_an_audit_of_an_older_file_reads_no_array() -> None:
    data = _models()[("1.2.2", "IsolationForest")]
    with api.described(io.BytesIO(data)) as document:
        blind = Document(
            document.types,
            document.shapes,
            document.runs,
            document.array_count,
            document.root,
            document.writer,
            api._no_arrays,
        )
        assert api.audit_of(blind).predictions == "kept"
