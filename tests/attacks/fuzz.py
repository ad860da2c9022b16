"""Audits, loads and uses files changed at random: none may die, hang, fill the memory, or do more than raise.

::

    python tests/attacks/fuzz.py                          # 5,000 mutants of each family
    python tests/attacks/fuzz.py sklearn --count 100000   # as many of one
    python tests/attacks/fuzz.py xgboost --only dart --count 300

Prints how each model's mutants ended, and at which stage those of each layer did: a harness whose mutants all
end at the checksum shows nothing. Ends with 1 where one was not harmless. The number of a mutant makes it
again: ``python -m skopsafe.testing.mutants FAMILY MODEL NUMBER 1``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from skopsafe.testing.mutants import Tally, run  # noqa: E402
from skopsafe.testing.mutate import LAYERS  # noqa: E402
from skopsafe.testing.use import STAGES  # noqa: E402
from tests.attacks.tables import by_stage  # noqa: E402

FAMILIES = {
    "sklearn": "tests.attacks.fuzz_models",
    **{
        name: f"tests.{name}_models"
        for name in ("xgboost", "lightgbm", "catboost", "quantile_forest", "ecosystem")
    },
}


def main() -> int:
    """Run the mutants of the families and print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("families", nargs="*", help=f"of {', '.join(FAMILIES)}; all of them if none is given")
    parser.add_argument("--count", type=int, default=5000, help="mutants of each family")
    parser.add_argument("--only", default="", help="only models with this word in their name")
    parser.add_argument("--every", type=int, default=1, help="only each of so many models")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant of each model")
    parser.add_argument("--fresh", action="store_true", help="begin at a number drawn anew, and print it")
    parser.add_argument("--quiet", action="store_true", help="print only what is bad, and the sums")
    options = parser.parse_args()
    if options.fresh:
        options.first = secrets.randbelow(10**9)
        print(f"begins at --first {options.first}", flush=True)
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    bad: list[str] = []
    for name in options.families or FAMILIES:
        family = FAMILIES[name]
        found = sorted(name for name in importlib.import_module(family).MODELS if options.only in name)
        models = found[:: options.every]
        each = -(-options.count // len(models))
        start, total = time.perf_counter(), Tally()

        def one(model: str, family: str = family, each: int = each) -> Tally:
            return run(family, model, each, options.first)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for model, tally in zip(models, pool.map(one, models), strict=True):
                counts = ", ".join(f"{count} {ending}" for ending, count in tally.endings.most_common(6))
                if not options.quiet:
                    print(f"{name:10} {model:30} {counts}", flush=True)
                total += tally
                here = [f"{family} {model} {line}" for line in tally.bad]
                print(*here, sep="\n", end="\n" * bool(here), flush=True)
                bad += here
        seconds = time.perf_counter() - start
        print(f"{name}: {total.endings.total():,} mutants of {len(models)} models in {seconds:.0f} s")
        print(by_stage(total, LAYERS, STAGES))
        print(", ".join(f"{count:,} {ending}" for ending, count in total.endings.most_common(12)))
    print(*bad or ["every one was harmless"], sep="\n")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
