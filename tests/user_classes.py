"""Classes of a user: importable, and reviewed by nobody."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import functools
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler

T = TypeVar("T")


class Comparable:
    """Equal when type and attributes are."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = object.__hash__


class Plain(Comparable):
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    def double(self, value: float) -> float:
        return value * 2

    @classmethod
    def make(cls, value: float) -> float:
        return value + 1

    @staticmethod
    def triple(value: float) -> float:
        return value * 3


class Outer:
    class Inner(Comparable):
        def __init__(self, x: int) -> None:
            self.x = x


class SlottedBase:
    __slots__ = ("a",)


class Slotted(SlottedBase):
    __slots__ = ("_b", "missing")

    def __init__(self, a: Any, b: Any) -> None:
        self.a = a
        self._b = b

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slotted) and (self.a, self._b) == (other.a, other._b)

    __hash__ = None  # type: ignore[assignment]


class SlottedWithDict(SlottedBase, Comparable):
    def __init__(self, a: Any, more: Any) -> None:
        self.a = a
        self.more = more

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and self.a == other.a  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]


class Mangled(Comparable):
    def __init__(self, x: int) -> None:
        self.__x = x


@dataclasses.dataclass
class Record:
    a: int
    b: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FrozenRecord:
    a: int
    b: str = "x"


Point = collections.namedtuple("Point", ["x", "y"])


class TypedPoint(NamedTuple):
    x: int
    y: Any = None


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 1  # noqa: PIE796 - an alias
    BLUE = (2, 3)


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Word(enum.StrEnum):
    YES = "yes"


class WithState(Comparable):
    """Leaves out its cache, and makes it again."""

    def __init__(self, x: int) -> None:
        self.x = x
        self.cache = [x] * 3

    def __getstate__(self) -> dict[str, Any]:
        return {"x": self.x}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.x = state["x"]
        self.cache = [self.x] * 3


class WithOtherState(Comparable):
    def __init__(self, x: int) -> None:
        self.x = x

    def __getstate__(self) -> tuple[int]:
        return (self.x,)

    def __setstate__(self, state: tuple[int]) -> None:
        (self.x,) = state


class WithReduce(Comparable):
    def __init__(self, x: int) -> None:
        self.x = x

    def __reduce__(self) -> Any:
        return (type(self), (self.x,))


class WithReduceEx(Comparable):
    def __init__(self, x: int) -> None:
        self.x = x
        self.more: Any = None

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (rebuild, (self.x,), {"more": self.more})


def rebuild(x: int) -> WithReduceEx:
    return WithReduceEx(x)


class WithNewArguments(Comparable):
    def __new__(cls, x: int) -> Any:
        out = super().__new__(cls)
        out.square = x * x
        out.x = x
        return out

    def __getnewargs__(self) -> tuple[int]:
        return (self.x,)


class WithNewKeywords(Comparable):
    def __new__(cls, *, x: int) -> Any:
        out = super().__new__(cls)
        out.x = x
        return out

    def __getnewargs_ex__(self) -> Any:
        return ((), {"x": self.x})


class OwnDict(dict):  # type: ignore[type-arg]
    pass


class OwnList(list):  # type: ignore[type-arg]
    pass


class OwnTuple(tuple):  # type: ignore[type-arg]
    pass


class OwnSet(set):  # type: ignore[type-arg]
    pass


class OwnStr(str):
    pass


class OwnInt(int):
    pass


class OwnFloat(float):
    pass


class OwnBytes(bytes):
    pass


class OwnDefaultDict(collections.defaultdict):  # type: ignore[type-arg]
    pass


class OwnDatetime(datetime.datetime):
    pass


class OwnArray(np.ndarray):  # type: ignore[type-arg]
    pass


class Box(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Box) and self.value == other.value

    __hash__ = None  # type: ignore[assignment]


class Failure(ValueError):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code


class WithProperty(Comparable):
    def __init__(self, x: int) -> None:
        self._x = x

    @property
    def x(self) -> int:
        return self._x


class Meta(type):
    pass


class WithMeta(Comparable, metaclass=Meta):
    def __init__(self, x: int) -> None:
        self.x = x


class CallableObject(Comparable):
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, X: Any) -> Any:
        return X * self.factor


class Doubler(TransformerMixin, BaseEstimator):
    def __init__(self, factor: Any = 2) -> None:
        self.factor = factor

    def fit(self, X: Any, y: Any = None) -> Doubler:
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        return X * self.factor


class OwnScaler(StandardScaler):
    def transform(self, X: Any, copy: Any = None) -> Any:
        return super().transform(X, copy) + self.shift_

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> OwnScaler:
        self.shift_ = 1.0
        return super().fit(X, y, sample_weight)  # type: ignore[no-any-return]


def half(value: Any) -> Any:
    return value / 2


@functools.cache
def cached(value: int) -> int:
    return value + 1


class WithCache(Comparable):
    def __init__(self, x: int) -> None:
        self.x = x

    @functools.cached_property
    def square(self) -> int:
        return self.x * self.x
