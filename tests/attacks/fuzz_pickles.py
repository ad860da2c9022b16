"""Inspects, decompiles and converts pickles changed at random, and uses what converts and needs no approval.

::

    python tests/attacks/fuzz_pickles.py                    # 100,000 mutants
    python tests/attacks/fuzz_pickles.py --count 400        # a sample
    python tests/attacks/fuzz_pickles.py --jobs 2 --fresh   # in two processes, at a number drawn anew

Every failure has to be a `SkopsafeError`; none may die, hang, fill the memory, open files or import before
approval. Prints how far mutants got. Ends with 1 where one was not harmless; its file is kept
in the folder that is printed.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from skopsafe.testing.mutants import Tally, follow  # noqa: E402
from tests.attacks.pickle_mutations import LAYERS  # noqa: E402
from tests.attacks.pickle_worker import STAGES  # noqa: E402
from tests.attacks.tables import by_stage  # noqa: E402


def run(first: int, count: int, kept: Path, until: float) -> Tally:
    """Let workers go through mutants, up to a time; what is not harmless is kept in a folder."""
    tally, number, end = Tally(), first, first + count
    with tempfile.TemporaryDirectory() as folder:
        while number < end and time.perf_counter() < until:
            for found in follow(["tests.attacks.pickle_worker", folder], number, end - number):
                bad = len(tally.bad)
                tally.add(**found)
                number = found["number"] + 1
                if len(tally.bad) > bad:
                    print(tally.bad[-1], flush=True)
                    # One that goes on has kept it, before the next takes its place.
                    own = Path(folder, f"{found['number']}.pkl")
                    kept.mkdir(parents=True, exist_ok=True)
                    shutil.copy(own if own.exists() else Path(folder, "current"), kept / own.name)
                if time.perf_counter() > until:
                    break
    return tally


def main() -> int:
    """Run the mutants and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=100_000, help="mutants")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--jobs", type=int, default=1, help="processes at the same time")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no more are made")
    parser.add_argument("--fresh", action="store_true", help="begin at a number drawn anew, and print it")
    parser.add_argument("--keep", type=Path, help="where files are kept that are not harmless")
    options = parser.parse_args()
    if options.fresh:
        options.first = secrets.randbelow(10**9)
        print(f"begins at --first {options.first}", flush=True)
    kept = options.keep or Path(tempfile.gettempdir()) / "skopsafe-pickles"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    start, total = time.perf_counter(), Tally()
    each = -(-options.count // options.jobs)
    with ThreadPoolExecutor(options.jobs) as pool:
        firsts = [options.first + each * job for job in range(options.jobs)]
        for tally in pool.map(lambda first: run(first, each, kept, start + options.seconds), firsts):
            total += tally
    print(f"{total.endings.total():,} mutants of pickles in {time.perf_counter() - start:.0f} s")
    print(by_stage(total, (*LAYERS, "?"), STAGES))
    print(", ".join(f"{count:,} {ending}" for ending, count in total.endings.most_common(20)))
    print(*total.bad or ["every one was harmless"], sep="\n")
    if total.bad:
        print(f"their files are in {kept}")
    return bool(total.bad)


if __name__ == "__main__":
    sys.exit(main())
