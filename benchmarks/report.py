"""Shows the tables in a terminal, and writes them to ``docs/explanation/performance.md``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import Results, markdown, plain
from benchmarks.sections import SECTIONS, Table

PAGE = Path(__file__).parents[1] / "docs/explanation/performance.md"


def machine(results: Results) -> str:
    """Say what was measured, and on what, without a date or a name."""
    info = results.machine
    cpu = info["cpu"]
    versions = ", ".join(f"{name} {version}" for name, version in info["versions"].items())
    name, cores = cpu.get("brand_raw", info["processor"]), cpu.get("count", "unknown")
    return f"{name}, {cores} cores; {info['system']} on {info['machine']}.\n{versions}."


def tables(results: Results) -> Iterator[tuple[str, Table]]:
    """Give the name and the table of each section that was measured and is not empty."""
    for name, sections in SECTIONS.items():
        if name in results.subjects:
            for section in sections:
                table = section(results.subjects[name])
                if table[1]:
                    yield section.__name__, table


def show(results: Results) -> str:
    """Return everything for the terminal."""
    return "\n\n".join([machine(results), *(plain(*table) for _, table in tables(results))])


def write(results: Results, folder: Path) -> None:
    """Write the page to a folder, with what was measured between its marks; the rest stays as it is."""
    text = replaced(PAGE.read_text("utf-8"), "machine", machine(results))
    for name, table in tables(results):
        text = replaced(text, name, markdown(*table))
    (folder / PAGE.name).write_text(text, "utf-8")


def replaced(text: str, name: str, content: str) -> str:
    """Return a page with other content between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``."""
    pattern = re.compile(f"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.S)
    text, count = pattern.subn(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text)
    if count != 1:
        raise ValueError(f"{count} places in the page are marked {name!r}")
    return text
