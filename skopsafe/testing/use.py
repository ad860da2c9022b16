"""Audits, loads and uses a hostile file, and says how far it got and how that ended."""

from __future__ import annotations

import contextlib
import io
import resource
import sys
import sysconfig
from collections.abc import Callable, Collection
from typing import Any

import skopsafe
from skopsafe.archive.container import Reader
from skopsafe.limits import DEFAULT_LIMITS
from skopsafe.testing.mutate import Subject

STAGES = ("made", "opened", "described", "approved", "built", "answered")
"""How far a mutant gets: made; its zip read; its schema checked and audited; nothing left to approve; loaded;
a method of what was loaded has given something out."""

_MEMORY = 4 * 2**30  # bytes of address space above what the process has when the model is made
_GROWTH = 2**20  # kilobytes by which one mutant may raise the peak of the memory in use
_EFFECTS = (
    "socket.connect",
    "socket.bind",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
)
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.symlink",
    "os.putenv",
    "shutil.rmtree",
)
_SYSTEM = ("/proc/", "/sys/", "/usr/share/zoneinfo/")
"""Where processors are counted and time zones are looked up."""


def _peak() -> int:
    """Return the most memory that was in use since the peak was reset, in kilobytes."""
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith("VmHWM"))


class Guard:
    """A limit of memory and an audit hook, under which something is done stage by stage.

    Parameters
    ----------
    importing : collection of str
        Stages in which anything may be imported.
    places : tuple of str
        Where files may be read, beside those of Python and its packages.
    """

    def __init__(self, importing: Collection[str], places: tuple[str, ...] = ()) -> None:
        self._importing = importing
        self._effects: list[str] = []
        self._stage = ""
        # Plugins are looked up wherever packages are, and methods import.
        own = (*sysconfig.get_paths().values(), *filter(None, sys.path), sys.prefix)
        self._places = (*own, *_SYSTEM, *places)

    def arm(self) -> None:
        """Begin to watch. What is imported when it is first needed has to be imported before."""
        sys.addaudithook(self._hear)
        with open("/proc/self/statm") as stream:
            used = int(stream.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))

    def watch(
        self, through: Callable[[Callable[[str], None]], str], reached: Callable[[str], None]
    ) -> tuple[str, str]:
        """Return how something ended, and the last stage that it got to.

        `through` is called with what it has to tell each stage that it gets to; `reached` is called with each
        of them, so that it is known when the process dies.
        """

        def stage(name: str) -> None:
            self._stage = name
            reached(name)

        self._effects.clear()
        # That of `getrusage` is inherited from the process that started this one.
        with open("/proc/self/clear_refs", "w") as stream:
            stream.write("5")
        before = _peak()
        self._stage = "made"
        ending = through(stage)
        last, self._stage = self._stage, ""
        if self._effects:
            ending = f"effect: {self._effects[0]}"
        grown = _peak() - before
        if grown > _GROWTH:
            ending = f"memory: {grown // 1024} MB"
        return ending, last

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what happens outside of the process, and imports before all is approved."""
        if not self._stage:
            return
        if event == "open":
            path, mode = str(arguments[0]), arguments[1]
            if isinstance(arguments[0], int):  # what is open already
                return
            writes = isinstance(mode, str) and not set(mode).isdisjoint("wax+")
            if not writes and path.startswith(self._places):
                return
        elif event == "import":
            name = str(arguments[0])
            if self._stage in self._importing or name.startswith(("skopsafe.", "encodings.")):
                return
        elif event not in _EFFECTS and event not in _CHANGES:
            return
        self._effects.append(f"{event} {arguments!r}"[:150])


class Watch(Guard):
    """Uses mutants of one subject.

    Parameters
    ----------
    outputs : callable
        ``outputs(model, X)`` of the family.
    X : object
        Valid input.
    subject : Subject
        What the mutants are made of: what it asks to approve is approved for them too.
    """

    def __init__(self, outputs: Callable[[Any, Any], Any], X: Any, subject: Subject) -> None:
        super().__init__(STAGES[STAGES.index("approved") :])
        self._outputs, self._X = outputs, X
        self._trusted = skopsafe.get_untrusted_types(data=subject.data)
        # Refusals too import what they need.
        self._warm_up(subject)
        self.arm()

    def _warm_up(self, subject: Subject) -> None:
        for one in (subject, *subject.donors):
            trusted = skopsafe.get_untrusted_types(data=one.data)
            skopsafe.loads(one.data, trusted)
        self._outputs(skopsafe.loads(subject.data, self._trusted), self._X)
        for damaged in (subject.data[:-10], subject.data + b"x", b"PK\3\4" + bytes(100)):
            with contextlib.suppress(skopsafe.SkopsafeError):
                skopsafe.audit(damaged)

    def use(self, data: bytes, reached: Callable[[str], None]) -> tuple[str, str]:
        """Return how the use of a file ended, and the last stage that it got to."""
        return self.watch(lambda stage: self._through(data, stage), reached)

    def _through(self, data: bytes, stage: Callable[[str], None]) -> str:
        try:
            Reader(io.BytesIO(data), DEFAULT_LIMITS).read("schema.json")
            stage("opened")
            report = skopsafe.audit(data)
            stage("described")
            _ = str(report), report.to_dict(), report._repr_html_()
            _ = str(skopsafe.visualize(io.BytesIO(data)))
            if not (report.denied or set(report.untrusted) - set(self._trusted)):
                stage("approved")
            loaded = skopsafe.loads(data, self._trusted)
            if self._stage != "approved":
                return "undocumented: loaded although something was to be approved"
            stage("built")
        except skopsafe.SkopsafeError as error:
            _ = str(error), repr(error)
            return type(error).__name__
        except BaseException as error:
            return f"undocumented: {type(error).__name__}: {error}"[:200]
        try:
            found = self._outputs(loaded, self._X)
        except MemoryError as error:
            return f"memory: {error}"
        except Exception:
            # Errors of an object that loaded are its own; what counts is that it does no more than raise.
            return "loaded"
        if found:
            stage("answered")
        return "loaded"
