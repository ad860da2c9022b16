"""What a file costs who opens it: each call in a process of its own, whose memory is bounded and measured.

A server imports what is asked for once, and forks for each call, so that the memory of modules is not counted
and no call can do harm to the next. In the fork, the address space may grow by so many bytes and no more, and
the processor time is bounded: that is a net for what never ends, and nothing is concluded from a clock.

Run as ``python -m tests.measuring MODULE ...``; reads and answers one line of JSON for each call.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MEBIBYTE = 1 << 20
VERBS = ("load", "audit", "get_untrusted_types", "visualize")

needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux bounds the address space of a process"
)


@dataclass(frozen=True)
class Outcome:
    """How a call ended.

    Attributes
    ----------
    ended : str
        ``returned``, the class of an exception, or the name of a signal.
    is_ours : bool
        Whether the exception is a `SkopsafeError`.
    message : str
        What the exception says, or a description of what came back.
    peak : int
        Bytes that were resident at once, beyond those before the call; -1 if a signal ended it.
    size : int
        Bytes of the file.
    """

    ended: str
    is_ours: bool
    message: str
    peak: int
    size: int


class Meter:
    """Asks a server, which lasts as long as the context."""

    def __init__(self, *modules: str) -> None:
        self._command = [sys.executable, "-m", "tests.measuring", *modules]

    def __enter__(self) -> Meter:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
        self._server = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.communicate()

    def __call__(
        self,
        path: Path,
        verb: str = "load",
        *,
        memory: int = 1024 * MEBIBYTE,
        seconds: int = 60,
        limits: dict[str, int] | None = None,
        **options: Any,
    ) -> Outcome:
        """Call a function of the package for a file: at most `memory` more bytes of address space."""
        asked = (str(path), verb, memory, seconds, limits or {}, options)
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        return Outcome(**json.loads(self._server.stdout.readline()))


def _run(path: str, verb: str, limits: dict[str, int], options: dict[str, Any]) -> str:
    import skopsafe

    given: dict[str, Any] = {"limits": skopsafe.Limits(**limits)} if limits else {}
    found = getattr(skopsafe, verb)(path, **given, **options)
    return str(found)[:200] if verb != "load" else type(found).__name__


def _resident() -> int:
    """Return the most that this process has had in memory; a fork begins with what it has then."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()


def _answer(path: str, verb: str, memory: int, seconds: int, limits: Any, options: Any) -> Outcome:
    """Run one call in a fork."""
    size = Path(path).stat().st_size
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = _resident()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + memory,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        ended, is_ours = "returned", False
        try:
            message = _run(path, verb, limits, options)
        except BaseException as error:
            import skopsafe

            ended, is_ours, message = (
                type(error).__name__,
                isinstance(error, skopsafe.SkopsafeError),
                str(error),
            )
        outcome = Outcome(ended, is_ours, message[:2000], _resident() - before, size)
        os.write(writing, json.dumps(asdict(outcome)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if answer:
        return Outcome(**json.loads(answer))
    return Outcome(signal.Signals(-code).name if code < 0 else f"exit {code}", False, "", -1, size)


def _serve(modules: list[str]) -> None:
    for module in ("skopsafe", "skopsafe.api", "skopsafe.report.text", *modules):
        importlib.import_module(module)
    import numpy as np

    import skopsafe

    # What every first call imports.
    small = skopsafe.dumps([{(1, 2): "a"}, np.zeros(3), np.zeros(10_000)])
    skopsafe.loads(small)
    str(skopsafe.audit(small))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(asdict(_answer(*json.loads(line)))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1:])
