"""The zip: written deterministically and atomically, read strictly.

Format: PKWARE APPNOTE 6.3.10. The parts are `zip_write` and `zip_read` with `directory`, which share
`zip_records`; `compression`; and `replace`.
"""

from skopsafe.archive.compression import check_compression
from skopsafe.archive.replace import replace
from skopsafe.archive.zip_read import Reader
from skopsafe.archive.zip_write import ALIGNMENT, Writer

__all__ = ["ALIGNMENT", "Reader", "Writer", "check_compression", "replace"]
