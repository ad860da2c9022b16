"""The table: dump, load and audit of each model beside joblib, pickle, skops and a booster's own library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks import validation
from benchmarks.conftest import Measure, rounds
from benchmarks.jobs import OURS, OWN, Case, order
from benchmarks.models import MODELS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Order the calls: model by model, the libraries in turn, and at the end of a model what is no time."""
    rows: list[tuple[str, int, str, str]] = []
    for name, model in MODELS.items():
        for turn in range(rounds(metafunc.config, model.rounds)):
            for verb, library in order(turn):
                if library == "skops" and turn >= rounds(metafunc.config, model.skops_rounds):
                    continue
                if library != OWN or model.own is not None:
                    rows.append((name, turn, verb, library))
        rows.append((name, -1, "facts", OURS))
    ids = [f"{name} {turn} {verb} {library}" for name, turn, verb, library in rows]
    metafunc.parametrize(("name", "turn", "verb", "library"), rows, ids=ids)


@pytest.fixture(scope="module")
def cases(
    fitted: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Case]]:
    """Return a function from a name to the model with its files, of which only the last is kept."""
    kept: dict[str, Case] = {}

    def drop() -> None:
        for _, case in (kept.popitem() for _ in range(len(kept))):
            for file in case.folder.iterdir():
                file.unlink()

    def get(name: str) -> Case:
        if name not in kept:
            drop()
            kept[name] = Case(MODELS[name], fitted(name), tmp_path_factory.mktemp("case"))
        return kept[name]

    yield get
    drop()


def bench_model(
    cases: Callable[[str], Case],
    name: str,
    turn: int,
    verb: str,
    library: str,
    small: bool,
    measure: Measure,
    note: Callable[..., None],
) -> None:
    """Time one call; or find out what the model's row says beside times."""
    case = cases(name)
    labels = {"case": name, "verb": verb, "library": library}
    if verb == "facts":
        load = case.job("load", OURS)
        share = measure(lambda: validation.share(load, 0.02 if small else 1), **labels)
        checks = validation.checks(load)
        assert checks or not hasattr(case.obj, "fit"), "no function of ours is told to be a check any more"
        note(
            share=share,
            checks=checks,
            sizes=case.sizes(),
            failures=case.failures,
            untrusted=case.untrusted[OURS],
        )
        return
    if library in case.failures:
        pytest.skip(case.failures[library])
    new = case.path(library) if verb == "dump" else ""
    try:
        found = measure(case.job(verb, library), new, **labels)
        if verb == "audit":
            case.untrusted[library] = found
    except Exception as error:
        if library == OURS:
            raise
        # What a peer cannot do, its cell says.
        case.failures[library] = f"{verb}: {type(error).__name__}"
        pytest.skip(case.failures[library])
