"""The command about the time between checks in a guest program: `distance`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from safepoint.cli.console import FILE, refuse_ignored
from safepoint.cli.given import policy_option, stack_option
from safepoint.cli.guest import load_program
from safepoint.protocol.policy import Policy


@click.command()
@click.argument("file", type=FILE)
@policy_option("Whose checks they are, and how many may pass before one sees a request.")
@stack_option("Size of each guest thread's stack in slots, for lengths that its depth bounds.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of a table.")
def distance(*, file: Path, policy: Policy, stack: int, as_json: bool) -> int:
    """Find the longest way between two checks.

    Of a guest program, without running it: in frame pushes, back-edges, instructions, and units of bulk work. What has no bound is
    named by its line. No run is ever further from check to check than this says.
    """
    from safepoint.guest.distance.measure import static_distance
    from safepoint.guest.verifier import verify

    if as_json:
        refuse_ignored("--json says what each frame adds, whatever the stack", "stack")
    program = load_program(file)
    verify(program)
    found = static_distance(program, policy)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=1))
    else:
        from safepoint.show.distance import distance_table

        distance_table(found, stack)
    return 0
