"""Measures and reports: ``python -m benchmarks [--smoke] [--more] [--docs] [arguments of pytest]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def main() -> int:
    """Run the subjects that were asked for; print the tables, and write them to the page on demand."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="small models, one round: does it run?")
    parser.add_argument("--more", action="store_true", help="all other subjects instead of the table")
    parser.add_argument("--docs", action="store_true", help="write tables and pictures to docs/explanation")
    parser.add_argument("--json", type=Path, help="where the measurements go")
    parser.add_argument("--report", type=Path, nargs="+", help="measure nothing, report these measurements")
    options, further = parser.parse_known_args()
    if options.docs and options.smoke:
        parser.error("the page shows no small models")
    table = HERE / "bench_models.py"
    paths = options.report
    if not paths:
        path = options.json or HERE / "results" / ("more.json" if options.more else "models.json")
        path.parent.mkdir(exist_ok=True)
        subjects = sorted(set(HERE.glob("bench_*.py")) - {table}) if options.more else [table]
        arguments = [*map(str, subjects), f"-c{HERE / 'pytest.ini'}", f"--benchmark-json={path}", *further]
        code = pytest.main(arguments + ["--smoke"] * options.smoke)
        if code:
            return int(code)
        paths = [path]

    from benchmarks import plots, report
    from benchmarks.results import read

    results = read(paths)
    print(report.show(results))
    with tempfile.TemporaryDirectory() as folder:
        # Numbers of small models are nothing to show, but that they can be written is a test.
        target = report.PAGE.parent if options.docs else Path(folder)
        report.write(results, target)
        plots.write(results, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
