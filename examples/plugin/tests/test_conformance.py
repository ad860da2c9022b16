"""The conformance suite of skopsafe, run on the family of this plugin."""

from __future__ import annotations

import family
import pytest

from skopsafe import testing


@pytest.mark.parametrize("model", family.MODELS)
@pytest.mark.parametrize("check", testing.CHECKS, ids=lambda check: check.__name__)
def test_a_codebook_conforms(check: testing.Check, model: str) -> None:
    check(family, model)
