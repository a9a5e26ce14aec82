"""The command `campaign`: what takes a night, or a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from safepoint.cli.console import KEEP, ON, fail, refuse_ignored
from safepoint.cli.status import NO_VERDICT, REFUTED

SUBJECTS = ("scopes", "schedules", "fuzz", "soak", "mutation")
"""As `safepoint.verify.campaign` has them; `--help` does not import it."""


@click.command()
@click.argument("subjects", nargs=-1, type=click.Choice(SUBJECTS), metavar="[SUBJECT]...")
@click.option(
    "--seeds", type=click.IntRange(1), default=10, show_default=True, metavar="N",
    help="How many seeds schedules, fuzzed programs and soaks have.",
)  # fmt: skip
@ON
@KEEP
def campaign(*, subjects: tuple[str, ...], seeds: int, on: str, keep: Path | None) -> int:
    """Run the checks that take hours.

    SUBJECT is one or several of scopes (of every size), schedules and fuzz (with further seeds), soak (on real cores) and mutation (of the
    text); without any, all. With --keep, Control-C ends it in order, and the same command goes on from there.
    """
    from safepoint.graph.text import ProtocolError
    from safepoint.model.explore import NotExplored
    from safepoint.show.campaign import campaign_lines
    from safepoint.show.mutations import campaign_table
    from safepoint.show.progress import LiveProgress
    from safepoint.verify.campaign import SEEDED, Campaign, run
    from safepoint.verify.kept import NotUsable
    from safepoint.verify.workers import workers

    chosen = subjects or SUBJECTS
    if not set(chosen) & set(SEEDED):
        refuse_ignored(f"{' and '.join(dict.fromkeys(chosen))} draw nothing", "seeds")
    found = Campaign()
    try:
        with workers(on, keep) as pool:
            try:
                with LiveProgress() as progress:
                    run(chosen, seeds, pool, found, progress)
            finally:  # after Control-C, too
                if found.mutations:
                    campaign_table(found.mutations)
                for line in campaign_lines(found):
                    click.echo(line)
                if pool.said:
                    click.echo(pool.said)
    except (ProtocolError, NotExplored, NotUsable) as error:
        fail(str(error))
    return {"refuted": REFUTED, "holds": 0}.get(found.verdict, NO_VERDICT)
