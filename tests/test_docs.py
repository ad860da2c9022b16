"""The documents tell the truth: their code runs, their commands exit as shown, their links lead somewhere.

Rules for who writes a page:

- ``python`` blocks of a page run in sequence, in one namespace and one temporary folder. A block whose first
  line is a comment with a file name, such as ``# mymodels.py``, is written to that file instead; so are
  ``toml`` blocks.
- A ``text`` or ``json`` block directly behind a ``python`` block is its output. ``...`` stands for anything.
- In ``console`` blocks, lines that begin with ``$`` run in bash, and what follows is their output. The exit
  code must be 0, or what a following ``$ echo $?`` shows. ``bash`` blocks are scripts that must succeed.
- A block that must not run has ``<!-- not run: reason -->`` on the line before it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import doctest
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import skopsafe
from skopsafe.cli import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *(p for p in sorted(DOCS.rglob("*.md")) if "_build" not in p.parts),
]
LANGUAGES = {"python", "console", "bash", "json", "toml", "text", "yaml"}
FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>[^\n`]*)\n(?P<body>.*?)^(?P=fence)[ ]*$", re.M | re.S)
MARK = re.compile(r"<!-- not run: (?P<reason>[^\n]+?) -->\s*\Z")
FILE = re.compile(r"# (?P<name>\w+\.(?:py|toml))\n")
LINK = re.compile(r"\[[^\]\n]+\]\((?P<target>[^)\s]+)\)")


@dataclasses.dataclass
class Block:
    """A fenced block of a page."""

    language: str
    body: str
    line: int
    is_directly_behind: str
    reason_not_to_run: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found: list[Block] = []
    end = 0
    for match in FENCE.finditer(text):
        between = text[end : match.start()]
        mark = MARK.search(between)
        behind = found[-1].language if found and not between.strip() else ""
        line = text.count("\n", 0, match.start()) + 2
        reason = mark["reason"] if mark else ""
        found.append(Block(match["language"].strip(), match["body"], line, behind, reason))
        end = match.end()
    return found


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


class Session:
    """Runs the blocks of one page in a folder."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.output = ""
        self.modules: list[str] = []
        tools = folder / "bin"
        tools.mkdir()
        command = tools / "skopsafe"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m skopsafe "$@"\n')
        command.chmod(0o755)
        python = Path(sys.executable).parent
        self.env = {
            **os.environ,
            "PATH": os.pathsep.join([str(tools), str(python), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
        }

    def run(self, block: Block) -> None:
        if block.is_directly_behind == "python" and block.language in ("text", "json"):
            self.compare(block.body, self.output, block.line)
        elif block.language in ("python", "toml") and (file := FILE.match(block.body)):
            (self.folder / file["name"]).write_text(block.body)
            self.modules.append(Path(file["name"]).stem)
        elif block.language == "python":
            # Line numbers of a traceback are those of the page.
            code = compile("\n" * (block.line - 1) + block.body, str(self.page), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(code, self.namespace)
            self.output = out.getvalue()
        elif block.language == "console":
            self.console(block)
        elif block.language == "bash":
            self.shell(f"set -euo pipefail\n{block.body}", 0, None, block.line)
        elif block.language == "json":
            json.loads(block.body)
        elif block.language == "toml":
            tomllib.loads(block.body)

    def console(self, block: Block) -> None:
        commands: list[tuple[str, str]] = []
        for line in block.body.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], ""))
            else:
                command, output = commands.pop()
                commands.append((command, f"{output}{line}\n"))
        for (command, output), following in zip(commands, [*commands[1:], ("", "")], strict=True):
            if command == "echo $?":
                continue
            code = int(following[1]) if following[0] == "echo $?" else 0
            self.shell(command, code, output or None, block.line)

    def shell(self, command: str, code: int, output: str | None, line: int) -> None:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, f"{shown(self.page)}:{line}: {command}\n{said}"
        if output is not None:
            self.compare(output, said, line)

    def compare(self, want: str, got: str, line: int) -> None:
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        is_equal = doctest.OutputChecker().check_output(want, got, options)
        assert is_equal, f"{shown(self.page)}:{line}: the page shows\n{want}\nand this came out:\n{got}"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    session = Session(page, tmp_path)
    try:
        for block in blocks(page):
            if not block.reason_not_to_run:
                session.run(block)
    finally:
        for module in session.modules:
            sys.modules.pop(module, None)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_block_says_what_it_is(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES or block.language.startswith("{"), f"{shown(page)}:{block.line}"


def test_only_commands_that_need_a_package_index_are_not_run() -> None:
    skipped = {page: [b.body for b in blocks(page) if b.reason_not_to_run] for page in PAGES}
    expected = ["README.md", "docs/explanation/pickles.md"]
    assert [shown(page) for page, found in skipped.items() if found] == expected
    assert skipped[DOCS / "explanation/pickles.md"] == [
        "python benchmarks/peers.py --python /path/to/venv/bin/python\n"
    ]
    for body in skipped[ROOT / "README.md"]:
        assert body.startswith("$ python3 -m venv .venv && .venv/bin/pip install -e ")


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for match in LINK.finditer(prose(page)):
        target = match["target"]
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{shown(page)}: {target}"
        assert not anchor or anchor in anchors(file), f"{shown(page)}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_pages_name_only_commands_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", FENCE.sub("", text))
    for code in (*spans, *(block.body for block in blocks(page) if block.language in ("console", "bash"))):
        for name in re.findall(r"(?:^|(?<!import)[ /])skopsafe ([a-z]+)", code, re.M):
            assert name in main.commands, f"{shown(page)}: skopsafe {name}"


