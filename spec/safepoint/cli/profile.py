"""`profile`: run a guest program, and write where it spent its time, or what it allocated."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from safepoint.cli.console import FILE, Written, fail
from safepoint.cli.given import HEAP, stack_option
from safepoint.cli.guest import load_program, machine_named, said_of
from safepoint.guest.profile import BYTES, MICROSECONDS, Every

if TYPE_CHECKING:
    Parameter = click.ParamType[Every]
else:
    Parameter = click.ParamType  # of older versions not generic


class Often(Parameter):
    """A time of a thread on the CPU, as 1ms or 500us, or what it allocates, as 64KiB."""

    name = "amount"
    UNITS: ClassVar[dict[str, tuple[str, int]]] = {
        "us": (MICROSECONDS, 1),
        "ms": (MICROSECONDS, 1_000),
        "s": (MICROSECONDS, 1_000_000),
        "B": (BYTES, 1),
        "KiB": (BYTES, 1 << 10),
        "MiB": (BYTES, 1 << 20),
        "GiB": (BYTES, 1 << 30),
    }
    LIMITS: ClassVar[dict[str, tuple[int, int, str]]] = {
        MICROSECONDS: (100, 10_000_000, "100us to 10s"),
        BYTES: (256, 1 << 30, "256B to 1GiB"),
    }

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Every:
        if isinstance(value, Every):
            return value
        found = re.fullmatch(r"(\d{1,12}) ?([A-Za-z]+)", str(value))
        if found is None or found[2] not in self.UNITS:
            units = ", ".join(self.UNITS)
            self.fail(
                f"{value!r} is neither a time nor a size (write, for example, 1ms or 64KiB; units: {units})", param, ctx
            )
        unit, factor = self.UNITS[found[2]]
        least, most, said = self.LIMITS[unit]
        if not least <= (amount := int(found[1]) * factor) <= most:
            self.fail(
                f"{value!r} is not within {said} (write, for example, {'1ms' if unit == MICROSECONDS else '64KiB'})",
                param,
                ctx,
            )
        return Every(amount, unit)


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "-o",
    "--output",
    "out",
    type=Written(),
    required=True,
    metavar="OUT",
    help="The file to write: OUT.svg a flame graph, OUT.json for speedscope, OUT.collapsed or OUT.txt collapsed stacks.",
)
@click.option(
    "--every",
    type=Often(),
    metavar="AMOUNT",
    default="1ms",
    show_default=True,
    help="Sample a thread after so much CPU time of its own (100us to 10s), or after it has allocated so much (256B to 1GiB).",
)
@stack_option("Size of each guest thread's stack in slots.")
@HEAP
def profile(*, file: Path, out: Path, every: Every, stack: int, heap: int | None) -> int:
    """Run a guest program, and write a profile of it.

    Samples are taken at safepoints: docs/profile.md says what that hides. No function is compiled: a profile is of the interpreter,
    as `safepoint run --no-compile`. Exit status: as `run`; the profile is written whenever the program has run.
    """
    from safepoint.guest.profile import Profile
    from safepoint.show.profiles import FORMATS, summary

    make = FORMATS.get(out.suffix)
    if make is None:
        fail(f"{out}: no format has the suffix {out.suffix!r} (name a file that ends in {', '.join(FORMATS)})")
    program = load_program(file)
    if out.exists() and out.samefile(file):
        fail(f"{out}: is the program itself (name another file for the profile)")
    found = Profile(every)
    options: dict[str, Any] = {"heap": heap} if heap else {}
    machine = machine_named("vm", "run it without a profile: safepoint run FILE --machine reference")
    outcome = machine(program, sys.stdout, stack, profile=found, **options)
    sys.stdout.flush()
    replace(out, make(found, f"{file.name}, every {said(every)}"))
    click.echo(f"{out}: {summary(found)}", err=True)
    return said_of(outcome, program)


def said(every: Every) -> str:
    """As it is written."""
    fitting = [(name, factor) for name, (unit, factor) in Often.UNITS.items() if unit == every.unit]
    name, factor = [each for each in fitting if every.amount % each[1] == 0][-1]
    return f"{every.amount // factor}{name}"


def replace(file: Path, content: str) -> None:
    """Write a file of a `Written` option: all of it, or nothing.  What is no file, as a pipe, is written to."""
    import tempfile

    file = file.resolve()
    data = content.encode(errors="backslashreplace")  # a name of a file that is no text
    try:
        if file.exists() and not file.is_file():
            file.write_bytes(data)
            return
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
            try:
                new.write(data)
                new.flush()
                mode = file.stat().st_mode if file.exists() else 0o666 & ~_umask()
                os.fchmod(new.fileno(), mode & 0o7777)
                Path(new.name).replace(file)
            except BaseException:
                Path(new.name).unlink()
                raise
    except OSError as error:
        fail(f"{file}: {error.strerror} (name a file on a disk with room for it)")


def _umask() -> int:
    """The process's mask of modes, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
