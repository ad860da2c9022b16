"""What holds for all tests."""

from __future__ import annotations

import os

# Workers side by side, each with as many threads as there are cores, wait for each other most of the time.
# This has to be set before any library with threads is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
