"""Samples that hide what they call from scanners, and those that harm without a call of theirs."""

from __future__ import annotations

from tests.corpus.calls import Make
from tests.corpus.samples import (
    Sample,
    apply,
    array,
    call,
    code,
    data,
    name,
    number,
    shell,
    stream,
    table,
    text,
)


def _line(marker: str) -> bytes:
    return b"S" + repr(shell(marker)).encode() + b"\n"


def _system(marker: str) -> bytes:
    return call("posix:system", text(shell(marker)))


def _put(value: str, place: int) -> bytes:
    return text(value) + b"q" + bytes([place])


_MODEL = name("collections:OrderedDict") + b")R"

NAMES: dict[str, Make] = {
    "global": lambda m: b"cos\nsystem\n(" + _line(m) + b"tR.",
    "global, posix": lambda m: b"cposix\nsystem\n(" + _line(m) + b"tR.",
    "inst": lambda m: b"(" + _line(m) + b"ios\nsystem\n.",
    "obj": lambda m: b"(cos\nsystem\n" + _line(m) + b"o.",
    "memo": lambda m: stream(
        _put("os", 0), _put("system", 1), b"00", b"NN", b"h\x00h\x01\x93(", text(shell(m)), b"tR"
    ),
    "memo of two kinds": lambda m: stream(
        text("os"),
        b"q\x00",
        text("system"),
        b"q\x01",
        text("math"),
        b"\x94",
        text("floor"),
        b"\x94",
        b"0000h\x00h\x01\x93(",
        text(shell(m)),
        b"tR",
    ),
    "memo overwritten": lambda m: stream(
        _put("math", 0),
        _put("os", 0),
        b"0",
        _put("floor", 1),
        _put("system", 1),
        b"000",
        b"h\x00h\x01\x93(",
        text(shell(m)),
        b"tR",
    ),
    "memo of text": lambda m: (
        b"\x80\x04" + text("os") + b"p7\n0" + text("system") + b"p8\n0g7\ng8\n\x93(" + text(shell(m)) + b"tR."
    ),
    "far memo": lambda m: stream(
        text("os"), b"r\x00\x00\x01\x00", text("system"), b"\x93(", text(shell(m)), b"tR"
    ),
    "dropped texts": lambda m: stream(
        text("os"), text("system"), text("math"), text("floor"), b"00\x93(", text(shell(m)), b"tR"
    ),
    "dropped to a mark": lambda m: stream(
        text("os"), text("system"), b"(", text("math"), text("floor"), b"1\x93(", text(shell(m)), b"tR"
    ),
    "dup": lambda m: stream(name("os:system"), b"2(", text(shell(m)), b"tR"),
    "escapes": lambda m: b"S'\\x6fs'\nS'sys\\164em'\n\x93(" + _line(m) + b"tR.",
    "unicode escapes": lambda m: b"V\\u006fs\nVsyste\\u006d\n\x93(" + _line(m) + b"tR.",
    "old texts": lambda m: b"\x80\x02U\x02osU\x06system\x93(" + _line(m) + b"tR.",
    "long text": lambda m: stream(
        b"\x8d" + (2).to_bytes(8, "little") + b"os", text("system"), b"\x93(", text(shell(m)), b"tR"
    ),
    "no protocol": lambda m: text("os") + text("system") + b"\x93(" + text(shell(m)) + b"tR.",
    "protocols within": lambda m: stream(
        b"\x80\x05", text("os"), b"\x80\x03", text("system"), b"\x93(", text(shell(m)), b"tR"
    ),
    "frames within": lambda m: stream(
        text("os"),
        b"\x95" + (2).to_bytes(8, "little"),
        b"N0",
        text("system"),
        b"\x93(",
        text(shell(m)),
        b"tR",
    ),
    "junk between": lambda m: stream(
        b"N0]0}0K\x010", text("os"), b"N0", text("system"), b"(N1\x93(", text(shell(m)), b"tR"
    ),
    "python 2": lambda m: b"\x80\x02c__builtin__\neval\n(S" + repr(code(m)).encode() + b"\ntR.",
    "python 2 commands": lambda m: b"\x80\x02ccommands\ngetstatusoutput\n(" + _line(m) + b"tR.",
    "dotted": lambda m: stream(call("subprocess:os.system", text(shell(m)))),
    "dotted, logging": lambda m: stream(call("logging:os.system", text(shell(m)))),
    "dotted, uuid": lambda m: stream(call("uuid:os.system", text(shell(m)))),
    "dotted, random": lambda m: stream(call("random:_os.system", text(shell(m)))),
    "dotted, shutil": lambda m: stream(call("shutil:os.system", text(shell(m)))),
    "dotted, glob": lambda m: stream(call("glob:os.system", text(shell(m)))),
    "dotted, json": lambda m: stream(call("json:codecs.sys.exc_info"), b"0", _system(m)),
    "dotted, enum": lambda m: stream(call("enum:bltns.eval", text(code(m)))),
    "dotted, numpy": lambda m: stream(call("numpy:f2py.os.system", text(shell(m)))),
    "dotted, numpy.lib": lambda m: stream(call("numpy.lib._npyio_impl:os.system", text(shell(m)))),
    "dotted, joblib": lambda m: stream(call("joblib.disk:os.system", text(shell(m)))),
    "dotted, sklearn": lambda m: stream(call("sklearn.datasets._base:os.system", text(shell(m)))),
    "dotted, pandas": lambda m: stream(call("pandas.io.common:os.system", text(shell(m)))),
    "dotted, scipy": lambda m: stream(call("scipy._lib._testutils:os.system", text(shell(m)))),
    "dotted, xgboost": lambda m: stream(call("xgboost.core:os.system", text(shell(m)))),
    "re-exported": lambda m: stream(call("pandas.core.generic:pickle.loads", data(stream(_system(m))))),
    "re-exported, joblib": lambda m: stream(
        call("joblib.numpy_pickle:pickle.loads", data(stream(_system(m))))
    ),
    "re-exported, subprocess": lambda m: stream(call("lightgbm.dask:socket.os.system", text(shell(m)))),
    "re-exported, platform": lambda m: stream(call("platform:os.popen", text(shell(m)))),
    "builtins of a module": lambda m: stream(
        apply(call("operator:getitem", name("numpy:__builtins__"), text("eval")), text(code(m)))
    ),
    "globals of a function": lambda m: stream(
        apply(
            call(
                "builtins:getattr",
                call("operator:getitem", name("logging:Formatter.format.__globals__"), text("os")),
                text("system"),
            ),
            text(shell(m)),
        )
    ),
    "subclasses": lambda m: stream(call("builtins:object.__subclasses__"), b"0", _system(m)),
    "self of a function": lambda m: stream(apply(name("builtins:len.__self__.eval"), text(code(m)))),
    "call of a function": lambda m: stream(call("builtins:eval.__call__", text(code(m)))),
    "computed by join": lambda m: stream(
        call("builtins:str.join", text(""), array(text("o"), text("s"))),
        text("system"),
        b"\x93(",
        text(shell(m)),
        b"tR",
    ),
    "computed by replace": lambda m: stream(
        text("os"),
        call("builtins:str.replace", text("xystem"), text("x"), text("s")),
        b"\x93(",
        text(shell(m)),
        b"tR",
    ),
    "computed by bytes": lambda m: stream(
        call("builtins:str", data(b"os"), text("ascii")), text("system"), b"\x93(", text(shell(m)), b"tR"
    ),
    "from codecs": lambda m: stream(
        call("_codecs:decode", data(b"os"), text("ascii")), text("system"), b"\x93(", text(shell(m)), b"tR"
    ),
}
"""By how the name is written."""

