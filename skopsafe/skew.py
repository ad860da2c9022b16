"""Version skew: a file written under another version of a library than the installed one.

Migrations, when there are some, go between reading a Document and approving it; until then another
version is loaded with a warning, and validated against what is installed.
"""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections.abc import Callable, Sequence

from skopsafe.errors import VersionSkewWarning

_HERE = os.path.dirname(__file__)


def versions(types: Sequence[str], distribution: Callable[[str], str]) -> dict[str, str]:
    """Return the versions of what writes a file: skopsafe, Python and the libraries in it.

    Parameters
    ----------
    types : sequence of str
        The names of the types in the file, whose modules are loaded.
    distribution : callable
        Returns the name of the distribution that has a module.
    """
    from skopsafe import __version__

    tops = {name.partition(":")[0].partition(".")[0] for name in types}
    out = {"skopsafe": __version__, "python": platform.python_version()}
    for top in sorted(tops - sys.stdlib_module_names):
        version = getattr(sys.modules.get(top), "__version__", None)
        if isinstance(version, str):
            out[distribution(top)] = version
    return out


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
