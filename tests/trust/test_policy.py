"""What a caller approves, in code and in a policy file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import skopsafe
from skopsafe.cli import main
from skopsafe.testing.crafted import call
from skopsafe.trust.policy import Policy, normalize, policy_of


class Own:
    """A class that no table knows."""

    class Inner:
        """Its name needs the colon."""


def policy_file(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text)
    return path


def test_classes_and_both_spellings_of_a_name_are_the_same() -> None:
    name = f"{__name__}.Own"
    assert normalize([Own]) == normalize([name]) == normalize([f"{__name__}:Own"]) == {name}
    assert normalize([Own.Inner]) == normalize([f"{__name__}:Own.Inner"]) == {f"{__name__}:Own.Inner"}


def test_an_attribute_is_approved_by_its_own_name() -> None:
    assert normalize(["sklearn.pipeline.Pipeline:memory"]) == {"sklearn.pipeline.Pipeline:memory"}


def test_a_policy_file_approves_names_and_packages(tmp_path: Path) -> None:
    data = skopsafe.dumps([Own(), Own.Inner()])
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.loads(data)
    exact = policy_file(tmp_path, f'trusted = ["{__name__}.Own", "{__name__}:Own.Inner"]')
    assert type(skopsafe.loads(data, policy=exact)[0]) is Own
    pattern = policy_file(tmp_path, f'trusted = ["{__name__}.*"]')
    with pytest.raises(skopsafe.UntrustedTypesFoundException) as caught:
        skopsafe.loads(data, policy=pattern)
    assert caught.value.types == [f"{__name__}:Own.Inner"], "the module is no package of itself"
    package = policy_file(tmp_path, 'trusted = ["tests.*"]')
    assert type(skopsafe.loads(data, policy=package)[1]) is Own.Inner


def test_a_pattern_ends_at_a_dot(tmp_path: Path) -> None:
    policy = policy_of(None, policy_file(tmp_path, 'trusted = ["my.pkg.*"]'))
    assert policy.allows("my.pkg.f", True)
    assert policy.allows("my.pkg.deep.f", True)
    assert not policy.allows("my.pkgother.f", True)
    assert not policy.allows("my.pkg", True)


def test_a_pattern_approves_no_value_of_an_attribute(tmp_path: Path) -> None:
    from sklearn.pipeline import make_pipeline

    data = skopsafe.dumps(make_pipeline("passthrough", memory="somewhere"))
    pattern = policy_file(tmp_path, 'trusted = ["sklearn.*"]')
    with pytest.raises(skopsafe.UntrustedTypesFoundException) as caught:
        skopsafe.loads(data, policy=pattern)
    assert caught.value.types == ["sklearn.pipeline.Pipeline:memory"]
    exact = policy_file(tmp_path, 'trusted = ["sklearn.pipeline.Pipeline:memory"]')
    assert skopsafe.loads(data, policy=exact).memory == "somewhere"


def test_no_policy_lowers_the_floor(tmp_path: Path) -> None:
    for text in ('trusted = ["os.*"]', 'trusted = ["os.system"]'):
        with pytest.raises(skopsafe.DeniedTypeError):
            skopsafe.loads(call("os:system"), policy=policy_file(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "trusted = true",
        'trusted = ["*"]',
        'trusted = ["my*"]',
        'trusted = ["my.*.more"]',
        'trusted = [".*"]',
        "trusted = [5]",
        'trusted = ["a.b"]\nloader = "x"',
        "not toml",
        "trusted = " + "[" * 5000,
        "trusted = [" + "1" * 5000 + "]",
        "trusted = [0x" + "f" * 5000 + "]",
    ],
)
def test_a_malformed_policy_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(skopsafe.PolicyError):
        policy_of(None, policy_file(tmp_path, text))


def test_a_missing_policy_is_refused_before_the_file_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(skopsafe.PolicyError, match="cannot be read"):
        skopsafe.loads(skopsafe.dumps([1]), policy=tmp_path / "missing.toml")


def test_nothing_is_approved_by_default() -> None:
    assert not Policy().allows("a.b", True)


def test_the_command_line_takes_a_policy(tmp_path: Path) -> None:
    path = tmp_path / "own.skops"
    skopsafe.dump([Own()], path)
    assert CliRunner().invoke(main, ["audit", str(path)]).exit_code == 1
    policy = policy_file(tmp_path, 'trusted = ["tests.*"]')
    assert CliRunner().invoke(main, ["audit", str(path), "--policy", str(policy)]).exit_code == 0
    assert CliRunner().invoke(main, ["audit", str(path), "--policy", str(path)]).exit_code == 3
