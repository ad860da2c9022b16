"""Runs a pickle without doing what it says: opcodes move records, and what would be done is written down.

The machine follows the C unpickler of Python. Where other unpicklers go on and C stops, the machine goes
on as well: what it writes down is at least what any of them would do. An opcode is an entry of a table.

The format is that of the module ``pickletools`` of Python, and of PEP 307, PEP 3154 and PEP 574.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import msgspec

from skopsafe.errors import LimitError
from skopsafe.foreign.pickles import loop
from skopsafe.foreign.pickles.opcodes import TABLE
from skopsafe.foreign.pickles.python2 import today
from skopsafe.foreign.pickles.reading import AHEAD, LONG, WINDOW, Broken, Lost, Source, Stop, Truncated
from skopsafe.foreign.pickles.values import Call, Dict, FrozenSet, Global, Set, Span, Stored, Value
from skopsafe.limits import DEFAULT_LIMITS

Kind = Literal["import", "call", "build", "append", "setitem", "add"]
"""What an operation does: imports a name, calls, sets a state, or calls a method that puts an item."""


class Operation(msgspec.Struct, frozen=True, gc=False):
    """One thing that loading would do beside making containers and constants.

    Attributes
    ----------
    kind : str
        See `Kind`.
    offset : int
        Of the opcode, in bytes.
    value : Value
        What is imported or made by the call; what is built or put into.
    argument : Value
        The state, or the item or items; a list of pairs for ``setitem``.
    """

    kind: Kind
    offset: int
    value: Value
    argument: Value = None


@dataclass(slots=True)
class Pickle:
    """What one pickle of a stream would do.

    Attributes
    ----------
    start, end : int
        Its first byte, and the byte behind its last, in the stream.
    protocol : int
        The highest that it says; 0 where it says none.
    root : Value
        What it makes; None where it breaks off.
    operations : list of Operation
        In the order in which they would happen. Those before an error would happen too.
    error : str
        Why it breaks off; empty where it comes to its end.
    notes : list of (int, str)
        What a reader should look at, with its offset: what differs between unpicklers, what takes memory.
    opcodes : int
        How many were run.
    reader : str
        Who reads it so: ``pickle`` is every unpickler; see `files.read` for others.
    followed : bool
        False where it breaks off here, and a loader may go on: nobody knows what it would do.
    trailing : int
        Bytes behind its end that are no pickle; 0 where another pickle follows.
    hashing : list of Set, FrozenSet or Dict
        Whose keys may have methods that are called when they are put into it, or may be no keys.
    beside : list of Stored
        Arrays that joblib reads from files beside.
    texts : list of Value
        Texts and bytes that may be a pickle themselves, by how they begin.
    holders : list of tuple, List, Set, FrozenSet or Dict
        Those that hold imported names, some of them more than once.
    drops : bool
        Whether something was made that the root may not lead to.
    """

    start: int
    end: int = 0
    protocol: int = 0
    root: Value = None
    operations: list[Operation] = field(default_factory=list)
    error: str = ""
    notes: list[tuple[int, str]] = field(default_factory=list)
    opcodes: int = 0
    reader: str = "pickle"
    followed: bool = True
    trailing: int = 0
    hashing: list[Set | FrozenSet | Dict] = field(default_factory=list)
    beside: list[Stored] = field(default_factory=list)
    texts: list[Value] = field(default_factory=list)
    holders: list[Value] = field(default_factory=list)
    drops: bool = False


class Machine:
    """The state of a run: a window of the stream, the stack with its marks, the memo.

    Parameters
    ----------
    source : Source
        The stream.
    start : int
        Where the pickle begins.
    limit : int
        Opcodes that are run at most.
    built : callable, optional
        ``built(machine, what)`` after each BUILD of a call or a name, for streams in which something else
        follows then.

    Attributes
    ----------
    names_wrapper : bool
        Whether a name was imported that is like those of the classes by which joblib writes arrays.
    """

    __slots__ = (
        "_limit",
        "at",
        "base",
        "buffer",
        "built",
        "found",
        "frame",
        "marks",
        "memo",
        "names_wrapper",
        "offset",
        "protocol",
        "source",
        "stack",
    )

    def __init__(
        self,
        source: Source,
        start: int = 0,
        limit: int = DEFAULT_LIMITS.opcodes,
        built: Callable[[Machine, Call | Global], None] | None = None,
    ) -> None:
        self.source = source
        self.built = built
        self.found = Pickle(start)
        self.stack: list[Value] = []
        self.marks: list[list[Value]] = []
        self.memo: dict[int, Value] = {}
        self.protocol = 0
        self.offset = start
        self.base = start
        self.at = 0
        self.buffer = b""
        self.frame = start
        self.names_wrapper = False
        self._limit = limit

    @property
    def place(self) -> int:
        """The byte of the stream that is read next."""
        return self.base + self.at

    def go(self, place: int) -> None:
        """Go on reading at another place of the stream."""
        if self.base <= place <= self.base + len(self.buffer):
            self.at = place - self.base
        else:
            self.base, self.at, self.buffer = place, 0, b""

    def follow(self, other: Machine) -> None:
        """Go on reading where another machine of the same stream stands, with its window."""
        self.base, self.at, self.buffer = other.base, other.at, other.buffer

    def run(self) -> Pickle:
        """Run opcodes to the end of the pickle, or to where every unpickler stops.

        Raises
        ------
        LimitError
            There are more opcodes than are allowed.
        """
        found = self.found
        try:
            loop.run(self, self._limit)
        except Stop:
            pass
        except IndexError:
            found.error = self._underflow()
        except UnicodeDecodeError:
            found.error = "a text is not UTF-8"
        except (Broken, Truncated) as error:
            found.error = str(error)
            found.followed = not isinstance(error, Lost)
        if found.error and self.offset < self.frame < self.base + self.at:
            self.pass_frame(self.frame)
            found.followed = False  # by this machine, which has read the argument otherwise than C
        found.end = min(self.base + self.at, self.source.size)
        found.protocol = self.protocol
        return found

    def refuse(self) -> NoReturn:
        """Raise for an opcode too many."""
        raise LimitError(
            f"the pickle has more than {self._limit} opcodes",
            path=f"byte {self.offset}",
            next_step="Pass limits=Limits(opcodes=...) if you expect so large a pickle.",
        )

    def step(self) -> int:
        """Run one opcode and return its code: `run`, one by one.

        Raises
        ------
        Stop, Broken, Truncated
            There is none behind it.
        """
        if self.at + AHEAD > len(self.buffer):
            self._fill(AHEAD)
        self.offset = self.base + self.at
        self.found.opcodes += 1
        if self.found.opcodes > self._limit:
            self.refuse()
        frame = self.frame
        try:
            code = self.buffer[self.at]
            self.at += 1
            TABLE[code](self)
        except IndexError:
            raise Broken(self._underflow()) from None
        self.pass_frame(frame)
        return code

    def pass_frame(self, frame: int) -> None:
        """Look whether the frame up to a place ended within the present opcode, if no other began with it."""
        # From a file without look-ahead, C takes only what is behind the frame for the argument.
        if self.offset < frame < self.base + self.at and self.frame == frame:
            self.note("an argument lies across the end of a frame, and unpicklers read different ones")

    def _underflow(self) -> str:
        if self.at >= len(self.buffer):
            return "the pickle ends in the middle"
        return "it takes more from the stack than there is"

    def _fill(self, least: int) -> None:
        """Have at least so many bytes in the window, if there are so many."""
        place = self.base + self.at
        if self.at + least > len(self.buffer) and self.base + len(self.buffer) < self.source.size:
            self.buffer = self.source.read(place, max(least, WINDOW))
            self.base, self.at = place, 0

    def take(self, size: int) -> bytes:
        """Return the next bytes of the stream."""
        end = self.at + size
        if end > len(self.buffer):
            self._fill(size)
            end = self.at + size
            if end > len(self.buffer):
                raise Truncated(f"the pickle ends within {size} bytes that it says it has")
        data = self.buffer[self.at : end]
        self.at = end
        return data

    def number(self, size: int) -> int:
        """Return the next bytes as an unsigned integer, the lowest first."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> bytes:
        """Return the bytes to the next line feed, and pass it."""
        searched = 0
        while True:
            end = self.buffer.find(b"\n", self.at + searched)
            if end >= 0:
                data = self.buffer[self.at : end]
                self.at = end + 1
                return data
            searched = len(self.buffer) - self.at
            if self.base + len(self.buffer) >= self.source.size:
                # Unpicklers take the rest, and drop its last byte as if that were the line feed.
                data = self.buffer[self.at :][:-1]
                self.at = len(self.buffer)
                return data
            # Twice as much each time, so that a long line takes linear time.
            self._fill(2 * searched + WINDOW)

    def text(self, kind: Any, size: int) -> Value:
        """Return the next bytes as an argument that is read, or a `Span` where it is long."""
        if size <= LONG:
            data = self.take(size)
            return str(data, "utf-8", "surrogatepass") if kind == "str" else data
        place = self.place
        if place + size > self.source.size:
            raise Truncated(f"the pickle says that {size} bytes follow, and has {self.source.size - place}")
        self.go(place + size)
        return Span(kind, place, size)

    def marked(self) -> list[Value]:
        """Return what is on the stack above the last mark, and drop the mark."""
        if not self.marks:
            raise Broken("there is no mark on the stack")
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def note(self, text: str) -> None:
        """Write down something at the present opcode that a reader should look at."""
        if len(self.found.notes) < 1000:
            self.found.notes.append((self.offset, text))

    def do(self, kind: Kind, value: Value, argument: Value = None) -> None:
        """Write down an operation of the present opcode."""
        if type(value) is not Call:
            self.found.drops = True  # nothing but the operation has the argument
        self.found.operations.append(Operation(kind, self.offset, value, argument))

    def call(self, way: Any, function: Value, args: Value, kwargs: Value = None) -> Call:
        """Write down a call of the present opcode, and return what it makes."""
        made = Call(way, function, args, self.offset, kwargs)
        self.found.operations.append(Operation("call", self.offset, made))
        return made

    def name(self, module: str, name: str) -> Global:
        """Write down the import of a name, and return it."""
        old = module, name
        if self.protocol < 3:
            module, name = today(module, name)
        found = Global(module, name, self.offset, None if (module, name) == old else old)
        self.found.operations.append(Operation("import", self.offset, found))
        if "ArrayWrapper" in name:
            self.names_wrapper = True
        return found
