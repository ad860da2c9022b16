"""The corpus: inputs that each reach something that those before them do not."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.fuzz.arcs import Arc, arcs_of, forget, traced
from tests.fuzz.targets import Target

HERE = Path(__file__).parent
CORPUS, CRASHERS = HERE / "corpus", HERE / "crashers"


def inputs(folder: Path) -> dict[str, bytes]:
    """Return the inputs in a folder by the names of their files."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))} if folder.is_dir() else {}


def of(name: str) -> list[bytes]:
    """Return all inputs that are kept for a target."""
    return [*inputs(CORPUS / name).values(), *inputs(CRASHERS / name).values()]


def news(target: Target, candidates: Iterable[bytes], known: set[Arc]) -> Iterator[bytes]:
    """Yield the inputs that reach arcs beyond `known`, short ones first; `known` grows by what they reach.

    An input that fails the target is left out: it is a finding, and no seed.
    """
    for data in sorted(set(candidates), key=lambda data: (len(data), data)):
        try:
            arcs = arcs_of(target.run, data, target.modules)
        except Exception:  # whatever it is, it is reported where the engine found it
            continue
        if not arcs <= known:
            known |= arcs
            yield data


def known_arcs(target: Target, kept: Iterable[bytes]) -> set[Arc]:
    """Return what inputs reach together."""
    found: set[Arc] = set()
    for data in kept:
        found |= arcs_of(target.run, data, target.modules)
    return found


def keep(folder: Path, data: bytes) -> Path:
    """Write an input under the hash of its content."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:12]
    path.write_bytes(data)
    return path


def shrunk(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Return a short part of `data` that still fails: pieces are left out, large ones first."""
    size = max(len(data) // 2, 1)
    while True:
        at, before = 0, len(data)
        while at < len(data):
            shorter = data[:at] + data[at + size :]
            if fails(shorter):
                data = shorter
            else:
                at += size
        if size > 1:
            size //= 2
        elif len(data) == before:
            return data


def cost(target: Target, data: bytes) -> tuple[int, int]:
    """Run a target twice; return the lines of Python that it took, and the bytes of memory at the peak."""
    forget(target.modules)
    target.run(data)  # imports what it needs, which is no cost of this input
    forget(target.modules)
    tracemalloc.start()
    try:
        _, lines = traced(lambda: target.run(data), None)
        return lines, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def excess(target: Target, data: bytes) -> str:
    """Say what an input costs beyond the bounds of its target; an empty text if nothing."""
    (lines, peak), size = cost(target, data), max(len(data), 1)
    if lines > target.steps[0] + target.steps[1] * size:
        return f"{lines} lines for {size} bytes"
    if peak > target.memory[0] + target.memory[1] * size:
        return f"{peak} bytes of memory for {size} bytes"
    return ""


def fails_as(target: Target, what: str, data: bytes) -> bool:
    """Tell whether the target fails in that way."""
    return failure(target, data) == what


def failure(target: Target, data: bytes) -> str:
    """Return what the target raises and where, or what it costs too much, or an empty text."""
    try:
        target.run(data)
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        return f"{type(error).__name__} at {place}"
    return "costs too much" if excess(target, data) else ""
