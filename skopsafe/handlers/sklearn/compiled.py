"""Other compiled types of scikit-learn: losses, distance metrics, KD and ball trees."""

from __future__ import annotations

from skopsafe.graph.parts import Handler

HANDLERS: tuple[Handler, ...] = ()
