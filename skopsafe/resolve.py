"""An approved name to what it means. The only module that imports by name."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
import types
from _thread import allocate_lock
from collections.abc import Iterable
from typing import Any

from skopsafe import names
from skopsafe.errors import DeniedTypeError, MissingTypeError
from skopsafe.graph.document import CLASS
from skopsafe.handlers.aliases import RENAMED
from skopsafe.trust.tables import Tables

_TURN = [allocate_lock()]
_PATIENCE = 30.0
"""Seconds after which a thread imports although another has not come to an end with it."""
_IMPORT = "<frozen importlib._bootstrap>"

_NEXT = "The file is damaged or crafted; do not load it."


def resolve(name: str, role: str, tables: Tables) -> Any:
    """Import an approved name.

    Nothing but the attributes of exactly that module, and of classes in it, is looked at; the result
    must be what its name says.

    Raises
    ------
    MissingTypeError
        It is not installed, or not there.
    DeniedTypeError
        It resolves to something that is denied under its real name.
    """
    module_name, qualname = names.parse(name)
    known = tables.resolved.get((name, role))
    if known is not None:
        module, found = known
        if sys.modules.get(module_name) is module and vars(module).get(qualname) is found:
            return found
    found = module = _module(name, module_name, tables)
    for position, part in enumerate(qualname.split(".")):
        if position and not isinstance(found, type):
            raise _not_there(name, tables)
        where = vars(found)
        if part not in where:
            standin = names.standin(module_name, qualname)
            if standin is None:
                raise _not_there(name, tables)
            return standin
        found = where[part]
    found = getattr(found, "__func__", found) if isinstance(found, (classmethod, staticmethod)) else found
    _must_be(found, name, role, tables)
    if vars(module).get(qualname) is found:
        tables.resolved[name, role] = module, found
    return found


def prepare(approved: Iterable[str]) -> None:
    """Import the modules of approved names, for loaders that import something of them, too.

    Where modules of a library import each other, and two threads begin with different ones, one of them fails
    (``_DeadlockError``). So only one thread does this at a time.
    """
    absent = [module for module in {names.parse(name).module for name in approved} if not _is_loaded(module)]
    if not absent:
        return
    lock = _TURN[0]
    # What a thread that is importing calls does not wait: another may be waiting for what it imports.
    held = not _is_importing() and lock.acquire(timeout=_PATIENCE)
    try:
        for module in sorted(absent):
            # A loader may do without, and where it does not, the same error comes with its place.
            with contextlib.suppress(Exception):
                importlib.import_module(module)
    finally:
        if held:
            lock.release()


def _is_loaded(module: str) -> bool:
    found = sys.modules.get(module)
    return found is not None and not getattr(getattr(found, "__spec__", None), "_initializing", False)


def _is_importing() -> bool:
    frame: types.FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename != _IMPORT:
        frame = frame.f_back
    return frame is not None


def _module(name: str, module: str, tables: Tables) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingTypeError(
            f"{names.spell(name)} was approved but cannot be imported ({error})",
            next_step=f"Install the distribution that has it: {tables.distribution(module)}.",
        ) from error


def _must_be(found: Any, name: str, role: str, tables: Tables) -> None:
    if isinstance(found, types.ModuleType) or not callable(found):
        raise MissingTypeError(f"{names.spell(name)} is neither a class nor a function", next_step=_NEXT)
    if role == CLASS and not isinstance(found, type):
        raise MissingTypeError(f"{names.spell(name)} is not a class", next_step=_NEXT)
    real = names.of(found)
    real = RENAMED.get(real, real) if real is not None else None
    qualname = names.parse(name).qualname
    for other in (real, _behind(found)):
        reason = tables.denied(other) if other is not None else None
        if other is not None and reason is not None:
            raise DeniedTypeError([names.spell(name)], f"it is {names.spell(other)}: {reason}")
    if (isinstance(found, type) and real != name) or (
        isinstance(found, types.FunctionType) and "." not in qualname and real != name
    ):
        raise MissingTypeError(
            f"{names.spell(name)} is only another name of {real}",
            next_step="Save the object again under the installed version of its package.",
        )


def _behind(found: Any) -> str | None:
    """Return the name of the function in a `partial`, or of the class of an object that has no name."""
    while isinstance(found, functools.partial):
        found = found.func
    return names.of(found) or names.of(type(found))


def _not_there(name: str, tables: Tables) -> MissingTypeError:
    module, qualname = names.parse(name)
    if module == "__main__":
        return MissingTypeError(
            f"the program that loads the file has no {qualname} of its own, and the one that saved it had",
            next_step="Define it in a module that both can import, and save the object again.",
        )
    return MissingTypeError(
        f"the installed {module} has no {qualname}",
        next_step=f"Install the version of {tables.distribution(module)} that wrote the file.",
    )


def _begin_child() -> None:
    _TURN[0] = allocate_lock()  # the thread that had the other one is not in the new process


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)
