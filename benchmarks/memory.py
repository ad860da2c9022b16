"""Looks for accesses outside of memory that end no process: mutants of models under a tool that sees them.

::

    python benchmarks/memory.py guard                              # 60 mutants of each model of all families
    python benchmarks/memory.py guard xgboost --side begin --last 200
    python benchmarks/memory.py fill sklearn --only KMeans KNN
    python benchmarks/memory.py memcheck sklearn --only KMeans --last 20

``guard`` puts pages that must not be touched behind every block (or before, ``--side begin``); ``fill`` fills
memory with one byte and then another, and compares what comes out; ``memcheck`` is valgrind's, fifty times as
slow. Ends with 1 where anything was found. What a line names is seen again with
``--only MODEL --first NUMBER --last NUMBER+1``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.memory.runner import run  # noqa: E402

FAMILIES = {
    "sklearn": "tests.memory.sklearn_family",
    "sklearn_more": "tests.memory.sklearn_more",
    **{
        name: f"tests.{name}_models"
        for name in ("xgboost", "lightgbm", "catboost", "quantile_forest", "ecosystem")
    },
}


def main() -> int:
    """Run mutants of the families and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tool", choices=("guard", "fill", "memcheck"))
    parser.add_argument("families", nargs="*", help=f"of {', '.join(FAMILIES)}; all if none is given")
    parser.add_argument("--side", choices=("end", "begin"), default="end")
    parser.add_argument("--first", type=int, default=-1, help="mutant to begin with; -1 is the file as it is")
    parser.add_argument("--last", type=int, default=60, help="mutant to end before")
    parser.add_argument("--only", nargs="*", default=[""], help="words of which a model's name has one")
    options = parser.parse_args()
    os.chdir(ROOT)
    bad: list[str] = []
    for name in options.families or FAMILIES:
        names = sorted(importlib.import_module(FAMILIES[name]).MODELS)
        models = [model for model in names if any(word in model for word in options.only)]
        start = time.perf_counter()

        def tell(line: str, name: str = name) -> None:
            print(f"  {name} {line}", flush=True)

        seen = run(options.tool, FAMILIES[name], models, options.last, options.first, options.side, tell)
        seconds = time.perf_counter() - start
        print(
            f"{name}: {len(models)} models, {seen.endings.total()} mutants in {seconds:.0f} s: "
            f"{dict(seen.endings.most_common())}; {seen.passed_on} blocks without a guard, "
            f"{seen.usual} reports of what is usual",
            flush=True,
        )
        bad += seen.bad
    print(f"{len(bad)} to look at")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
