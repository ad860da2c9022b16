"""All targets: what runs, whose lines count as covered, how inputs are changed, and what one may cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz import (
    archives,
    arrays,
    boosters,
    mutants,
    pickles,
    schema_mutants,
    schemas,
    streams,
    texts,
    zip_mutants,
)
from tests.fuzz.noise import Mutate
from tests.fuzz.words import WORDS

MIB = 1 << 20


@dataclass(frozen=True)
class Target:
    """A target and what belongs to it.

    Attributes
    ----------
    run : callable
        The target.
    modules : tuple of str
        Files and folders of skopsafe whose lines it is to cover.
    mutate : callable
        Changes an input and keeps its structure.
    steps : tuple of int
        Lines of Python that an input may take: as such, and for each of its bytes.
    memory : tuple of int
        The same for bytes of memory at the peak.
    longest : int
        Bytes of the longest input that the engine makes.
    """

    run: Callable[[bytes], None]
    modules: tuple[str, ...]
    mutate: Mutate
    steps: tuple[int, int] = (5000, 100)
    memory: tuple[int, int] = (2 * MIB, 64)
    longest: int = 4096


TARGETS: dict[str, Target] = {
    "container": Target(
        archives.container,
        (
            *(
                f"archive/{name}.py"
                for name in ("directory", "zip_read", "zip_records", "recognize", "source")
            ),
            *(f"archive/{name}.py" for name in ("access", "schema", "npy")),
        ),
        zip_mutants.zip_mutant,
        memory=(16 * MIB, 64),  # up to a megabyte, zeros may be any number of bytes
    ),
    "decompression": Target(archives.decompression, ("archive/decompression.py",), mutants.recipe_mutant),
    "schema": Target(
        schemas.schema,
        (
            "archive/schema.py",
            *(f"graph/{name}.py" for name in ("check", "document", "references", "runs")),
            *(f"trust/{name}.py" for name in ("audit", "places", "values", "verdicts")),
            "report/text.py",
        ),
        schema_mutants.schema_mutant,
    ),
    "npy": Target(arrays.npy_header, ("archive/npy.py",), mutants.npy_mutant),
    "pickles": Target(pickles.verdicts, ("judge/rules.py", "judge/judging.py"), mutants.pickle_mutant),
    "machine": Target(
        streams.machine,
        tuple(
            f"foreign/pickles/{name}.py" for name in ("loop", "machine", "opcodes", "constants", "containers")
        ),
        mutants.pickle_mutant,
        memory=(4 * MIB, 256),  # an opcode of a byte can leave a record
    ),
    "streams": Target(
        streams.files,
        (
            *(f"foreign/pickles/{name}.py" for name in ("files", "formats", "joblib", "dtypes")),
            *(f"archive/{name}.py" for name in ("salvage", "tar_read", "unpack", "readable")),
        ),
        mutants.stream_mutant,
        steps=(20_000, 1000),  # several readings, of all that a zip has in it
        memory=(16 * MIB, 1024),
        longest=1 << 14,
    ),
    "xgboost": Target(boosters.xgboost, ("handlers/xgboost/",), mutants.xgboost_mutant, longest=1 << 15),
    "lightgbm": Target(boosters.lightgbm, ("handlers/lightgbm/",), mutants.lightgbm_mutant, longest=1 << 14),
    "catboost": Target(boosters.catboost, ("handlers/catboost/",), mutants.catboost_mutant, longest=1 << 15),
    "policy": Target(texts.policy, ("trust/policy.py",), mutants.policy_mutant),
    "name": Target(texts.name, ("names.py",), mutants.text_mutant(WORDS["name"])),
}
