"""pandas: frames, series, every index, extension arrays, dtypes, scalars and offsets.

Names in files are the public ones of pandas 3, whatever the release that writes (see `pandas_names`).
Arrays with indices that compiled code follows are checked in the module that makes them.
"""

from __future__ import annotations

from skopsafe.handlers.library import Library
from skopsafe.handlers.pandas import arrays, categorical, dtypes, frames, indexes, objects, offsets, scalars

LIBRARY = Library(
    (
        *frames.HANDLERS,
        *indexes.HANDLERS,
        *categorical.HANDLERS,
        *arrays.HANDLERS,
        *objects.HANDLERS,
        *dtypes.HANDLERS,
        *scalars.HANDLERS,
        *offsets.HANDLERS,
    )
)