PLACES: dict[str, Make] = {
    "dropped": lambda m: stream(_system(m), b"0", _MODEL),
    "dropped, in the memo": lambda m: stream(_system(m), b"\x940", _MODEL, b"0h\x00"),
    "dropped to a mark": lambda m: stream(b"(", _system(m), b"1", _MODEL),
    "in a list": lambda m: stream(array(_MODEL, _system(m))),
    "as a key": lambda m: stream(table(_system(m), b"N")),
    "in a state": lambda m: stream(call("types:SimpleNamespace"), table(text("x"), _system(m)), b"b"),
    "in arguments": lambda m: stream(call("builtins:complex", _system(m))),
    "before an error": lambda m: b"\x80\x04" + _system(m) + b"\xff.",
    "before its end": lambda m: b"\x80\x04" + _system(m),
    "before an empty stack": lambda m: b"\x80\x04" + _system(m) + b"000000.",
    "before a call that fails": lambda m: stream(_system(m), b"0", call("builtins:int", text("x"))),
    "before a text that is not there": lambda m: (
        b"\x80\x04" + _system(m) + b"\x8d\xff\xff\xff\xff\x00\x00\x00\x00x."
    ),
    "before a wrong protocol": lambda m: b"\x80\x04" + _system(m) + b"\x80\x20N.",
    "before a wrong get": lambda m: b"\x80\x04" + _system(m) + b"h\xfe.",
    "before a wrong number": lambda m: b"\x80\x04" + _system(m) + b"Ix\n.",
    "second pickle": lambda m: stream(_MODEL) + stream(_system(m)),
    "tenth pickle": lambda m: stream(_MODEL) * 9 + stream(_system(m)),
    "in a frame that is too long": lambda m: b"\x80\x04\x95" + (5).to_bytes(8, "little") + _system(m) + b".",
    "deep": lambda m: stream(_system(m), b"\x85" * 200),
    "behind much": lambda m: stream(b"(" + b"K\x01" * 200_000 + b"l0", _system(m)),
    "behind a long text": lambda m: stream(text("x" * 2**20), b"0", _system(m)),
    "with a model": lambda m: stream(
        array(
            name("sklearn.linear_model._base:LinearRegression")
            + b")\x81"
            + table(text("coef_"), number(1))
            + b"b",
            _system(m),
        )
    ),
}
"""By where in the stream the call stands."""

