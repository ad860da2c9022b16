"""The command line: the verbs of the api as commands. The only file that prints.

Exit codes, the same for all commands: 0 nothing to approve, 1 something needs approval, 2 denied,
3 unreadable file or wrong usage.
"""

from __future__ import annotations

import json
from typing import Any

import click

from skopsafe import __version__
from skopsafe.console import APPROVE, DENIED, OK, UNREADABLE, say, worst
from skopsafe.errors import DeniedTypeError, SkopsafeError, escape
from skopsafe.inspect_command import inspect


class _Commands(click.Group):
    """A group whose usage errors do not share an exit code with `DENIED`, as click's own would."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            vars(error)["exit_code"] = UNREADABLE
            raise

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            vars(error)["exit_code"] = UNREADABLE
            raise
        except SkopsafeError as error:
            say(f"Error: {error}", err=True)
            ctx.exit(UNREADABLE)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="skopsafe")
def main() -> None:
    """Look at model files without running anything that is in them."""


@main.command()
@click.argument("file", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print the audit as one JSON object.")
@click.option("--policy", type=click.Path(), help="TOML file with names that are approved.")
@click.pass_context
def audit(ctx: click.Context, file: str, as_json: bool, policy: str | None) -> None:
    """List every name that FILE asks for, and which of them need approval.

    With --policy, the exit code is for what the policy file does not approve.

    Exit code: 0 nothing to approve, 1 something needs approval, 2 something can never be approved,
    3 the file cannot be read, or is of an older scikit-learn whose outputs would be others.
    """
    from skopsafe.api import audit as look
    from skopsafe.handlers.aliases import SPELLED
    from skopsafe.trust.policy import policy_of

    try:
        approved = policy_of(None, policy, SPELLED)
        report = look(file)
    except SkopsafeError as error:
        if not as_json:
            raise
        say(json.dumps({"ok": False, "error": type(error).__name__, "message": str(error)}, indent=2))
        ctx.exit(UNREADABLE)
    say(json.dumps(report.to_dict(), indent=2) if as_json else str(report))
    if report.denied:
        ctx.exit(DENIED)
    if report.refused:
        ctx.exit(UNREADABLE)
    ctx.exit(APPROVE if report.missing(approved) else OK)


@main.command()
@click.argument("file", type=click.Path())
@click.option("--depth", type=click.IntRange(0), default=12, show_default=True, help="Levels to draw.")
@click.option("--width", type=click.IntRange(1), default=20, show_default=True, help="Children of each node.")
@click.option("--lines", type=click.IntRange(1), default=2000, show_default=True, help="Lines to draw.")
def visualize(file: str, depth: int, width: int, lines: int) -> None:
    """Draw what is in FILE as a tree. Nothing of it is built or imported.

    Types that need approval or are denied are marked. A node that stands in several places has a
    number, and the other places show "-> #number".
    """
    from skopsafe.report.text import visualize as draw

    for line in draw(file, depth=depth, width=width, lines=lines).lines:
        say(line)


main.add_command(inspect)


@main.command()
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@click.option("--compression", default="stored", help="stored, deflate, bzip2, lzma or zstd.")
@click.option("--jobs", default=1, help="Processes, for a folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each file.")
@click.pass_context
def convert(ctx: click.Context, source: str, target: str, compression: str, jobs: int, as_json: bool) -> None:
    """Convert SOURCE, a pickle or a file of skops, to the file TARGET, or each pickle in a folder.

    Nothing is unpickled.

    Exit code: 0 all were converted and load without approval, 1 something needs approval before it is loaded,
    2 a file leads to what can never be approved, 3 a file was not converted for another reason.
    """
    import os

    from skopsafe.converting import convert_file, convert_folder

    if os.path.isdir(source):
        results = convert_folder(source, target, jobs=jobs, compression=compression)
    else:
        results = iter([convert_file(source, target, compression)])
    counts, codes = [0, 0, 0], {OK}
    for result in results:
        state = 2 if result.error else 1 if result.untrusted else 0
        counts[state] += not result.part_of
        codes.add(DENIED if result.denied else (OK, APPROVE, UNREADABLE)[state])
        if as_json:
            names = ("source", "target", "untrusted", "error", "denied", "part_of")
            say(json.dumps({name: getattr(result, name) for name in names}))
        else:
            done = f"part of {escape(os.path.basename(result.part_of))}" if result.part_of else "converted"
            what = result.error or (f"needs approval: {', '.join(result.untrusted)}" if state else done)
            say(f"{escape(result.source)}: {what}")
    if not as_json:
        say(f"{counts[0]} converted, {counts[1]} to approve, {counts[2]} not converted")
    ctx.exit(worst(codes))


@main.command()
@click.argument("file", type=click.Path())
@click.option("--output", "--output-file", "-o", type=click.Path(), help="The new file.")
@click.option("--inplace", is_flag=True, help="Replace FILE, once all is written.")
@click.option("--compression", default="stored", help="stored, deflate, bzip2, lzma or zstd.")
@click.pass_context
def update(ctx: click.Context, file: str, output: str | None, inplace: bool, compression: str) -> None:
    """Bring FILE, of skops or of an earlier skopsafe, to today's protocol. This grants no trust.

    Without --output and --inplace, only say what would become of it.

    Exit code: 0 the file of today loads without approval, 1 something in it needs approval, 2 something can
    never be approved and nothing was written, 3 the file cannot be read or understood.
    """
    from skopsafe.archive.container import check_compression
    from skopsafe.limits import DEFAULT_LIMITS
    from skopsafe.updating import updated

    if inplace and output is not None:
        raise click.UsageError("Give --output or --inplace, and not both.", ctx)
    target = file if inplace else output
    try:
        audit, of = updated(file, target, check_compression(compression, None), None, DEFAULT_LIMITS)
    except DeniedTypeError as error:
        say(f"Error: {error}", err=True)
        ctx.exit(DENIED)
    if not of:
        done = "is of today's protocol"
    elif target is None:
        done = f"was written by {escape(of)}; give --output or --inplace to update it"
    else:
        done = f"was written by {escape(of)}; updated"
    say(f"{escape(file)}: {done}")
    if audit.untrusted:
        say(f"needs approval: {', '.join(audit.untrusted)}")
    ctx.exit(APPROVE if audit.untrusted else OK)


@main.command()
@click.argument("file", type=click.Path())
@click.option("--trace", "as_trace", is_flag=True, help="Print each opcode with what it does to the stack.")
@click.option("--complete", is_flag=True, help="Leave nothing out, so that the script runs.")
def decompile(file: str, as_trace: bool, complete: bool) -> None:
    """Print a Python script that does what loading the pickle FILE would do. Nothing of it is run.

    Running the script is as dangerous as loading the pickle.

    Exit code: 0 the script is there, also of a pickle that breaks off; 3 the file cannot be read, or is no
    pickle.
    """
    from skopsafe import decompiling

    if as_trace:
        for line in decompiling.trace_lines(file):
            say(line)
    else:
        say(decompiling.decompile(file, complete=complete).removesuffix("\n"))


@main.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Save, audit and load a model, then watch an attack being refused. Takes a few seconds."""
    import tempfile

    try:
        import sklearn
    except ImportError:
        say('Error: the demo needs scikit-learn. Run: pip install "skopsafe[sklearn]"', err=True)
        ctx.exit(UNREADABLE)
    say(f"skopsafe {__version__}, scikit-learn {sklearn.__version__}")
    with tempfile.TemporaryDirectory(prefix="skopsafe-demo-") as folder:
        worked = _demo_round_trip(folder) and _demo_attack(folder)
    if not worked:
        say("\nThe demo did not do what it should. Please report this with the output above.", err=True)
        ctx.exit(APPROVE)
    say("\nAll steps did what they should. The temporary folder is gone.")


