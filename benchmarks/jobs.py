"""What is timed: dump, load and audit of one object, by each library, from file to file."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import skops.io

import skopsafe
from benchmarks.models import Model

Job = Callable[[], Any]

PEERS = ("joblib", "pickle", "skops")
OURS = "skopsafe"
OWN = "own"
"""The library of a booster itself."""

_LIBRARIES = (OURS, *PEERS, OWN)


def order(turn: int) -> list[tuple[str, str]]:
    """Return the calls of one turn, each a verb and a library.

    A load comes after the dump whose file it reads, and the audit that says what to approve. Another library
    begins each time: what it finds of free memory depends on the one before it.
    """
    first = turn % len(_LIBRARIES)
    libraries = (*_LIBRARIES[first:], *_LIBRARIES[:first])
    return [
        *(("dump", library) for library in libraries),
        *(("audit", library) for library in libraries if library in (OURS, "skops")),
        *(("load", library) for library in libraries),
    ]


def pickle_dump(obj: Any, path: str | Path) -> None:
    """Save with C pickle, protocol 5."""
    with open(path, "wb") as file:
        pickle.dump(obj, file, protocol=5)


def pickle_load(path: str | Path) -> Any:
    """Load with C pickle."""
    with open(path, "rb") as file:
        return pickle.load(file)


class Case:
    """An object, its files in one folder, and what is done with them.

    Parameters
    ----------
    model : Model
        What it is.
    obj : object
        The fitted model.
    folder : Path
        Where the files go.
    """

    def __init__(self, model: Model, obj: Any, folder: Path) -> None:
        self.model = model
        self.obj = obj
        self.folder = folder
        self.failures: dict[str, str] = {}
        self.untrusted: dict[str, list[str]] = {}

    def path(self, library: str) -> str:
        """Return the file of a library."""
        suffix = self.model.own.suffix if library == OWN and self.model.own else ""
        return str(self.folder / f"{library}{suffix}")

    def job(self, verb: str, library: str) -> Job:
        """Return what to time. An audit returns the names to approve, which `untrusted` is to keep."""
        path, obj, own = self.path(library), self.obj, self.model.own
        match verb, library:
            case "dump", "skopsafe":
                return lambda: skopsafe.dump(obj, path)
            case "dump", "joblib":
                return lambda: joblib.dump(obj, path)
            case "dump", "pickle":
                return lambda: pickle_dump(obj, path)
            case "dump", "skops":
                return lambda: skops.io.dump(obj, path)
            case "load", "skopsafe":
                approved = self.untrusted[OURS]
                return lambda: skopsafe.load(path, approved)
            case "load", "joblib":
                return lambda: joblib.load(path)
            case "load", "pickle":
                return lambda: pickle_load(path)
            case "load", "skops":
                theirs = self.untrusted["skops"]
                return lambda: skops.io.load(path, trusted=theirs)
            case "audit", "skopsafe":
                return lambda: skopsafe.audit(path).untrusted
            case "audit", "skops":
                return lambda: skops.io.get_untrusted_types(file=path)
            case "dump", "own" if own is not None:
                return lambda: own.save(obj, path)
            case "load", "own" if own is not None:
                return lambda: own.load(path)
        raise AssertionError(f"nobody does {verb} with {library}")

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each file there is."""
        found = {library: self.path(library) for library in (OURS, *PEERS, OWN)}
        return {library: os.path.getsize(path) for library, path in found.items() if os.path.exists(path)}
