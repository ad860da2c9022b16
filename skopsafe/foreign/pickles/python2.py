"""Names of Python 2, which unpicklers translate in pickles of protocols 0 to 2.

The table is that of CPython, ``_compat_pickle``, which imports nothing itself.
"""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING


def today(module: str, name: str) -> tuple[str, str]:
    """Return the module and the name that a name of Python 2 has today."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name
