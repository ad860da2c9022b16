"""Loads files changed at random, and uses what they give: nothing may die, hang, or do anything but raise.

::

    python benchmarks/robustness.py                      # 5,000 mutants of each family
    python benchmarks/robustness.py xgboost --count 300  # 300 of one

Prints how many were refused and with which error, and ends with 1 where one was not harmless. The number of a
mutant makes it again: ``python -m skopsafe.testing.mutants FAMILY MODEL NUMBER 1``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from skopsafe.testing.mutants import Tally, run  # noqa: E402

FAMILIES = {
    name: f"tests.{name}_models"
    for name in ("xgboost", "lightgbm", "catboost", "quantile_forest", "ecosystem")
}


def main() -> int:
    """Run the mutants of the families and print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("families", nargs="*", help=f"of {', '.join(FAMILIES)}; all of them if none is given")
    parser.add_argument("--count", type=int, default=5000, help="mutants of each family")
    parser.add_argument("--only", default="", help="only models with this word in their name")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant of each model")
    options = parser.parse_args()
    os.chdir(ROOT)
    bad: list[str] = []
    for name in options.families or FAMILIES:
        family = FAMILIES[name]
        models = sorted(name for name in importlib.import_module(family).MODELS if options.only in name)
        each = -(-options.count // len(models))
        start, total = time.perf_counter(), Counter[str]()

        def one(model: str, family: str = family, each: int = each) -> Tally:
            return run(family, model, each, options.first)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for model, tally in zip(models, pool.map(one, models), strict=True):
                counts = ", ".join(f"{count} {ending}" for ending, count in tally.endings.most_common(6))
                print(f"{name:10} {model:30} {counts}", flush=True)
                total += tally.endings
                bad += [f"{family} {model} {line}" for line in tally.bad]
        seconds = time.perf_counter() - start
        print(f"{name}: {total.total()} mutants in {seconds:.0f} s: {dict(total.most_common())}")
    print(*bad or ["every one was harmless"], sep="\n")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
