"""Loads a malicious pickle, as its victims do: with all that Python and its libraries do then. For tests."""

from __future__ import annotations

import contextlib
import pickle
import sys

if __name__ == "__main__":
    # Whatever it raises comes after the harm.
    with open(sys.argv[1], "rb") as file, contextlib.suppress(BaseException):
        while True:
            pickle.load(file)
