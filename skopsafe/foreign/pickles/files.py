"""Every pickle in a file, however it is wrapped, and every way in which loaders read it.

    with opened(path) as file:
        for stream in streams(file, limits, path):
            for pickle in read(stream, limits):
                ...

What a stream is, its content tells and not its name. Nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from skopsafe.archive import salvage
from skopsafe.archive.readable import Budget, Part, Readable, Whole
from skopsafe.archive.tar_read import is_tar, tar_members
from skopsafe.archive.unpack import Unpacked, compression_of, is_certain, unpack
from skopsafe.errors import LimitError, MissingTypeError, escape
from skopsafe.foreign.pickles.formats import behind_arrays, is_pickle, probe, unreadable
from skopsafe.foreign.pickles.joblib import Arrays
from skopsafe.foreign.pickles.machine import Machine, Pickle
from skopsafe.foreign.pickles.reading import Source
from skopsafe.foreign.pickles.skim import could_act
from skopsafe.limits import DEFAULT_LIMITS, Limits

Kind = Literal["pickle", "joblib", "npy", "unreadable", "other"]
"""What a stream is: a pickle; one with arrays of joblib; the pickle of an array of objects in an ``.npy``;
what may hold a pickle and cannot be read; a file that is nothing of that."""

DEEPEST = 5
"""Layers of archives and compression in each other that are opened."""
OLD_JOBLIB = "joblib before 1.2"


@dataclass(frozen=True, slots=True)
class Stream:
    """Where pickles are in a file.

    Attributes
    ----------
    path : str
        The name that was given, and behind each ``!`` a member: ``model.zip!archive/data.pkl``. What is not
        printable in it is escaped.
    kind : str
        See `Kind`. Nothing can be read from ``unreadable`` and ``other``.
    source : Source
        Its bytes, with all compression undone. Good as long as the file is open.
    start : int
        Where in it the first pickle begins.
    notes : tuple of str
        What is odd about the way to it, and why it cannot be read.
    budget, number : Budget, int
        What is left of the limits for the file, and the number of the stream in it.
    run : list of (Machine, Arrays)
        Those that have gone through the first pickle already as joblib does, for the first who reads it.
    """

    path: str
    kind: Kind
    source: Source
    start: int
    notes: tuple[str, ...]
    budget: Budget = field(repr=False)
    number: int = field(repr=False)
    run: list[tuple[Machine, Arrays]] = field(default_factory=list, repr=False)


def streams(file: BinaryIO, limits: Limits = DEFAULT_LIMITS, name: str = "") -> Iterator[Stream]:
    """Find every stream of pickles in a file.

    A file may be several things at once, such as a pickle with a zip behind it: then all of them come. A
    member of an archive that holds no pickle does not come; what cannot be read comes as ``unreadable``, and
    a file that is nothing known as ``other``. A zip or an ``.npy`` without any pickle gives nothing.

    Parameters
    ----------
    file : binary file object
        It can be read at any place; `skopsafe.streams.opened` gives one for a path.
    limits : Limits
        What the file may cost: ``members``, ``total_bytes``, ``expansion``, ``directory_bytes``, ``opcodes``.
    name : str
        What the path of each stream begins with.

    Yields
    ------
    Stream
        One after the other, as they are found.

    Raises
    ------
    LimitError
        The file asks for more than the limits allow, such as a zip bomb.
    FileError, FormatError
        The file cannot be read, or changes meanwhile.
    """
    source = Whole(file)
    yield from _Search(Budget(limits, source.size)).layers(source, name, 0, ())


def read(stream: Stream, limits: Limits = DEFAULT_LIMITS) -> list[Pickle]:
    """Run all pickles of a stream, in every way in which loaders read it.

    Pickles that stand behind each other come in their order; bytes behind the last that are no pickle are its
    ``trailing``, and a note of it says where they are. ``reader`` tells the ways apart:

    - ``pickle``: every unpickler reads it so. In a stream with arrays of joblib, this is how those read it
      that know nothing of joblib; it comes only where something happens that joblib would not do, and an
      error at its end is no wonder.
    - ``joblib``: as joblib reads it.
    - ``joblib before 1.2``: as older releases of joblib do, which take bytes that align an array for its
      first; only where something happens behind them.

    Whoever judges takes the worst of all. ``followed`` is False where a loader may go on though the run
    could not: what follows there is unknown.

    Parameters
    ----------
    stream : Stream
        One that `streams` gave, while its file is open.
    limits : Limits
        ``opcodes`` are those of all pickles in a file together; ``members`` is also the number of pickles
        behind each other.

    Raises
    ------
    LimitError
        There are more opcodes or pickles than are allowed.
    """
    if stream.kind in ("unreadable", "other"):
        return []
    runs = _Runs(stream, limits)
    ready, arrays = stream.run.pop() if stream.run else (None, Arrays(runs.left))
    arrays.limit = runs.left
    found = runs.row(arrays, ready)
    if not arrays.count:
        return found
    for pickle in found:
        pickle.reader = "joblib"
    # What breaks off before it could do anything is not run, which is nearly all of it.
    if could_act(stream.source, arrays.first):
        found += _others(runs.row(None), arrays.first, "pickle")
    if arrays.has_padding and (arrays.old_end is None or could_act(stream.source, arrays.old_end)):
        found += _others(runs.row(Arrays(runs.left, padded=False)), arrays.first, OLD_JOBLIB)
    return found


def _others(found: list[Pickle], first: int, reader: str) -> list[Pickle]:
    """Return another reading, if anything happens in it behind the first array: before, all are alike."""
    for pickle in found:
        pickle.reader = reader
    if all(operation.offset < first for pickle in found for operation in pickle.operations):
        return [pickle for pickle in found if not pickle.followed]
    return found


class _Runs:
    """Runs the pickles of a stream, and counts their opcodes.

    Attributes
    ----------
    left : int
        How many more there may be.
    """

    def __init__(self, stream: Stream, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self.left = min(limits.opcodes, stream.budget.opcodes_for(stream.number))
        self._spent = 0

    def row(self, arrays: Arrays | None, ready: Machine | None = None) -> list[Pickle]:
        """Run pickles behind each other; one may have gone through the first already."""
        source, found = self._stream.source, list[Pickle]()
        todo, seen = [self._stream.start], {self._stream.start}
        last: Machine | None = None
        while todo:
            place = todo.pop(0)
            machine = ready or Machine(source, place, self.left, arrays)
            ready = None
            if last is not None and last.place == place:
                machine.follow(last)
            pickle = self._run(machine, arrays)
            if found and not is_pickle(pickle):
                found[-1].trailing = source.size - place
                found[-1].notes.append((place, f"{source.size - place} bytes follow that are no pickle"))
                continue
            found.append(pickle)
            if len(found) > self._limits.members:
                raise self._refused("members", "pickles behind each other")
            if pickle.error:
                continue
            last = machine
            places = [pickle.end]
            if machine.frame > pickle.end:
                pickle.notes.append((pickle.end, "a frame ends behind the pickle, and loaders go on at both"))
                places.append(machine.frame)
            places = [behind_arrays(source, place)[0] for place in places]
            todo += [place for place in places if place < source.size and place not in seen]
            seen.update(places)
        return found

    def _run(self, machine: Machine, arrays: Arrays | None) -> Pickle:
        before = arrays.spent if arrays is not None and not machine.found.opcodes else 0
        try:
            pickle = machine.found if machine.found.opcodes else machine.run()
        except LimitError:
            raise self._refused("opcodes", "opcodes in the pickles of the file") from None
        pickle.opcodes += arrays.spent - before if arrays is not None else 0
        if pickle.opcodes > self.left:
            raise self._refused("opcodes", "opcodes in the pickles of the file")
        self.left -= pickle.opcodes
        self._spent += pickle.opcodes
        self._stream.budget.spend(self._stream.number, self._spent)
        return pickle

    def _refused(self, name: str, what: str) -> LimitError:
        return LimitError(
            f"there are more than {getattr(self._limits, name)} {what}",
            path=self._stream.path,
            next_step=f"Pass limits=Limits({name}=...) if you expect so many.",
        )


class _Search:
    """Goes through the layers of a file."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def _stream(
        self, path: str, kind: Kind, source: Source, notes: tuple[str, ...], start: int = 0
    ) -> Stream:
        return Stream(escape(path), kind, source, start, notes, self._budget, self._budget.number())

    def layers(self, source: Readable, path: str, depth: int, notes: tuple[str, ...]) -> Iterator[Stream]:
        """Yield the streams of something that can be read, which may be several things at once."""
        head = source.read(0, 64)
        what = unreadable(head)
        if what is not None:
            yield self._stream(path, "unreadable", source, (*notes, f"this is {what}, which is not read"))
        is_known = what is not None
        for wrapped in (self._compressed, self._npy, self._zip, self._tar):
            inner = wrapped(source, path, depth, notes)
            if inner is None:
                continue
            is_known = True
            if depth >= DEEPEST and wrapped != self._npy:
                yield self._stream(path, "unreadable", source, (*notes, f"it has more than {DEEPEST} layers"))
            else:
                yield from inner
        probed = probe(source, 0, self._budget)
        if probed is not None:
            stream = self._stream(path, "joblib" if probed[0] == "joblib" else "pickle", source, notes)
            if probed[1] is not None:
                stream.run.append(probed[1])
            yield stream
        elif depth == 0 and not is_known:
            is_broken = head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5
            yield self._stream(path, "pickle" if is_broken else "other", source, notes)

    def _compressed(
        self, source: Readable, path: str, depth: int, notes: tuple[str, ...]
    ) -> Iterator[Stream] | None:
        found = compression_of(source.read(0, 64))
        if found is None:
            return None
        kind, start = found
        if depth >= DEEPEST:
            return iter(())
        try:
            content = unpack(kind, source, start, self._budget)
        except MissingTypeError as error:
            return iter([self._stream(path, "unreadable", source, (*notes, str(error)))])
        if not content.size and content.problem and not is_certain(kind):
            return None
        notes = (*notes, f"it is compressed with {kind}", *_problem(content))
        why = content.problem if is_certain(kind) else ""
        return self._inside(content, path, depth, notes, why)

    def _inside(
        self, content: Readable, path: str, depth: int, notes: tuple[str, ...], why: str
    ) -> Iterator[Stream]:
        """Yield what is in a layer, or that it cannot be read and why, if there is a reason."""
        is_empty = True
        for stream in self.layers(content, path, depth + 1, notes):
            is_empty = False
            yield stream
        if is_empty and why:
            notes = notes if why in notes else (*notes, why)
            yield self._stream(path, "unreadable", content, notes)

    def _npy(
        self, source: Readable, path: str, depth: int, notes: tuple[str, ...]
    ) -> Iterator[Stream] | None:
        if source.read(0, 6) != b"\x93NUMPY":
            return None
        start, has_objects = behind_arrays(source, 0)
        if not has_objects and (start >= source.size or probe(source, start, self._budget) is None):
            return iter([])
        return iter([self._stream(path, "npy", source, notes, start)])

    def _zip(
        self, source: Readable, path: str, depth: int, notes: tuple[str, ...]
    ) -> Iterator[Stream] | None:
        return self._members(source, path, depth, notes) if salvage.is_zip(source) else None

    def _members(self, source: Readable, path: str, depth: int, notes: tuple[str, ...]) -> Iterator[Stream]:
        for member in salvage.members(source, self._budget):
            inside = f"{path}!{member.name}"
            content = salvage.content(source, member, self._budget)
            odd = (*notes, *member.notes)
            if content is None:
                yield self._stream(inside, "unreadable", source, odd)
                continue
            why = "it is encrypted" if member.is_encrypted else ""
            why = why or (content.problem if isinstance(content, Unpacked) else "")
            if member.is_encrypted:
                odd = (*odd, "it is marked as encrypted")
            yield from self._inside(content, inside, depth, odd, why)

    def _tar(
        self, source: Readable, path: str, depth: int, notes: tuple[str, ...]
    ) -> Iterator[Stream] | None:
        return self._tarred(source, path, depth, notes) if is_tar(source) else None

    def _tarred(self, source: Readable, path: str, depth: int, notes: tuple[str, ...]) -> Iterator[Stream]:
        for member in tar_members(source, self._budget):
            content = Part(source, member.start, member.size)
            odd = (*notes, member.note) if member.note else notes
            yield from self._inside(content, f"{path}!{member.name}", depth, odd, "")


def _problem(content: Unpacked) -> tuple[str, ...]:
    return (content.problem,) if content.problem else ()
