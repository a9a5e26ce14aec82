"""The `safepoint` command.  Exit status: 0 holds, 1 a claim is refuted, 2 bad usage or input, or no verdict.

Everything heavy is imported where it is used: `--help` is for people who wait.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safepoint.cli.console import DIRECTORY, FILE, REFUTED, fail, need, write
from safepoint.cli.guest import conform, run

if TYPE_CHECKING:
    from safepoint.graph.text import Text


def main() -> None:
    """The entry point: nobody who mistypes a file's name sees a traceback of ours."""
    cli(prog_name="safepoint")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="safepoint")
def cli() -> None:
    """A specification of safepoints that runs, an interpreter that pays nothing for them, and a judge for other VMs."""


def protocol_text(file: Path | None, policy: str = "folded") -> Text:
    """The protocol with the policy's trigger; a custom text; or the protocol with a variant of one of its files."""
    from safepoint.graph.lower import check
    from safepoint.graph.text import ProtocolError
    from safepoint.model.custom import read, scopes_of
    from safepoint.protocol.policies import POLICIES

    try:
        text = read(file, POLICIES[policy])
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
    from safepoint.conform.judge import UnknownTarget, find_target
    from safepoint.show.tables import LiveProgress, report_tables
    from safepoint.verify import run as job

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
@click.option(
    "--engine", "engine_name", type=click.Choice(["auto", "python", "numpy"]), default="auto", show_default=True,
    help="Who searches: the readable one, or numpy's.",
)  # fmt: skip
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
    engine_name: str,
    max_states: int,
    for_spin: Path | None,
    drawing: Path | None,
    as_json: bool,
) -> None:
    """Explore every state of the protocol; print the shortest path to a bad one."""
    from safepoint.graph.text import ProtocolError
    from safepoint.model.custom import THREADS, chosen_of, scopes_of
    from safepoint.model.engines import NoEngine, engine
    from safepoint.model.explore import NotExplored
    from safepoint.model.system import Model
    from safepoint.proof.promela import export
    from safepoint.protocol.policies import POLICIES
    from safepoint.show.svg import picture
    from safepoint.show.tables import LiveProgress, protocol_table
    from safepoint.verify.explore import explore as work

    if policy not in POLICIES:
        fail(f"no policy {policy!r}; there are: {', '.join(POLICIES)}")
    text = protocol_text(file, policy)
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
            explored = work(text, scopes, POLICIES[policy], memory, mutant, engine(engine_name), max_states, tell)
        except (NotExplored, NoEngine, ProtocolError, OverflowError, ValueError) as error:
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
    from safepoint.model.path import policy_of
    from safepoint.verify.replay import CannotReplay, again

    try:
        told, agrees = again(string, protocol_text(file, policy_of(string)), mutant)
    except CannotReplay as error:
        fail(str(error))
    click.echo(told)
    sys.exit(0 if agrees else REFUTED)


@cli.command()
@click.argument("rule", required=False)
@click.option("--json", "as_json", is_flag=True, help="On standard output.")
def rules(*, rule: str | None, as_json: bool) -> None:
    """The rules of the protocol, or one of them."""
    from safepoint.graph.text import all_mutants
    from safepoint.protocol.rules import RULES

    if rule is not None and rule not in RULES:
        fail(f"no rule {rule!r}; there are: {', '.join(RULES)}")
    mutants = all_mutants()
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
    yield f"run its tests: pytest --rule {row['id']}"
    for mutant in row["mutants"]:
        yield f"broken by: safepoint explore --mutant {mutant}"


cli.add_command(run)
cli.add_command(conform)
