"""Releases: what a file claims is read as numbers, or not at all."""

from __future__ import annotations

import pytest

from skopsafe.migrate.kept import is_kept
from skopsafe.migrate.releases import Release, before, release_of


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("1.2.2", (1, 2, 2)),
        ("1.9", (1, 9, 0)),
        ("1.10.0", (1, 10, 0)),
        ("1.5.2.post1", (1, 5, 2)),
        ("1.6.1+local.1", (1, 6, 1)),
        ("1.6.dev0", None),
        ("1.6.0rc1", None),
        ("1.6.0.dev0+abc", None),
        ("", None),
        ("one", None),
        ("1", None),
        ("-1.2.3", None),
        ("1.2.3\n", None),
        ("\u0663.\u0662.\u0661", None),
        ("9" * 1000, None),
        (None, None),
    ],
)
def test_a_release_is_final_and_written_plainly_or_unknown(written: str | None, found: object) -> None:
    assert release_of(written) == found


def test_releases_are_compared_as_numbers() -> None:
    assert before(Release(1, 2, 2), "1.3")
    assert not before(Release(1, 3, 0), "1.3")
    assert before(Release(1, 9, 9), "1.10")
    assert not before(Release(2, 0), "1.10")
    assert before(Release(1, 3, 0), "1.3.1")
    assert not before(Release(1, 3, 1), "1.3.1")
    assert not before(Release(1, 4, 0), "1.3.1")


def test_predictions_are_kept_only_where_all_types_were_measured() -> None:
    old, new = Release(1, 5, 2), Release(1, 9, 1)
    ridge = "sklearn.linear_model._ridge:Ridge"
    assert is_kept([ridge, "numpy:ndarray", "builtins:dict", "scipy.sparse._csr:csr_matrix"], old, new)
    assert not is_kept([ridge, "mylib.models:Ridge"], old, new)
    assert not is_kept(["sklearn.linear_model._ridge:Bridge"], old, new)
    assert not is_kept([ridge], Release(1, 1, 3), new)
    # Patches that were not measured, or did something else than those after them.
    assert not is_kept([ridge], Release(1, 2, 1), new)
    assert not is_kept([ridge], Release(1, 8, 1), new)
    assert is_kept([ridge], Release(1, 8, 0), new)
    assert not is_kept([ridge], old, Release(1, 10, 0))
    assert not is_kept([ridge], new, old)
