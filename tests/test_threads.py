"""Many threads at once: on the same and on other files and objects, and at the first use of everything."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
from sklearn.svm import SVC

import skopsafe
from skopsafe import resolve
from skopsafe.archive import crc
from skopsafe.handlers.registry import _MOST, default

X = np.random.RandomState(0).rand(60, 4)
Y = (X[:, 0] > 0.5).astype(int)
MODELS: dict[str, Any] = {
    "forest": RandomForestClassifier(5, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=4, random_state=0),
    "hist": HistGradientBoostingClassifier(max_iter=4),
    "isolation": IsolationForest(n_estimators=4, random_state=0),
    "neighbors": KNeighborsClassifier(algorithm="kd_tree"),
    "svc": SVC(),
    "kmeans": KMeans(2, n_init=1, random_state=0),
    "agglomerative": AgglomerativeClustering(),
    "gaussian": GaussianProcessClassifier(),
    "bayes": GaussianNB(),
    "tsne": TSNE(max_iter=250, perplexity=5, random_state=0),
    "mlp": MLPClassifier(5, max_iter=3, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), PCA(2), KBinsDiscretizer(2), LogisticRegression()),
    "text": TfidfVectorizer(),
}
OBJECTS: dict[str, Any] = {
    "large": np.arange(crc.LARGE // 8 + 10.0),
    "values": {str(number): [number, {number}, ("x", {"y": number})] for number in range(300)},
}
COUNT = 8
ROUNDS = int(os.environ.get("SKOPSAFE_ROUNDS", "1"))
"""How often all is done; the session ``threads`` of nox does it more often."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file for every model and object."""
    folder = tmp_path_factory.mktemp("files")
    made = dict(OBJECTS)
    for name, model in MODELS.items():
        made[name] = model.fit(["one two", "two three"]) if name == "text" else model.fit(X, Y)
    for name, obj in made.items():
        skopsafe.dump(obj, folder / name)
    return {name: folder / name for name in made}


