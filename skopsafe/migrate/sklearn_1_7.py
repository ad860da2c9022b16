"""What changed in scikit-learn 1.7."""

from __future__ import annotations

from skopsafe.migrate.nodes import Node, is_a
from skopsafe.migrate.records import CHANGELOG, Migration, Record, adds, takes_over

_LINK = CHANGELOG.format("1.7")


def _columns(node: Node) -> bool:
    """A list of columns that warned when it was used is a list."""
    data = node.get("data")
    if not is_a(data, "builtins:list"):
        return False
    node.type, node.has_names, node.attributes = "builtins:list", False, {}
    node.items = list(data.each())
    return True


RECORDS: tuple[Record, ...] = (
    Migration(
        "linear-tolerance",
        "1.7",
        ("sklearn.linear_model._base:LinearRegression",),
        "the parameter tol",
        adds({"tol": 1e-6}),
        _LINK,
    ),
    Migration(
        "bins-quantile-method",
        "1.7",
        ("sklearn.preprocessing._discretization:KBinsDiscretizer",),
        "the parameter quantile_method; linear is what there was",
        adds({"quantile_method": "linear"}),
        _LINK,
    ),
    Migration(
        "chain-estimator-renamed",
        "1.7",
        ("sklearn.multioutput:ClassifierChain", "sklearn.multioutput:RegressorChain"),
        "the parameter base_estimator became estimator",
        takes_over({"base_estimator": "estimator"}),
        _LINK,
    ),
    Migration(
        "remainder-columns",
        "1.7",
        ("sklearn.compose._column_transformer:_RemainderColsList",),
        "the columns of the remainder are a list",
        _columns,
        _LINK,
    ),
)
