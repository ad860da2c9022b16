"""Processes that write to a path until they are killed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np

import skopsafe
from skopsafe.archive import crc

SIZE = crc.LARGE // 8 + 1000
OBJECTS: list[Any] = [
    {"writer": number, "large": np.full(SIZE, float(number)), "small": [np.arange(number + 9)] * 3}
    for number in range(4)
]
"""What is written: of one size, so that half of one and half of another would look whole."""
CONTENTS = [skopsafe.dumps(obj) for obj in OBJECTS]


def write(path: str, numbers: tuple[int, ...], compression: str, count: int = 1 << 60) -> None:
    """Dump objects to a path in turns."""
    for turn in range(count):
        skopsafe.dump(OBJECTS[numbers[turn % len(numbers)]], path, compression=compression)


def start(*arguments: Any) -> BaseProcess:
    """Start a process that writes; it is forked from one that has imported all, and has no threads."""
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.victims"])
    process: BaseProcess = context.Process(target=write, args=arguments, daemon=True)
    process.start()
    return process


def kill_at_random(rng: random.Random, *arguments: Any) -> None:
    """Let a process write for a moment, and kill it."""
    process = start(*arguments)
    time.sleep(rng.uniform(0.0, 0.08))
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
