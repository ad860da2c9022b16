"""Hostile values in models do no harm; the whole of it is a session of nox, here is a part."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, and forks")

_PROBE = """
import json
from unittest import mock
from skopsafe.handlers import generic_load, protocols
from skopsafe.trust import values
from tests.gadgets import probe

print(json.dumps(dict(probe.probe("tests.gadgets.few", [], every=31))))

every = probe.variants

def wanted(model):
    for what, make in every(model):
        if what.endswith(("__doc_link_template", "importance_getter = private", "token_pattern = pattern")):
            yield what, make

generic_load.slots_to_set.cache_clear()
with (
    mock.patch.object(values, "is_safe", return_value=True),
    mock.patch.object(generic_load, "replaces", return_value=None),
    mock.patch.object(protocols, "claim", return_value=None),
    mock.patch.object(probe, "variants", wanted),
    mock.patch.object(probe, "SECONDS", 2),
):
    print(json.dumps(dict(probe.probe("tests.gadgets.few", ["texts", "selected"]))))
"""

Endings = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def endings() -> list[Endings]:
    """Return the endings with all checks, and some without."""
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()[-2:]]


def test_no_hostile_value_does_harm(endings: list[Endings]) -> None:
    found = endings[0]
    ends = [(f"{name}: {what}", end) for name, variants in found.items() for what, end in variants.items()]
    assert len(ends) > 30
    assert {"loaded", "needs approval", "refused"} <= {end for _, end in ends}
    assert not [end for end in ends if end[1] not in ("loaded", "needs approval", "refused", "not dumped")]


def test_harm_would_be_seen(endings: list[Endings]) -> None:
    """The same without some of the checks."""
    found = endings[1]
    assert any(end == "died: SIGALRM" for what, end in found["texts"].items() if "token_pattern" in what)
    pages = [end for what, end in found["texts"].items() if "__doc_link_template" in what]
    assert any(end.startswith("effect: page a href=javascript:") for end in pages)
    assert set(found["selected"].values()) >= {"needs approval"}
