"""What changed in scikit-learn 1.9."""

from __future__ import annotations

from skopsafe.migrate.records import Record

RECORDS: tuple[Record, ...] = ()
