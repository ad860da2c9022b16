"""Work in threads: its result or its error comes where it is asked for."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from skopsafe.archive.tasks import Task


@pytest.mark.parametrize("beside", [True, False])
def test_a_task_gives_its_result_more_than_once(beside: bool) -> None:
    task = Task(lambda one, two: (one + two, threading.get_ident()), 1, 2, beside=beside)
    assert task.result() == task.result()
    assert task.result()[0] == 3
    assert (task.result()[1] == threading.get_ident()) != beside


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("beside", [True, False])
def test_an_error_is_raised_where_the_result_is_asked_for(error: type[BaseException], beside: bool) -> None:
    def fail(*_: Any) -> None:
        raise error("no")

    task = Task(fail, beside=beside)
    for _ in range(2):
        with pytest.raises(error, match="no"):
            task.result()
