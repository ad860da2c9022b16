"""Goes through numbered mutants of pickles: inspects, decompiles and converts each, and uses it if it may.

::

    python -m tests.attacks.pickle_worker FOLDER 17 1

``FOLDER/current`` has the last mutant, and what lies beside it; ``FOLDER/17.pkl`` one that was not
harmless. The number is all that makes it again.
"""

from __future__ import annotations

import io
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import skopsafe
from skopsafe.foreign.pickles.files import read, streams
from skopsafe.streams import opened
from skopsafe.testing.mutants import BAD, tell
from skopsafe.testing.use import Guard
from tests.attacks import pickle_mutations as mutations
from tests.attacks import pickle_subjects as subjects
from tests.fuzz.stages import require_printable

STAGES = ("made", "read", "inspected", "decompiled", "converted", "approved", "loaded", "answered")
"""How far a mutant gets: made; some pickle in it is read; a report; a script; a file of skopsafe; one with
nothing to approve; loaded; used."""
BLOCK = 20
"""Mutants of one subject that follow each other, written in one way."""
_IMPORTING = ("approved", "loaded", "answered")


class Worker:
    """Makes mutants, and goes through the stages with each.

    Parameters
    ----------
    folder : Path
        Where the file is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = subjects.names()
        self._block = -1
        self._guard = Guard(_IMPORTING, (str(folder),))
        self._limits = skopsafe.Limits()

    def warm_up(self) -> None:
        """Import what is imported when it is first needed, which is at no mutant then."""
        for name in dict.fromkeys(name.partition(" ")[0] for name in self._names):
            first = next(other for other in self._names if other.startswith(name))
            obj, X, use = subjects.made(first)
            data = subjects.written(first, obj, random.Random(0))
            for content in (*(wrap(data) for wrap in dict.fromkeys(subjects.WRAPPINGS)), data[:-9], b"x"):
                self._place(content, first)
                self.through(X, use, lambda _: None)
        subjects.donors()
        self._guard.arm()

    def subject(self, number: int) -> None:
        """Make the subject of a mutant, if it is not the one before."""
        block = number // BLOCK
        if block == self._block:
            return
        rng = random.Random(f"pickles {block}")
        self._name = self._names[block % len(self._names)]
        obj, self._X, self._use = subjects.made(self._name)
        data = subjects.written(self._name, obj, rng)
        self._pieces = mutations.split(data)
        self._block = block
        self._place(data, self._name)
        self.through(self._X, self._use, lambda _: None)

    def mutant(self, number: int) -> str:
        """Write the file of a mutant, and return the layer at which it was changed."""
        rng = random.Random(f"mutant {number}")
        if self._name.startswith("beside ") and rng.random() < 0.7:
            name = self._name.partition(" ")[2]
            sides = sorted((subjects.GOLDEN / name).parent.glob(f"{Path(name).name}_*"))
            side = rng.choice(sides)
            layer, data = mutations.mutant(mutations.split(side.read_bytes()), subjects.donors(), rng)
            self._place(b"".join(self._pieces), self._name)
            (self._folder / side.name).write_bytes(data)
            return layer
        layer, data = mutations.mutant(self._pieces, subjects.donors(), rng)
        self._place(rng.choice(subjects.WRAPPINGS)(data), self._name)
        return layer

    def _place(self, data: bytes, name: str) -> None:
        (self._folder / "current").write_bytes(data)
        if name.startswith("beside "):
            for side in (subjects.GOLDEN / name.partition(" ")[2]).parent.glob("*_*"):
                (self._folder / side.name).write_bytes(side.read_bytes())

    def use(self, reached: Callable[[str], None]) -> tuple[str, str]:
        """Return how the mutant ended, and at which stage."""
        return self._guard.watch(lambda stage: self.through(self._X, self._use, stage), reached)

    def through(self, X: Any, use: subjects.Use, stage: Callable[[str], None]) -> str:
        """Go through the stages with the file that was written, and return how it ended."""
        path, out = self._folder / "current", io.BytesIO()
        endings: list[str] = []

        def step(name: str, do: Callable[[], Any]) -> Any:
            """Do a step; if it fails as it may, the others are tried all the same."""
            try:
                found = do()
            except skopsafe.SkopsafeError as error:
                require_printable(error)
                endings.append(type(error).__name__)
                return None
            if not endings:
                stage(name)
            return found

        try:
            step("read", self._read)
            step("inspected", lambda: _shown(skopsafe.inspect_pickle(path)))
            step("decompiled", lambda: _compiled(skopsafe.decompile(path)))
            audit = step("converted", lambda: skopsafe.convert(path, out))
            if audit is None:
                return endings[0]
            assert sorted(audit.untrusted) == skopsafe.get_untrusted_types(data=out.getvalue()), "other names"
            if audit.untrusted:
                return "needs approval"
            endings.clear()
            stage("approved")
            loaded = step("loaded", lambda: (skopsafe.loads(out.getvalue()),))
            if loaded is None:
                return f"{endings[0]} in load"
        except BaseException as error:
            return f"undocumented: {type(error).__name__}: {error}"[:200]
        try:
            skopsafe.dumps(loaded[0])
        except skopsafe.SkopsafeError:
            pass
        except Exception as error:
            return f"undocumented: in dump: {type(error).__name__}: {error}"[:200]
        try:
            found = use(loaded[0], X)
        except MemoryError as error:
            return f"memory: {error}"
        except Exception:
            return "loaded"  # errors of an object that loaded are its own
        if found is None or found:
            stage("answered")
        return "loaded"

    def _read(self) -> int:
        with opened(self._folder / "current", self._limits) as file:
            count = sum(len(read(stream)) for stream in streams(file))
        if not count:
            raise skopsafe.FormatError("no pickle")
        return count


def _shown(report: Any) -> Any:
    return str(report), report.to_dict(), report.settled()


def _compiled(script: str) -> None:
    """Require that a script is one."""
    try:
        compile(script, "script", "exec")
    except (RecursionError, MemoryError):
        pass
    except SyntaxError as error:
        if "too many" not in str(error):
            raise AssertionError(f"the script is none: {error}") from error


def main(folder: str, first: int, count: int) -> None:
    """Go through mutants, telling each before it is read, at each stage, and after."""
    warnings.simplefilter("ignore")
    tempfile.tempdir = folder
    worker = Worker(Path(folder))
    worker.warm_up()
    for number in range(first, first + count):
        tell(number=number, layer="?", stage="made")
        worker.subject(number)
        layer = worker.mutant(number)

        def reached(stage: str, number: int = number, layer: str = layer) -> None:
            tell(number=number, layer=layer, stage=stage)

        ending, stage = worker.use(reached)
        if ending.startswith(BAD):
            shutil.copy(Path(folder, "current"), Path(folder, f"{number}.pkl"))
        tell(number=number, layer=layer, stage=stage, ending=ending)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
