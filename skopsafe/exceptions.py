"""Errors by the names that they have in ``skops.io.exceptions``."""

from skopsafe.errors import UnsupportedTypeError as UnsupportedTypeException
from skopsafe.errors import UntrustedTypesFoundException

__all__ = ["UnsupportedTypeException", "UntrustedTypesFoundException"]
