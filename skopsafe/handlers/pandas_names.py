"""Where releases of pandas keep the types that files know by their public names."""

from __future__ import annotations

_PUBLIC: dict[str, dict[str, tuple[str, ...]]] = {
    "pandas": {
        "pandas.core.frame": ("DataFrame",),
        "pandas.core.series": ("Series",),
        "pandas.core.indexes.base": ("Index",),
        "pandas.core.indexes.range": ("RangeIndex",),
        "pandas.core.indexes.category": ("CategoricalIndex",),
        "pandas.core.indexes.interval": ("IntervalIndex",),
        "pandas.core.indexes.multi": ("MultiIndex",),
        "pandas.core.indexes.datetimes": ("DatetimeIndex",),
        "pandas.core.indexes.timedeltas": ("TimedeltaIndex",),
        "pandas.core.indexes.period": ("PeriodIndex",),
        "pandas.core.arrays.categorical": ("Categorical",),
        "pandas._libs.tslibs.timestamps": ("Timestamp",),
        "pandas._libs.tslibs.timedeltas": ("Timedelta",),
        "pandas._libs.tslibs.period": ("Period",),
        "pandas._libs.interval": ("Interval",),
        "pandas.core.dtypes.dtypes": (
            "CategoricalDtype",
            "DatetimeTZDtype",
            "PeriodDtype",
            "IntervalDtype",
            "SparseDtype",
            "ArrowDtype",
        ),
        "pandas.core.arrays.string_": ("StringDtype",),
        "pandas.core.arrays.integer": tuple(
            f"{sign}Int{bits}Dtype" for sign in ("", "U") for bits in (8, 16, 32, 64)
        ),
        "pandas.core.arrays.floating": ("Float32Dtype", "Float64Dtype"),
        "pandas.core.arrays.boolean": ("BooleanDtype",),
    },
    "pandas.arrays": {
        "pandas.core.arrays.integer": ("IntegerArray",),
        "pandas.core.arrays.floating": ("FloatingArray",),
        "pandas.core.arrays.boolean": ("BooleanArray",),
        "pandas.core.arrays.string_": ("StringArray",),
        "pandas.core.arrays.string_arrow": ("ArrowStringArray",),
        "pandas.core.arrays.arrow.array": ("ArrowExtensionArray",),
        "pandas.core.arrays.sparse.array": ("SparseArray",),
        "pandas.core.arrays.interval": ("IntervalArray",),
        "pandas.core.arrays.period": ("PeriodArray",),
        "pandas.core.arrays.datetimes": ("DatetimeArray",),
        "pandas.core.arrays.timedeltas": ("TimedeltaArray",),
        "pandas.core.arrays.numpy_": ("NumpyExtensionArray",),
    },
    "pandas.api.typing": {
        "pandas._libs.tslibs.nattype": ("NaTType",),
        "pandas._libs.missing": ("NAType",),
    },
}

_OFFSETS = "pandas._libs.tslibs.offsets"

RENAMED = {
    **{
        f"{module}:{name}": f"{public}:{name}"
        for public, modules in _PUBLIC.items()
        for module, names in modules.items()
        for name in names
    },
    "pandas.api.typing:FrozenList": "pandas.core.indexes.frozen:FrozenList",
    "pandas:DateOffset": f"{_OFFSETS}:DateOffset",
}
KEPT_AS = {
    # Classes of their own in some releases; the dtype tells them apart.
    "pandas.core.arrays.string_:StringArrayNumpySemantics": "pandas.arrays:StringArray",
    "pandas.core.arrays.string_arrow:ArrowStringArrayNumpySemantics": "pandas.arrays:ArrowStringArray",
}
