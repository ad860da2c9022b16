"""The allocator of ``guard.c``: built when it is needed, and turned on inside of a process that has it.

A process has it from its start (`environment`), and guards its blocks from `turn_on` on, when all is
imported: every block takes two mappings, of which the kernel gives a process 65,530.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

SOURCES = [Path(__file__).with_name(name) for name in ("guard.c", "guard_numpy.c", "guard_tell.c")]
_BUILD = Path(__file__).parents[2] / "build"
_FLAGS = (
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-shared",
    "-fPIC",
    "-fno-builtin-malloc",
    "-fno-builtin-calloc",
)
REGION = 2**41 + 2**33
"""Addresses that the allocator sets aside, and its table of blocks, in bytes."""
_SET_HANDLER = 304  # PyDataMem_SetHandler in the table of functions of numpy, which keeps its order for ever

CAN_BUILD = (
    sys.platform == "linux"
    and platform.libc_ver()[0] == "glibc"
    and shutil.which("gcc") is not None
    and int(np.__version__.partition(".")[0]) >= 2  # the table of functions is that of numpy 2
)


def library() -> Path:
    """Return the compiled allocator, and compile it where that was not done yet."""
    text = b"".join(source.read_bytes() for source in SOURCES)
    out = _BUILD / f"guard-{hashlib.sha256(text).hexdigest()[:16]}.so"
    if not out.exists():
        _BUILD.mkdir(exist_ok=True)
        made = out.with_suffix(f".{os.getpid()}")
        subprocess.run(["gcc", *_FLAGS, "-o", made, *SOURCES, "-ldl"], check=True)
        made.replace(out)  # at once: several processes of tests may build it
    return out


def environment(side: str = "end") -> dict[str, str]:
    """Return the environment of a process whose blocks end, or begin, at pages that must not be touched."""
    # One thread: what a library shares out among several, each may read a little of.
    more = {"LD_PRELOAD": str(library()), "GUARD_SIDE": side, "OMP_NUM_THREADS": "1"}
    return os.environ | more | {"ARROW_DEFAULT_MEMORY_POOL": "system"}


class Guard:
    """The allocator in this process."""

    def __init__(self) -> None:
        loaded = ctypes.CDLL(None)
        self.is_preloaded = hasattr(loaded, "guard_on")
        self._library = loaded if self.is_preloaded else ctypes.CDLL(str(library()))

    def turn_on(self) -> None:
        """Guard every block from now on."""
        if not self.is_preloaded:
            raise RuntimeError("the allocator has to be there from the start of the process")
        if self._library.guard_on():
            raise RuntimeError("the kernel gives no addresses for the allocator")

    def turn_off(self) -> None:
        """Leave new blocks to glibc; those that are guarded stay so."""
        self._library.guard_off()

    def counts(self) -> dict[str, int]:
        """Return how many blocks were guarded, were too many to be, and are alive."""
        self._library.guard_count.restype = ctypes.c_long
        return {
            name: self._library.guard_count(i) for i, name in enumerate(("guarded", "passed_on", "alive"))
        }

    def take_numpy(self) -> None:
        """Let numpy ask this allocator for every array: it would keep small blocks to use them again."""
        api = ctypes.pythonapi
        api.PyCapsule_GetPointer.restype = ctypes.c_void_p
        api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
        api.PyCapsule_New.restype = ctypes.py_object
        api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        table: Any = ctypes.cast(
            api.PyCapsule_GetPointer(np._core._multiarray_umath._ARRAY_API, None),
            ctypes.POINTER(ctypes.c_void_p),
        )
        set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[_SET_HANDLER])
        place = ctypes.addressof(ctypes.c_char.in_dll(self._library, "guard_numpy"))
        set_handler(api.PyCapsule_New(place, b"mem_handler", None))
        if handler_name() != "skopsafe_guard":
            raise RuntimeError("numpy does not use the allocator")


def handler_name() -> str:
    """Return who gives memory to the arrays of numpy in this process."""
    found: str = np._core.multiarray.get_handler_name()
    return found
