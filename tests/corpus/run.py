"""Loads a malicious pickle, as its victims do: with all that Python and its libraries do then. For tests."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys

if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        # Whatever it raises comes after the harm; standard input and output are not ours to wait for.
        with contextlib.suppress(BaseException):
            while True:
                pickle.load(file)
    os._exit(0)
