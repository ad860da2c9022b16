"""Version skew: a file written under another version of a library than the installed one.

Migrations, when there are some, go between reading a Document and approving it; until then another
version is loaded with a warning, and validated against what is installed.
"""

from __future__ import annotations

import sys
import warnings

from skopsafe.errors import VersionSkewWarning

_WATCHED = {"scikit-learn": "sklearn"}


def warn_about_skew(writer: dict[str, str]) -> None:
    """Warn once, with both versions, when a library of the file has another version here."""
    differing = []
    for distribution, module in _WATCHED.items():
        written = writer.get(distribution)
        if written is None:
            continue
        if module == "sklearn" and module not in sys.modules:
            import sklearn

            installed = sklearn.__version__
        else:
            installed = sys.modules[module].__version__
        if installed != written:
            differing.append(f"{distribution} {written!r} (installed: {installed})")
    if differing:
        warnings.warn(
            f"The file was written under {', '.join(differing)}. Predictions may differ; compare them, or "
            "install the version that wrote the file.",
            VersionSkewWarning,
            stacklevel=4,
        )
