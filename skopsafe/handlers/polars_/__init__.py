"""polars: frames, series and data types.

`datatypes` writes types, `layouts` takes series apart, `building` checks what a file has and makes series of
it through the public functions of polars, and `objects` has the handlers.
"""

from __future__ import annotations

from skopsafe.handlers.library import Library
from skopsafe.handlers.polars_.objects import HANDLERS

LIBRARY = Library(HANDLERS)
