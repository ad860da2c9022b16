"""skopsafe saves and loads machine-learning models without running code from the file.

The map of the package:

- ``errors``, ``limits``, ``names``: the words that all rooms share; ``memory``, ``collecting``: what every
  call is wrapped in.
- ``graph``: the Document, an inert description of an object graph.
- ``archive``: a Document on disk: zip, ``.npy`` arrays, ``schema.json``.
- ``trust``: the reviewed tables and the audit of a Document.
- ``handlers``: getter/loader pairs, by library.
- ``save``, ``build``: object to Document, by ``taking`` it apart on a stack of ``frames``; approved Document
  to object.
- ``plugins``: support that other packages bring along; ``plugin``: what their authors write it with;
  ``testing``: what they test it with.
- ``resolve``: an approved name to what it means; nothing else imports by name.
- ``skew``: files of other library versions; ``migrate``: what older ones wrote, as the installed one would.
- ``foreign``: files of other formats, looked at without running them.
- ``judge``: verdicts on pickles; ``inspecting``: the way through for them.
- ``conversion``: what a pickle would make, as objects that can be saved; ``converting``: the way through.
- ``from_skops``: the same for files of skops, which all functions take; ``updating``: old files to new ones.
- ``exceptions``: errors by the names that they have in skops.
- ``report``: an audit and a Document as text.
- ``decompiling``: a pickle as a script.
- ``api``: the way through; ``cli``: the same as commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from skopsafe.api import audit, dump, dumps, get_untrusted_types, load, loads, register
    from skopsafe.converting import Converted, convert, convert_folder
    from skopsafe.decompiling import decompile
    from skopsafe.errors import (
        ArgumentError,
        DeniedTypeError,
        FileError,
        FormatError,
        LimitError,
        MigrationError,
        MissingFileError,
        MissingTypeError,
        OutOfMemoryError,
        PluginError,
        PolicyError,
        SkopsafeError,
        UnsupportedTypeError,
        UntrustedTypesFoundException,
        ValidationError,
        VersionSkewWarning,
    )
    from skopsafe.inspecting import inspect_pickle
    from skopsafe.judge.reports import PickleReport
    from skopsafe.limits import Limits
    from skopsafe.report.text import Drawing, visualize
    from skopsafe.trust.audit import Audit
    from skopsafe.updating import update

_PUBLIC = {
    "skopsafe.api": ("audit", "dump", "dumps", "get_untrusted_types", "load", "loads", "register"),
    "skopsafe.converting": ("Converted", "convert", "convert_folder"),
    "skopsafe.decompiling": ("decompile",),
    "skopsafe.errors": (
        "ArgumentError",
        "DeniedTypeError",
        "FileError",
        "FormatError",
        "LimitError",
        "MigrationError",
        "MissingFileError",
        "MissingTypeError",
        "OutOfMemoryError",
        "PluginError",
        "PolicyError",
        "SkopsafeError",
        "UnsupportedTypeError",
        "UntrustedTypesFoundException",
        "ValidationError",
        "VersionSkewWarning",
    ),
    "skopsafe.inspecting": ("inspect_pickle",),
    "skopsafe.judge.reports": ("PickleReport",),
    "skopsafe.limits": ("Limits",),
    "skopsafe.report.text": ("Drawing", "visualize"),
    "skopsafe.trust.audit": ("Audit",),
    "skopsafe.updating": ("update",),
}
_HOME = {name: module for module, public in _PUBLIC.items() for name in public}

__all__ = [
    "ArgumentError",
    "Audit",
    "Converted",
    "DeniedTypeError",
    "Drawing",
    "FileError",
    "FormatError",
    "LimitError",
    "Limits",
    "MigrationError",
    "MissingFileError",
    "MissingTypeError",
    "OutOfMemoryError",
    "PickleReport",
    "PluginError",
    "PolicyError",
    "SkopsafeError",
    "UnsupportedTypeError",
    "UntrustedTypesFoundException",
    "ValidationError",
    "VersionSkewWarning",
    "audit",
    "convert",
    "convert_folder",
    "decompile",
    "dump",
    "dumps",
    "get_untrusted_types",
    "inspect_pickle",
    "load",
    "loads",
    "register",
    "update",
    "visualize",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'skopsafe' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value
