"""The command `inspect`: files, folders, JSON and SARIF; and the report of `inspect_pickle`."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
from click.testing import CliRunner, Result

import skopsafe
from skopsafe.cli import main
from tests.judge.streams import call, name, stream, text

BAD = stream(call("posix:system", text("x")))
GOOD = pickle.dumps({"a": np.arange(3)})
UNSURE = stream(name("nobody", "Class") + b")\x81")


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["inspect", *map(str, args)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "good.pkl").write_bytes(GOOD)
    (tmp_path / "in" / "deep" / "bad.bin").write_bytes(BAD)
    (tmp_path / "in" / "unsure").write_bytes(UNSURE)
    (tmp_path / "in" / "README.md").write_text("(no pickle)")
    (tmp_path / "in" / "broken.pkl").write_bytes(b"hello")
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("content", "code"), [(GOOD, 0), (UNSURE, 1), (BAD, 2), (GOOD[:-1], 3), (b"hello", 3), (BAD[:-1], 2)]
)
def test_exit_codes(tmp_path: Path, content: bytes, code: int) -> None:
    (tmp_path / "x.pkl").write_bytes(content)
    for options in ([], ["--json"], ["--sarif"], ["--all"]):
        assert run(tmp_path / "x.pkl", *options).exit_code == code, options


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_is_as_bad_as_its_worst_file(folder: Path, jobs: int) -> None:
    for number in range(16):
        (folder / f"more{number}.pkl").write_bytes(GOOD)
    result = run(folder, "--jobs", str(jobs))
    assert result.exit_code == 2
    assert "20 files: 1 malicious, 1 unknown, 17 safe, 1 unreadable" in result.output
    assert "bad.bin" in result.output
    assert "README" not in result.output
    os.unlink(folder / "deep" / "bad.bin")
    assert run(folder).exit_code == 3
    os.unlink(folder / "broken.pkl")
    assert run(folder).exit_code == 1
    os.unlink(folder / "unsure")
    assert run(folder).exit_code == 0


def test_an_empty_folder_is_safe(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 0
    assert "0 files" in result.output


def test_links_are_not_followed_in_circles(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)
    assert "4 files" in run(folder).output


def test_json_has_every_operation(folder: Path) -> None:
    told = json.loads(run(folder / "deep" / "bad.bin", "--json").stdout)
    assert told["verdict"] == "malicious"
    assert [op["name"] for op in told["operations"]] == ["posix:system", "posix:system"]
    several = json.loads(run(folder, "--json").stdout)
    assert [Path(each["file"]).name for each in several] == ["broken.pkl", "bad.bin", "good.pkl", "unsure"]
    assert several[0]["verdict"] is None
    assert several[0]["error"]


def test_sarif_has_what_services_ask_for(folder: Path) -> None:
    log = json.loads(run(folder, "--sarif").stdout)
    assert log["version"] == "2.1.0"
    (found,) = log["runs"]
    rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in found["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].startswith("/")
        assert place["region"]["byteOffset"] >= 0
        assert result["message"]["text"]
    assert {result["level"] for result in found["results"]} == {"error", "note"}
    assert not found["invocations"][0]["executionSuccessful"]


def test_json_and_sarif_exclude_each_other(folder: Path) -> None:
    assert run(folder, "--sarif", "--json").exit_code == 3


def test_nothing_raw_of_a_file_is_shown(tmp_path: Path) -> None:
    evil = "\x1b[31m\u202e\n"
    path = tmp_path / "\x1b[31m.pkl"
    path.write_bytes(stream(call(f"os:sys{evil}", text(evil)), call("posix:system", text(evil))))
    for options in ([], ["--json"], ["--sarif"]):
        output = run(path, *options).output
        assert "\x1b" not in output
        assert "\u202e" not in output
    assert run(tmp_path).exit_code == 2
    assert "\x1b" not in run(tmp_path).output


@pytest.mark.parametrize("wrap", ["gzip", "zip", "joblib", "npy"])
def test_what_is_wrapped_is_judged(tmp_path: Path, wrap: str) -> None:
    for content, verdict in ((GOOD, "safe"), (BAD, "malicious")):
        path = tmp_path / "x.bin"
        obj = np.array([_Raw(content)], dtype=object)
        match wrap:
            case "gzip":
                path.write_bytes(gzip.compress(content))
            case "zip":
                with zipfile.ZipFile(path, "w") as file:
                    file.writestr("archive/data.pkl", content)
            case "joblib":
                obj = {"raw": np.arange(3), "x": _Raw(content)}
                joblib.dump(obj, path, compress=3)
            case "npy":
                with open(path, "wb") as stream_:
                    np.save(stream_, obj)
        report = skopsafe.inspect_pickle(path)
        assert report.verdict == verdict, report
        assert report.pickles >= 1


class _Raw:
    """Pickles as what another pickle makes: for those here, a call or an array."""

    def __init__(self, content: bytes) -> None:
        self.is_bad = content is BAD

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("x",)) if self.is_bad else (complex, (1, 2))


def test_files_that_are_open_are_taken() -> None:
    assert skopsafe.inspect_pickle(io.BytesIO(BAD)).exit_code == 2
    with pytest.raises(skopsafe.FormatError, match="no pickle"):
        skopsafe.inspect_pickle(io.BytesIO(b"hello"))
    with pytest.raises(skopsafe.ArgumentError):
        skopsafe.inspect_pickle(BAD)  # type: ignore[arg-type]
    with pytest.raises(skopsafe.LimitError):
        skopsafe.inspect_pickle(io.BytesIO(b"N0" * 1000 + b"N."), limits=skopsafe.Limits(opcodes=100))


def test_an_inspection_imports_nothing_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil_module.py").write_text("raise SystemExit('it was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    report = skopsafe.inspect_pickle(io.BytesIO(stream(call("evil_module:function", text("x")))))
    assert report.verdict == "unknown"


def test_a_report_can_go_to_another_process() -> None:
    # The state that is built into it is nested so deep that its records could not be pickled.
    data = b"cnobody\nClass\n)\x81" + b"N" + b"\x85" * 20_000 + b"b."
    report = skopsafe.inspect_pickle(io.BytesIO(data))
    again = pickle.loads(pickle.dumps(report))
    assert again == report
    assert again.to_dict() == report.to_dict() == report.settled().to_dict()
    assert "nobody:Class" in str(again)