def test_the_test_command_of_the_readme_is_that_of_the_integration() -> None:
    integration = (ROOT / ".ci/run").read_text("utf-8").replace('"', "").splitlines()
    assert ".venv/bin/python -m pytest -n 2" in (ROOT / "README.md").read_text("utf-8")
    assert "$newest/bin/python -m pytest -n 2" in integration
    assert "$oldest/bin/python -m pytest -n 2" in integration


def test_every_error_is_explained() -> None:
    text = (DOCS / "reference/errors.md").read_text("utf-8")
    for name in skopsafe.__all__:
        if name.endswith(("Error", "Exception", "Warning")):
            assert f"`{name}`" in text, name


def test_every_limit_is_explained_with_its_default() -> None:
    text = (DOCS / "reference/limits.md").read_text("utf-8")
    for field in dataclasses.fields(skopsafe.Limits):
        assert f"| `{field.name}` | {field.default:,} |" in text, field.name


def test_every_public_name_is_in_the_reference() -> None:
    text = "".join((DOCS / f"reference/{page}.md").read_text("utf-8") for page in ("api", "errors", "limits"))
    for name in skopsafe.__all__:
        assert f"skopsafe.{name}" in text or f"`{name}`" in text, name


def test_every_option_of_every_command_is_explained() -> None:
    text = (DOCS / "reference/cli.md").read_text("utf-8")
    for name in main.commands:
        command = main.commands[name]
        assert f"skopsafe {name}" in text, name
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert f"`{option}" in text, (name, option)


FAMILIES = {
    r"scipy\.sparse\._\w+:\w+_(matrix|array)": "scipy.sparse._csr:csr_matrix",
    r"sklearn\._loss\._loss:Cy\w+": "sklearn._loss._loss:Cy",
    r"sklearn\.linear_model\._sgd_fast:\w+": "sklearn.linear_model._sgd_fast:",
    r"sklearn\.metrics\._dist_metrics:\w+Distance(32|64)?": "sklearn.metrics._dist_metrics:",
    r"sklearn\.neighbors\._(kd|ball)_tree:(KD|Ball)Tree(32|64)?": "sklearn.neighbors._kd_tree:KDTree",
    r"pathlib:\w+": "pathlib:PurePosixPath",
}
"""Types that share a form, and the one by which the specification tells it."""


def test_the_specification_tells_the_form_of_every_handled_type() -> None:
    from skopsafe.handlers.registry import default

    text = (DOCS / "format.md").read_text("utf-8")
    for name in default().types:
        told = next((told for family, told in FAMILIES.items() if re.fullmatch(family, name)), name)
        assert told in text, name


def test_the_page_of_trusted_names_is_what_the_tables_give() -> None:
    spec = importlib.util.spec_from_file_location("make_trusted", DOCS / "make_trusted.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = (DOCS / "reference/trusted.md").read_text("utf-8")
    assert found == module.page(), "stale: run python docs/make_trusted.py"


def test_the_page_on_performance_has_a_place_for_every_table() -> None:
    from benchmarks.sections import SECTIONS

    text = (DOCS / "explanation/performance.md").read_text("utf-8")
    names = ["machine", *(section.__name__ for sections in SECTIONS.values() for section in sections)]
    assert re.findall(r"<!-- begin (\w+) -->", text) == re.findall(r"<!-- end (\w+) -->", text)
    assert sorted(re.findall(r"<!-- begin (\w+) -->", text)) == sorted(names)
