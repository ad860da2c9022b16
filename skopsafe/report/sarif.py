"""Reports on pickles as SARIF 2.1.0, the format that code scanning services read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from skopsafe import __version__
from skopsafe.errors import escape

if TYPE_CHECKING:
    from skopsafe.judge.reports import OperationReport, PickleReport

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"malicious": "error", "suspicious": "warning", "unknown": "note"}
_MOST = 1000
"""Results of one file."""


def sarif(found: list[tuple[str, PickleReport | str]]) -> dict[str, Any]:
    """Return a SARIF log of all findings that are not safe.

    Parameters
    ----------
    found : list of (str, PickleReport or str)
        By file: the report, or the error in its place.
    """
    results: list[dict[str, Any]] = []
    rules: dict[str, int] = {}
    failures = []
    for file, report in found:
        if isinstance(report, str):
            failures.append(
                {"level": "error", "message": {"text": report}, "locations": [_location(file, None)]}
            )
            continue
        bad = [op for op in report.operations if op.verdict != "safe"]
        for op in bad[:_MOST]:
            rule = _identifier(op.rule)
            results.append(
                {
                    "ruleId": rule,
                    "ruleIndex": rules.setdefault(rule, len(rules)),
                    "level": _LEVELS[op.verdict],
                    "message": {"text": op.reason or op.what},
                    "locations": [_location(file, op)],
                    "properties": {"verdict": op.verdict, "operation": op.kind, "what": op.what},
                }
            )
    driver = {
        "name": "skopsafe",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": rule.replace("-", " ")}} for rule in rules],
    }
    invocation = {"executionSuccessful": not failures, "toolExecutionNotifications": failures}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _identifier(rule: str) -> str:
    return (rule or "operation").replace("'", "").replace(" ", "-")


def _location(file: str, op: OperationReport | None) -> dict[str, Any]:
    # Backslashes of escapes, and whatever else is in a name, are no part of a URI.
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": quote(escape(file).replace("\\", "/"), safe="/:")}
    }
    if op is None:
        return {"physicalLocation": physical}
    physical["region"] = {"byteOffset": op.offset, "byteLength": 1}
    found: dict[str, Any] = {"physicalLocation": physical}
    if op.path:
        found["logicalLocations"] = [{"fullyQualifiedName": op.path}]
    return found
