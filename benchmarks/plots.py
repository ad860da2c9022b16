"""Draws the pictures of ``docs/explanation/performance.md``: the same measurements give the same bytes.

Text and axes are of a grey that can be read on white and on black, and nothing is behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.jobs import PEERS
from benchmarks.results import Results, Subject
from benchmarks.sections import curves

GREY = "#828282"
COLOURS = ("#d98200", "#009e73", "#4a90d9", "#c968a0", "#d5532a")
MARKS = ("o", "s", "^", "D", "v")
VERBS = ("dump", "load", "audit")
STYLE = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "legend.frameon": False,
    "legend.labelcolor": GREY,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "svg.hashsalt": "skopsafe",
    "text.color": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def _figure(height: float, **how: Any) -> tuple[Figure, Any]:
    figure = Figure(figsize=(9, height), layout="constrained")
    return figure, figure.subplots(1, len(VERBS), **how)


def models(subject: Subject) -> Figure:
    """Draw how much longer the peers take, model by model; the line at 1 is skopsafe."""
    cases = subject.cases()
    figure, axes = _figure(0.8 + 0.26 * len(cases), sharey=True)
    for verb, ax in zip(VERBS, axes, strict=True):
        for peer, colour, mark in zip(PEERS, COLOURS, MARKS, strict=False):
            found = [(subject.ratio(case, verb, peer), -place) for place, case in enumerate(cases)]
            points = [(x, y) for x, y in found if x is not None]
            if points:
                ax.plot(*zip(*points, strict=True), mark, color=colour, markersize=5, label=peer)
        ax.axvline(1, color=GREY, linewidth=1)
        ax.set_xscale("log")
        ax.minorticks_off()
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xlabel(f"{verb}: time / skopsafe")
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks([-place for place in range(len(cases))], cases)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=len(PEERS))
    return figure


def growth(subject: Subject) -> Figure:
    """Draw time over size; the dotted line is a time that grows with the size."""
    figure, axes = _figure(3.7, sharey=True)
    for verb, ax in zip(VERBS, axes, strict=True):
        found = {kind: by_verb[verb] for kind, by_verb in curves(subject).items()}
        for (kind, (sizes, times)), colour, mark in zip(found.items(), COLOURS, MARKS, strict=False):
            milliseconds = [time * 1000 for time in times]
            ax.plot(sizes, milliseconds, f"{mark}-", color=colour, markersize=4, linewidth=1.2, label=kind)
        ends = [end for sizes, _ in found.values() for end in (sizes[0], sizes[-1])]
        low = min(times[0] for _, times in found.values()) * 1000
        ax.plot(
            [min(ends), max(ends)],
            [low, low * max(ends) / min(ends)],
            ":",
            color=GREY,
            label="proportional to the size",
        )
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.minorticks_off()
        ax.set_xlabel(f"{verb}: size")
    axes[0].set_ylabel("ms")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


PICTURES = {"models": models, "growth": growth}


def drawn(results: Results) -> Iterator[tuple[str, Figure]]:
    """Give the name and the picture of each subject that has one."""
    for name, draw in PICTURES.items():
        if name in results.subjects:
            yield f"performance-{name}.svg", draw(results.subjects[name])


def write(results: Results, folder: Path) -> None:
    """Draw the pictures of what was measured into a folder."""
    with mpl.rc_context(STYLE):
        for name, figure in drawn(results):
            figure.savefig(folder / name, transparent=True, metadata={"Date": None, "Creator": None})
