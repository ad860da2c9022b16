"""Names by which published attacks got past lists of what is denied, or that are not what they seem."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from sklearn.feature_selection import SelectFromModel
from sklearn.feature_selection._base import _get_feature_importances
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import skopsafe
from skopsafe import names
from skopsafe.testing.crafted import call, changed
from tests.attacks.published import needs, renamed
from tests.attacks.published_names import PUBLISHED

GETTERS = ("operator:attrgetter", "operator:itemgetter", "operator:methodcaller")
"""Instances of these can be approved; their loader has seen to what is in them."""


@pytest.mark.parametrize("role", ["call", "value", "class"])
def test_names_of_published_bypasses_are_on_the_floor(role: str) -> None:
    for name in PUBLISHED:
        data = call(name, role, "a text")
        spelled = names.spell(name)
        assert skopsafe.get_untrusted_types(data=data) == [spelled]
        if role == "class" and name in GETTERS:
            with pytest.raises(skopsafe.FormatError):
                skopsafe.loads(data, trusted=[spelled])
            continue
        with pytest.raises(skopsafe.DeniedTypeError) as caught:
            skopsafe.loads(data, trusted=[spelled])
        assert caught.value.types == [spelled]


@pytest.mark.parametrize(
    "name",
    [
        "joblib.memory:Memory",
        "joblib.memory:MemorizedFunc",
        "joblib.parallel:Parallel",
        "copy:deepcopy",
        "sklearn.utils.extmath:randomized_svd",
        "sklearn.utils.discovery:all_estimators",
        "sklearn.utils._show_versions:show_versions",
        "numpy._core.records:fromfile",
        "scipy.special:jv",
        "builtins:print",
        "builtins:iter",
        "functools:partialmethod",
    ],
)
@pytest.mark.parametrize("role", ["call", "value", "class"])
def test_what_is_on_no_list_needs_approval(name: str, role: str) -> None:
    """The floor is not what makes loading safe: a list of what is denied is never complete."""
    assert needs(call(name, role)) == [names.spell(name)]


def test_modules_in_modules_are_not_walked() -> None:
    """``numpy.f2py.os.system``, and the like, are one attribute after another for loaders that walk."""
    for name in (
        "sklearn.utils._mask:os.system",
        "json.decoder:re.enum.sys",
        "random:_os.system",
        "shelve:os",
        "json:codecs.open",
    ):
        data = call(name, "value")
        assert needs(data)
        with pytest.raises((skopsafe.MissingTypeError, skopsafe.DeniedTypeError)):
            skopsafe.loads(data, trusted=[name, names.spell(name)])


LOOKALIKES = [
    "\uff4fs:system",
    "\u03bfs:system",
    "sklearn.pipel\u0456ne:Pipeline",
    "builtins:\uff45val",
    "skl\u0435arn.pipeline:Pipeline",
    "\uff33\uff35\uff22\uff30\uff32\uff2f\uff23\uff25\uff33\uff33:Popen",
    "Os:system",
]


@pytest.mark.parametrize("name", LOOKALIKES)
@pytest.mark.parametrize("role", ["call", "value", "class"])
def test_letters_that_look_like_others_name_something_else(name: str, role: str) -> None:
    """Python reads identifiers in source by their normal form; a name in a file is looked up as it is."""
    namespace: dict[str, Any] = {}
    exec("\uff45val = 1", namespace)
    assert "eval" in namespace
    spelled = names.spell(name)
    data = call(name, role)
    assert needs(data) == [spelled]
    if not name.isascii():
        assert "may look like others" in str(skopsafe.audit(data))
    with pytest.raises(skopsafe.MissingTypeError):
        skopsafe.loads(data, trusted=[spelled])
    # What was approved is the name with its own letters, and no other.
    genuine = spelled.replace("\u0435", "e").replace("\u0456", "i")
    if genuine != spelled:
        with pytest.raises(skopsafe.UntrustedTypesFoundException):
            skopsafe.loads(data, trusted=[genuine])


@pytest.mark.parametrize(
    "name",
    [
        "os\u200b:system",
        "o\u0301s:system",
        "os\u202e:metsys",
        "os :system",
        "os.:system",
        ".os:system",
        "os:",
        "os:system()",
        "os:sys-tem",
        "os:<lambda>",
        "os:f.<locals>.g",
    ],
)
def test_letters_that_cannot_be_seen_are_in_no_name(name: str) -> None:
    for role in ("call", "value", "class"):
        with pytest.raises(skopsafe.FormatError, match="module:qualname"):
            skopsafe.get_untrusted_types(data=call(name, role))


_MODULE = """
import ctypes, functools, operator, os
MARKER = {marker!r}
def ran(*args, **kwargs):
    open(MARKER, "w").close()
wrapped = functools.partial(os.system)
twice = functools.partial(functools.partial(os.system), "true")
caller = operator.methodcaller("system", "true")
class Meta(type):
    def __call__(cls, *args): ran()
    def __init__(cls, *args): pass
    def __getattr__(cls, name): ran()
class Loud(metaclass=Meta):
    def __init_subclass__(cls): ran()
    def __init__(self): ran()
    def __setattr__(self, name, value): ran()
    @property
    def prop(self): return 1
    @prop.setter
    def prop(self, value): ran()
    def method(self): return "own"
