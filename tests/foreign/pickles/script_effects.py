"""Functions and classes that write down what happens to them, for pickles that call them."""

from __future__ import annotations

from typing import Any

LOG: list[Any] = []


def log(text: str) -> str:
    LOG.append(text)
    return text


def other(*args: Any) -> str:
    LOG.append("another function")
    return "another function"


def quiet() -> str:
    LOG.append("quiet")
    return "quiet"


def seen(value: Any) -> None:
    LOG.append(repr(value))


class Loud:
    """Writes down whatever is done with it."""

    def __init__(self) -> None:
        LOG.append("made")

    @staticmethod
    def shout(text: str) -> None:
        LOG.append(f"shouts {text}")

    def __hash__(self) -> int:
        LOG.append("hashed")
        return 1

    def __repr__(self) -> str:
        return "Loud()"

    def __setstate__(self, state: Any) -> None:
        LOG.append(f"state {state}")

    def append(self, item: Any) -> None:
        LOG.append(f"append {item}")

    def __setitem__(self, key: Any, item: Any) -> None:
        LOG.append(f"set {key} {item}")


def keep(*args: Any) -> list[Any]:
    LOG.append(f"keep {len(args)}")
    return list(args)


class Quiet:
    """Does nothing, until it is changed."""

    def append(self, item: Any) -> None:
        pass

    def __repr__(self) -> str:
        return "Quiet()"


globals()["class"] = log
