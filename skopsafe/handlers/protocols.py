"""Attributes that others look for on an object and not on its class: what they find there, they use or call.

``__array_interface__`` is a dict with an address, a shape and a dtype. numpy looks for it on the object, and
then reads or writes whatever is at that address. So no object that is built from a file may have such an
attribute, and no dict that names an address may come from a file: a series of pandas answers for an attribute
with what it has under that label.

A notebook calls ``_repr_javascript_``, ``_repr_html_`` and their like, and runs the script or shows the
markup that they give; scikit-learn calls ``_get_doc_link`` of whatever stands in a pipeline, and writes what
it returns into a page. A function that is harmless as a value, such as a `partial` of ``str``, gives any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skopsafe.handlers.checks import require
from skopsafe.handlers.spread import refuse_crowded

_ARRAYS = frozenset(
    {"__array_interface__", "__array_struct__", "__array__", "__cuda_array_interface__", "__dlpack__"}
)
SHOWN = frozenset(
    {
        # Jupyter, beside ``_repr_*_``; then marimo, templates that escape, and rich.
        "_ipython_display_",
        "_display_",
        "_mime_",
        "__html__",
        "__rich__",
        "__rich_console__",
        "__rich_repr__",
        # scikit-learn, for its diagrams in HTML; names that ``get_params`` gives become part of a script.
        "_sk_visual_block_",
        "_html_repr",
        "_get_params_html",
        "_get_fitted_attr_html",
        "_get_doc_link",
        "_doc_link_module",
        "_doc_link_template",
        "_doc_link_url_param_generator",
        "__doc_link_template",
        "get_params",
    }
)
_COPIED = frozenset({"__deepcopy__", "__sklearn_clone__", "__sklearn_tags__"})


def claim(name: object) -> str | None:
    """Say what an object would claim that has an attribute of this name, or return None."""
    if not isinstance(name, str):
        return None
    if name in _ARRAYS:
        return "to be an array"
    if name in SHOWN or (name.startswith("_repr_") and name.endswith("_")):
        return "to know how it is shown"
    return "to know how it is copied" if name in _COPIED else None


def require_no_protocol(names: Iterable[object], where: str) -> None:
    """Raise `ValidationError` if one of `names` is an attribute that others would use or call."""
    for name in names:
        if claim(name) is not None:
            require(False, f"an object may not claim {claim(name)}", f"{where}.{name}")


def refuse_protocol(names: Iterable[object]) -> None:
    """Raise `TypeError` for attributes that could not be loaded again."""
    for name in names:
        if claim(name) is not None:
            raise TypeError(f"its attribute {name!r} claims {claim(name)}, and would not be loaded")


def has_address(mapping: dict[Any, Any]) -> bool:
    """Tell whether numpy would take a dict for the place and dtype of an array in memory."""
    return dict.__contains__(mapping, "typestr") and isinstance(dict.get(mapping, "data"), tuple)


def require_no_address(mapping: dict[Any, Any], where: str) -> None:
    """Raise `ValidationError` for a dict that numpy would take for the place of an array in memory."""
    require(not has_address(mapping), "names a place in memory as an array", where)


def refuse_address(mapping: dict[Any, Any]) -> None:
    """Raise `TypeError` for a dict that could not be loaded again."""
    if has_address(mapping):
        raise TypeError("numpy takes it for the place of an array in memory; save the array itself")


def items(mapping: dict[Any, Any]) -> list[Any]:
    """Return the keys and values of a dict, one behind the other, for a getter.

    Raises
    ------
    TypeError
        It could not be loaded again.
    """
    refuse_address(mapping)
    refuse_crowded(mapping)
    return [part for item in type(mapping).items(mapping) for part in item]