class Pipeline(dict):
    pass
Pipeline.__module__, Pipeline.__qualname__ = "sklearn.pipeline", "Pipeline"
class Outer:
    class Pipeline: pass
Outer.Pipeline.__module__, Outer.Pipeline.__qualname__ = "sklearn.pipeline", "Pipeline"
"""


@pytest.fixture
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    marker = tmp_path / "marker"
    (tmp_path / "published_helpers.py").write_text(_MODULE.format(marker=str(marker)))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "published_helpers", raising=False)
    return marker


@pytest.mark.parametrize("name", ["wrapped", "twice", "caller", "ctypes.CDLL", "os.system", "operator.call"])
@pytest.mark.parametrize("role", ["value", "call"])
def test_a_denied_function_in_a_wrapping_is_denied(name: str, role: str, helpers: Path) -> None:
    full = f"published_helpers:{name}"
    with pytest.raises((skopsafe.DeniedTypeError, skopsafe.MissingTypeError)) as caught:
        skopsafe.loads(call(full, role, f"touch {helpers}"), trusted=[names.spell(full)])
    assert isinstance(caught.value, skopsafe.DeniedTypeError) == ("." not in name)
    assert not helpers.exists()


@pytest.mark.parametrize("name", ["Pipeline", "Outer.Pipeline"])
def test_a_class_that_claims_to_be_another_is_neither(name: str, helpers: Path) -> None:
    full = f"published_helpers:{name}"
    data = renamed(Pipeline([("a", "passthrough")]), "sklearn.pipeline:Pipeline", full)
    assert needs(data) == [names.spell(full)]
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.loads(data, trusted=["sklearn.pipeline.Pipeline"])
    with pytest.raises(skopsafe.MissingTypeError, match=r"only another name of sklearn\.pipeline:Pipeline"):
        skopsafe.loads(data, trusted=[names.spell(full)])


def test_properties_setters_and_metaclasses_do_not_run(helpers: Path) -> None:
    """An approved class is made by ``__new__`` and given its attributes: none of its own code runs."""
    import importlib

    module = importlib.import_module("published_helpers")
    for loud in (
        module.Loud,
        lambda: setattr(object.__new__(module.Loud), "prop", 1),
        lambda: module.Loud.other,
    ):
        loud()
        assert helpers.exists()
        helpers.unlink()
    given = StandardScaler()
    given.prop, given.other = 5, 6
    data = renamed(given, "sklearn.preprocessing._data:StandardScaler", "published_helpers:Loud")
    loaded = skopsafe.loads(data, trusted=["published_helpers.Loud"])
    assert vars(loaded)["prop"] == 5
    assert loaded.prop == 1
    assert not helpers.exists()

    def hide(schema: dict[str, Any]) -> None:
        for row in schema["types"]:
            row[0] = row[0].replace("sklearn.preprocessing._data:StandardScaler", "published_helpers:Loud")
        for shape in schema["shapes"]:
            if shape[1] and "other" in shape[1]:
                shape[1][shape[1].index("other")] = "method"

    with pytest.raises(skopsafe.ValidationError, match="hide a method"):
        skopsafe.loads(changed(given, hide), trusted=["published_helpers.Loud"])


@pytest.mark.parametrize("part", ["()args", "()kwargs", "()state", "()list", "()dict", "()member"])
def test_a_reviewed_class_takes_no_other_form(part: str) -> None:
    """A state is handed to methods, arguments to ``__new__``: reviews are about attributes."""

    def reshape(schema: dict[str, Any]) -> None:
        for shape in schema["shapes"]:
            if shape[1] and "copy" in shape[1]:
                shape[1][shape[1].index("copy")] = part

    data = changed(StandardScaler(), reshape)
    assert needs(data) == ["sklearn.preprocessing._data.StandardScaler:__setstate__"]


def test_a_getter_of_importances_stays_in_estimators() -> None:
    """`SelectFromModel` follows a path of attributes from the file, as ``operator.attrgetter`` does."""
    nested = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    path = "fit.__func__.__globals__"
    assert _get_feature_importances(nested, path)["np"] is sys.modules["numpy"]
    for getter in (path, "__class__", "coef_.__array_interface__"):
        data = skopsafe.dumps(SelectFromModel(nested, importance_getter=getter))
        assert needs(data) == ["sklearn.feature_selection._from_model.SelectFromModel:importance_getter"]
    for getter in ("auto", "coef_", "named_steps.clf.coef_"):
        loaded = skopsafe.loads(skopsafe.dumps(SelectFromModel(LinearRegression(), importance_getter=getter)))
        assert loaded.importance_getter == getter


def test_an_approval_is_of_a_name_in_every_role(helpers: Path) -> None:
    """What a reviewer of a file must know: an approved class may also be called, as in files of skops."""
    for role in ("class", "value", "call"):
        data = call("published_helpers:Loud", role)
        assert needs(data) == ["published_helpers.Loud"]
        skopsafe.loads(data, trusted=["published_helpers.Loud"])
        assert helpers.exists() == (role == "call")
