"""Make files of skops with the installed release, and write what is expected of them.

Usage: ``python make.py FILE.tar.xz all``, or ``small`` for fewer kinds. Needs skops and a scikit-learn of
its time, and nothing of skopsafe. The session ``golden_skops`` of nox makes all files.
"""

import io
import json
import sys
import tarfile
import warnings

warnings.simplefilter("ignore")

import kinds  # noqa: E402
import numpy  # noqa: E402
import scipy  # noqa: E402
import sklearn  # noqa: E402
import skops  # noqa: E402
import skops.io as sio  # noqa: E402


def read_again(data, looked, kind):
    """Return what skops asks for, and why it does not read a file equal, if so."""
    untrusted = None
    try:
        untrusted = list(sio.get_untrusted_types(data=data))
        return untrusted, kinds.problem(looked, kind, sio.loads(data, trusted=untrusted))
    except Exception as error:
        return untrusted, f"{type(error).__name__}: {str(error)[:100]}"


def main():
    expected, unmade, files = {}, {}, {}
    for kind in kinds.KINDS if sys.argv[2] == "all" else kinds.SMALL:
        try:
            obj = kinds.make(kind)
            looked = kinds.look(kind, obj)
            data = files[f"{kind}.skops"] = sio.dumps(obj)
        except Exception as error:
            unmade[kind] = f"{type(error).__name__}: {str(error)[:100]}"
            continue
        untrusted, problem = read_again(data, looked, kind)
        expected[kind] = {"untrusted": untrusted, "skops": problem, "looked": looked}
    modules = {module.__name__: module.__version__ for module in (skops, sklearn, numpy, scipy)}
    about = {"versions": modules | {"python": sys.version.split()[0]}, "unmade": unmade, "kinds": expected}
    files["expected.json"] = json.dumps(about, sort_keys=True).encode()
    with tarfile.open(sys.argv[1], "w:xz", preset=9) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    counts = len(expected), len(unmade), sum(bool(row["skops"]) for row in expected.values())
    print(sys.argv[1], modules, "{} made, {} not; skops does not read {}".format(*counts))


main()
