"""The tables of all subjects, each from the measurements of its module."""

from __future__ import annotations

from benchmarks.jobs import OURS, OWN, PEERS
from benchmarks.models import NINE
from benchmarks.results import Subject, geometric_mean, number, ratio, slope

Table = tuple[list[str], list[list[str]]]

RATIOS = [(verb, other) for verb in ("dump", "load") for other in PEERS] + [("audit", "skops")]


def ratios(subject: Subject) -> Table:
    """How much longer the others take; the geometric means stand below."""
    heads = ["model", *(f"{verb}: {other}" for verb, other in RATIOS), "size / joblib"]
    rows = []
    for case in subject.cases():
        facts = subject.facts[case, "facts", OURS]
        cells = []
        for verb, other in RATIOS:
            found = subject.ratio(case, verb, other)
            failed = facts["failures"].get(other, "not possible")
            cells.append(failed if found is None else ratio(found))
        rows.append([case, *cells, ratio(facts["sizes"][OURS] / facts["sizes"]["joblib"])])
    nine = [model.name for model in NINE]
    means = {"geometric mean": subject.cases(), f"geometric mean of the first {len(nine)}": nine}
    for name, cases in means.items():
        found = [geometric_mean(subject.ratio(case, verb, other) for case in cases) for verb, other in RATIOS]
        rows.append([name, *map(ratio, found), ""])
    return heads, rows


def times(subject: Subject) -> Table:
    """Our own times, and how much of the load is validation."""
    heads = ["model", "dump, ms", "load, ms", "audit, ms", "validation, % of load", "size, MB"]
    rows = []
    for case in subject.cases():
        facts = subject.facts[case, "facts", OURS]
        cells = [_ms(subject.best[case, verb, OURS]) for verb in ("dump", "load", "audit")]
        cells += [number(facts["share"] * 100, 0), number(facts["sizes"][OURS] / 1e6, 3)]
        rows.append([case, *cells])
    return heads, rows


def own(subject: Subject) -> Table:
    """Boosters beside the save and load of their own libraries, and what free validation would win."""
    heads = ["model", "own save, ms", "dump: own", "own load, ms", "load: own", "size / own"]
    heads += ["load but for validation: joblib"]
    rows = []
    for case in subject.cases():
        if (case, "dump", OWN) in subject.best:
            facts = subject.facts[case, "facts", OURS]
            sizes, cells = facts["sizes"], []
            for verb in ("dump", "load"):
                cells += [_ms(subject.best[case, verb, OWN]), ratio(subject.ratio(case, verb, OWN))]
            joblib = subject.ratio(case, "load", "joblib")
            rest = _unvalidated(joblib, facts["share"])
            rows.append([case, *cells, ratio(sizes[OURS] / sizes[OWN]), ratio(rest)])
    return heads, rows


def growth(subject: Subject) -> Table:
    """Exponents, and what one item more costs at the largest size."""
    verbs = ("dump", "load", "audit")
    heads = ["kind", "from", "to"]
    heads += [f"{verb}: exponent" for verb in verbs] + [f"{verb}, µs an item" for verb in verbs]
    rows = []
    for kind, by_verb in curves(subject).items():
        sizes, _ = by_verb["dump"]
        exponents = [f"{slope(*by_verb[verb]):.2f}" for verb in verbs]
        costs = [number(by_verb[verb][1][-1] / sizes[-1] * 1e6, 2) for verb in verbs]
        rows.append([kind, f"{sizes[0]:,}", f"{sizes[-1]:,}", *exponents, *costs])
    return heads, rows


def curves(subject: Subject) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """Return sizes and seconds by kind and verb."""
    out: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
    for (case, verb, library), seconds in subject.best.items():
        facts = subject.facts[case, verb, library]
        sizes, times = out.setdefault(facts["kind"], {}).setdefault(verb, ([], []))
        sizes.append(facts["size"])
        times.append(seconds)
    return out


def arrays(subject: Subject) -> Table:
    """Times and memory beside the size of the arrays."""
    heads = ["what", "library", "arrays, MB", "time, ms", "memory of the load, MB"]
    heads += ["memory of the prediction, MB", "page faults"]
    names = {
        "audit": "audit",
        "load": "mapped load, KNN",
        "predict": "mapped load, and prediction for one text by hashed words",
    }
    rows = []
    for (case, verb, library), seconds in subject.best.items():
        facts = subject.facts[case, verb, library]
        cells = [names[verb], library, number(int(case) / 1e6, 1)]
        if verb == "predict":
            cells += ["", _mb(facts["load"]), _mb(facts["predict"]), f"{facts['faults']:,}"]
        else:
            cells += [_ms(seconds), "", "", ""]
        rows.append(cells)
    return heads, sorted(rows, key=lambda row: (list(names.values()).index(row[0]), row[1] != OURS))


