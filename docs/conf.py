"""Configuration of Sphinx; build with ``nox -s docs``."""

from __future__ import annotations

import skopsafe

project = "skopsafe"
author = "the skopsafe developers"
copyright = author  # noqa: A001 - the name that Sphinx looks for
version = release = skopsafe.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
exclude_patterns = ["_build"]
# As on the page of a code host, so that links to headings work in both.
myst_heading_anchors = 3

autodoc_typehints = "none"  # the docstrings have the types
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_validation_checks: set[str] = set()

html_theme = "pydata_sphinx_theme"
html_title = f"skopsafe {release}"
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}
html_show_sourcelink = False
