"""Target: the schema, and what an audit and a drawing make of whatever decodes."""

from __future__ import annotations

import io
import itertools
import json
from collections import Counter

import skopsafe
from skopsafe.api import audit_of
from skopsafe.archive import schema as schemas
from skopsafe.errors import SkopsafeError
from skopsafe.graph.check import check
from skopsafe.graph.document import Document
from skopsafe.graph.references import references
from skopsafe.graph.runs import spelled_out
from skopsafe.limits import DEFAULT_LIMITS
from skopsafe.report.text import tree
from tests.archive.zips import Crafted, craft
from tests.fuzz.stages import reach, require_printable

VALUES_FOR_A_BYTE = 32
"""Values that a document may have for each byte of its schema."""
_PLAIN = {f"builtins:{name}" for name in ("list", "dict", "tuple", "int", "float", "str")}


def schema(data: bytes) -> None:
    """Read a schema that stands alone in a zip."""
    file = craft(Crafted(schemas.MEMBER.encode(), data))
    try:
        document = schemas.read(io.BytesIO(file), DEFAULT_LIMITS)
    except SkopsafeError:
        return
    reach("document")
    look_at(document, len(data))
    if {row.name for row in document.types} <= _PLAIN and not document.array_count:
        _comes_back(file)


def look_at(document: Document, size: int) -> None:
    """Audit and draw a document whose schema has so many bytes."""
    nodes = list(itertools.islice(document.each(), 1 + size))
    assert len(nodes) == document.node_count <= size
    values = sum(len(node) - 1 for node in nodes)
    assert values <= VALUES_FOR_A_BYTE * size, "more values than bytes allow"
    for number in range(0, len(nodes), 1 + len(nodes) // 8):
        assert repr(document.node(number)) == repr(nodes[number])
    edges = Counter(
        (number, value[0]) for number, node in enumerate(nodes) for value in node if type(value) is list
    )
    assert _edges(document) == edges
    report = audit_of(document)
    assert report.ok == (not report.untrusted)
    require_printable(str(report))
    for name in report.untrusted:
        require_printable(name)
    for row in report.entries:
        require_printable(row.where)
    json.dumps(report.to_dict())
    reach("audit")
    for line in tree(document, lines=200):
        require_printable(line)
    reach("drawing")
    spelled = Document(
        document.types,
        document.shapes,
        spelled_out(document.runs),
        document.array_count,
        document.root,
        document.writer,
        document.arrays,
    )
    check(spelled)
    assert repr(list(spelled.each())) == repr(nodes)


def _edges(document: Document) -> Counter[tuple[int, int]]:
    """Return how often each node refers to each, as the columns say."""
    found: Counter[tuple[int, int]] = Counter()
    for _, _, owners, numbers in references(document):
        longest = max(len(owners), len(numbers))
        pairs = zip(itertools.cycle(owners), itertools.cycle(numbers), strict=False)
        found.update(itertools.islice(pairs, longest))
    return found


def _comes_back(file: bytes) -> None:
    """Whatever loads is written so that it loads again, and is written the same."""
    try:
        found = skopsafe.loads(file)
    except SkopsafeError:
        return
    reach("loaded")
    first = skopsafe.dumps(found)
    assert skopsafe.dumps(skopsafe.loads(first)) == first
