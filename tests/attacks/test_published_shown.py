"""Files that would run scripts where they are shown: in notebooks, diagrams, the model cards of skops."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

import skopsafe
from skopsafe.handlers import protocols
from skopsafe.testing.crafted import changed, unchecked

SCRIPT = "<script>alert(1)</script>"
GIVES = functools.partial(str, SCRIPT)
"""A reviewed class and a text: what a notebook calls, and runs what it gives."""


def with_attribute(obj: Any, name: str, value: Any = GIVES) -> Any:
    setattr(obj, name, value)
    return obj


CARRIERS: dict[str, tuple[Callable[[str], Any], Callable[[Any], Any]]] = {
    "estimator": (lambda name: with_attribute(StandardScaler(), name), lambda obj: obj),
    "splitter": (lambda name: with_attribute(KFold(), name), lambda obj: obj),
    "partial": (lambda name: with_attribute(functools.partial(len), name), lambda obj: obj),
    "bunch": (lambda name: Bunch(**{name: GIVES}), lambda obj: obj),
    "frozen": (lambda name: FrozenEstimator(Bunch(**{name: GIVES})), lambda obj: obj),
    "series": (lambda name: pd.Series([GIVES], index=[name]), lambda obj: obj),
    "categories": (lambda name: pd.Series([GIVES], index=pd.CategoricalIndex([name])), lambda obj: obj),
    "row": (lambda name: pd.DataFrame({name: [GIVES], "b": [1]}), lambda obj: obj.iloc[0]),
    "column": (lambda name: pd.DataFrame({"a": [GIVES]}, index=[name]), lambda obj: obj["a"]),
}
"""Objects that answer for an attribute of any name, and what of them is shown."""


def crafted(obj: Any) -> bytes:
    """Return the file of an object that is refused at dump as well."""
    with mock.patch.object(protocols, "claim", return_value=None):
        return unchecked(obj)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", ["_repr_javascript_", "_ipython_display_", "__html__", "_mime_"])
def test_an_object_cannot_say_how_it_is_shown(carrier: str, name: str) -> None:
    make, shown = CARRIERS[carrier]
    live = make(name)
    assert getattr(shown(live), name)() == SCRIPT  # how IPython and others look for a method, and call it
    data = crafted(live)
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match="may not claim to know how it is shown"):
        skopsafe.loads(data)
    with pytest.raises(skopsafe.UnsupportedTypeError, match="how it is shown"):
        skopsafe.dumps(live)


@pytest.mark.parametrize("name", sorted(protocols.SHOWN | protocols._COPIED | protocols._ARRAYS))
def test_every_name_that_others_call_is_refused(name: str) -> None:
    def rename(schema: dict[str, Any]) -> None:
        for shape in schema["shapes"]:
            if shape[1] and "claim" in shape[1]:
                shape[1][shape[1].index("claim")] = name

    for obj in (with_attribute(KFold(), "claim"), with_attribute(LinearRegression(), "claim")):
        with pytest.raises(skopsafe.ValidationError, match="may not claim"):
            skopsafe.loads(changed(obj, rename))


def test_names_that_only_look_like_those_are_attributes() -> None:
    for name in ("repr_html_", "_repr_html", "_representation", "_mime", "html", "_display"):
        model = skopsafe.loads(skopsafe.dumps(with_attribute(StandardScaler(), name, 1)))
        assert getattr(model, name) == 1
    frame = pd.DataFrame({"_repr_html_": [1.0, 2.0]})
    assert skopsafe.loads(skopsafe.dumps(frame)).equals(frame)


def test_a_link_in_a_diagram_holds_no_script() -> None:
    """scikit-learn writes it into the page as it is; model cards of skops hold the diagram."""
    model = StandardScaler().fit([[0.0], [1.0]])
    setattr(model, "__doc_link_template", f'">{SCRIPT}')
    assert SCRIPT in model._repr_html_()
    with pytest.raises(skopsafe.ValidationError, match="how it is shown"):
        skopsafe.loads(crafted(model))


def test_a_link_in_a_diagram_is_no_format_of_the_file() -> None:
    """A template of a file reaches attributes and items of what it is given: here those of a module."""
    model = StandardScaler().fit([[0.0], [1.0]])
    setattr(model, "__doc_link_template", "{model.fit.__func__.__globals__[np].__file__}")
    model._doc_link_url_param_generator = functools.partial(dict, model=model)
    assert model._get_doc_link() == np.__file__
    with pytest.raises(skopsafe.ValidationError, match="how it is shown"):
        skopsafe.loads(crafted(model))


def test_a_step_of_a_pipeline_holds_no_script() -> None:
    steps = Pipeline(
        [("a", Bunch(_get_doc_link=functools.partial(str, f'">{SCRIPT}'))), ("b", LinearRegression())]
    )
    assert SCRIPT in steps._repr_html_()
    with pytest.raises(skopsafe.ValidationError, match="how it is shown"):
        skopsafe.loads(crafted(steps))


def test_texts_of_a_file_are_escaped_in_diagrams() -> None:
    """What is left to scikit-learn: names and parameters, which it escapes."""
    text = f'">{SCRIPT}'
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    model.feature_names_in_ = np.array([text], dtype=object)
    model.positive = model.extra = text
    steps = Pipeline([(text, model)], transform_input=[text], verbose=text)
    for loaded in (skopsafe.loads(skopsafe.dumps(model)), skopsafe.loads(skopsafe.dumps(steps))):
        page = loaded._repr_html_()
        assert SCRIPT not in page
        assert re.search("&lt;script|script>alert", page)
