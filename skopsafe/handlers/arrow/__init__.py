"""pyarrow: arrays of every type, columns, tables, schemas and scalars.

`datatypes` writes types, `layouts` takes arrays apart, `building` checks what a file has and makes arrays of
it, and `objects` has the handlers. Nothing goes through Arrow's own formats: its readers trust what they
read.
"""

from __future__ import annotations

from skopsafe.handlers.arrow.objects import HANDLERS
from skopsafe.handlers.library import Library

LIBRARY = Library(HANDLERS)
