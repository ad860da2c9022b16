"""The share of a load that goes into checks, by samples of the stack.

A timer interrupts the load every half a millisecond. The time since the last sample counts as validation if
one of the functions that are running is a check. Unlike a profiler, this makes no call dearer than it is.
What is a check is told by where it stands and what it is called:

- a function of skopsafe with the word *check*, *require*, *examine*, *sound* or *unsound* in its name;
- everything in the modules of validators, and in ``handlers/checks.py``;
- everything in the modules that read the models of XGBoost, LightGBM and CatBoost before these do.

Lines of a loader that check something themselves are not seen.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import skopsafe

ROOT = str(Path(skopsafe.__file__).parent)
_FILES = re.compile(
    r"handlers/(checks\.py|sklearn/validators/"
    r"|xgboost/(?!booster|sklearn|__init__)|lightgbm/(?!booster|sklearn|__init__)"
    r"|catboost/(?!estimators|__init__))"
)
_NAMES = re.compile(r"(^|_)(check|require|examine|sound|unsound)(_|$)")
_TICK = 0.0005

_known: dict[CodeType, bool] = {}


def is_check(code: CodeType) -> bool:
    """Tell whether a function is one that checks."""
    found = _known.get(code)
    if found is None:
        path = code.co_filename
        found = path.startswith(ROOT) and bool(_FILES.search(path) or _NAMES.search(code.co_name))
        _known[code] = found
    return found


def share(run: Callable[[], Any], seconds: float) -> float:
    """Return the share of validation in the time of `run`, which is repeated for so many seconds."""
    spent = {True: 0.0, False: 0.0}
    last = 0.0

    def sample(_: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.perf_counter()
        inside = False
        while frame is not None and not inside:
            inside = is_check(frame.f_code)
            frame = frame.f_back
        spent[inside] += now - last
        last = time.perf_counter()

    before = signal.signal(signal.SIGALRM, sample)
    end = time.perf_counter() + seconds
    try:
        while time.perf_counter() < end:
            last = time.perf_counter()
            signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
            run()
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    total = sum(spent.values())
    return spent[True] / total if total else 0.0


def checks(run: Callable[[], Any]) -> list[str]:
    """Return the names of the checks that `run` calls and that no other check calls."""
    found, inside = set(), 0

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal inside
        if event in ("call", "return") and is_check(frame.f_code):
            if event == "call" and not inside:
                place = frame.f_code.co_filename.removeprefix(f"{ROOT}/").removesuffix(".py")
                found.add(f"{place}:{frame.f_code.co_qualname}")
            inside += 1 if event == "call" else -1

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        run()
    finally:
        sys.setprofile(before)
    return sorted(found)
