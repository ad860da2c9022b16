"""The fences of the design, read from the imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skopsafe
from skopsafe.handlers.registry import LIBRARIES

ROOT = Path(skopsafe.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

ROOMS = ("graph", "archive", "trust", "handlers")
ALLOWED = {
    "graph": {"errors", "limits", "names", "graph"},
    "archive": {"errors", "limits", "names", "graph", "archive"},
    "trust": {"errors", "limits", "names", "graph", "trust"},
    "handlers": {"errors", "limits", "names", "graph", "handlers"},
    "foreign": {"errors", "limits", "names", "graph", "archive", "foreign"},
    # Its reports are shown as text by `report`, which is imported when that happens.
    "migrate": {"errors", "limits", "names", "graph", "migrate"},
    "judge": {"errors", "limits", "names", "graph", "foreign", "trust", "judge", "report"},
    "errors.py": set(),
    "limits.py": set(),
    "names.py": set(),
}


def imports(path: Path, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_level else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_import_in_one_direction(path: Path) -> None:
    allowed = ALLOWED.get(room(path))
    used = {name.split(".")[1] for name in imports(path) if name.startswith("skopsafe.") and name.count(".")}
    if allowed is not None:
        assert used <= allowed


RUNNING = [path for path in FILES if room(path) != "testing"]
"""What a program runs that loads a file; what developers test with may do more."""


def test_nothing_that_runs_imports_what_developers_test_with() -> None:
    for path in RUNNING:
        assert not any(name.startswith("skopsafe.testing") for name in imports(path)), path


@pytest.mark.parametrize("path", RUNNING, ids=lambda p: str(p.relative_to(ROOT)))
def test_dangerous_modules_stay_in_their_place(path: Path) -> None:
    used = {name.split(".")[0] for name in imports(path)}
    assert not used & {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    source = path.read_text("utf-8")
    if path != ROOT / "resolve.py" and path != ROOT / "__init__.py":
        # For the tables themselves, and for what is installed.
        assert "importlib" not in used or path.name in ("plugins.py", "skew.py")
        assert "import_module" not in source
        assert "__import__(" not in source
    if path.name != "cli.py":
        assert "print(" not in source
    assert not used & {"zipfile", "shutil", "random"}
    assert "tempfile" not in used or path.name == "cli.py"
    assert not used & {"bz2", "lzma", "compression", "backports"} or room(path) == "archive"
    assert "eval(" not in source.replace("literal_eval(", "")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_estimator_libraries_are_imported_inside_functions(path: Path) -> None:
    top = {name.split(".")[0] for name in imports(path, top_level=True)}
    assert not top & (set(LIBRARIES) | {"pytest", "xgboost", "bz2", "lzma", "compression", "backports"})


def test_modules_stay_short() -> None:
    for path in FILES:
        assert len(path.read_text("utf-8").splitlines()) <= 350, path


def test_importing_skopsafe_imports_no_estimator_library() -> None:
    code = (
        "import sys, skopsafe, skopsafe.api; skopsafe.dumps([1]);"
        "print(sorted({'sklearn', 'scipy', 'pandas', 'pyarrow', 'polars', 'pytest'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_the_audit_makes_an_approval() -> None:
    from skopsafe.build import Builder
    from skopsafe.trust.audit import Approved

    with pytest.raises(TypeError):
        Approved()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="only the audit"):
        Builder(object(), None, None)  # type: ignore[arg-type]
    makers = [p for p in FILES if "__new__(Approved)" in p.read_text("utf-8")]
    assert [p.name for p in makers] == ["audit.py"]


def _kept(tree: ast.Module) -> list[str]:
    """Return what a module keeps between calls: functions with a cache, and containers that begin empty."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found = [f.name for f in functions if any("cache" in ast.unparse(d) for d in f.decorator_list)]
    found = [name for name in found if name != "_cells"]  # a cached property, of an object of one load
    for node in tree.body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        written = ast.unparse(node.value)
        if written in ("{}", "[]", "set()", "Plugins()") or "lock()" in written:
            found.append(ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0]))
    return found


def test_all_that_threads_share_is_in_the_design_notes() -> None:
    text = (ROOT.parent / "docs/explanation/design-notes.md").read_text("utf-8")
    told = text[text.index("## What threads share") : text.index("**Imports take turns.**")]
    found = []
    for path in RUNNING:
        tree = ast.parse(path.read_text("utf-8"))
        assert not any(isinstance(node, ast.Global) for node in ast.walk(tree)), path
        found += _kept(tree)
    assert len(found) > 15
    assert [name for name in found if not re.search(rf"[`.]{name}`", told)] == []
