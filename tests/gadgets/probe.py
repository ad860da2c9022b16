"""Puts hostile values into files of models, one at a time, and watches what loading and using them does.

Each text, None, bool and function that a model holds is replaced by each of `HOSTILE` in turn, and `HOOKS`
are added to each of its objects; the object is dumped, and loaded with nothing approved. What loads is
shown, compared, cloned, and all its methods are called, in a process that is watched: it may not open a
file, import what is not known, start or connect to anything, compile the text, or take too long. A hostile
value that needs approval, or is refused, did its part::

    python -m tests.gadgets.probe Ridge Pipeline --every 3
"""

from __future__ import annotations

import copy
import importlib
import json
import os
import resource
import signal
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np

import skopsafe
from skopsafe.testing.crafted import unchecked
from tests.gadgets.hostile import HOOKS, HOSTILE, MARK, METHODS

SECONDS = 20
"""How long one hostile model may take."""
_MEMORY = 4 * 2**30
HARMFUL = ("effect", "died", "undocumented")
"""How endings begin that must not be."""

effects: list[str] = []
"""What the present model did outside of its process."""
_QUIET = ("/proc/", "/sys/", "/dev/", sys.prefix, sys.base_prefix, os.path.dirname(skopsafe.__file__))
_EVENTS = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.chmod",
    "os.truncate",
    "os.putenv",
    "shutil.",
    "tempfile.",
    "pickle.find_class",
    "webbrowser.",
    "ftplib.",
    "urllib.",
    "ctypes.dlopen",
)
_KNOWN = sys.stdlib_module_names | {
    *(
        "numpy",
        "scipy",
        "sklearn",
        "pandas",
        "joblib",
        "threadpoolctl",
        "skopsafe",
        "imblearn",
        "category_encoders",
    ),
    *(
        "feature_engine",
        "quantile_forest",
        "xgboost",
        "lightgbm",
        "catboost",
        "polars",
        "pyarrow",
        "dateutil",
        "tests",
    ),
    *("IPython", "matplotlib", "statsmodels", "patsy", "narwhals", "pytz", "numexpr", "bottleneck", "Cython"),
}
watched = {"now": False}


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not watched["now"]:
        return
    harmful = event.startswith(_EVENTS)
    if event == "open" and isinstance(arguments[0], str):
        writes = isinstance(arguments[1], str) and not set(arguments[1]).isdisjoint("wax+")
        harmful = writes or not os.path.abspath(arguments[0]).startswith(_QUIET)
    elif event == "import":
        harmful = MARK in arguments[0] or arguments[0].partition(".")[0] not in _KNOWN
    elif event == "compile" and arguments[0] is not None:
        harmful = MARK in str(arguments[0])
    if harmful:
        effects.append(f"{event} {arguments!r}"[:200])


class _Page(HTMLParser):
    """Finds the mark where it would be more than a text: in scripts, and in attributes that are links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripted = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripted = tag == "script"
        for name, value in attrs:
            if MARK in (value or "") and (name.startswith("on") or name in ("href", "src", "style")):
                self.found.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self.scripted and MARK in data:
            self.found.append(f"script {data}")
        self.scripted = False


def slots(obj: Any, seen: set[int], where: str, depth: int = 0) -> Iterator[tuple[str, Any, Any]]:
    """Yield where a value stands in a model: the path, and the dict or list with the key."""
    if id(obj) in seen or depth > 8:
        return
    seen.add(id(obj))
    state = obj if isinstance(obj, dict | list) else getattr(obj, "__dict__", None)
    if state is None or isinstance(obj, type) or (callable(obj) and not hasattr(obj, "get_params")):
        return
    places = list(state.items()) if isinstance(state, dict) else list(enumerate(state))
    for key, value in places[:60]:
        path = f"{where}.{key}" if state is not obj else f"{where}[{key!r}]"
        is_function = callable(value) and not hasattr(value, "get_params")
        if value is None or isinstance(value, str | bool) or is_function:
            yield path, state, key
        elif isinstance(value, tuple):
            for inner in value:
                yield from slots(inner, seen, path, depth + 1)
        else:
            yield from slots(value, seen, path, depth + 1)


def owners(obj: Any, seen: set[int], depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the attributes of all objects of reviewed classes in a model."""
    if id(obj) in seen or depth > 4:
        return
    seen.add(id(obj))
    inner = obj if isinstance(obj, list | tuple) else obj.values() if isinstance(obj, dict) else ()
    if not inner and hasattr(obj, "__dict__") and not isinstance(obj, type) and not callable(obj):
        yield obj.__dict__
        inner = list(obj.__dict__.values())
    for below in list(inner)[:20]:
        yield from owners(below, seen, depth + 1)


def variants(model: Any) -> Iterator[tuple[str, Callable[[], bytes | None]]]:
    """Yield hostile files of a model: what each is, and a function that makes it, or None if none can be."""

    def dumped(state: Any, key: Any, value: Any) -> bytes | None:
        missing = object()
        before = state[key] if isinstance(state, list) else state.get(key, missing)
        state[key] = value
        try:
            return unchecked(model)
        except skopsafe.SkopsafeError:
            return None
        finally:
            if before is missing:
                del state[key]
            else:
                state[key] = before

    for path, state, key in list(slots(model, set(), "model")):
        for name, value in HOSTILE.items():
            yield f"{path} = {name}", lambda s=state, k=key, v=value: dumped(s, k, v)  # type: ignore[misc]
    for number, state in enumerate(list(owners(model, set()))[:6]):
        for key, value in HOOKS.items():
            yield f"object {number}: {key}", lambda s=state, k=key, v=value: dumped(s, k, v)  # type: ignore[misc]