def memory(subject: Subject) -> Table:
    """Memory at the peak of dump and load, above the model itself."""
    libraries = (OURS, "joblib", "pickle")
    heads = ["model", "model, MB", "largest array, MB"]
    heads += [f"{verb}: {library}, MB" for verb in ("dump", "load") for library in libraries]
    rows = []
    for case in subject.cases():
        found = {library: subject.facts[case, "load", library] for library in libraries}
        # What stays is the model; the process that keeps least besides tells its size best.
        kept = min(facts["kept"] for facts in found.values())
        cells = [_mb(kept), _mb(found[OURS]["largest"])]
        cells += [_mb(subject.facts[case, "dump", library]["peak"]) for library in libraries]
        cells += [_mb(max(0, facts["peak"] - kept)) for facts in found.values()]
        rows.append([case, *cells])
    return heads, rows


def threads(subject: Subject) -> Table:
    """Loads a second."""
    counts = sorted({facts["threads"] for facts in subject.facts.values()})
    heads = ["model", "library", *(f"{count} thread{'s'[: count > 1]}" for count in counts)]
    rows = []
    for case in subject.cases():
        for library in (OURS, "joblib", "pickle"):
            keys = [(case, f"{count} threads", library) for count in counts]
            rate = [number(subject.facts[key]["loads"] / subject.best[key], 1) for key in keys]
            rows.append([case, library, *rate])
    return heads, rows


def start(subject: Subject) -> Table:
    """Milliseconds from the start of the interpreter."""
    libraries = (OURS, "joblib", "pickle")
    heads = [
        "from the start of the interpreter to the first prediction",
        *(f"{name}, ms" for name in libraries),
    ]
    rows = [
        [case, *(number(subject.best[case, "start", library] * 1000, 0) for library in libraries)]
        for case in subject.cases()
        if case != "import"
    ]
    return heads, rows


def imports(subject: Subject) -> Table:
    """Milliseconds that an import takes, above that of numpy."""
    libraries = (OURS, "joblib", "skops")
    base = subject.best["import", "start", "numpy"]
    cells = [number((subject.best["import", "start", library] - base) * 1000, 0) for library in libraries]
    return ["import, above numpy", *(f"{name}, ms" for name in libraries)], [["import", *cells]]


def compression(subject: Subject) -> Table:
    """Size and times of each way."""
    heads = ["model", "how", "size, MB", "dump, ms", "load, ms"]
    rows = []
    for case in subject.cases():
        for codec in dict.fromkeys(library for _, _, library in subject.best):
            size = subject.facts[case, "dump", codec]["size"]
            cells = [_ms(subject.best[case, verb, codec]) for verb in ("dump", "load")]
            rows.append([case, codec, number(size / 1e6, 3), *cells])
    return heads, rows


def shuffle(subject: Subject) -> Table:
    """Size and time of arrays deflated as they are and with shuffled bytes."""
    heads = [
        "arrays of",
        "MB",
        "deflated, %",
        "shuffled and deflated, %",
        "deflate, ms",
        "shuffle and deflate, ms",
    ]
    rows = []
    for case in subject.cases():
        ways = [key for key in subject.best if key[0] == case]
        facts = [subject.facts[key] for key in ways]
        cells = [_mb(facts[0]["whole"]), *(number(f["size"] / f["whole"] * 100, 0) for f in facts)]
        rows.append([case, *cells, *(_ms(subject.best[key]) for key in ways)])
    return heads, rows


def _unvalidated(joblib: float | None, share: float) -> float | None:
    """Return what the ratio to joblib would be without validation, if any sample fell outside of it."""
    return None if joblib is None or share == 1 else joblib / (1 - share)


def _ms(seconds: float) -> str:
    return number(seconds * 1000, 2)


def _mb(size: float) -> str:
    return number(size / 1e6, 2)


SECTIONS = {
    "models": (ratios, times, own),
    "growth": (growth,),
    "arrays": (arrays,),
    "memory": (memory,),
    "threads": (threads,),
    "start": (start, imports),
    "compression": (compression,),
    "shuffle": (shuffle,),
}
"""By subject. A section of the page is marked with the name of its function."""
