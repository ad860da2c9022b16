"""category_encoders: numbers of processes and columns, names of dtypes and of hashes.

All of it is Python over pandas, which looks after its indices. What is left are attributes of an encoder that
say how much to start or to make, and texts that pandas takes for dtypes.
"""

from __future__ import annotations

import hashlib
from typing import Any

from skopsafe.handlers.checks import MOST_THREADS, integer, require
from skopsafe.handlers.dtypes import require_plain_dtype
from skopsafe.handlers.library import Check, Library

# Hashes become columns of a dense data frame, each with a name of its own.
_MOST_COLUMNS = 10**6


def _check_dtypes(obj: Any) -> None:
    dtypes = vars(obj).get("feature_dtypes_in_")
    where = f"{type(obj).__name__}.feature_dtypes_in_"
    require(dtypes is None or type(dtypes) is list, "not a list", where)
    for dtype in dtypes or ():
        require_plain_dtype(dtype, where)
    inner = vars(obj).get("ordinal_encoder")
    if inner is not None:
        from category_encoders import OrdinalEncoder

        # Whatever else stands there could have a mapping that nobody looks at.
        plain = type(inner) is OrdinalEncoder
        require(plain, "not an OrdinalEncoder", f"{type(obj).__name__}.ordinal_encoder")


def _check_ordinal(obj: Any) -> None:
    """``inverse_transform`` casts each column to the dtype that stands in the mapping."""
    mapping = vars(obj).get("mapping")
    require(mapping is None or type(mapping) is list, "not a list", "OrdinalEncoder.mapping")
    for entry in mapping or ():
        require(isinstance(entry, dict), "not a list of dicts", "OrdinalEncoder.mapping")
        require_plain_dtype(entry.get("data_type"), "OrdinalEncoder.mapping")


def _check_hashing(obj: Any) -> None:
    """Transforming starts all processes at once, and takes what `hashlib` has under the name for a hash."""
    state = vars(obj)
    known = isinstance(state.get("hash_method"), str) and state["hash_method"] in hashlib.algorithms_available
    require(known, "not the name of a hash", "HashingEncoder.hash_method")
    for name, least, most in (
        ("max_process", -MOST_THREADS, MOST_THREADS),
        ("n_components", -_MOST_COLUMNS, _MOST_COLUMNS),
    ):
        integer(state.get(name), f"HashingEncoder.{name}", least, most)


def _check_base(obj: Any) -> None:
    """``inverse_transform`` raises the base to the powers of all digits."""
    integer(vars(obj).get("base"), f"{type(obj).__name__}.base", -(2**63), 2**63)


CHECKS: dict[str, Check] = {
    "category_encoders.utils:BaseEncoder": _check_dtypes,
    "category_encoders.ordinal:OrdinalEncoder": _check_ordinal,
    "category_encoders.hashing:HashingEncoder": _check_hashing,
    "category_encoders.basen:BaseNEncoder": _check_base,
}

LIBRARY = Library((), CHECKS)
