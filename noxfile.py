"""Sessions, such as ``nox -s tests``: tests, lint, docs, bench, bench_more, robustness, limits.

Needs the interpreters that it names.
"""

from __future__ import annotations

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
def robustness(session: nox.Session) -> None:
    """Load files changed at random, 5,000 of each family; ``-- xgboost --count 300`` for few."""
    session.install("-e", ".[test]")
    session.run("python", "benchmarks/robustness.py", *session.posargs)


@nox.session
def limits(session: nox.Session) -> None:
    """Run the tests that take a minute, or up to 3 GB of memory, by files that are mostly holes."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-m", "large", *session.posargs)
