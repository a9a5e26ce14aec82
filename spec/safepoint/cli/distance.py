"""The command about the time between checks in a guest program: `distance`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safepoint.cli.console import FILE, fail, refuse_ignored
from safepoint.cli.entry_points import entry_point
from safepoint.cli.given import policy_option, stack_option
from safepoint.cli.guest import load_program
from safepoint.cli.status import REFUTED
from safepoint.protocol.policy import Policy

if TYPE_CHECKING:
    from safepoint.guest.code import Program
    from safepoint.guest.distance.installed import Installed


@click.command()
@click.argument("file", type=FILE)
@policy_option("Whose checks they are, and how many may pass before one sees a request.")
@stack_option("Size of each guest thread's stack in slots, for lengths that its depth bounds.")
@click.option(
    "--mutant", metavar="NAME", help="Judge the code that the interpreter would install with this mistake in it."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of a table.")
def distance(*, file: Path, policy: Policy, stack: int, mutant: str | None, as_json: bool) -> int:
    """Find the longest way between two checks.

    Of a guest program, without running it: in frame pushes, back-edges, instructions, and units of bulk work. What has no bound is
    named by its line. No run is ever further from check to check than this says. Beside the bytecode it judges the machine code that the
    interpreter would install for it: its ways may not be longer.
    """
    from safepoint.guest.distance.flow import Flow
    from safepoint.guest.distance.installed import judge
    from safepoint.guest.distance.measure import declared, distance_of
    from safepoint.guest.verifier import verify

    if as_json:
        refuse_ignored("--json says what each frame adds, whatever the stack", "stack")
    if mutant is not None:
        _known(mutant, policy)
    program = load_program(file)
    verify(program)
    flow = Flow(program)
    ways = distance_of(flow, policy)
    found, judged = declared(ways, policy), judge(flow, policy, _installed(program, policy, mutant), ways)
    if as_json:
        click.echo(json.dumps({**found.as_json(), "installed": judged.as_json()}, indent=1))
    else:
        from safepoint.show.distance import distance_table

        distance_table(found, judged, stack)
    return 0 if judged.holds else REFUTED


def _known(mutant: str, policy: Policy) -> None:
    """Refuse a name that neither the policy's text nor the interpreter has."""
    from safepoint.conform.judge import UnknownTarget
    from safepoint.graph.gather import text_of
    from safepoint.graph.text import ProtocolError
    from safepoint.verify.replay import CannotReplay, known_mutant

    if not mutant:
        refuse_ignored("it is empty", "mutant")
    try:
        known_mutant(mutant, text_of(policy), "folded")
    except (CannotReplay, ProtocolError, UnknownTarget) as error:
        fail(str(error))


def _installed(program: Program, policy: Policy, mutant: str | None) -> Installed:
    """What the interpreter would install; why not, where it is not there.  It ends the command if there is nothing to put a mutant in, or if
    it makes no difference.
    """
    from safepoint.conform.target import NotOffered
    from safepoint.guest.distance.installed import Installed

    try:
        target = entry_point("safepoint.targets", "folded")
        found: Installed = target.as_installed(program, policy, mutant or "")
        if mutant is not None and not found.why_not and found.is_alike(target.as_installed(program, policy)):
            fail(
                f"mutant {mutant}: nothing that is looked at here has it"
                " (leave out --mutant, or try `safepoint replay` or `safepoint explore`)"
            )
    except ImportError as error:
        found = Installed(why_not=f"the interpreter cannot run: {error} (pip install llvmlite)")
    except NotOffered as refused:
        fail(str(refused))
    if mutant is not None and found.why_not:
        fail(f"--mutant {mutant}: there is no compiled code to judge: {found.why_not} (leave out --mutant)")
    return found
