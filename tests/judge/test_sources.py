"""Names are followed through the source of modules, and no module is imported or run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from skopsafe.judge.sources import Sources

FILES = {
    "pkg/__init__.py": "raise SystemExit('it was run')\nfrom .inner import run as go\nfrom . import inner\n",
    "pkg/inner.py": "import os\nimport os.path as p\nfrom subprocess import *\nrun = os.system\n",
    "pkg/more.py": (
        "try:\n    from os import popen as first\nexcept ImportError:\n    first = None\n"
        "if True:\n    import shutil as second\n"
        "def third(x):\n    return helper(x)\ndef helper(x):\n    return eval(x)\n"
        "class Fourth:\n    def __init__(self):\n        from os import system\n        exec('x')\n"
        "loop = pool\npool = loop\nnumber = 3\n"
    ),
    "pkg/broken.py": "def (:\n",
    "pkg/deep.py": f"x = {'(' * 5000}1{')' * 5000}\n",
    "pkg/stars.py": "from pkg.inner import *\n",
}


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    (tmp_path / "pkg").mkdir()
    for path, content in FILES.items():
        (tmp_path / path).write_text(content)
    (tmp_path / "pkg" / "fast.cpython-311-x86_64-linux-gnu.so").write_bytes(b"")
    return Sources([str(tmp_path), *sys.path])


@pytest.mark.parametrize(
    ("module", "name", "last", "kind"),
    [
        ("pkg", "go", "os:system", "function"),
        ("pkg", "inner.os.system", "os:system", "function"),
        ("pkg.inner", "p", "os.path:", "module"),
        ("pkg.inner", "Popen", "subprocess:Popen", "class"),
        ("pkg.more", "first", "os:popen", "function"),
        ("pkg.more", "second.rmtree", "shutil:rmtree", "function"),
        ("pkg.more", "number", "pkg.more:number", "value"),
        ("pkg.more", "loop", "pkg.more:pool", "missing"),
        ("pkg.more", "absent", "pkg.more:absent", "missing"),
        ("pkg.stars", "run", "os:system", "function"),
        ("pkg.fast", "x", "pkg.fast:x", "compiled"),
        ("pkg.broken", "x", "pkg.broken:x", "missing"),
        ("pkg.deep", "x", "pkg.deep:x", "missing"),
        ("nowhere", "x", "nowhere:x", "missing"),
        ("pkg...", "x", "pkg...:x", "missing"),
        ("../pkg", "x", "../pkg:x", "missing"),
        ("sys", "settrace", "sys:settrace", "compiled"),
    ],
)
def test_names_are_followed(sources: Sources, module: str, name: str, last: str, kind: str) -> None:
    before = set(sys.modules)
    found = sources.meaning(module, name)
    if last not in ("os:system", "os:popen"):  # of which os has several, in source and compiled
        assert found.kind == kind
    assert last in found.names
    assert not {module for module in set(sys.modules) - before if module.startswith("pkg")}


def test_what_functions_call_is_told(sources: Sources) -> None:
    assert "builtins:eval" in sources.meaning("pkg.more", "third").calls
    assert "builtins:exec" in sources.meaning("pkg.more", "Fourth").calls


def test_an_error_of_syntax_opens_nothing_else(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    is_watching = True
    sys.addaudithook(
        lambda event, args: opened.append(str(args[0])) if is_watching and event == "open" else None
    )
    monkeypatch.chdir(tmp_path)
    sources.meaning("pkg.broken", "x")
    sources.meaning("pkg.deep", "x")
    is_watching = False
    assert opened
    assert all(path.startswith(str(tmp_path)) for path in opened), opened
