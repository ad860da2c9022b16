"""What a caller approves: names in code, and names or patterns in a policy file that a reviewer keeps."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from skopsafe import names
from skopsafe.errors import PolicyError

_PATTERN = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\.\*")


@dataclass(frozen=True, slots=True)
class Policy:
    """Names that are approved.

    Attributes
    ----------
    names : frozenset of str
        As the audit spells them.
    packages : tuple of str
        Packages all of whose classes and functions are approved, each with a dot at its end. Values of
        attributes are never approved by a pattern.
    plugins : frozenset of str or None
        Distributions whose plugins may vouch for names; None for all that are installed or registered.
    """

    names: frozenset[str] = frozenset()
    packages: tuple[str, ...] = ()
    plugins: frozenset[str] | None = None

    def allows(self, name: str, is_import: bool) -> bool:
        """Tell whether `name` is approved; `is_import` says that it is a class or function."""
        return name in self.names or (is_import and name.startswith(self.packages))

    def takes_plugin(self, by: str) -> bool:
        """Tell whether the plugin of a distribution, given with its version, may vouch for names."""
        return self.plugins is None or by.partition(" ")[0] in self.plugins


NOTHING = Policy(frozenset())
"""Approves nothing beyond what was reviewed."""


def policy_of(
    trusted: object, file: str | os.PathLike[str] | None = None, renamed: Mapping[str, str] | None = None
) -> Policy:
    """Return what a caller approves.

    Parameters
    ----------
    trusted : iterable of str or type, or None
        Names, or classes and functions that have one.
    file : str or os.PathLike, optional
        A policy file. It must not come from where the model comes from.
    renamed : mapping of str to str, optional
        Where classes really live, and the names that audits have for them: either is as good.

    Raises
    ------
    PolicyError
        `trusted` is ``True``, holds a pattern or something without a name, or the file is malformed.
    """
    if trusted is None and file is None:
        return NOTHING
    from_file = NOTHING if file is None else read_policy(file)
    approved = normalize(trusted) | from_file.names
    approved |= {renamed[name] for name in approved if name in renamed} if renamed else frozenset()
    return Policy(approved, from_file.packages, from_file.plugins)


def normalize(trusted: object) -> frozenset[str]:
    """Turn what a caller trusts into names as the audit spells them."""
    if trusted is None or trusted is False:
        return frozenset()
    if trusted is True:
        raise PolicyError(
            "trusted=True would approve whatever the file asks for",
            next_step="Call get_untrusted_types(file), review the names, and pass those that you know.",
        )
    if isinstance(trusted, (str, type)) or not isinstance(trusted, Iterable):
        raise PolicyError("trusted takes a list of names or classes", next_step="Write trusted=[...].")
    return frozenset(_spelled(item) for item in trusted)


def _spelled(item: Any) -> str:
    name = item if isinstance(item, str) else names.of(item)
    if name is None or "*" in name:
        raise PolicyError(
            f"{item!r} is not the name of one class or function",
            next_step="Spell out every name that you trust; patterns belong into a policy file.",
        )
    # A name with one colon may also be an attribute's, such as sklearn.pipeline.Pipeline:memory.
    is_plain = names.is_name(name) and "." not in names.parse(name).qualname
    if not isinstance(item, str):
        return names.spell(name)
    return names.spell(name) if is_plain and not _is_attribute(name) else name


def _is_attribute(name: str) -> bool:
    """Tell whether ``a.b:c`` may mean the attribute ``c`` of the class ``a.b``: classes are capitalized."""
    return names.parse(name).module.rpartition(".")[2][:1].isupper()


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def read_policy(file: str | os.PathLike[str]) -> Policy:
    """Read a policy file: TOML with ``trusted``, names and patterns like ``mypkg.*``, and ``plugins``.

    Raises
    ------
    PolicyError
        The file cannot be read, or has anything else in it.
    """
    path = os.fspath(file)
    try:
        with open(path, "rb") as stream:
            table = tomllib.load(stream)
    except (OSError, ValueError, RecursionError) as error:  # a number may have too many digits for Python
        raise PolicyError(
            f"the policy file cannot be read ({error})",
            path=str(path),
            next_step="Check the path and the TOML.",
        ) from error
    entries, plugins = table.get("trusted", []), table.get("plugins")
    if (
        not table
        or not table.keys() <= {"trusted", "plugins"}
        or not _are_texts(entries)
        or not (plugins is None or _are_texts(plugins))
    ):
        raise PolicyError(
            "a policy file has the keys trusted and plugins, each with a list of names",
            path=str(path),
            next_step='Write trusted = ["mypkg.models.Model", "mypkg.transformers.*"].',
        )
    patterns = [entry for entry in entries if "*" in entry]
    for pattern in patterns:
        if _PATTERN.fullmatch(pattern) is None:
            raise PolicyError(
                f"{pattern!r} is not a pattern",
                path=str(path),
                next_step="A pattern is a package and .* at its end, such as mypkg.*",
            )
    exact = normalize([entry for entry in entries if entry not in patterns])
    return Policy(
        exact,
        tuple(pattern.removesuffix("*") for pattern in patterns),
        None if plugins is None else frozenset(plugins),
    )
