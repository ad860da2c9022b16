"""Make files of skops with the installed release, and write what is expected of them.

Usage: ``python make.py FOLDER``. Needs skops and the scikit-learn of its time; nothing of skopsafe.
"""

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import kinds  # noqa: E402
import numpy  # noqa: E402
import scipy  # noqa: E402
import sklearn  # noqa: E402
import skops  # noqa: E402
import skops.io as sio  # noqa: E402


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    expected, unmade = {}, {}
    for kind in kinds.KINDS:
        try:
            obj = kinds.make(kind)
            looked = kinds.look(kind, obj)
            data = sio.dumps(obj)
        except Exception as error:
            unmade[kind] = f"{type(error).__name__}: {str(error)[:100]}"
            continue
        (folder / f"{kind}.skops").write_bytes(data)
        untrusted, reads = None, ""
        try:
            untrusted = list(sio.get_untrusted_types(data=data))
            reads = kinds.differ(looked, kinds.look(kind, sio.loads(data, trusted=untrusted)))
        except Exception as error:
            reads = f"{type(error).__name__}: {str(error)[:100]}"
        expected[kind] = {"untrusted": untrusted, "skops": reads, "looked": looked}
    modules = {module.__name__: module.__version__ for module in (skops, sklearn, numpy, scipy)}
    about = {"versions": modules | {"python": sys.version.split()[0]}, "unmade": unmade, "kinds": expected}
    (folder / "expected.json").write_text(json.dumps(about, indent=None, sort_keys=True))
    print(folder.name, modules, len(expected), "made,", len(unmade), "not;", end=" ")
    print("not read by skops:", sum(bool(row["skops"]) for row in expected.values()))


main()
