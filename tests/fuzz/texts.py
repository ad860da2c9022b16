"""Targets: policy files, and names."""

from __future__ import annotations

import re
import tempfile

from skopsafe import names
from skopsafe.errors import PolicyError, SkopsafeError, escape, escape_lines
from skopsafe.trust.policy import normalize, read_policy
from tests.fuzz.stages import reach, require_printable

_PREFIX = re.compile(r"(?:[^\W\d]\w*\.)+")


def policy(data: bytes) -> None:
    """Read a policy file: it approves names one by one, and packages by a prefix that is one."""
    with tempfile.NamedTemporaryFile(buffering=0) as file:
        file.write(data)
        try:
            found = read_policy(file.name)
        except SkopsafeError as error:
            require_policy_error(error)
            return
    reach("policy")
    assert all(type(name) is str and "*" not in name for name in found.names)
    assert all(map(_PREFIX.fullmatch, found.packages))
    assert not found.allows("", is_import=True) or "" in found.names
    for prefix in found.packages:
        reach("pattern")
        assert found.allows(f"{prefix}Class", is_import=True)
        assert not found.allows(f"{prefix}Class", is_import=False) or f"{prefix}Class" in found.names
    if found.names:
        reach("name")


def require_policy_error(error: SkopsafeError) -> None:
    assert isinstance(error, PolicyError)
    require_printable(error)


def name(data: bytes) -> None:
    """Take a text for a name: what is one can be printed, and no two are spelled the same."""
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
    require_printable(escape_lines(text))
    assert escape(text).isprintable()
    try:
        spelled = set(normalize([text]))
    except SkopsafeError as error:
        require_policy_error(error)
        spelled = set()
    if not names.is_name(text):
        assert spelled <= {text}
        return
    reach("name")
    assert text.isprintable()
    assert text.count(":") == 1
    module, qualname = names.parse(text)
    assert f"{module}:{qualname}" == text
    found = names.spell(text)
    # The way back is unique.
    assert (found if ":" in found else ":".join(found.rsplit(".", 1))) == text
    assert spelled <= {text, found}
