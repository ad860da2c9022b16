"""Pickles of polars become the files that the objects would be saved as; polars is not imported for it."""

from __future__ import annotations

import contextlib
import io
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pl = pytest.importorskip("polars", minversion="1.32")

import skopsafe  # noqa: E402
from tests.convert.converting import content, converted  # noqa: E402
from tests.handlers.test_polars import SERIES, testing  # noqa: E402

GOLDEN = Path(__file__).parent.parent / "golden/polars"
REFUSED = ("skopsafe", "Map")
"""Categories with a name, and maps, which polars has since 2.0."""
CONVERTED = [name for name in SERIES if not any(word in name for word in (*REFUSED, "shape=(0,)"))]
"""Arrays of width 0 polars itself cannot unpickle."""


def through(obj: Any) -> Any:
    """Convert the pickles of an object, require the bytes in which it is saved, and load the file."""
    data = b""
    for protocol in (2, 5):
        pickled = pickle.dumps(obj, protocol)
        data = converted(pickled)
        assert content(data) == content(skopsafe.dumps(pickle.loads(pickled))), protocol
    assert skopsafe.get_untrusted_types(data=data) == []
    return skopsafe.loads(data)


@pytest.mark.parametrize("name", CONVERTED)
def test_a_series_is_converted(name: str) -> None:
    series = SERIES[name]
    for part in (series, series[1:], series[:0], series.drop_nulls()):
        found = through(part)
        assert found.dtype == part.dtype
        testing.assert_series_equal(found, part, check_exact=True)


@pytest.mark.parametrize("name", [name for name in SERIES if any(word in name for word in REFUSED)])
def test_what_has_no_rule_is_refused(name: str) -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match=r"Series is not in the form.*save the object"):
        converted(pickle.dumps(SERIES[name]))


def test_a_frame_is_converted() -> None:
    columns = [SERIES[name].alias(name) for name in CONVERTED if len(SERIES[name]) == 3]
    frame = pl.concat([pl.DataFrame(columns), pl.DataFrame(columns)[1:]], rechunk=False)
    testing.assert_frame_equal(through(frame), frame, check_exact=True)
    assert through(pl.DataFrame()).shape == (0, 0)


@pytest.mark.parametrize("obj", [pl.LazyFrame({"a": [1]}), pl.col("a") + 1], ids=["frame", "expression"])
def test_a_plan_is_refused(obj: Any) -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match=r"a plan, which opens files.*save what it gives"):
        converted(pickle.dumps(obj))


def test_what_1_32_wrote_is_converted_without_polars(tmp_path: Path) -> None:
    source, target = GOLDEN / "1.32.0.pkl", tmp_path / "frame.skops"
    code = (
        "import sys, skopsafe; audit = skopsafe.convert(sys.argv[1], sys.argv[2]);"
        "print(audit.ok, {'polars', 'pyarrow'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True set()"
    testing.assert_frame_equal(skopsafe.load(target), pickle.loads(source.read_bytes()), check_exact=True)


def test_no_change_of_the_bytes_ends_but_in_a_file_or_an_error() -> None:
    data, rng, made = (GOLDEN / "1.32.0.pkl").read_bytes(), random.Random(0), 0
    for _ in range(600):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4))):
            place = rng.randrange(60, len(data) - 4)
            changed[place : place + 4] = rng.choice((rng.randbytes(4), b"\xff" * 4, b"\0\0\0\x7f", bytes(4)))
        try:
            file = converted(bytes(changed[: len(data)]))
        except skopsafe.SkopsafeError:
            continue
        made += 1
        with contextlib.suppress(skopsafe.SkopsafeError):
            assert len(str(skopsafe.loads(file))) > 0
    assert 60 < made < 540


class _Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> Any:
        return exec, (f"open({self.marker!r}, 'w')",)

    def __call__(self, series: Any) -> Any:
        return series


def test_a_plan_is_not_safe_as_it_may_hold_a_pickle(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    plan = pl.LazyFrame({"a": [1]}).select(pl.col("a").map_batches(_Payload(marker), return_dtype=pl.Int64))
    for obj in (plan, pl.col("a").map_batches(_Payload(marker))):
        report = skopsafe.inspect_pickle(io.BytesIO(pickle.dumps(obj)))
        assert report.verdict == "suspicious"
        assert "is a plan: functions in it are unpickled" in report.reasons[0]
    assert not marker.exists()
    with contextlib.suppress(Exception):
        pickle.loads(pickle.dumps(plan)).collect()
    assert marker.exists()