def _demo_round_trip(folder: str) -> bool:
    import os

    import numpy as np

    from skopsafe import api
    from skopsafe.demo import train

    _step(1, "Train a model: StandardScaler and a forest of 50 trees, on scikit-learn's breast cancer data")
    model, X = train()
    expected = model.predict_proba(X)
    say(f"   fitted on {X.shape[0]} samples with {X.shape[1]} features")

    path = os.path.join(folder, "model.skops")
    _step(2, "dump(model, file): write it as a zip of plain arrays and one JSON table")
    api.dump(model, path)
    say(f"   wrote {path}, {os.path.getsize(path):,} bytes")

    _step(3, "audit(file): list every name that the file asks for; nothing is imported")
    report = api.audit(path)
    say("\n".join(f"   {line}" for line in str(report).splitlines()))
    say("   nothing to approve" if report.ok else f"   to approve: {', '.join(report.untrusted)}")

    _step(4, "load(file): build the model again; no trusted=... is given, only reviewed names are built")
    loaded = api.load(path)
    say(f"   got a {type(loaded).__name__} of {', '.join(name for name, _ in loaded.steps)}")

    _step(5, "Predict with the loaded model and compare with the original, bit by bit")
    same = bool(np.array_equal(expected, loaded.predict_proba(X)))
    say(f"   {expected.size} probabilities: {'all equal' if same else 'THEY DIFFER'}")
    return report.ok and same


def _demo_attack(folder: str) -> bool:
    import os

    from skopsafe import api
    from skopsafe.demo import write_attack
    from skopsafe.errors import DeniedTypeError

    path = os.path.join(folder, "attack.skops")
    proof = os.path.join(folder, "attacked")
    command = f'echo attacked > "{proof}"'
    _step(6, "Craft an attack: a well-formed file whose content is a call of os.system with a shell command")
    write_attack(path, command)
    say(f"   wrote {path}; as a pickle, loading it would run: {command}")
    say("   what `skopsafe audit` says of it:")
    say("\n".join(f"   {line}" for line in str(api.audit(path)).splitlines()))

    refused = True
    for number, trusted in ((7, None), (8, ["os.system"])):
        told = "" if trusted is None else ", trusted=['os.system']"
        remark = "even a caller who approves it is refused" if trusted else "it must be refused"
        _step(number, f"load(attack{told}): {remark}")
        try:
            api.load(path, trusted)
        except DeniedTypeError as error:
            say(f"   DeniedTypeError: {error}")
        else:
            say("   IT WAS NOT REFUSED")
            refused = False
    _step(9, "Look for the trace that the command would have left")
    ran = os.path.exists(proof)
    say("   IT IS THERE: the command ran" if ran else "   none: the command never ran")
    return refused and not ran


def _step(number: int, what: str) -> None:
    say(f"\n{number}. {what}")
