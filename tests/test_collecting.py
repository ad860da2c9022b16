"""No search for garbage while a file is read or written, and what was set before afterwards."""

from __future__ import annotations

import gc
import sysconfig
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import skopsafe
from skopsafe import collecting
from skopsafe.collecting import without_collections

OBJECTS = {str(number): [number, (number, "x"), {"y": [number]}] for number in range(2_000)}
DATA = skopsafe.dumps(OBJECTS)
CALLS: dict[str, Callable[[], Any]] = {
    "dump": lambda: skopsafe.dumps(OBJECTS),
    "load": lambda: skopsafe.loads(DATA),
    "audit": lambda: skopsafe.get_untrusted_types(data=DATA),
    "audit of an object": lambda: skopsafe.audit(OBJECTS),
}
FAILURES: dict[str, Callable[[], Any]] = {
    "dump": lambda: skopsafe.dumps([lambda: None]),
    "load": lambda: skopsafe.loads(DATA[:-200]),
    "audit": lambda: skopsafe.get_untrusted_types(data=DATA[:-200]),
}


@pytest.fixture
def often() -> Iterator[None]:
    """Let a search begin after every few objects."""
    before = gc.get_threshold()
    gc.set_threshold(20)
    yield
    gc.set_threshold(*before)


def searches(call: Callable[[], Any]) -> int:
    begun = []
    note = lambda phase, info: begun.append(phase) if phase == "start" else None  # noqa: E731
    gc.callbacks.append(note)
    try:
        call()
    finally:
        gc.callbacks.remove(note)
    return len(begun)


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="Python without its lock waits for more garbage"
)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_nobody_looks_for_garbage_meanwhile(call: Callable[[], Any], often: None) -> None:
    assert searches(lambda: [[number] for number in range(2_000)]) > 50
    assert searches(call) < 10  # before and behind the call itself
    assert gc.isenabled()


@pytest.mark.parametrize("call", FAILURES.values(), ids=FAILURES)
def test_the_search_goes_on_after_an_error(call: Callable[[], Any]) -> None:
    with pytest.raises(skopsafe.SkopsafeError):
        call()
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    try:
        for call in CALLS.values():
            call()
            assert not gc.isenabled()
    finally:
        gc.enable()


def test_many_threads_leave_it_on() -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda number: list(CALLS.values())[number % len(CALLS)](), range(80)):
            pass
    assert gc.isenabled()


def test_who_finds_it_off_leaves_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one who switched it off may switch it on between the look of another and what that does next."""
    inside, leave = threading.Event(), threading.Event()

    @without_collections
    def stay() -> None:
        inside.set()
        leave.wait()

    first = threading.Thread(target=stay)
    first.start()
    inside.wait()

    def look() -> bool:
        found = gc.isenabled()
        leave.set()
        first.join()
        return found

    patched = types.SimpleNamespace(isenabled=look, disable=gc.disable, enable=gc.enable)
    monkeypatch.setattr(collecting, "gc", patched)
    without_collections(lambda: None)()
    assert gc.isenabled()
