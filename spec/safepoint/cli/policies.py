"""The command that sets the policies side by side: `policies`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from safepoint.cli.console import Written, write
from safepoint.cli.given import policies_option
from safepoint.cli.status import REFUTED
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Policy


@click.command(short_help="Set the policies side by side: where each checks, bound, cost.")
@policies_option("This policy alone; may be repeated.  [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of a table.")
@click.option(
    "--svg", "drawing", type=Written(), metavar="FILE", help="Draw bound against cost to FILE, a point for each policy."
)
def policies(*, policies: tuple[Policy, ...], as_json: bool, drawing: Path | None) -> int:
    """Set the policies side by side: where each checks, its bound, its cost.

    All of it is found in this run: the bound, exactly, by exploring the policy's text; the largest distance from a post to the check
    that sees it, in the interpreter with that policy's checks; the instructions that they add to its fast paths; and CPU time, as a
    ratio to the interpreter without any protocol.
    """
    from safepoint.show.policies import policies_table
    from safepoint.show.progress import LiveProgress
    from safepoint.verify.policies import rows

    with LiveProgress() as progress:
        found = rows(list(dict.fromkeys(policies or POLICIES.values())), progress)
    if drawing is not None:
        from safepoint.show.points import plot
        from safepoint.show.policies import costing

        write(drawing, plot([costing(row) for row in found]))
    if as_json:
        click.echo(json.dumps({"policies": [row.as_json() for row in found]}, indent=1))
    else:
        policies_table(found)
    wrong = [row.wrong for row in found if row.wrong]
    for line in wrong:
        click.echo(f"refuted: {line}", err=True)
    for line in (said for row in found for said in row.too_weak):
        click.echo(f"too weak: {line}", err=True)
    return REFUTED if wrong else 0
