"""Sessions, such as ``nox -s tests``: tests, lint, docs, bench, bench_more, mutants, memory, fuzz, faults.

And ``threads``, ``gadgets``, ``limits``, ``peers``, ``golden_libraries``, ``golden_skops``,
``golden_sklearn``, ``kept_sklearn``.

Needs the interpreters that it names.
"""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests"]
nox.options.default_venv_backend = "uv|virtualenv"

PYTHONS = ["3.11", "3.12", "3.13"]
# The oldest release that is supported, and whatever is newest for the interpreter.
SCIKIT_LEARNS = ["1.6.1", "newest"]


@nox.session(python=PYTHONS)
@nox.parametrize("sklearn", SCIKIT_LEARNS)
def tests(session: nox.Session, sklearn: str) -> None:
    """Run the tests; further arguments go to pytest."""
    pin = [] if sklearn == "newest" else [f"scikit-learn=={sklearn}"]
    session.install("-e", ".[test]", *pin)
    session.run("python", "-m", "pytest", "-n", "2", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types."""
    session.install("-e", ".[sklearn,lint]", "pandas>=2.2")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Write the page of trusted names anew and build the documents into ``docs/_build/html``."""
    session.install("-e", ".[docs]")
    session.run("python", "docs/make_trusted.py")
    session.run("sphinx-build", "-W", "--keep-going", "docs", "docs/_build/html")


@nox.session
def bench(session: nox.Session) -> None:
    """Compare speed with joblib, pickle and skops; ``-- --smoke`` for small models, ``--docs`` to write."""
    session.install("-e", ".[bench]")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def bench_more(session: nox.Session) -> None:
    """Measure growth, memory, mapping, threads, cold starts and compression; options as for ``bench``."""
    session.install("-e", ".[bench]")
    session.run("python", "-m", "benchmarks", "--more", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Use files changed at random, 5,000 of each family; ``-- xgboost --count 20000`` for more of one."""
    session.install("-e", ".[test]")
    session.run("python", "tests/attacks/fuzz.py", *session.posargs)


@nox.session
def memory(session: nox.Session) -> None:
    """Look for accesses outside of memory that end no process; ``-- guard xgboost --last 200`` for some."""
    session.install("-e", ".[test]")
    for tool in [session.posargs] if session.posargs else [["guard"], ["guard", "--side", "begin"], ["fill"]]:
        session.run("python", "benchmarks/memory.py", *tool)


@nox.session(python="3.11")  # atheris has wheels for it, and instruments its bytecode
def fuzz(session: nox.Session) -> None:
    """Fuzz the readers, guided by coverage, and let the corpus grow; ``-- --seconds 600 npy`` for one."""
    session.install("-e", ".[test]", "atheris>=3")
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Kill and interrupt 200 writers each, at any place, and see that nothing is lost or left."""
    session.install("-e", ".[test]")
    files = ("test_faults", "test_interrupts", "test_streams", "test_memory", "attacks/test_changing_files")
    paths = [f"tests/{file}.py" for file in (*files, "archive/test_replace", "archive/test_permissions")]
    session.run("python", "-m", "pytest", *paths, *session.posargs, env={"SKOPSAFE_KILLS": "200"})


# "3.14t" is Python without its lock. msgspec has no release for the one of 3.13.
@nox.session(python=["3.13", "3.14t"])
def threads(session: nox.Session) -> None:
    """Do everything in many threads at once, with the lock of Python and without, where that is installed."""
    session.install("-e", ".[sklearn]", "pytest", "pytest-timeout")
    files = ("test_threads", "test_collecting", "test_interrupts", "archive/test_tasks", "archive/test_crc")
    paths = [f"tests/{file}.py" for file in files]
    # Without PYTHON_GIL, one library that does not know of it yet would bring the lock back for all.
    lock = {"PYTHON_GIL": "0"} if str(session.python).endswith("t") else {}
    session.run("python", "-m", "pytest", *paths, *session.posargs, env={"SKOPSAFE_ROUNDS": "10", **lock})


@nox.session
def gadgets(session: nox.Session) -> None:
    """Put hostile values into models of all kinds; ``-- Ridge Pipeline --every 9`` for few."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.gadgets.probe", *session.posargs)


@nox.session
def limits(session: nox.Session) -> None:
    """Run the tests that take a minute, or up to 3 GB of memory, by files that are mostly holes."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-m", "large", *session.posargs)


# By release: what was there at its time.
OLD_SCIKIT_LEARNS = {
    "1.2.2": ("numpy<1.25", "scipy<1.11", "joblib<1.3", "pandas<2.1"),
    "1.3.2": ("numpy<1.27", "scipy<1.12", "pandas<2.2"),
    "1.4.2": ("numpy<2", "scipy<1.13", "pandas<2.3"),
    "1.5.2": ("numpy<2.1", "scipy<1.14", "pandas<2.3"),
    "1.6.1": ("numpy<2.3", "scipy<1.15", "pandas<2.3"),
    "1.7.2": ("numpy<2.4", "scipy<1.17", "pandas<3"),
    "1.8.0": ("numpy<2.4", "pandas<3"),
}


@nox.session(python="3.11")  # the one for which there are wheels of all of them
@nox.parametrize("sklearn", list(OLD_SCIKIT_LEARNS))
def golden_sklearn(session: nox.Session, sklearn: str) -> None:
    """Fit and pickle models under old releases, for the tests to load; ``-- FOLDER`` puts them elsewhere."""
    session.install(f"scikit-learn=={sklearn}", *OLD_SCIKIT_LEARNS[sklearn])
    folder = session.posargs[0] if session.posargs else "tests/golden/sklearn/files"
    session.run("python", "-m", "tests.golden.sklearn.make", folder, env={"OMP_NUM_THREADS": "1"})


@nox.session(python="3.11")
@nox.parametrize("sklearn", ["1.6.1", "1.7.2", "1.8.0", "newest"])
def kept_sklearn(session: nox.Session, sklearn: str) -> None:
    """Measure which of these models give the same outputs, and write the table and the page of it."""
    pin = [] if sklearn == "newest" else [f"scikit-learn=={sklearn}"]
    session.install("-e", ".[sklearn]", "pandas", *pin)
    for module in ("kept", "report"):
        session.run("python", "-W", "ignore", "-m", f"tests.golden.sklearn.{module}")


@nox.session
def peers(session: nox.Session) -> None:
    """Compare verdicts on pickles with those of other scanners; ``-- --missed`` for their names."""
    session.install("-e", ".[test]")
    others = session.create_tmp() + "/others"
    session.run("python", "-m", "venv", others)
    names = ("fickling", "picklescan", "modelscan", "typing_extensions")
    session.run(f"{others}/bin/pip", "install", "-q", *names, external=True)
    session.run("python", "benchmarks/peers.py", "--python", f"{others}/bin/python", *session.posargs)


SKOPS = {
    "0.3": ("3.9", "skops==0.3.0", "scikit-learn==1.1.3", "numpy<1.24", "scipy<1.10"),
    "0.4": ("3.9", "skops==0.4.0", "scikit-learn==1.2.0", "numpy<1.25"),
    "0.5": ("3.10", "skops==0.5.0", "scikit-learn==1.2.1", "numpy<2"),
    "0.6": ("3.10", "skops==0.6.0", "scikit-learn==1.2.2", "numpy<2"),
    "0.7": (
        "3.10",
        "skops==0.7.post0",
        "scikit-learn==1.2.2",
        "numpy<2",
        "xgboost==1.7.6",
        "lightgbm==3.3.5",
    ),
    "0.8": ("3.11", "skops==0.8.0", "scikit-learn==1.3.0", "numpy<2"),
    "0.9": (
        "3.11",
        "skops==0.9.0",
        "scikit-learn==1.3.2",
        "numpy<2",
        "lightgbm==4.1.0",
        "quantile-forest==1.2.5",
    ),
    "0.10": ("3.12", "skops==0.10.0", "scikit-learn==1.5.1", "lightgbm==4.4.0", "quantile-forest==1.3.8"),
    "0.11": (
        *("3.11", "skops==0.11.0", "scikit-learn==1.6.1"),
        *("xgboost==2.1.4", "lightgbm==4.5.0", "quantile-forest==1.4.0"),
    ),
    "0.12": ("3.11", "skops==0.12.0", "scikit-learn==1.6.1"),
    "0.13": ("3.12", "skops==0.13.0", "scikit-learn==1.7.1", "xgboost==3.0.5", "lightgbm==4.6.0"),
    "0.14": ("3.13", "skops==0.14.0", "scikit-learn==1.7.2"),
    "0.15": ("3.13", "skops==0.15.0", "scikit-learn==1.8.0"),
    "0.16": (
        *("3.11", "skops==0.16.0", "scikit-learn==1.8.0"),
        *("xgboost==3.2.0", "lightgbm==4.7.0", "narwhals", "quantile-forest"),
    ),
}
"""By the release of skops: Python, and the packages of its time."""


@nox.session(python=sorted({python for python, *_ in SKOPS.values()}))
def golden_skops(session: nox.Session) -> None:
    """Make the files of ``tests/golden/skops`` with the releases of skops, into a folder of their own.

    ``-- 0.3 0.16`` for some, ``-- all`` for all kinds of each. Files that are in the tests are never
    replaced: copy those of a new release.
    """
    folder = Path(session.create_tmp()).resolve()
    wanted = set(session.posargs) - {"all"}
    for release, (python, *packages) in SKOPS.items():
        if python != session.python or (wanted and release not in wanted):
            continue
        session.install("--only-binary", ":all:", *packages)
        kinds = "all" if release in ("0.3", "0.16") or "all" in session.posargs else "small"
        target = str(folder / f"{release}.tar.xz")
        session.run("python", "tests/golden/skops/make.py", target, kinds, env={"OMP_NUM_THREADS": "1"})


_EARLY_2022 = ("numpy==1.23.5", "pandas==1.5.3", "scipy==1.10.1", "scikit-learn==1.1.3", "setuptools<81")

LIBRARIES = {
    "catboost-1.1": (*_EARLY_2022, "catboost==1.1.1"),
    "xgboost-1.6": (*_EARLY_2022, "xgboost==1.6.2"),
    "lightgbm-3.0": (*_EARLY_2022, "lightgbm==3.0.0"),
    "2022": (
        *("numpy==1.23.5", "pandas==1.5.3", "scipy==1.10.1", "scikit-learn==1.2.2"),
        *("xgboost==1.7.6", "lightgbm==3.3.5", "catboost==1.2"),
    ),
    "2023": (
        *("numpy==1.26.4", "pandas==2.0.3", "scipy==1.11.4", "scikit-learn==1.3.2"),
        *("xgboost==2.0.3", "lightgbm==4.0.0", "catboost==1.2"),
    ),
    "2024": (
        *("numpy==1.26.4", "pandas==2.2.3", "scipy==1.13.1", "scikit-learn==1.5.2"),
        *("xgboost==2.1.4", "lightgbm==4.3.0", "catboost==1.2.5"),
    ),
    "2025": (
        *("numpy==2.2.6", "pandas==2.3.3", "scipy==1.15.3", "scikit-learn==1.6.1"),
        *("xgboost==3.0.5", "lightgbm==4.6.0", "catboost==1.2.8"),
    ),
    "oldest": (
        *("-e", ".", "numpy==1.26.4", "pandas==2.2.3", "scipy==1.11.4", "scikit-learn==1.6.1"),
        *("xgboost==2.0.3", "lightgbm==4.0.0", "catboost==1.2"),
    ),
}
"""By the file that they make: the packages of a time, or of one library; the oldest that are supported make
our files too."""


@nox.session
@nox.parametrize("python,name", [("3.10" if "-" in name else "3.11", name) for name in LIBRARIES])
def golden_libraries(session: nox.Session, name: str) -> None:
    """Make a file of ``tests/golden/libraries`` with the releases of a time, into a folder of the session.

    Files that are in the tests are never replaced: copy those of a new time.
    """
    session.install(*LIBRARIES[name])
    target = f"{session.create_tmp()}/{name}.zip"
    alone = [name.partition("-")[0]] if "-" in name else []
    session.run("python", "tests/golden/libraries/make.py", target, *alone, env={"OMP_NUM_THREADS": "1"})
