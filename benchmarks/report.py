"""Tables of what was measured: for the terminal, and for ``docs/explanation/performance.md``."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.jobs import OURS, OWN, PEERS
from benchmarks.models import NINE
from benchmarks.results import Results, Subject, geometric_mean, markdown, number, plain, ratio

PAGE = Path(__file__).parents[1] / "docs/explanation/performance.md"
Table = tuple[list[str], list[list[str]]]
Section = Callable[[Subject], list[Table]]

RATIOS = [(verb, other) for verb in ("dump", "load") for other in PEERS] + [("audit", "skops")]


def ratios(subject: Subject) -> Table:
    """How much longer the others take; the geometric means stand below."""
    heads = ["model", *(f"{verb}: {other}" for verb, other in RATIOS), "size / joblib"]
    rows = []
    for case in subject.cases():
        facts = subject.facts[case, "facts", OURS]
        cells = []
        for verb, other in RATIOS:
            found = subject.ratio(case, verb, other)
            failed = facts["failures"].get(other, "not possible")
            cells.append(failed if found is None else ratio(found))
        rows.append([case, *cells, ratio(facts["sizes"][OURS] / facts["sizes"]["joblib"])])
    nine = [model.name for model in NINE]
    for name, cases in (
        ("geometric mean of all", subject.cases()),
        ("geometric mean of the first nine", nine),
    ):
        means = [geometric_mean(subject.ratio(case, verb, other) for case in cases) for verb, other in RATIOS]
        rows.append([name, *map(ratio, means), ""])
    return heads, rows


def times(subject: Subject) -> Table:
    """Our own times, and how much of the load is validation."""
    heads = ["model", "dump, ms", "load, ms", "audit, ms", "validation, % of load", "size, MB"]
    rows = []
    for case in subject.cases():
        facts = subject.facts[case, "facts", OURS]
        cells = [number(subject.best[case, verb, OURS] * 1000, 2) for verb in ("dump", "load", "audit")]
        cells += [number(facts["share"] * 100, 0), number(facts["sizes"][OURS] / 1e6, 3)]
        rows.append([case, *cells])
    return heads, rows


def own(subject: Subject) -> Table:
    """Boosters beside the save and load of their own libraries."""
    heads = ["model", "own save, ms", "dump: own", "own load, ms", "load: own", "size / own"]
    rows = []
    for case in subject.cases():
        if (case, "dump", OWN) in subject.best:
            sizes = subject.facts[case, "facts", OURS]["sizes"]
            cells = []
            for verb in ("dump", "load"):
                cells += [number(subject.best[case, verb, OWN] * 1000, 2)]
                cells += [ratio(subject.ratio(case, verb, OWN))]
            rows.append([case, *cells, ratio(sizes[OURS] / sizes[OWN])])
    return heads, rows


def models(subject: Subject) -> list[Table]:
    """The tables of ``bench_models``."""
    return [ratios(subject), times(subject), own(subject)]


SECTIONS: dict[str, Section] = {"models": models}


def machine(results: Results) -> str:
    """Say what it was measured on, without a date or a name."""
    info = results.machine
    cpu = info["cpu"]
    cores = f"{os.cpu_count()} cores" if not cpu.get("count") else f"{cpu['count']} cores"
    versions = ", ".join(f"{name} {version}" for name, version in info["versions"].items())
    system = f"{info['system']} {platform.machine()}"
    return f"{cpu.get('brand_raw', info['processor'])}, {cores}, {system}.\n{versions}."


def show(results: Results) -> str:
    """Return everything for the terminal."""
    out = [machine(results)]
    for name, section in SECTIONS.items():
        if name in results.subjects:
            out += [plain(*table) for table in section(results.subjects[name]) if table[1]]
    return "\n\n".join(out)


def write(results: Results, page: Path = PAGE) -> None:
    """Put the tables between the marks of the page that belong to what was measured."""
    text = page.read_text("utf-8")
    text = replaced(text, "machine", [machine(results)])
    for name, section in SECTIONS.items():
        if name in results.subjects:
            tables = section(results.subjects[name])
            for place, table in enumerate(tables):
                text = replaced(text, f"{name} {place}" if len(tables) > 1 else name, [markdown(*table)])
    page.write_text(text, "utf-8")


def replaced(text: str, name: str, parts: Sequence[str]) -> str:
    """Return a page with other content between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``."""
    pattern = re.compile(f"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.S)
    content = "\n\n".join(parts)
    text, count = pattern.subn(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text)
    if count != 1:
        raise ValueError(f"{count} places in the page are marked {name!r}")
    return text
