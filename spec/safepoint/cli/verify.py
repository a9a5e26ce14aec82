"""The main job: `verify`."""

from __future__ import annotations

from pathlib import Path

import click

from safepoint.cli.console import KEEP, ON, Written, fail, refuse_ignored, write
from safepoint.cli.given import policy_option, say_slow
from safepoint.cli.status import NO_VERDICT, REFUTED
from safepoint.protocol.policies import POLICIES, is_ours
from safepoint.protocol.policy import Policy


@click.command()
@click.option(
    "--quick/--thorough",
    default=True,
    show_default=True,
    help="--quick takes about 3 minutes. --thorough also posts a second request at every shared access of every"
    " program; it has no time limit.",
)
@click.option("--target", "targets", multiple=True, metavar="NAME", help="Judge this target too; may be repeated.")
@click.option(
    "--soak",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Nothing but campaigns on real cores, for MINUTES or until something is wrong; Control-C ends it.",
)
@policy_option("Of a --soak: where and how its guest threads check.")
@ON
@KEEP
@click.option("--json", "output", type=Written(), metavar="FILE", help="Write the results to FILE as JSON.")
@click.option(
    "--report", "page", type=Written("report.html"), metavar="DIR", help="Write DIR/report.html, with pictures."
)
def verify(
    *,
    quick: bool,
    targets: tuple[str, ...],
    soak: float | None,
    policy: Policy,
    on: str,
    keep: Path | None,
    output: Path | None,
    page: Path | None,
) -> int:
    """Check protocol, mutants and interpreter.

    The main job: explores every state of the protocol, sees that each mutant is caught, and interrupts the interpreter at every step.
    What was left out is printed, with the reason.
    """
    from safepoint.conform.judge import UnknownTarget, find_target
    from safepoint.graph.text import ProtocolError
    from safepoint.model.explore import NotExplored
    from safepoint.show.failures import failure_text
    from safepoint.show.progress import LiveProgress
    from safepoint.show.tables import report_tables
    from safepoint.verify import run as job
    from safepoint.verify.kept import NotUsable
    from safepoint.verify.workers import workers

    if soak is not None:
        refuse_ignored("a soak runs campaigns on real cores, and nothing else", "quick", "targets", "output", "page")
        refuse_ignored("this soak has one process, here; `safepoint campaign soak` takes it", "on", "keep")
        if not is_ours(policy):
            fail(f"a soak's campaigns know our policies only (give -p one of {', '.join(POLICIES)})")
        return soaked(soak, policy.name)
    refuse_ignored("only a --soak is under one policy", "policy")
    if targets and (on or keep):
        fail(
            "--target: another VM's adapter is neither on the cluster nor told apart in what is kept"
            " (leave out --on and --keep, or judge it alone: safepoint conform --target NAME)"
        )
    try:
        for name in targets:
            find_target(name)
        say_slow(on, "; the section `protocol` takes minutes, and says how far it is")
        with LiveProgress() as progress, workers(on, keep) as pool:
            report = job.run(pool=pool, quick=quick, targets=targets, progress=progress)
    except (UnknownTarget, ProtocolError, NotExplored, NotUsable) as error:
        fail(str(error))
    if pool.said:
        click.echo(pool.said, err=True)
    report_tables(report, [failure_text(failure) for failure in report.failures])
    if output is not None:
        import json

        write(output, json.dumps(report.as_json(), indent=1) + "\n")
    if page is not None:
        from safepoint.show.report import page_of

        write(page, page_of(report))
    return {"refuted": REFUTED, "holds": 0}.get(report.verdict, NO_VERDICT)


def soaked(minutes: float, policy: str) -> int:
    """`verify --soak`."""
    from safepoint.conform.judge import UnknownTarget
    from safepoint.conform.target import NotOffered
    from safepoint.differential.cores import CoresRun
    from safepoint.show.failures import failure_text
    from safepoint.show.progress import LiveProgress
    from safepoint.show.tables import soak_lines
    from safepoint.verify.cores import soak

    runs: list[CoresRun] = []
    try:
        with LiveProgress() as progress:
            failures = soak(minutes, runs, progress, policy)
    except (UnknownTarget, NotOffered) as error:
        fail(str(error))
    finally:  # after Control-C, too
        for line in soak_lines(runs):
            click.echo(line)
    for failure in failures:
        click.echo(failure_text(failure))
    return REFUTED if failures else 0
