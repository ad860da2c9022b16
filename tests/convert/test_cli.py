"""The command that converts."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from click.testing import CliRunner

import skopsafe
from skopsafe.cli import main


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (pickle.dumps([1]), 0, "1 converted"),
        (b"cmodule\nClass\n)\x81.", 1, "needs approval: module.Class"),
        (b"cos\nsystem\n(S'true'\ntR.", 2, "can never be approved"),
        (b"nothing", 3, "no pickle"),
    ],
)
def test_the_exit_code_says_what_became_of_a_pickle(
    data: bytes, code: int, told: str, tmp_path: Path
) -> None:
    source = tmp_path / "a.pkl"
    source.write_bytes(data)
    done = CliRunner().invoke(main, ["convert", str(source), str(tmp_path / "a.skops")])
    assert done.exit_code == code
    assert told in done.output
    assert (tmp_path / "a.skops").exists() == (code < 2)


def test_a_folder_gives_a_line_for_each_file(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/a.pkl").write_bytes(pickle.dumps([1]))
    (tmp_path / "old/\x1b[31m.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    arguments = ["convert", str(tmp_path / "old"), str(tmp_path / "new")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "1 converted, 0 to approve, 1 not converted" in done.output
    assert "\x1b" not in done.output
    lines = CliRunner().invoke(main, [*arguments, "--json"]).output.splitlines()
    assert {json.loads(line)["error"] == "" for line in lines} == {True, False}
    assert skopsafe.load(tmp_path / "new/a.skops") == [1]