def use(model: Any, X: Any, y: Any) -> None:
    """Do all that is done with a model, whatever it raises, and look at what it shows."""

    def attempt(call: Any, *given: Any) -> Any:
        try:
            found = call(*given)
            return list(found) if hasattr(found, "__next__") else found
        except Exception:  # what a loaded object raises is its own
            return None

    def fresh() -> Any:
        return X.copy() if hasattr(X, "copy") else X

    shown = [attempt(repr, model), attempt(str, model)]
    for call in (hash, len, iter, copy.copy, copy.deepcopy, dir):
        attempt(call, model)
    attempt(lambda: model == copy.copy(model))
    pages: list[Any] = []
    if hasattr(type(model), "get_params"):
        from sklearn.base import clone
        from sklearn.utils import estimator_html_repr

        copied = attempt(clone, model)
        pages = [attempt(estimator_html_repr, found) for found in (model, copied)]
        pages.append((attempt(getattr(model, "_repr_mimebundle_", dict)) or {}).get("text/html"))
        parameters = attempt(model.get_params) or {}
        attempt(lambda: copied.set_params(**parameters))
        for method in METHODS.split():
            call = getattr(model, method, None)
            if callable(call):
                attempt(call, *(() if "get_" in method else (fresh(),)))
        attempt(lambda: model.score(fresh(), y))
        attempt(lambda: copied.fit(fresh(), y))
        attempt(lambda: copied.predict(fresh()))
    # Tables of pandas show their texts as they are.
    texts = [text for text in shown if isinstance(text, str) and hasattr(type(model), "get_params")]
    effects.extend(f"shows {text!r}"[:200] for text in texts if "\x1b" in text)
    for page in pages:
        if isinstance(page, str):
            effects.extend(f"page {what}"[:200] for what in _Page(page).found)


def ending(data: bytes | None, X: Any, y: Any) -> str:
    """Load and use one hostile file, and say how that ends."""
    if data is None:
        return "not dumped"
    effects.clear()
    watched["now"] = True
    try:
        use(skopsafe.loads(data), X, y)
        end = "loaded"
    except skopsafe.UntrustedTypesFoundException:
        end = "needs approval"
    except skopsafe.SkopsafeError:
        end = "refused"
    except BaseException as error:
        end = f"undocumented: {type(error).__name__}: {error}"[:300]
    finally:
        watched["now"] = False
    return f"effect: {effects[0]}" if effects else end


def _go_through(maker: Callable[[], tuple[Any, Any, Any]], every: int, first: int, pipe: int) -> None:
    """Go through the variants of one model in this process, telling each ending through a pipe."""
    with open(pipe, "w", encoding="utf-8", buffering=1) as out:
        model, X, y = maker()
        use(skopsafe.loads(skopsafe.dumps(model)), X, y)  # imports what it needs, before anything is watched
        with open("/proc/self/statm") as stream:
            used = int(stream.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))
        for number, (what, make) in enumerate(variants(model)):
            if number < first or number % every:
                continue
            out.write(json.dumps([number, what, ""]) + "\n")
            signal.alarm(SECONDS)
            found = ending(make(), X, y)
            signal.alarm(0)
            out.write(json.dumps([number, what, found]) + "\n")


def probe(family: str, models: list[str], every: int = 1) -> Iterator[tuple[str, dict[str, str]]]:
    """Go through hostile variants of models, each model in a process of its own.

    Parameters
    ----------
    family : str
        A module with ``MODELS``: by name, a function that returns a model, X and y.
    models : list of str
        Which; all where it is empty.
    every : int
        Of how many variants one is made.

    Yields
    ------
    tuple of (str, dict of str to str)
        A model, and the ending of each variant. What is not harmless begins with one of `HARMFUL`.
    """
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    makers = importlib.import_module(family).MODELS
    sys.addaudithook(_watch)
    for name in models or list(makers):
        found: dict[str, str] = {}
        first = 0
        while first >= 0:
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(read)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                try:
                    _go_through(makers[name], every, first, write)
                    os._exit(0)
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
            os.close(write)
            first = -1
            with open(read, encoding="utf-8") as lines:
                for number, what, end in map(json.loads, lines):
                    found[what] = end
                    last = number
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status > 0:
                raise AssertionError(f"{name}: the probe itself failed")
            if status < 0:
                found[what] = f"died: {signal.Signals(-status).name}"
                first = last + 1
        yield name, found


def main(arguments: list[str]) -> int:
    """Print what was harmful, and how the variants ended; return how many were harmful."""
    every = 1
    if "--every" in arguments:
        place = arguments.index("--every")
        every = int(arguments[place + 1])
        del arguments[place : place + 2]
    counts: Counter[str] = Counter()
    for name, endings in probe("tests.gadgets.models", arguments, every):
        for what, end in endings.items():
            counts[end.partition(":")[0]] += 1
            if end.startswith(HARMFUL):
                sys.stdout.write(f"{name}: {what}: {end}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{dict(counts)}\n")
    return sum(counts[kind] for kind in HARMFUL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
