"""Where a value from a file would be more than a number: by the name of what is called with it.

Source is read without running it, so that all there is to go by is a name. Too many hits are better than too
few.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FILES = _words(
    """
    open fdopen memmap loadtxt genfromtxt fromfile savetxt savez savez_compressed tofile mkdir makedirs
    rmtree unlink Path read_csv read_table read_json read_pickle read_parquet read_excel read_hdf to_csv
    to_pickle to_json to_parquet to_excel to_hdf to_clipboard to_sql to_feather urlopen urlretrieve
    mkdtemp mkstemp TemporaryFile NamedTemporaryFile TemporaryDirectory read_text read_bytes write_text
    write_bytes ZoneInfo gettz Memory check_memory save_model load_model load_config save_raw save load
    dump getenv putenv getLogger
    """
)
_PROCESSES = _words(
    """
    system popen Popen check_output check_call execv spawnv fork kill CDLL
    """
)
_IMPORTS = _words("import_module __import__ find_spec run_module run_path")
_CODE = _words("eval exec compile query literal_eval numexpr")
_PATTERNS = _words("match fullmatch search findall finditer sub subn split compile")
_TEXT_PATTERNS = _words(
    """
    contains match fullmatch extract extractall findall count replace split
    """
)
_NAMES = _words(
    """
    getattr setattr delattr attrgetter methodcaller __getattribute__ __getattr__
    """
)
# Methods that take a text for the name of a method, of a dtype or of a codec, or for a form of dates.
_BY_NAME = _words(
    """
    agg aggregate apply pipe astype resample to_datetime strptime decode encode
    """
)
_TEMPLATES = _words("format format_map safe_substitute substitute")
PASSING = _words(
    """
    lower upper strip lstrip rstrip split rsplit join replace format get pop items keys values copy list
    tuple dict set frozenset sorted reversed zip enumerate iter next chain map filter str repr getattr
    attrgetter cache methodcaller type deepcopy append extend update setdefault title capitalize
    partition islice product
    """
)
"""What gives out what it was given. Of other functions that are not read, results are taken to be numbers."""

OF_ARRAYS = _words("dtype shape ndim size T device __class__")
"""Attributes of what is taken for an array: what numpy says of it, not the file."""


def last(node: ast.AST) -> str:
    """Return the last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def sinks(node: ast.Call) -> Iterator[tuple[str, list[ast.expr]]]:
    """Say what a call would do with a value from the file, and with which of those that it is given."""
    func, given = node.func, [*node.args, *(keyword.value for keyword in node.keywords)]
    name, base = last(func), last(func.value) if isinstance(func, ast.Attribute) else ""
    receiver = [func.value] if isinstance(func, ast.Attribute) else []
    if name in _NAMES:
        yield "name", given[1:2] if len(given) > 1 and not receiver else given[:1]
    elif name in _IMPORTS:
        yield "import", given
    elif name in _PROCESSES or (base in ("subprocess", "os") and name in ("run", "call")):
        yield "process", given
    elif base == "re" and name in _PATTERNS:
        yield "pattern", given[:1]
    elif name in _CODE:
        yield "code", given[:1]
    elif (base == "str" and name in _TEXT_PATTERNS) or (
        name == "filter" and any(keyword.arg == "regex" for keyword in node.keywords)
    ):
        yield "pattern", given
    elif name in _FILES:
        yield "file", given + receiver
    elif name in _TEMPLATES and receiver:
        yield "format", receiver
    elif name in _BY_NAME and receiver and base != "xp":
        yield "name", given if name in ("decode", "to_datetime") else given[:1]
