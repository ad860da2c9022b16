"""Which loader a node may name, by the name of its type.

Most types that skops has a loader for are known by name: such a node names that loader or the file
contradicts itself. What has none of these names is an object of a class, or a class or function itself; there
the loader only says which of the inert forms follows, and every form ends in a name that the audit lists.
"""

from __future__ import annotations

import numpy as np

from skopsafe.errors import FormatError
from skopsafe.foreign.skops.schema import AGAIN

_LOSSES = ("LossNode", "SGDNode", "ObjectNode")
_OPERATORS = ("attrgetter", "itemgetter", "methodcaller")
_ARRAYS = ("numpy:ndarray", "numpy:memmap", "numpy:matrix", "numpy.matrixlib.defmatrix:matrix")
_SPARSE = ("SparseMatrixNode", "ObjectNode")
"""The second for sparse arrays, up to skops 0.14."""
_FORMATS = ("csr", "csc", "coo", "bsr", "dia")

_OWN: dict[str, tuple[str, ...]] = {
    "builtins:dict": ("DictNode",),
    "collections:OrderedDict": ("DictNode",),
    "collections:Counter": ("DictNode",),
    "collections:defaultdict": ("DefaultDictNode", "DictNode"),  # the second before skops 0.11
    "sklearn.covariance._graph_lasso:_DictWithDeprecatedKeys": ("_DictWithDeprecatedKeysNode",),
    "builtins:list": ("ListNode",),
    "builtins:set": ("SetNode",),
    "builtins:frozenset": ("ConstructorFromReduceNode",),
    "builtins:tuple": ("TupleNode",),
    "builtins:str": ("JsonNode",),
    "builtins:bytes": ("BytesNode",),
    "builtins:bytearray": ("BytearrayNode",),
    "builtins:slice": ("SliceNode",),
    "functools:partial": ("PartialNode",),
    **{f"operator:{name}": ("OperatorFuncNode",) for name in _OPERATORS},
    "numpy:dtype": ("DTypeNode",),
    **dict.fromkeys(_ARRAYS, ("NdArrayNode",)),
    **{f"numpy:{kind.__name__}": ("NdArrayNode",) for kind in np.sctypeDict.values()},
    **{f"numpy:{name}": ("NdArrayNode",) for name in np.sctypeDict if isinstance(name, str)},
    "numpy:bytes_": ("BytesNode", "NdArrayNode"),  # behind the types of numpy: they are bytes as well
    "numpy.ma:MaskedArray": ("MaskedArrayNode",),
    "numpy.ma.core:MaskedArray": ("MaskedArrayNode",),
    "numpy.ma.core:MaskedConstant": ("MaskedArrayNode",),
    "numpy.random.mtrand:RandomState": ("RandomStateNode",),
    "numpy.random._generator:Generator": ("RandomGeneratorNode",),
    "sklearn.tree._tree:Tree": ("TreeNode",),
    "quantile_forest._quantile_forest_fast:QuantileForest": ("QuantileForestNode",),
    # Where the classes of sparse arrays were from scipy 1.8 to 1.10.
    **{f"scipy.sparse._arrays:{kind}_array": _SPARSE for kind in _FORMATS},
    **{
        f"scipy.sparse.{place}{kind}:{kind}_{form}": _SPARSE
        for kind in _FORMATS
        for place in ("", "_")
        for form in ("matrix", "array")
    },
}
LOSS_MODULES = ("sklearn._loss._loss", "_loss", "sklearn.linear_model._sgd_fast")
_VALUES = ("FunctionNode", "TypeNode")
"""Loaders of classes and functions themselves, whose name is that of the node."""
_OF_ANY = ("DictNode", "ListNode", "SetNode", "TupleNode", "ObjectNode", "ConstructorFromReduceNode")
"""Loaders of instances of classes that have none of their own; those of dict, list, set and tuple are also
for classes derived from these."""


def check(loader: str, name: str) -> None:
    """Raise unless a node of a type may name a loader.

    Raises
    ------
    FormatError
        It may not.
    """
    if loader in _VALUES or loader == "MethodNode":  # the node has the name of a value, or of the instance
        return
    own = _OWN.get(name)
    if own is None:
        of_loss = name.partition(":")[0] in LOSS_MODULES
        own = _LOSSES if of_loss else _OF_ANY
    if loader in own:
        return
    spelled = name.replace(":", ".")
    if loader == "ObjectNode":
        raise FormatError(
            f"a {spelled} was saved without its content, as old releases of skops do",
            path="schema.json",
            next_step="Save the object again from where it came from.",
        )
    raise FormatError(
        f"{spelled} is to be loaded by {loader}, which is for other types",
        path="schema.json",
        next_step="Treat the file as hostile, unless you know where it is from.",
    )


def name_of(node: dict[str, object]) -> tuple[str, str]:
    """Return module and name of the type of a node.

    Raises
    ------
    FormatError
        They are no names.
    """
    module, name = node.get("__module__"), node.get("__class__")
    sound = isinstance(module, str) and isinstance(name, str) and name.isidentifier()
    if not sound or not all(part.isidentifier() for part in str(module).split(".")):
        raise FormatError("a node has no name of a type", path="schema.json", next_step=AGAIN)
    return str(module), str(name)
