"""Code that does everything that is looked for, in the ways of libraries. Nothing of it is run."""

from __future__ import annotations

import functools
import importlib
import re
import subprocess
from operator import attrgetter
from typing import Any, ClassVar


def look_up(obj: Any, name: str) -> Any:
    return getattr(obj, name)


def pass_on(obj: Any, *args: Any, **kwargs: Any) -> Any:
    return look_up(obj, *args, **kwargs)


def give_back(one: Any, other: Any) -> Any:
    return one


def helper(model: Any, X: Any) -> Any:
    return open(model.path_)


class Base:
    def __init__(self) -> None:
        self.unused = None

    def apply(self, X: Any) -> Any:
        return self.inner(X, self.from_base)

    def inner(self, X: Any, name: str) -> Any:
        return X

    def _from_super(self, X: Any, name: str) -> Any:
        return getattr(X, name)


class Sample(Base):
    TABLE: ClassVar[dict[str, Any]] = {"a": len}

    def inner(self, X: Any, name: str) -> Any:
        return look_up(X, name)

    def names(self, X: Any) -> Any:
        for name in self.listed:
            getattr(X, name)()
        chosen = [name.lower() for name in self.chosen if name]
        pass_on(X, chosen[0])
        pass_on(X, name=f"get_{self.formatted}")
        functools.partial(look_up, X, self.given_partly)()
        attrgetter(self.way)(X)
        super()._from_super(X, self.given_to_super)
        X.agg(self.aggregate)
        setattr(self, self.named, 1)
        look_up(X, give_back(self.first_of_two, self.second_of_two))
        if (walrus := self.walrus) is not None:
            look_up(X, walrus)

    def calls(self, X: Any) -> Any:
        func = self.func or len
        self.called(X)
        self.TABLE[self.looked_up](X)

        def nested(f: Any) -> Any:
            return f(X)

        nested(self.nested)
        return func(X)

    def files(self, X: Any) -> Any:
        helper(self, X)
        with open(self.path + ".txt") as stream:
            return stream

    @property
    def pattern(self) -> Any:
        return self.expression

    def others(self, X: Any) -> Any:
        re.compile(self.pattern)
        importlib.import_module(self.module)
        subprocess.run(self.command, check=False)
        eval(self.code)
        self.template.format(X)
        self.old_template % X
        X.str.contains(self.part)

    def harmless(self, X: Any) -> Any:
        """Nothing here is a hit."""
        "%s" % self.number
        f"{self.number}"
        X.predict(self.number + 1)
        self.inner(X, "predict")
        self.estimator.predict(X)
        open("fixed")
        give_back(X, self.number)(X)
        return X @ self.number * 2
