"""Applies the rules to pickles: a verdict for each operation, each pickle and all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from skopsafe.foreign.pickles.machine import Operation, Pickle
from skopsafe.foreign.pickles.reading import Source
from skopsafe.foreign.pickles.values import Call, Dict, Global, Value, children, gather
from skopsafe.judge import nested
from skopsafe.judge.calls import reviewed_call
from skopsafe.judge.levels import Finding, Level, worst_level
from skopsafe.judge.naming import Names, Role
from skopsafe.judge.rules import Context, finding

_JOBLIB = ("joblib.numpy_pickle", "joblib.numpy_pickle_compat", "sklearn.externals.joblib.numpy_pickle")
_WRAPPERS = ("NumpyArrayWrapper", "NDArrayWrapper", "ZNDArrayWrapper")


@dataclass(frozen=True, slots=True)
class Judged:
    """A pickle with what is said of it.

    Attributes
    ----------
    pickle : Pickle
        What it would do.
    operations : list of (Operation, Finding)
        In the order in which they would happen.
    remarks : list of (int, Finding)
        Beside operations, with their offsets: what could not be followed, pickles within it.
    level : str
        The verdict.
    is_usual : bool
        Whether loaders that know the format read it so.
    """

    pickle: Pickle
    operations: list[tuple[Operation, Finding]]
    remarks: list[tuple[int, Finding]]
    level: Level
    is_usual: bool = True


def judge(
    pickle: Pickle,
    names: Names,
    source: Source,
    levels: int = nested.LEVELS,
    *,
    is_usual: bool = True,
    beside: Mapping[str, Finding] | None = None,
) -> Judged:
    """Say what a pickle would do.

    Parameters
    ----------
    pickle : Pickle
        From the machine.
    names : Names
        Judges names.
    source : Source
        The stream, for pickles within it.
    levels : int
        How many pickles within pickles are looked at.
    is_usual : bool
        Whether loaders that know the format read it so. In other readings the bytes of arrays are opcodes by
        chance, and only what can be told from chance counts.
    beside : mapping of str to Finding, optional
        By the name of a file that it reads an array from: what was found there.
    """
    seen: set[int] = set()
    held = gather([pickle.root], seen)
    reachable = set(seen)
    held += gather(_of_operations(pickle), seen)
    # Of a pickle that breaks off nothing is used, and that says nothing of single calls.
    context = Context(names, _roles(held, pickle), seen if pickle.error else reachable, beside or {})
    operations = [(op, finding(op, context)) for op in pickle.operations]
    remarks: list[tuple[int, Finding]] = []
    if is_usual:
        remarks += [(at, _note(pickle, text)) for at, text in pickle.notes]
        if pickle.error:
            remarks.append((pickle.end, Finding("unknown", "breaks off", f"it breaks off: {pickle.error}")))
    else:
        operations = [(op, said) for op, said in operations if not _may_be_chance(op, said)]
    if not pickle.followed:
        why = "a loader may go on where this reader could not"
        remarks.append((pickle.end, Finding("unknown", "not followed", why)))
    remarks += _within(held, pickle, names, source, levels)
    found = [each.level for _, each in operations] + [each.level for _, each in remarks]
    return Judged(pickle, operations, remarks, worst_level(found), is_usual)


def _note(pickle: Pickle, text: str) -> Finding:
    # Files of some libraries go on in a form of their own: that is no sign of an attack.
    is_behind = bool(pickle.trailing) and text.endswith("no pickle")
    return Finding("unknown" if is_behind else "suspicious", "note", text)


def _may_be_chance(op: Operation, said: Finding) -> bool:
    """Tell whether numbers can look like that by chance: they spell no name that is denied."""
    return said.level != "malicious" or said.rule in (
        "computed name",
        "changes what is imported",
        "arguments",
    )


def _of_operations(pickle: Pickle) -> list[Value]:
    """Return what operations are about, also where the pickle drops it."""
    found: list[Value] = []
    for op in pickle.operations:
        found.append(op.value)
        if isinstance(op.argument, list):
            found += op.argument
        else:
            found.append(op.argument)
    return found


def _roles(held: list[Value], pickle: Pickle) -> dict[int, set[Role]]:
    """Return in which roles imported names are used, by the identity of their records."""
    roles: defaultdict[int, set[Role]] = defaultdict(set)
    taken: set[int] = set()
    for value in held:
        if type(value) is Call:
            _use_call(value, roles, taken)
    for value in held:
        # Tuples of arguments, and states, were looked at above.
        if id(value) in taken:
            continue
        inner = children(value)
        if Global not in set(map(type, inner)):
            continue
        skip = value.function if type(value) is Call else None
        for child in inner:
            if type(child) is Global and child is not skip:
                roles[id(child)].add("value")
    if type(pickle.root) is Global:
        roles[id(pickle.root)].add("value")
    return roles


def _use_call(value: Call, roles: dict[int, set[Role]], taken: set[int]) -> None:
    """Note the roles of what a call calls and is given, and which tuples and states that settles."""
    function, args = value.function, value.args if type(value.args) is tuple else ()
    if type(function) is Global:
        is_new = value.way == "new" or (value.way == "instantiate" and value.args == ())
        roles[id(function)].add("class" if is_new else "call")
        if is_new or reviewed_call(function.spelled) is not None:
            taken.add(id(args))
            if Global in set(map(type, args)):
                for position, arg in enumerate(args):
                    if type(arg) is Global:
                        roles[id(arg)].add(_role_of_argument(function, position))
    if _describes_array(function, args):
        for state in value.states:
            if type(state) is Dict:
                taken.add(id(state))
                for _, item in state.pairs:
                    if type(item) is tuple:  # what makes an array whose bytes are in a file beside
                        taken.add(id(item))
                    for each in item if type(item) is tuple else (item,):
                        if type(each) is Global:
                            roles[id(each)].add("argument")


def _describes_array(function: Value, args: tuple[Value, ...]) -> bool:
    """Tell whether an object stands for an array of joblib: of its class, instances are made and no more."""
    return any(
        type(each) is Global and each.module in _JOBLIB and each.name in _WRAPPERS
        for each in (function, *args[:1])
    )


def _role_of_argument(function: Global, position: int) -> Role:
    if function.spelled == "copyreg:_reconstructor" and position == 0:
        return "class"
    if function.module == "numpy.random._pickle" and position == 1:
        return "call"
    return "argument"


def _within(
    held: list[Value], pickle: Pickle, names: Names, source: Source, levels: int
) -> Iterator[tuple[int, Finding]]:
    """Look at texts and bytes that are pickles themselves."""
    for offset, content, inner in nested.pickles(held, source):
        if levels == 0:
            yield (
                offset,
                Finding("suspicious", "pickle within", "a pickle within a pickle, too deep to look at"),
            )
            return
        judged = judge(inner, names, content, levels - 1)
        is_data = not inner.operations and judged.level == "safe"
        if is_data or (inner.error and judged.level != "malicious"):
            continue
        worst = judged.level if judged.level in ("malicious", "suspicious") else "unknown"
        reasons = [
            each.reason for _, each in (*judged.operations, *judged.remarks) if each.level == judged.level
        ]
        why = f": {reasons[0]}" if reasons and worst == judged.level else ""
        yield offset, Finding(worst, "pickle within", f"bytes within it are a pickle{why}")
