"""What became of mutants, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from skopsafe.testing.mutants import Tally


def by_stage(tally: Tally, layers: Sequence[str], stages: Sequence[str]) -> str:
    """Return how many mutants of each layer got to each stage, or further."""
    lines = [f"{'layer':10}" + "".join(f"{stage:>11}" for stage in stages)]
    for layer in (*layers, "all"):
        counts = [
            sum(count for (of, at), count in tally.stages.items() if at == stage and layer in (of, "all"))
            for stage in stages
        ]
        if any(counts):
            further = "".join(f"{sum(counts[number:]):>11,}" for number in range(len(stages)))
            lines.append(f"{layer:10}" + further)
    return "\n".join(lines)
