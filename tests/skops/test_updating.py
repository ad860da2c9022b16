"""``update``: old files to files of today, without a grant of trust."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skopsafe
from skopsafe.cli import main
from tests.attacks.skops_files import file, items, node, value
from tests.skops import golden, own

X = np.arange(40.0).reshape(20, 2)
DENIED = file(node("ConstructorFromReduceNode", "builtins", "eval", content=items("tuple", value("1"))))


def run(*args: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["update", *map(str, args)])
    return done.exit_code, done.output


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.skops"
    path.write_bytes(golden.of("0.3")[1]["value-dict"])
    return path


def test_a_file_of_skops_becomes_one_of_today(old: Path, tmp_path: Path) -> None:
    audit = skopsafe.update(old, tmp_path / "new.skops")
    assert audit.ok
    new = (tmp_path / "new.skops").read_bytes()
    assert skopsafe.loads(new) == skopsafe.load(old) == {"a": 1, "b": {"c": [1, 2]}, "d": ()}
    assert skopsafe.audit(new).writer["skops"] == "0.3.0"
    assert skopsafe.audit(new).writer["skopsafe"] == skopsafe.__version__


def test_the_command_replaces_a_file_or_writes_another(old: Path, tmp_path: Path) -> None:
    before = old.read_bytes()
    assert run(old) == (0, f"{old}: was written by skops 0.3.0; give --output or --inplace to update it\n")
    assert old.read_bytes() == before
    assert run(old, "-o", tmp_path / "new.skops") == (0, f"{old}: was written by skops 0.3.0; updated\n")
    assert run(old, "--inplace", "--compression", "deflate")[0] == 0
    assert old.read_bytes() != before
    assert skopsafe.load(old) == skopsafe.load(tmp_path / "new.skops")
    assert run(old) == (0, f"{old}: is of today's protocol\n")


def test_a_file_of_today_is_copied_as_it_is(tmp_path: Path) -> None:
    skopsafe.dump(StandardScaler().fit(X), tmp_path / "a.skops")
    skopsafe.update(tmp_path / "a.skops", tmp_path / "b.skops")
    assert (tmp_path / "b.skops").read_bytes() == (tmp_path / "a.skops").read_bytes()
    skopsafe.update(tmp_path / "a.skops", tmp_path / "a.skops")
    assert (tmp_path / "b.skops").read_bytes() == (tmp_path / "a.skops").read_bytes()


def test_what_needs_approval_needs_it_still(tmp_path: Path) -> None:
    skops = pytest.importorskip("skops.io")
    path = tmp_path / "old.skops"
    skops.dump(FunctionTransformer(own.double), path)
    assert run(path, "--inplace")[0] == 1
    assert skopsafe.get_untrusted_types(path) == ["tests.skops.own.double"]
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.load(path)


@pytest.mark.parametrize(("data", "code"), [(DENIED, 2), (b"no zip", 3), (b"\x80\4N.", 3)], ids=range(3))
def test_what_cannot_be_updated_stays(data: bytes, code: int, tmp_path: Path) -> None:
    path, new = tmp_path / "old.skops", tmp_path / "new.skops"
    path.write_bytes(data)
    assert run(path, "-o", new)[0] == code
    assert run(path, "--inplace")[0] == code
    assert path.read_bytes() == data
    assert not new.exists()
    with pytest.raises(skopsafe.SkopsafeError):
        skopsafe.update(io.BytesIO(data), new)


def test_one_target_is_given(old: Path) -> None:
    code, output = run(old, "-o", "new.skops", "--inplace")
    assert code == 3
    assert "not both" in output
