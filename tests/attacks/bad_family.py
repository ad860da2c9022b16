"""A family for the harness of mutants whose models misbehave as soon as a byte of them is changed."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

_GENUINE = np.arange(1000.0)


def _outputs(act: str) -> None:
    if act == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif act == "hangs":
        time.sleep(600)
    elif act == "writes":
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
    elif act == "fills":
        np.ones(5 * 2**25)
    elif act == "raises":
        raise ValueError("what a model does not like")


def outputs(model: Any, _: None) -> None:
    if not np.array_equal(model["array"], _GENUINE):
        _outputs(model["act"])


def _made(act: str) -> Callable[[], tuple[Any, None]]:
    return lambda: ({"array": _GENUINE, "act": act}, None)


MODELS = {act: _made(act) for act in ("dies", "hangs", "writes", "fills", "raises")}
