"""The `safepoint` command.  Exit status: 0 holds, 1 a claim is refuted, 2 bad usage or input, or no verdict.

Everything heavy is imported where it is used: `--help` is for people who wait.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from safepoint.model.text import Text

REFUTED, NO_VERDICT = 1, 2
INTERRUPTED = 130
FILE = click.Path(dir_okay=False, path_type=Path)
DIRECTORY = click.Path(file_okay=False, path_type=Path)


def main() -> None:
    """The entry point: nobody who mistypes a file's name sees a traceback of ours."""
    cli(prog_name="safepoint")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="safepoint")
def cli() -> None:
    """A specification of safepoints that runs, an interpreter that pays nothing for them, and a judge for other VMs."""


def fail(message: str) -> NoReturn:
    """Bad input, or no verdict: one clear error."""
    click.echo(f"safepoint: {message}", err=True)
    sys.exit(NO_VERDICT)


def need(*directories: Path | None) -> None:
    """Before work that takes minutes: is there a place for what it gives?"""
    for where in filter(None, directories):
        if not where.is_dir():
            fail(f"{where}: no such directory (make it first)")


def write(file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        fail(f"{file}: {error.strerror} (name a file that can be written)")


def protocol_text(file: Path | None) -> Text:
    """The protocol, or somebody's own: with roles of its own, or with ours around it."""
    from safepoint.model.compile import check
    from safepoint.model.own import read, scopes_of
    from safepoint.model.text import ProtocolError

    try:
        text = read(file)
        check(text)
        scopes_of(text)
    except ProtocolError as error:
        fail(str(error))
    return text


# ---------------------------------------------------------------------------------------------- the main job


@cli.command()
@click.option("--quick/--thorough", default=True, help="3 minutes, or every second post in every program.")
@click.option("--target", "targets", multiple=True, metavar="NAME", help="Judge this target too (see `conform`).")
@click.option("--json", "output", type=FILE, metavar="FILE", help="Write the figures there.")
@click.option("--report", "page", type=DIRECTORY, metavar="DIR", help="DIR/report.html, with pictures.")
def verify(*, quick: bool, targets: tuple[str, ...], output: Path | None, page: Path | None) -> None:
    """Hold the protocol, its mutants and the interpreter to their claims: the main job."""
    from safepoint import verify as job
    from safepoint.conform.judge import UnknownTarget, find_target
    from safepoint.show.tables import LiveProgress, report_tables

    try:
        for name in targets:
            find_target(name)
    except UnknownTarget as error:
        fail(str(error))
    need(output and output.parent, page)
    with LiveProgress() as progress:
        report = job.run(quick=quick, targets=targets, progress=progress)
    report_tables(report)
    if output is not None:
        write(output, json.dumps(report.as_json(), indent=1) + "\n")
    if page is not None:
        from safepoint.show.report import page_of

        write(page / "report.html", page_of(report))
    sys.exit(REFUTED if report.failures else 0)


# ---------------------------------------------------------------------------------------------- the protocol


@cli.command()
@click.option("-p", "--policy", default="folded", show_default=True, help="Whose sites and trigger words.")
@click.option("--protocol", "file", type=FILE, metavar="FILE", help="Another text.")
@click.option("--memory", type=click.Choice(["sc", "tso"]), help="The memory model [sc; for a mutant both].")
@click.option("--threads", type=click.IntRange(1, 3), help="Only scopes with so many guest threads.")
@click.option("--scope", default="tiny", show_default=True, help="tiny, small or nightly, or the name of one scope.")
@click.option("--mutant", default="", metavar="M", help="Compile this mistake in, and find the scope that catches it.")
@click.option("--max-states", type=click.IntRange(1), default=5_000_000, show_default=True, help="Give up after these.")
@click.option(
    "--promela", "for_spin", type=FILE, metavar="FILE", help="Write the one scope there as Promela, for Spin."
)
@click.option("--svg", "drawing", type=FILE, metavar="FILE", help="Draw the path there.")
@click.option("--json", "as_json", is_flag=True, help="Figures on standard output.")
def explore(
    *,
    policy: str,
    file: Path | None,
    memory: str | None,
    threads: int | None,
    scope: str,
    mutant: str,
    max_states: int,
    for_spin: Path | None,
    drawing: Path | None,
    as_json: bool,
) -> None:
    """Explore every state of the protocol; print the shortest path to a bad one."""
    from safepoint.exploring import explore as work
    from safepoint.model.explore import NotExplored
    from safepoint.model.own import THREADS, chosen_of, scopes_of
    from safepoint.model.promela import export
    from safepoint.model.system import Model
    from safepoint.model.text import ProtocolError
    from safepoint.policy import POLICIES
    from safepoint.show.svg import picture
    from safepoint.show.tables import LiveProgress, protocol_table

    if policy not in POLICIES:
        fail(f"no policy {policy!r}; there are: {', '.join(POLICIES)}")
    text = protocol_text(file)
    if scope not in (known := (*THREADS, *scopes_of(text))):
        fail(f"no scope {scope!r}; there are: {', '.join(known)}")
    if mutant and mutant not in text.mutants:
        fail(f"no mutant {mutant!r} in the text; there are: {', '.join(text.mutants)}")
    need(drawing and drawing.parent)
    scopes = chosen_of(text, scope, threads, POLICIES[policy].slices)
    if for_spin is not None and len(scopes) != 1:
        fail(f"--promela: {len(scopes)} scopes (name one: --scope {known[-1]})")
    with LiveProgress() as progress, progress.search("explore") as tell:
        try:
            if for_spin is not None:
                write(for_spin, export(Model(text, scopes[0], mutant, POLICIES[policy], memory or "sc")))
            explored = work(text, scopes, POLICIES[policy], memory, mutant, max_states, tell)
        except (NotExplored, ProtocolError, OverflowError, ValueError) as error:
            fail(str(error))
    refuted, drawn = explored.refuted, picture(explored.path, text) if explored.path and drawing else ""
    if drawing is not None:
        write(drawing, drawn) if drawn else click.echo(f"{drawing}: not drawn: there is no path to show", err=True)
    if as_json:
        click.echo(json.dumps({"protocol": explored.rows}, indent=1))
    else:
        click.echo(refuted) if refuted else protocol_table(explored.rows)
    for place in sorted(explored.vacuous):
        click.echo(f"vacuous: never reached: {place}", err=True)
    sys.exit(REFUTED if refuted else 0)


@cli.command()
@click.argument("string")
@click.option("--protocol", "file", type=FILE, metavar="FILE", help="Another text.")
@click.option("--mutant", default="", metavar="M", help="For s:…, the mistake that is compiled into the interpreter.")
def replay(*, string: str, file: Path | None, mutant: str) -> None:
    """Walk a path of the model (m:…) or a schedule of the machine code (s:…) again."""
    from safepoint.again import CannotReplay, again

    try:
        told, agrees = again(string, protocol_text(file), mutant)
    except CannotReplay as error:
        fail(str(error))
    click.echo(told)
    sys.exit(0 if agrees else REFUTED)


@cli.command()
@click.argument("rule", required=False)
@click.option("--json", "as_json", is_flag=True, help="On standard output.")
def rules(*, rule: str | None, as_json: bool) -> None:
    """The rules of the protocol, or one of them."""
    from safepoint.model.text import Text
    from safepoint.rules import RULES

    if rule is not None and rule not in RULES:
        fail(f"no rule {rule!r}; there are: {', '.join(RULES)}")
    mutants = Text().mutants
    rows: list[dict[str, Any]] = [
        {"id": r.id, "title": r.title, "text": r.text, "without": r.without, "source": r.source, "checks": list(r.checks),
         "mutants": [m.name for m in mutants.values() if m.rule == r.id]}
        for r in RULES.values() if rule in (None, r.id)
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        click.echo(f"{click.style(row['id'], bold=True)}: {row['title']}")
        for line in _rule_lines(row):
            click.echo(f"    {line}")


def _rule_lines(row: dict[str, Any]) -> Iterator[str]:
    yield row["text"]
    yield f"without it: {row['without']}"
    yield f"learnt from: {row['source']}"
    yield f"checked by: {', '.join(row['checks'])}"
    for mutant in row["mutants"]:
        yield f"broken by: safepoint explore --mutant {mutant}"


# ---------------------------------------------------------------------------------------------- guest programs


@cli.command()
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
def run(*, file: Path, machine: str, stack: int) -> None:
    """Run a guest program.  Uncaught exceptions exit 1, Control-C 130, a program outside the subset 2."""
    from safepoint.guest.compiler import compile_program
    from safepoint.guest.faults import GuestSyntaxError, format_traceback

    try:
        source = file.read_bytes()
        program = compile_program(source, str(file))
    except OSError as error:
        fail(f"{file}: {error.strerror} (write the path of a guest program)")
    except GuestSyntaxError as error:
        fail(str(error))
    outcome = _machines(machine)(program, sys.stdout, stack)
    fault = outcome.fault
    sys.stdout.flush()
    if fault is not None:
        sys.stderr.write(format_traceback(fault, outcome.traceback, program.source))
        sys.exit(INTERRUPTED if fault.kind == "KeyboardInterrupt" else 1)


def _machines(name: str) -> Any:
    """What runs a program: (program, output, slots) -> fault or None, and where it was."""
    if name == "reference":
        from safepoint.guest.host import run as run_reference

        return run_reference
    from importlib.metadata import entry_points

    found = entry_points(group="safepoint.machines", name=name)
    try:
        return next(iter(found)).load()
    except (StopIteration, ImportError) as error:
        fail(
            f"the interpreter is not here: {str(error) or 'not installed'} (pip install 'safepoint[vm]', or: --machine reference)"
        )


@cli.command()
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
