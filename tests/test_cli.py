"""The commands: exit codes, JSON, the demo, the tree, and what must never reach a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import skopsafe
from skopsafe import demo
from skopsafe.archive import schema
from skopsafe.archive.arrays import Collector
from skopsafe.cli import main
from skopsafe.errors import escape
from skopsafe.graph.document import Document, Run, Shape, TypeRow
from skopsafe.report.text import tree
from skopsafe.testing.crafted import changed

ESCAPE = "\x1b[31mred\x07\u202e"


class Own:
    """A class that no table knows."""

    def __init__(self) -> None:
        self.number = 1


def run(*args: Any) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def write(path: Path, types: list[tuple[str, str]], shapes: list[Any], runs: list[Any], root: Any) -> Path:
    with path.open("wb") as file:
        rows = [TypeRow(*row) for row in types]
        schema.write(
            file,
            Collector(),
            rows,
            [Shape(*s) for s in shapes],
            [Run(*run) for run in runs],
            root,
            {"skopsafe": "0"},
            0,
            None,
        )
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.skops"
    skopsafe.dump({"a": [1, 2]}, path)
    return path


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    path = tmp_path / "unknown.skops"
    skopsafe.dump([Own()], path)
    return path


@pytest.fixture
def attack(tmp_path: Path) -> Path:
    path = tmp_path / "attack.skops"
    demo.write_attack(path, "exit 1")
    return path


def test_audit_exits_with_0_when_nothing_needs_approval(plain: Path) -> None:
    result = run("audit", plain)
    assert result.exit_code == 0
    assert "0 to approve" in result.output


def test_audit_exits_with_0_for_a_fitted_pipeline(tmp_path: Path) -> None:
    model, _ = demo.train()
    skopsafe.dump(model, tmp_path / "model.skops")
    result = run("audit", tmp_path / "model.skops")
    assert result.exit_code == 0, result.output


def test_audit_exits_with_1_when_a_name_needs_approval(unknown: Path) -> None:
    result = run("audit", unknown)
    assert result.exit_code == 1
    assert f"{__name__}.Own" in result.output


def test_audit_exits_with_2_when_a_name_is_denied(attack: Path) -> None:
    result = run("audit", attack)
    assert result.exit_code == 2
    assert "os.system" in result.output


@pytest.mark.parametrize("content", [b"", b"no zip", b"\x80\x04K\x01.", b"PK\3\4" + bytes(40)])
@pytest.mark.parametrize("command", ["audit", "visualize"])
def test_unreadable_files_exit_with_3(tmp_path: Path, command: str, content: bytes) -> None:
    path = tmp_path / "bad.skops"
    path.write_bytes(content)
    result = run(command, path)
    assert result.exit_code == 3
    assert "Error: " in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["audit", "visualize"])
def test_a_missing_file_exits_with_3(tmp_path: Path, command: str) -> None:
    assert run(command, tmp_path / "missing").exit_code == 3
    assert run(command, tmp_path).exit_code == 3


@pytest.mark.parametrize("args", [["audit"], ["audit", "--nonsense", "x"], ["nonsense"], ["--nonsense"]])
def test_wrong_usage_does_not_look_like_a_denied_file(args: list[str]) -> None:
    assert run(*args).exit_code == 3


def test_json_holds_the_whole_audit(unknown: Path) -> None:
    result = run("audit", unknown, "--json")
    assert result.exit_code == 1
    assert json.loads(result.output) == skopsafe.audit(unknown).to_dict()


def test_json_of_an_unreadable_file_is_json_too(tmp_path: Path) -> None:
    result = run("audit", "--json", tmp_path / "missing")
    assert result.exit_code == 3
    found = json.loads(result.output)
    assert found["ok"] is False
    assert found["error"] == "MissingFileError"


def test_the_demo_shows_a_round_trip_and_a_refusal() -> None:
    result = run("demo")
    assert result.exit_code == 0, result.output
    assert "0 to approve" in result.output
    assert "all equal" in result.output
    assert result.output.count("DeniedTypeError") == 2
    assert "the command never ran" in result.output


def test_the_module_can_be_run(attack: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "skopsafe", "audit", attack], capture_output=True, check=False
    )
    assert found.returncode == 2


def test_visualize_marks_what_needs_approval(unknown: Path, attack: Path) -> None:
    assert "Own [needs approval]" in run("visualize", unknown).output
    assert "call of os.system [denied]" in run("visualize", attack).output


def test_visualize_draws_keys_and_values(plain: Path) -> None:
    assert run("visualize", plain).output.splitlines() == [
        "builtins.dict",
        "└─ 'a': builtins.list (2)",
        "   ├─ 1",
        "   └─ 2",
    ]


def test_visualize_falls_back_to_ascii(plain: Path) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "skopsafe", "visualize", plain]
    found = subprocess.run(command, capture_output=True, check=True, env=env, text=True)
    assert "`- 'a'" in found.stdout


def test_visualize_shows_sharing_and_cycles_as_references(tmp_path: Path) -> None:
    shared = [1]
    loop: list[Any] = [shared, shared]
    loop.append(loop)
    skopsafe.dump(loop, tmp_path / "loop.skops")
    lines = run("visualize", tmp_path / "loop.skops").output.splitlines()
    assert lines[0] == "builtins.list (3) #1"
    assert lines[1:] == ["├─ builtins.list (1) #0", "│  └─ 1", "├─ -> #0", "└─ -> #1"]


def test_visualize_is_bounded_in_depth_width_and_lines(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep]
    path = tmp_path / "deep.skops"
    skopsafe.dump([deep, list(range(1000))], path)
    assert "... deeper" in run("visualize", path, "--depth", 3).output
    assert "... 997 more" in run("visualize", path, "--width", 3).output
    assert run("visualize", path, "--lines", 5).output.splitlines()[5:] == ["... more than 5 lines"]
    assert run("visualize", path, "--depth", 15_000, "--lines", 15_000).exit_code == 0


def test_no_control_character_of_the_file_reaches_the_terminal(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.skops",
        [("builtins:dict", "class"), ("somewhere:Thing", "class")],
        [(0, None), (1, (ESCAPE, f"b\n{ESCAPE}"))],
        [(1, 1, [ESCAPE, "\x9b2J\r"]), (0, 1, [[ESCAPE, [0]]])],
        [1],
    )
    for args in (["visualize"], ["audit"], ["audit", "--json"]):
        result = run(*args, path)
        assert not set(result.output) & set("\x1b\x07\x9b\r\u202e"), args
    assert "\\x1b[31mred\\x07\\u202e" in run("visualize", path).output


def test_no_control_character_reaches_the_terminal_by_an_error(tmp_path: Path) -> None:
    result = run("visualize", tmp_path / f"missing{ESCAPE}")
    assert result.exit_code == 3
    assert not set(result.output) & set("\x1b\x07\u202e")


def test_escape_leaves_printable_text_alone() -> None:
    assert escape("größe 大小") == "größe 大小"


def test_a_long_text_is_cut() -> None:
    def no_array(index: int) -> Any:
        raise AssertionError(index)

    document = Document([], [], [], 0, "x" * 1000, {}, no_array)
    (line,) = tree(document)
    assert len(line) < 100
    assert "1000 characters" in line


def test_no_control_character_of_the_file_is_in_an_error() -> None:
    data = changed([1], lambda schema: schema.update({ESCAPE: 1}))
    with pytest.raises(skopsafe.FormatError) as caught:
        skopsafe.loads(data)
    assert "x1b[31mred" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_notebook_shows_no_markup_of_the_file(tmp_path: Path) -> None:
    skopsafe.dump([Own()], tmp_path / "x.skops")
    shown = skopsafe.audit(tmp_path / "x.skops")._repr_html_()
    assert shown.startswith("<pre>")
    assert f"{__name__}.Own" in shown
    path = write(
        tmp_path / "y.skops", [("builtins:list", "class")], [(0, None)], [(0, 1, [["<b>x</b>"]])], [0]
    )
    assert "<b>" not in skopsafe.visualize(path)._repr_html_()
