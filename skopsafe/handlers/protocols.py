"""Attributes by which libraries take any object for something else: numpy for an array, notebooks for a page.

``__array_interface__`` is a dict with an address, a shape and a dtype. numpy looks for it on the object, not
on its class, and then reads or writes whatever is at that address. So no object that is built from a file may
have such an attribute, and no dict that names an address may come from a file: a series of pandas answers for
an attribute with what it has under that label.

A notebook calls ``_repr_html_`` of the object and shows what it returns, and scikit-learn calls
``_get_doc_link`` and the like of whatever stands in a pipeline, and writes what it returns into a page. A
`partial` of ``str`` returns any text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skopsafe.handlers.checks import require

PROTOCOLS = frozenset(
    {"__array_interface__", "__array_struct__", "__array__", "__cuda_array_interface__", "__dlpack__"}
)

DISPLAYS = frozenset(
    {
        "_repr_html_",
        "_repr_markdown_",
        "_repr_svg_",
        "_repr_png_",
        "_repr_jpeg_",
        "_repr_gif_",
        "_repr_webp_",
        "_repr_pdf_",
        "_repr_latex_",
        "_repr_json_",
        "_repr_javascript_",
        "_repr_mimebundle_",
        "_repr_pretty_",
        "_repr_inline_",
        "_ipython_display_",
        "__rich__",
        "__rich_console__",
        "__rich_repr__",
        "_get_doc_link",
        "_get_params_html",
        "_get_fitted_attr_html",
        "_sk_visual_block_",
        "_html_repr",
        "get_params",
    }
)
"""What is called for a text to show; scikit-learn writes the names that ``get_params`` gives to a script."""


def claim(names: Iterable[object]) -> tuple[str, str] | None:
    """Return a name by which an object would claim to be something else, and what; or None."""
    for name in names:
        if isinstance(name, str):
            if name in PROTOCOLS:
                return name, "an object may not claim to be an array"
            if name in DISPLAYS:
                return name, "an object may not say how it is shown"
    return None


def require_no_protocol(names: Iterable[object], where: str) -> None:
    """Raise `ValidationError` if one of `names` would make an object claim to be something else."""
    found = claim(names)
    if found is not None:
        require(False, found[1], f"{where}.{found[0]}")


def refuse_protocol(names: Iterable[object]) -> None:
    """Raise `TypeError` if an object with such names could not be loaded again."""
    found = claim(names)
    if found is not None:
        raise TypeError(f"its {found[0]!r} would not be loaded: {found[1]}")


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
    return [part for item in type(mapping).items(mapping) for part in item]
