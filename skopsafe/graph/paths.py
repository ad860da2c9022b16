"""Where a node sits in the object: ``object.steps[1][1].func``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skopsafe.graph.document import Shape, TypeRow, Value


def path_to(
    index: int, types: Sequence[TypeRow], shapes: Sequence[Shape], nodes: Sequence[list[Any]], root: Value
) -> str:
    """Return the shortest way from the root to node `index`; "" when there is none."""
    if not isinstance(root, list):
        return ""
    came: dict[int, tuple[int, int]] = {root[0]: (-1, 0)}
    level = [root[0]]
    while level and index not in came:
        below = []
        for parent in level:
            for place, value in enumerate(nodes[parent]):
                if type(value) is list and value[0] not in came:
                    came[value[0]] = (parent, place)
                    below.append(value[0])
        level = below
    if index not in came:
        return ""
    steps = []
    while index != root[0]:
        index, place = came[index]
        steps.append(_step(types, shapes, nodes[index], place))
    return "object" + "".join(reversed(steps))


def _step(types: Sequence[TypeRow], shapes: Sequence[Shape], node: list[Any], place: int) -> str:
    shape = shapes[node[0]]
    if shape.attributes is not None:
        return f".{shape.attributes[place - 1]}"
    if types[shape.type].name in ("builtins:dict", "collections:OrderedDict"):
        if place % 2:
            return "[<key>]"
        key = node[place - 1]
        return f"[{key!r}]" if isinstance(key, (str, int)) else "[...]"
    return f"[{place - 1}]"
