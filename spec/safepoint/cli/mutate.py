"""The command about the properties: `mutate`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from safepoint.cli.console import KEEP, ON, fail
from safepoint.cli.given import policies_option, refuse_elsewhere, say_slow
from safepoint.cli.status import REFUTED
from safepoint.protocol.policies import FIRST, POLICIES
from safepoint.protocol.policy import Policy


@click.command(short_help="Change the protocol in every simple way: is it noticed?")
@policies_option("Mutate the text of this policy only; may be repeated.  [default: one of each family]")
@click.option("--quick", is_flag=True, help="Take a fixed sample of the mutations, and the tiny scopes only.")
@click.option("--thorough", is_flag=True, help="Explore those that have a reason in the small scopes too.")
@ON
@KEEP
@click.option(
    "--like", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
    help="Begin each mutation with the scope that killed it in an earlier run, of any version, whose results --keep has kept there.",
)  # fmt: skip
@click.option(
    "--at",
    metavar="PLACE",
    default="",
    help="Only the mutations of this procedure, file or line, for example slow_path, limit.py or owner.py:42.",
)
@click.option(
    "--by-property", is_flag=True, help="Also show for each property how many mutations break it, and how many only it."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of a table.")
def mutate(
    *,
    policies: tuple[Policy, ...],
    quick: bool,
    thorough: bool,
    on: str,
    keep: Path | None,
    like: Path | None,
    at: str,
    by_property: bool,
    as_json: bool,
) -> int:
    """Change the protocol in every simple way: do its properties notice?

    Each mutation of the text is explored, the smallest scopes first, until a property is broken. One that survives and has no
    reason in safepoint/protocol/equivalents is a hole in the properties: exit status 1.
    """
    from safepoint.graph.text import ProtocolError
    from safepoint.model.explore import NotExplored
    from safepoint.show.mutations import campaign_table, property_table
    from safepoint.show.progress import LiveProgress
    from safepoint.verify.kept import NotUsable
    from safepoint.verify.mutate import may_be_at, run, where_killed
    from safepoint.verify.workers import workers

    if quick and thorough:
        fail("--quick: a sample is not thorough (leave out --quick, or --thorough)")
    refuse_elsewhere(policies, on)
    mutated = list(dict.fromkeys(policies)) or [POLICIES[name] for name in FIRST]
    sampled = "leave out --quick, which takes a sample; or " if quick else ""
    nothing = (
        f"nothing to mutate at {at!r}"
        f" ({sampled}write a procedure of the text, or a line that has a statement: --at slow_path, --at owner.py:42)"
    )
    try:
        if at and not any(may_be_at(policy, at) for policy in mutated):
            fail(nothing)
        first = where_killed(like) if like else None
        say_slow(on)
        with LiveProgress() as progress, workers(on, keep) as pool:
            campaign = run(
                mutated,
                pool,
                quick=quick,
                thorough=thorough,
                at=at,
                by_property=by_property,
                first=first,
                progress=progress,
            )
    except (ProtocolError, NotExplored, NotUsable) as error:
        fail(str(error))
    if at and not campaign.rows:
        fail(nothing)
    if pool.said:
        click.echo(pool.said, err=True)
    if as_json:
        click.echo(json.dumps(campaign.as_json(), indent=1))
    else:
        if by_property:
            property_table(campaign)
        campaign_table(campaign)
    return REFUTED if campaign.unexplained or campaign.stale else 0