CHANGES: dict[str, Make] = {
    "setstate of an instance": lambda m: stream(
        name("argparse:Namespace"),
        b")\x81",
        table(text("__setstate__"), name("os:system")),
        b"b",
        text(shell(m)),
        b"b",
    ),
    "setstate in slots": lambda m: stream(
        name("argparse:Namespace"),
        b")\x81N",
        table(text("__setstate__"), name("os:system")),
        b"\x86b",
        text(shell(m)),
        b"b",
    ),
    "append of an instance": lambda m: stream(
        name("argparse:Namespace"),
        b")\x81",
        table(text("append"), name("os:system")),
        b"b",
        text(shell(m)),
        b"a",
    ),
    "extend of an instance": lambda m: stream(
        name("argparse:Namespace"),
        b")\x81",
        table(text("extend"), name("subprocess:call")),
        b"b(",
        text("sh") + text("-c") + text(shell(m)),
        b"e",
    ),
    "attribute of a function": lambda m: stream(
        name("numpy:prod"),
        b"N",
        table(text("a"), name("os:system")),
        b"\x86b0",
        call("numpy:prod.a", text(shell(m))),
    ),
    "shape of a function": lambda m: stream(
        name("numpy:size"),
        b"N",
        table(text("shape"), name("numpy:__builtins__")),
        b"\x86b0",
        apply(call("operator:getitem", name("numpy:size.shape"), text("eval")), text(code(m))),
    ),
    "method of a class": lambda m: stream(
        name("argparse:Namespace"),
        b"N",
        table(text("__setstate__"), name("os:system")),
        b"\x86b0",
        name("argparse:Namespace"),
        b")\x81",
        text(shell(m)),
        b"b",
    ),
    "item of a module's dict": lambda m: stream(
        name("textwrap:__dict__"),
        text("dedent"),
        name("os:system"),
        b"s0",
        call("textwrap:dedent", text(shell(m))),
    ),
    "module in sys.modules": lambda m: stream(
        name("sys:modules"),
        text("math"),
        call("importlib:import_module", text("os")),
        b"s0",
        call("math:system", text(shell(m))),
    ),
    "environment": lambda m: stream(name("os:environ"), text("X"), text(m), b"s0", _system(m)),
    "builtins": lambda m: stream(
        name("builtins:__dict__"), text("len"), name("os:system"), b"s0", call("builtins:len", text(shell(m)))
    ),
}
"""By what is changed, so that something harmless does the harm."""

