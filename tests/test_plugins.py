"""The door for other packages: what they can bring along, and for which names they can never speak."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import skopsafe
from skopsafe import api
from skopsafe.plugin import Handler, Library
from skopsafe.plugins import Plugins
from skopsafe.testing.crafted import call, changed, forged
from tests.attacks.skops_files import file, instance, items, mapping, value
from tests.plugin_types import DIAL, TABLE, Dial, Holder, check_holder

EXAMPLE = Path(__file__).parent.parent / "examples" / "plugin"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(api, "_PLUGINS", Plugins())
    caches = (api._registry, api._tables)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "ownlib"]:
        del sys.modules[name]


def refused(match: str, *handlers: Handler, **rest: Any) -> None:
    with pytest.raises(skopsafe.PluginError, match=match):
        skopsafe.register(*handlers, **rest)


def of(type_name: str) -> Handler:
    return dataclasses.replace(DIAL, type=type_name)


def test_a_registered_type_loads_with_nothing_to_approve() -> None:
    data = skopsafe.dumps(Dial(3))
    assert skopsafe.get_untrusted_types(data=data) == ["tests.plugin_types.Dial"]
    skopsafe.register(DIAL)
    data = skopsafe.dumps(Dial(3))
    assert skopsafe.get_untrusted_types(data=data) == []
    assert skopsafe.loads(data) == Dial(3)


def test_its_loader_validates() -> None:
    skopsafe.register(DIAL)
    with pytest.raises(skopsafe.ValidationError, match=r"Dial\.value"):
        skopsafe.loads(forged(Dial(3), DIAL.type, value=lambda old: 10))


def test_it_reads_its_own_form_and_not_that_of_skops() -> None:
    """Plugins are for what `dump` writes: skops takes the same object apart in another way."""
    state = items("tuple", value(None), mapping({"_value": value(3)}))
    data = file(instance("tests.plugin_types", "Dial", state))
    assert skopsafe.loads(data, trusted=["tests.plugin_types.Dial"]) == Dial(3)
    skopsafe.register(DIAL)
    with pytest.raises(skopsafe.ValidationError, match="unknown form"):
        skopsafe.loads(data)


def test_a_table_and_checks_come_with_it() -> None:
    skopsafe.register(DIAL, table=TABLE, checks={"tests.plugin_types:Holder": check_holder})
    found = skopsafe.loads(skopsafe.dumps(Holder(Dial(1))))
    assert found.dial == Dial(1)
    with pytest.raises(skopsafe.ValidationError, match=r"Holder\.dial"):
        skopsafe.loads(skopsafe.dumps(Holder([1])))
    data = skopsafe.dumps(Holder(Dial(1), "<b>"))
    assert skopsafe.get_untrusted_types(data=data) == ["tests.plugin_types.Holder:note"]


def test_the_audit_says_who_vouches(tmp_path: Path) -> None:
    skopsafe.register(DIAL)
    skopsafe.dump([Dial(1), {}], tmp_path / "m.skops")
    report = skopsafe.audit(tmp_path / "m.skops")
    by = {entry.name: entry.by for entry in report.entries}
    assert by == {
        "tests.plugin_types.Dial": "tests (registered)",
        "builtins.list": "skopsafe",
        "builtins.dict": "skopsafe",
    }
    assert "says the plugin of tests (registered)" in str(report)
    assert report.to_dict()["entries"][-1]["by"] == "tests (registered)"


def test_a_policy_says_whose_plugins_may_vouch(tmp_path: Path) -> None:
    skopsafe.register(DIAL)
    path, policy = tmp_path / "m.skops", tmp_path / "policy.toml"
    skopsafe.dump(Dial(1), path)
    policy.write_text('plugins = ["tests"]\n', "utf-8")
    assert skopsafe.load(path, policy=policy) == Dial(1)
    policy.write_text("plugins = []\n", "utf-8")
    with pytest.raises(skopsafe.UntrustedTypesFoundException, match=r"tests\.plugin_types\.Dial"):
        skopsafe.load(path, policy=policy)
    assert skopsafe.load(path, ["tests.plugin_types.Dial"], policy=policy) == Dial(1)


@pytest.mark.parametrize(
    "name",
    ["sklearn.linear_model._ridge:Ridge", "numpy:ndarray", "builtins:dict", "os:stat_result", "skopsafe:x.X"],
)
def test_nobody_speaks_for_python_or_for_what_skopsafe_knows(name: str) -> None:
    refused("cannot be registered for", of(name))


def test_a_function_cannot_speak_for_the_types_of_another_package() -> None:
    refused("a function of tests cannot speak for the types of click", of("click.core:Group"))
    refused(
        "a function of tests cannot speak for the types of click",
        _disguised("click.core:Group"),
        checks={"click.core:Command": check_holder},
    )


def _disguised(type_name: str) -> Handler:
    """Return a handler whose functions claim to be of the package of the type."""
    home = type_name.partition(":")[0]

    def get(obj: Any) -> Any:
        return DIAL.get(obj)

    def load(names: Any, values: Any, context: Any) -> Any:
        return DIAL.load(names, values, context)

    get.__module__ = load.__module__ = home
    return Handler(type_name, get, load)


def test_a_plugin_cannot_lower_the_floor() -> None:
    skopsafe.register(_disguised("dill._dill:load"))
    report = api.audit(api.bytes_stream(call("dill._dill:load", "class")))
    assert report.denied == ["dill._dill.load"]
    with pytest.raises(skopsafe.DeniedTypeError):
        skopsafe.loads(call("dill._dill:load", "class"), trusted=["dill._dill.load"])


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (TABLE.replace('module = "tests.plugin_types"', 'module = "click.core"'), "which is not of tests"),
        (TABLE.replace('["tests.plugin_types:Holder"]', '["sklearn.svm._classes:SVC"]'), "which is not of"),
        ('handles = ["click.core:Group"]', "which is not of tests"),
        ('handles = ["no name"]', "is not a name of the form"),
        (TABLE.replace('reason = "holds what it is given"', 'reason = " "'), "gives no reason"),
        (TABLE.replace('reason = "holds what it is given"', ""), "not in the form of a table"),
        ("handles = [", "not in the form of a table"),
        ("reviewed = 5", "not in the form of a table"),
        ("denied = []", "keys that a table does not have"),
    ],
)
def test_a_table_is_checked(table: str, reason: str) -> None:
    refused(reason, DIAL, table=table)


def test_register_takes_handlers_of_one_package() -> None:
    refused("at least one Handler")
    refused("at least one Handler", "tests.plugin_types:Dial")  # type: ignore[arg-type]
    refused("cannot be registered for other, tests", DIAL, of("other.module:Type"))


# Plugins of installed distributions.


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example as its users would, into a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--target", str(folder), str(EXAMPLE)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def python(installed: Path, *arguments: str) -> str:
    environment = os.environ | {
        "PYTHONPATH": f"{installed}{os.pathsep}{Path(skopsafe.__file__).parent.parent}"
    }
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_passes_the_conformance_suite(installed: Path) -> None:
    out = python(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests"))
    assert "18 passed" in out


_SAVE = """
import sys
sys.path.insert(0, sys.argv[1])
import family, skopsafe
skopsafe.dump(family.MODELS["fitted"]()[0], sys.argv[2])
"""
_AUDIT = """
import sys, skopsafe
print({entry.name: entry.by for entry in skopsafe.audit(sys.argv[1]).entries}["codebook.Codebook"])
print("codebook" in sys.modules, type(skopsafe.load(sys.argv[1])).__name__, "codebook" in sys.modules)
"""


def test_an_installed_plugin_vouches_without_being_imported(installed: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.skops"
    python(installed, "-c", _SAVE, str(EXAMPLE / "tests"), str(path))
    assert python(installed, "-c", _AUDIT, str(path)).split() == [
        "codebook",
        "1.0.0",
        "False",
        "Codebook",
        "True",
    ]
    # Where the plugin is not installed its names are unknown again.
    assert "codebook.Codebook" in skopsafe.get_untrusted_types(path)


def plugin(folder: Path, top: str, table: str, *, point: str = "", owner: str = "", name: str = "") -> None:
    """Lay out an installed distribution with a package and an entry point."""
    (folder / top).mkdir(parents=True, exist_ok=True)
    (folder / top / "__init__.py").write_text("", "utf-8")
    (folder / top / "skopsafe.toml").write_text(table, "utf-8")
    source = "from skopsafe.plugin import Library\nLIBRARY = Library()\nOTHER = 5\n"
    (folder / top / "support.py").write_text(source, "utf-8")
    name = name or f"dist_{top}"
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n", "utf-8")
    entry = f"[skopsafe.handlers]\n{top} = {point or top + '.support:LIBRARY'}\n"
    (info / "entry_points.txt").write_text(entry, "utf-8")
    (info / "RECORD").write_text(f"{owner or top}/__init__.py,,\n", "utf-8")


def reviewed(top: str) -> str:
    return f'[[reviewed]]\nmodule = "{top}"\nreason = "a test"\nclasses = ["A"]\n'


def test_a_plugin_may_be_a_table_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(tmp_path, "ownlib", reviewed("ownlib"))
    monkeypatch.syspath_prepend(tmp_path)
    table = Plugins().table("ownlib")
    assert table is not None
    assert table.by == "dist_ownlib 1"
    assert table.reviewed["class"] == {"ownlib:A": "a test"}
    assert "ownlib" not in sys.modules
    assert Plugins().library("ownlib") == Library()


@pytest.mark.parametrize(
    ("layout", "match"),
    [
        ({"table": reviewed("ownlib"), "owner": "another"}, "did not install ownlib"),
        ({"table": reviewed("click")}, "which is not of ownlib"),
        ({"table": 'handles = ["ownlib:A"]'}, "differ"),
        ({"table": "", "point": "ownlib.support:OTHER"}, r"no skopsafe\.plugin\.Library"),
        ({"table": "", "point": "ownlib.support:MISSING"}, "cannot be imported"),
        ({"table": "", "point": "ownlib.missing:X"}, "cannot be imported"),
    ],
)
def test_a_plugin_that_is_not_in_order_is_an_error(
    layout: dict[str, str], match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, "ownlib", **layout)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(skopsafe.PluginError, match=match):
        Plugins().library("ownlib")


def test_a_plugin_needs_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(tmp_path, "ownlib", "")
    (tmp_path / "ownlib" / "skopsafe.toml").unlink()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(skopsafe.PluginError, match="cannot be read"):
        Plugins().table("ownlib")


def test_two_distributions_cannot_speak_for_one_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, "ownlib", reviewed("ownlib"))
    plugin(tmp_path, "ownlib", reviewed("ownlib"), name="mallory")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(skopsafe.PluginError, match="several distributions"):
        Plugins().table("ownlib")


@pytest.mark.parametrize("top", ["sklearn", "json", "numpy", "skopsafe"])
def test_an_entry_point_for_what_skopsafe_knows_is_not_looked_at(
    top: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, top, reviewed(top))
    monkeypatch.syspath_prepend(tmp_path)
    assert Plugins().table(top) is None
    assert Plugins().library(top) is None


@pytest.mark.parametrize("top", ["builtins", "datetime", "numpy", "sklearn"])
def test_what_is_installed_is_not_searched_for_what_no_plugin_may_speak_for(
    top: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(**_: Any) -> Any:
        raise AssertionError("searched")

    monkeypatch.setattr("importlib.metadata.entry_points", search)
    assert Plugins().table(top) is None
    assert Plugins().library(top) is None
    with pytest.raises(AssertionError, match="searched"):
        Plugins().table("ownlib")


def test_a_file_cannot_grant_trust_through_a_plugin() -> None:
    data = changed([1], lambda schema: schema.update(plugins=["tests"], handles=["tests.plugin_types:Dial"]))
    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(data)