@pytest.fixture(autouse=True)
def often() -> Iterator[None]:
    """Let threads take turns after a microsecond."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
    assert gc.isenabled()


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    """Call all at once, each in a thread of its own."""
    start = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def run(code: str, *arguments: object) -> str:
    """Run code in a new process; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)],
        cwd=Path(skopsafe.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_one_object_gives_the_same_bytes_in_all_threads(files: dict[str, Path]) -> None:
    for path in [*files.values()] * ROUNDS:
        obj, content = skopsafe.load(path), path.read_bytes()
        assert together([lambda obj=obj: skopsafe.dumps(obj)] * COUNT) == [content] * COUNT  # type: ignore[misc]


def test_loads_dumps_and_audits_do_not_meet(files: dict[str, Path], tmp_path: Path) -> None:
    contents = {name: path.read_bytes() for name, path in files.items()}

    def one(number: int, name: str) -> None:
        path = files[name] if number % 3 else tmp_path / f"{name}{number}"
        obj = skopsafe.load(files[name], mmap_mode="r" if number % 2 else None)
        skopsafe.dump(obj, tmp_path / f"{name}{number}")
        assert skopsafe.audit(path).ok
        assert skopsafe.get_untrusted_types(data=contents[name]) == []
        assert skopsafe.visualize(path).lines
        assert skopsafe.dumps(skopsafe.load(path)) == contents[name]
        with pytest.raises(skopsafe.FormatError):
            skopsafe.loads(contents[name][:-30])

    names = list(files)
    together(
        [
            lambda n=number: [one(n, names[(n * 5 + turn) % len(names)]) for turn in range(5 * ROUNDS)]  # type: ignore[misc]
            for number in range(COUNT)
        ]
    )
    assert {path.read_bytes() for path in tmp_path.iterdir()} <= set(contents.values())


def test_one_open_file_is_read_by_all_threads(files: dict[str, Path]) -> None:
    """As it has a descriptor, nobody moves the place at which another reads."""
    content = files["large"].read_bytes()
    with open(files["large"], "rb") as file:
        loaded = together([lambda: skopsafe.load(file)] * COUNT)
    assert [skopsafe.dumps(found) == content for found in loaded] == [True] * COUNT


FIRST_USE = """
import os, sys, threading, traceback
sys.setswitchinterval(1e-6)
files = sys.argv[1:]
barrier, failed = threading.Barrier(len(files)), []

def work(number):
    try:
        barrier.wait()
        import skopsafe
        for path in files[number : number + 3]:
            content = open(path, "rb").read()
            assert skopsafe.audit(path).ok
            assert skopsafe.dumps(skopsafe.load(path)) == content, path
    except BaseException:
        failed.append(traceback.format_exc())

threads = [threading.Thread(target=work, args=(number,)) for number in range(len(files))]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit("\\n".join(failed) or None)
"""


def test_the_first_use_of_everything_is_by_all_threads(files: dict[str, Path]) -> None:
    """Where threads import other parts of scikit-learn, Python finds a deadlock, and one of them fails."""
    for _ in range(ROUNDS):
        run(FIRST_USE, *files.values())


REGISTER = """
import sys, threading, time, types
from skopsafe import plugins
begin = plugins.Plugins.__init__

def slowly(self):
    time.sleep(0.05)
    begin(self)

plugins.Plugins.__init__ = slowly
from skopsafe.plugin import Handler, Parts
barrier = threading.Barrier(8)

def module(number):
    made = types.ModuleType(f"lib{number}")
    made.Handler, made.Parts = Handler, Parts
    sys.modules[made.__name__] = made
    exec('''
class Thing: pass
def get(obj): return Parts((), [])
def load(names, values, context): return Thing()
handler = Handler(f"{__name__}:Thing", get, load)
''', vars(made))
    return made

def work(made):
    barrier.wait()
    import skopsafe
    skopsafe.register(made.handler)

made = [module(number) for number in range(8)]
threads = [threading.Thread(target=work, args=(one,)) for one in made]
for thread in threads: thread.start()
for thread in threads: thread.join()
import skopsafe
print(sum(skopsafe.audit(one.Thing()).ok for one in made))
"""


def test_what_all_threads_register_at_first_is_known() -> None:
    assert run(REGISTER) == "8"


FORK = """
import os, sys, threading, time
import skopsafe
from skopsafe import resolve
from skopsafe.collecting import without_collections
import gc
inside, leave = threading.Event(), threading.Event()

@without_collections
def load():
    with resolve._TURN[0]:  # as if it were importing
        inside.set()
        leave.wait()

thread = threading.Thread(target=load)
thread.start()
inside.wait()
child = os.fork()
if child == 0:
    resolve._PATIENCE = 1000
    resolve.prepare(["colorsys:rgb_to_hsv"])
    ok = gc.isenabled() and "colorsys" in sys.modules and skopsafe.loads(skopsafe.dumps([1])) == [1]
    os._exit(0 if ok else 1)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
leave.set()
thread.join()
print(code, gc.isenabled())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_process_forked_during_a_load_can_load() -> None:
    """It has neither the thread that would switch the search on again, nor the one that imports."""
    assert run(FORK) == "0 True"


def test_a_module_that_loads_while_it_is_imported_waits_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, Path]
) -> None:
    """The thread whose turn it is to import may wait for that very module."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "loads_at_import.py").write_text(
        "import threading, skopsafe\n"
        "begun, go_on = threading.Event(), threading.Event()\n"
        "import tests.test_threads as tests; tests.BEGUN.append((begun, go_on)); begun.set(); go_on.wait()\n"
        f"LOADED = skopsafe.load({str(files['values'])!r})\n"
        "class Own: pass\n"
    )
    monkeypatch.setattr(resolve, "_is_loaded", lambda module: module in ("builtins", "loads_at_import"))
    monkeypatch.setattr(resolve, "_PATIENCE", 1000)
    turn = resolve._TURN[0]
    importing = threading.Thread(target=__import__, args=("loads_at_import",))
    with turn:
        importing.start()
        while not BEGUN:
            pass
        begun, go_on = BEGUN.pop()
        begun.wait()
        go_on.set()
        importing.join(60)
    assert not importing.is_alive()
    loaded = sys.modules.pop("loads_at_import").LOADED
    assert loaded == OBJECTS["values"]


BEGUN: list[Any] = []


def test_a_library_that_another_thread_imports_just_now_has_no_types_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("polars.datatypes.classes", "pyarrow.lib", "pytz", "pytz.tzinfo"):
        monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
    assert default().by_type(type("Own", (), {})) is None


def test_answers_about_classes_are_kept_for_so_many() -> None:
    registry = default()
    for number in range(_MOST + 10):
        own = type(f"Own{number}", (), {})
        assert registry.by_type(own) is None
        assert registry.checks_of(own) == ()
        assert registry.by_name(f"own:Own{number}") is None
    for kept in (registry._by_type, registry._checks_of, registry._answers):
        assert 0 < len(kept) <= _MOST


def test_asyncio_hands_calls_to_threads(files: dict[str, Path]) -> None:
    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(asyncio.to_thread(skopsafe.load, path) for path in files.values()))

    for path, loaded in zip(files.values(), asyncio.run(all_at_once()), strict=True):
        assert skopsafe.dumps(loaded) == path.read_bytes()
