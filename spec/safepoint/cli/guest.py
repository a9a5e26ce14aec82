"""The commands that run guest programs, or judge a VM.  Everything heavy is imported where it is used."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from safepoint.cli.console import FILE, INTERRUPTED, REFUTED, fail

if TYPE_CHECKING:
    Parameter = click.ParamType[int]
else:
    Parameter = click.ParamType  # of older versions not generic


class Size(Parameter):
    """Bytes, as 65536, 64K, 1M or 2G."""

    name = "size"
    UNITS: ClassVar[dict[str, int]] = {"": 0, "K": 10, "M": 20, "G": 30}
    LEAST, MOST = 1 << 16, 1 << 32

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d{1,12})([KMG]?)", str(value).upper())
        size = int(found[1]) << self.UNITS[found[2]] if found else 0
        if not self.LEAST <= size <= self.MOST:
            self.fail(f"{value!r} is no size from 64K to 4G (write, for example, 1M)", param, ctx)
        return size


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--machine",
    type=click.Choice(["vm", "reference"]),
    default="vm",
    show_default=True,
    help="Machine code, or the reference machine.",
)
@click.option(
    "--stack", type=click.IntRange(16, 1 << 24), default=1 << 16, show_default=True, help="Slots of the guest's stack."
)
@click.option("--heap", type=Size(), metavar="SIZE", help="Bytes that live objects may take: 64K … 4G [64M].")
@click.option("--stats", is_flag=True, help="What the collector did, on standard error.")
@click.option("--stress", is_flag=True, help="Collect at every allocation, and verify the heap: slow.")
def run(*, file: Path, machine: str, stack: int, heap: int | None, stats: bool, stress: bool) -> None:
    """Run a guest program.  Uncaught exceptions exit 1, Control-C 130, a program outside the subset 2."""
    from safepoint.guest.compiler.program import compile_program
    from safepoint.guest.faults import Deadlock, GuestSyntaxError, format_traceback

    try:
        source = file.read_bytes()
        program = compile_program(source, str(file))
    except OSError as error:
        fail(f"{file}: {error.strerror} (write the path of a guest program)")
    except GuestSyntaxError as error:
        fail(str(error))
    options = {"heap": heap} if heap else {}
    if machine == "reference":
        if heap or stats or stress:
            fail("--machine reference has no collector (leave out --heap, --stats and --stress)")
    elif stress:
        options["stress"] = True
    try:
        outcome = _machines(machine)(program, sys.stdout, stack, **options)
    except Deadlock as deadlock:
        fail(f"{deadlock} (release what was acquired, on every way out: with lock)")
    fault = outcome.fault
    sys.stdout.flush()
    if stats:
        click.echo(str(outcome.stats), err=True)
    if fault is not None:
        sys.stderr.write(format_traceback(fault, outcome.traceback, program.source))
        sys.exit(INTERRUPTED if fault.kind == "KeyboardInterrupt" else 1)


def _machines(name: str) -> Any:
    """What runs a program: (program, output, slots) -> fault or None, and where it was."""
    if name == "reference":
        from safepoint.guest.reference.run import run as run_reference

        return run_reference
    from importlib.metadata import entry_points

    found = entry_points(group="safepoint.machines", name=name)
    try:
        return next(iter(found)).load()
    except (StopIteration, ImportError) as error:
        fail(
            f"the interpreter is not here: {str(error) or 'not installed'} (pip install 'safepoint[vm]', or: --machine reference)"
        )


@click.command()
@click.option(
    "--target", "name", required=True, metavar="NAME", help="Entry point of safepoint.targets, or module:Class."
)
@click.option("--json", "as_json", is_flag=True, help="On standard output.")
def conform(*, name: str, as_json: bool) -> None:
    """Judge a VM: hold the claims against a target."""
    from safepoint.conform.judge import UnknownTarget, find_target, judge
    from safepoint.conform.judge import as_json as row
    from safepoint.show.tables import verdict_table

    try:
        target = find_target(name)
    except UnknownTarget as error:
        fail(str(error))
    verdicts = judge(target, name)
    if as_json:
        click.echo(json.dumps(row(name, verdicts), indent=1))
    else:
        verdict_table(verdicts)
    sys.exit(REFUTED if any(v.verdict == "refuted" for v in verdicts) else 0)
