"""The commands that run a guest program, or judge a VM: `run`, `conform`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safepoint.cli.console import FILE, Written, fail, refuse_ignored
from safepoint.cli.given import HEAP, Size, machine_of, policy_option, stack_option
from safepoint.cli.status import INTERRUPTED, REFUTED

if TYPE_CHECKING:
    from safepoint.guest.code import Program
    from safepoint.protocol.policy import Policy


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--machine",
    type=click.Choice(["vm", "reference"]),
    default="vm",
    show_default=True,
    help="The interpreter (machine code), or the reference machine: slow, and needs no llvmlite.",
)
@policy_option("Where and how guest threads check.")
@stack_option("Size of each guest thread's stack in slots.")
@HEAP
@click.option(
    "--no-compile",
    is_flag=True,
    help="Compile no function, however hot. With --trace, and under a policy whose back-edges are not dispatched through a table, none is compiled anyway.",
)
@click.option("--stats", is_flag=True, help="Print what the collector did to standard error.")
@click.option("--stress", is_flag=True, help="Collect at every allocation, and verify the heap each time: slow.")
@click.option(
    "--trace",
    type=Written(),
    metavar="FILE",
    help="Write what the threads did, for `safepoint accept`; the run is slower.",
)
@click.option(
    "--trace-limit", "limit", type=Size(), metavar="SIZE", default="1G", show_default=True,
    help="End the run when its trace has about this size: 64K to 4G.",
)  # fmt: skip
def run(
    *,
    file: Path,
    machine: str,
    policy: Policy,
    stack: int,
    heap: int | None,
    no_compile: bool,
    stats: bool,
    stress: bool,
    trace: Path | None,
    limit: int,
) -> int:
    """Run a guest program.

    Exit status: 0 it ended, 1 an exception was not caught, 2 it is outside the language, 130 Control-C. A deadlock is 2 on the
    reference machine; on the interpreter its threads wait, as Python's do, until Control-C.
    """
    from safepoint.guest.faults import Deadlock
    from safepoint.guest.features import NotWrittenFor
    from safepoint.protocol.policies import POLICIES, is_ours

    program = load_program(file)
    options: dict[str, Any] = {"policy": policy, **({"heap": heap} if heap else {})}
    if trace and not is_ours(policy):
        fail(
            f"a trace is judged by a policy of ours, not by one of a file (leave out --trace, or give -p one of {', '.join(POLICIES)})"
        )
    if machine == "reference":
        if heap or stats or stress:
            fail("the reference machine has no collector (leave out --heap, --stats and --stress, or use --machine vm)")
        if no_compile:
            fail("the reference machine compiles nothing (leave out --no-compile, or use --machine vm)")
        if trace:
            fail("the reference machine writes no trace (leave out --trace, or use --machine vm)")
    else:
        options |= {"stress": stress, "compiles": not no_compile}
    execute = machine_named(machine)
    if trace:
        execute = traced(execute, trace, limit)
    else:
        refuse_ignored("there is no --trace", "limit")
    try:
        outcome = execute(program, sys.stdout, stack, **options)
    except NotWrittenFor as refused:
        fail(str(refused))
    except Deadlock as deadlock:
        fail(f"{deadlock} (release what was acquired, on every way out: with lock)")
    sys.stdout.flush()
    if stats:
        click.echo(str(outcome.stats), err=True)
    return said_of(outcome, program)


def traced(execute: Callable[..., Any], file: Path, limit: int) -> Callable[..., Any]:
    """The same, and the run's trace is written.  limit: its bytes."""

    def run(*args: Any, **options: Any) -> Any:
        from safepoint.trace.files import TraceFull

        try:
            with file.open("wb") as out:
                return execute(*args, **options, trace=out, trace_limit=limit)
        except TraceFull as full:
            sys.stdout.flush()
            fail(
                f"{file}: has reached its limit of {said_size(limit)}, where the run was ended; its {full.events:,} events are a whole trace"
                " (trace a shorter run, or write a larger --trace-limit, up to 4G)"
            )
        except OSError as error:
            fail(f"{file}: {error.strerror} (name a file on a disk with room for a trace)")

    return run


def said_size(size: int) -> str:
    """As a `Size` is written."""
    return next(f"{size >> shift}{unit}" for unit, shift in reversed(Size.UNITS.items()) if size % (1 << shift) == 0)


def load_program(file: Path) -> Program:
    """The compiled guest program."""
    from safepoint.guest.compiler.program import compile_program
    from safepoint.guest.faults import GuestSyntaxError

    try:
        return compile_program(file.read_bytes(), str(file))
    except OSError as error:
        fail(f"{file}: {error.strerror} (write the path of a guest program)")
    except GuestSyntaxError as error:
        fail(str(error))


def said_of(outcome: Any, program: Program) -> int:
    """Print the traceback of an exception that has ended the program.  Returns the exit status."""
    from safepoint.guest.faults import format_traceback

    fault = outcome.fault
    if fault is None:
        return 0
    sys.stderr.write(format_traceback(fault, outcome.traceback, program.source))
    return INTERRUPTED if fault.kind == "KeyboardInterrupt" else REFUTED


def machine_named(name: str, instead: str = "use --machine reference") -> Any:
    """The function that runs a program: (program, output, slots of the stack, options) -> outcome.  instead: as `machine_of`."""
    if name == "reference":
        from safepoint.guest.reference.run import run as run_reference

        return run_reference
    return machine_of("safepoint.machines", name, instead)


@click.command()
@click.option(
    "--target",
    "name",
    required=True,
    metavar="NAME",
    help="The target: an entry point of the group safepoint.targets, or module:Class.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON instead of a table.")
def conform(*, name: str, as_json: bool) -> int:
    """Judge a VM: try every claim on a target.

    Derive the target from safepoint.conform.target.Target. In pytest:
    pytest --pyargs safepoint.conform --safepoint-target NAME
    """
    from safepoint.conform.judge import UnknownTarget
    from safepoint.show.tables import verdict_table
    from safepoint.verify.judging import judge_target
    from safepoint.verify.workers import workers

    try:
        with workers() as pool:
            row, verdicts = pool.submit(judge_target, name).result()
    except UnknownTarget as error:
        fail(str(error))
    if as_json:
        import json
        from dataclasses import asdict

        click.echo(json.dumps(asdict(row), indent=1))
    else:
        verdict_table(row, verdicts)
    if row.unjudged and not row.refuted:
        fail(row.unjudged)
    return REFUTED if row.refuted else 0
