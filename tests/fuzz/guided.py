"""One run of the engine, in a process of its own: ``python -m tests.fuzz.guided TARGET STATISTICS OPTIONS``.

The engine is libFuzzer, with the bytecode of skopsafe instrumented by atheris. Three of four inputs are
mutants that keep their structure; the rest are libFuzzer's own, with words of the target as a dictionary.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import Any

EACH = 2.0
"""Seconds after which statistics are written."""


def main(name: str, statistics: Path, arguments: list[str]) -> None:
    """Let the engine run until its arguments say that it ends."""
    import atheris

    with atheris.instrument_imports(
        include=["skopsafe", "pickletools", "tomllib", "numpy.lib._format_impl", "numpy._core._internal"]
    ):
        from tests.fuzz.targets import TARGETS
    from tests.fuzz.stages import reached

    target = TARGETS[name]
    state = {"executions": 0, "next": time.monotonic() + EACH}

    def run(data: bytes) -> None:
        state["executions"] += 1
        if time.monotonic() > state["next"]:
            state["next"] = time.monotonic() + EACH
            statistics.write_text(json.dumps({"executions": state["executions"], "stages": dict(reached)}))
        target.run(data)

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.75:
            found = target.mutate(data, rng)
            if len(found) <= longest:
                return found
        made: Any = atheris.Mutate(data, longest)
        return bytes(made)[:longest]

    atheris.Setup([sys.argv[0], *arguments], run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
