"""Version skew: a file written under another version of a library than the installed one.

Migrations, when there are some, go between reading a Document and approving it; until then another
version is loaded with a warning, and validated against what is installed.
"""

from __future__ import annotations

import os
import sys
import warnings

from skopsafe.errors import VersionSkewWarning

_HERE = os.path.dirname(__file__)


def differences(writer: dict[str, str]) -> str:
    """Say how the version of scikit-learn differs from where the file was written; "" when it does not."""
    written = writer.get("scikit-learn")
    if written is None:
        return ""
    try:
        import sklearn
    except ImportError:
        return ""  # building will say what is missing
    installed = sklearn.__version__
    return "" if installed == written else f"scikit-learn {written[:50]!r} (installed: {installed})"


def warn_about(skew: str) -> None:
    """Warn where the package was called from."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    warnings.warn(
        f"The file was written under {skew}. Predictions may differ; compare them, or install the version "
        "that wrote the file.",
        VersionSkewWarning,
        stacklevel=level,
    )