_DISTRIBUTION = "scipy.stats._continuous_distns:norm_gen"

STATES: dict[str, Make] = {
    "template of a distribution": lambda m: stream(
        name(_DISTRIBUTION), b")\x81", table(text("_parse_arg_template"), text(code(m))), b"b"
    ),
    "template of a distribution, by a mapping": lambda m: stream(
        name(_DISTRIBUTION),
        b")\x81",
        call("collections:OrderedDict") + b"(" + text("_parse_arg_template") + text(code(m)) + b"u",
        b"b",
    ),
}
"""By what a class runs when an instance gets its state."""

_STATIC: dict[str, tuple[bytes, str]] = {
    "persistent id": (b"P" + b"x" * 20 + b"\n.", "suspicious"),
    "persistent name": (stream(name("os:system"), b"Q"), "malicious"),
    "extension": (b"\x82\xf0(S'x'\ntR.", "suspicious"),
    "memo bomb": (stream(b"Nr\xff\xff\xff\x7f"), "suspicious"),
    "memory bomb": (stream(call("builtins:bytearray", number(2**31 - 1))), "suspicious"),
    "list of a range": (
        stream(call("builtins:list", call("builtins:range", number(2**31 - 1)))),
        "suspicious",
    ),
    "array before its content": (
        stream(
            call(
                "numpy._core.multiarray:_reconstruct",
                name("numpy:ndarray"),
                number(2**31 - 1) + b"\x85",
                data(b"b"),
            )
        ),
        "suspicious",
    ),
    "cyrillic": (stream(call("\u043es:system", text("x"))), "suspicious"),
    "fullwidth": (stream(call("\uff4f\uff53:system", text("x"))), "suspicious"),
    "hidden letter": (stream(call("os\u200b:system", text("x"))), "suspicious"),
    "unknown of Python": (stream(call("textwrap:fill", text("x"))), "suspicious"),
    "class of its state": (
        stream(
            call("types:SimpleNamespace"),
            b"N",
            table(text("__class__"), name("collections:OrderedDict")),
            b"\x86b",
        ),
        "malicious",
    ),
    "calls itself": (stream(name("functools:partial"), b")R", b")R"), "suspicious"),
    "text as a codec": (stream(call("_codecs:encode", text("x"), text("evil"))), "suspicious"),
}


def _worked(family: str, table_: dict[str, Make]) -> list[Sample]:
    return [Sample(f"{family}-{_plain(key)}", make) for key, make in table_.items()]


def _plain(key: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in key)


def _always(content: bytes) -> Make:
    return lambda marker: content


STRUCTURES: list[Sample] = [
    *_worked("name", NAMES),
    *_worked("place", PLACES),
    *_worked("change", CHANGES),
    *(Sample(f"state-{_plain(key)}", make, needs="scipy.stats") for key, make in STATES.items()),
    *(
        Sample(f"static-{_plain(key)}", _always(content), works=False, verdict=verdict)
        for key, (content, verdict) in _STATIC.items()
    ),
]
"""Samples of every way to write, to place and to hide."""
