"""Version skew: a file written under another version of a library than the installed one.

Migrations go between reading a Document and approving it. Where they are not known to keep predictions, the
file is loaded with a warning, and validated against what is installed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

from skopsafe.errors import MigrationError, VersionSkewWarning
from skopsafe.graph.document import Document
from skopsafe.migrate.kept import has_ties, is_kept
from skopsafe.migrate.migrating import OTHERS, Applied, migrated
from skopsafe.migrate.records import SKLEARN
from skopsafe.migrate.releases import release_of
from skopsafe.trust.audit import Audit, Step, audit
from skopsafe.trust.tables import Tables

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


class Today(NamedTuple):
    """A Document as the installed libraries would have written it.

    Attributes
    ----------
    document : Document
        What to approve and to build.
    skew : str
        How the version of scikit-learn differs from that of the file; "" where it does not.
    is_kept : bool
        Whether predictions are known to be those of the version that wrote the file.
    applied : tuple of Applied
        The migrations that were needed.
    """

    document: Document
    skew: str = ""
    is_kept: bool = True
    applied: tuple[Applied, ...] = ()


def installed() -> str | None:
    """Return the version of the scikit-learn that is installed, without importing it."""
    return _version("sklearn", SKLEARN)


def _version(module: str, *distributions: str) -> str | None:
    if module in sys.modules:
        return getattr(sys.modules[module], "__version__", None)
    return _on_disk(distributions)


@functools.cache
def _on_disk(distributions: tuple[str, ...]) -> str | None:
    # To look it up takes as long as several audits.
    from importlib import metadata

    for distribution in distributions:
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(distribution)
    return None


def today(document: Document) -> Today:
    """Return a Document as the installed libraries would have written it. Nothing of it is approved yet.

    Raises
    ------
    MigrationError
        It is of an older version, and outputs would be others.
    """
    found = _today_of_sklearn(document)
    for library, records in OTHERS.items():
        old = release_of(document.writer.get(library))
        if old is None or not _has(document, library):
            continue
        new = release_of(_version(library, library, f"{library}-cpu"))
        if new is not None:
            out, applied = migrated(found.document, old, new, records)
            found = found._replace(document=out, applied=found.applied + applied)
    return found


def _has(document: Document, module: str) -> bool:
    """Tell whether a type of a library is in a Document."""
    return any(row.name.startswith(f"{module}.") for row in document.types)


def _today_of_sklearn(document: Document) -> Today:
    written = document.writer.get(SKLEARN)
    if written is None and not _has(document, "sklearn"):
        return Today(document)
    present = installed()
    if present is None or written == present:
        return Today(document)
    if written is None:
        return Today(
            document, f"a scikit-learn of which it does not tell (installed: {present})", is_kept=False
        )
    skew = f"scikit-learn {written[:50]!r} (installed: {present})"
    old, new = release_of(written), release_of(present)
    if old is None or new is None:
        return Today(document, skew, is_kept=False)
    out, applied = migrated(document, old, new)
    kept = is_kept((row.name for row in document.types), old, new) and not has_ties(document)
    return Today(out, skew, kept, applied)


def audited(document: Document, tables: Tables) -> Audit:
    """Return the audit of a Document: of what the installed libraries would make of it."""
    try:
        found = today(document)
    except MigrationError as error:
        return audit(document, tables).with_skew("refused", refused=str(error))
    report = audit(found.document, tables)
    if not found.skew and not found.applied:
        return report
    steps = [
        Step(step.name, step.release, step.reason, step.link, count, step.library)
        for step, count in found.applied
    ]
    kept = "kept" if found.is_kept else "unknown"
    return report.with_skew(kept if found.skew else "same", steps)


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
