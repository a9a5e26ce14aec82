"""The command about memory orders: `orders`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from safepoint.cli.console import KEEP, ON, fail
from safepoint.cli.given import policies_option, refuse_elsewhere, say_slow
from safepoint.cli.status import REFUTED
from safepoint.model.memory.names import C11, MOST, SHORT, STALE
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy


@click.command()
@policies_option("The text of this policy; may be repeated.  [default: folded]")
@click.option(
    "--memory", "memories", type=click.Choice(list(STALE)), multiple=True, metavar=f"[{'|'.join(m for m in SHORT if m in STALE)}]",
    help="Memory model: C11, or a machine, with up to 2 stale stores of a word (c11k1, c11k3, c11k4, power-k1, …: up to 1, 3, 4); may be repeated.  [default: c11]",
)  # fmt: skip
@click.option(
    "--max-states", type=click.IntRange(1), metavar="N", default=MOST, show_default=True,
    help="Explore a scope in which the text has more states with one stale store of a word; if it has more then too, leave it out, and name it.",
)  # fmt: skip
@ON
@KEEP
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of a table.")
def orders(
    *,
    policies: tuple[Policy, ...],
    memories: tuple[str, ...],
    max_states: int,
    on: str,
    keep: Path | None,
    as_json: bool,
) -> int:
    """Find the weakest memory order of each access.

    For each access of the text: the weakest order with which every property holds while all others are as in the text; its order in
    a text where all are weak at once; and what breaks one step below. Every tiny scope is explored: that takes half an hour.
    """
    from safepoint.graph.text import ProtocolError
    from safepoint.show.orders import orders_table
    from safepoint.show.progress import LiveProgress
    from safepoint.verify.kept import NotUsable
    from safepoint.verify.orders import least
    from safepoint.verify.workers import workers

    refuse_elsewhere(policies, on)
    try:
        say_slow(on)
        with LiveProgress() as progress, workers(on, keep) as pool:
            found = [
                least(policy, memory, pool, progress, max_states)
                for policy in dict.fromkeys(policies or (FOLDED,))
                for memory in dict.fromkeys(memories or (C11,))
            ]
    except (NotUsable, ProtocolError) as error:
        fail(str(error))
    if any(not (each.scopes or each.refuted) for each in found):
        fail(f"the text has more than {max_states:,} states in every scope (give --max-states a larger number)")
    if pool.said:
        click.echo(pool.said, err=True)
    if as_json:
        click.echo(json.dumps([each.as_json() for each in found], indent=1))
    for each in found:
        if each.refuted is not None:
            wrong = each.refuted
            click.echo(
                f"refuted: the text itself: {wrong.broken} in scope {wrong.scope} (safepoint replay '{wrong.replay}')",
                err=True,
            )
        elif not as_json:
            orders_table(each)
    return REFUTED if any(each.refuted for each in found) else 0
