"""`bench`: the interpreter beside others, in time."""

from __future__ import annotations

import json
from pathlib import Path

import click

from safepoint.cli.console import Written, fail, refuse_ignored, unknown, write

ROUNDS, QUICK = 6, 2
"""Even numbers: each order comes as often as the other."""


@click.command(short_help="Time the interpreter beside others.")
@click.argument("programs", nargs=-1, metavar="[PROGRAM]...")
@click.option(
    "-i", "--interpreter", "interpreters", multiple=True, metavar="NAME",
    help="Beside ours and luajit -joff this one alone; may be repeated.  [default: all that are installed]",
)  # fmt: skip
@click.option(
    "--rounds", type=click.IntRange(1), default=ROUNDS, show_default=True, metavar="N",
    help="How often each program runs in each interpreter.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help=f"{QUICK} rounds.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of tables.")
@click.option(
    "--page", type=Written(), metavar="FILE",
    help="Write the tables between the markers of a page, too: docs/performance.md has them.",
)  # fmt: skip
def bench(
    *, programs: tuple[str, ...], interpreters: tuple[str, ...], rounds: int, quick: bool, as_json: bool, page: Path | None
) -> int:  # fmt: skip
    """Time the same guest programs in the interpreter and in others, in turn.

    PROGRAM is one or several of the bench's; without any, all, which takes some five minutes. CPU time of a process without its start, as a
    ratio to luajit -joff in the same round, with the least and the largest; then the same programs with each optimisation and
    without. Before any time is taken all interpreters must print the same. docs/performance.md says more.
    """
    from safepoint.bench.children import BenchError
    from safepoint.bench.languages import NAMED
    from safepoint.bench.run import run
    from safepoint.bench.sizes import SIZES
    from safepoint.conform.judge import UnknownTarget
    from safepoint.show.bench import bench_tables
    from safepoint.show.bench_page import made
    from safepoint.show.progress import LiveProgress
    from safepoint.verify.workers import control_c_raises

    for what, given, known in (("program", programs, SIZES), ("interpreter", interpreters, NAMED)):
        for name in given:
            if name not in known:
                unknown(what, name, known)
    if quick:
        refuse_ignored(f"--quick is {QUICK} rounds", "rounds")
    before = read_page(page, all_of_it=not programs and not interpreters) if page else ""
    try:
        with control_c_raises(), LiveProgress() as progress:  # the process of a program is not to outlive the bench
            found = run(
                list(dict.fromkeys(programs)) or list(SIZES), interpreters, QUICK if quick else rounds, progress
            )
    except (BenchError, UnknownTarget) as error:
        fail(str(error))
    if page:
        write(page, made(before, found))
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=1))
    else:
        bench_tables(found)
    return 0


def read_page(page: Path, *, all_of_it: bool) -> str:
    """What it is now: that it cannot take the tables is said before the minutes of work."""
    from safepoint.show.bench_page import missing_block

    if not all_of_it:
        fail("--page has all programs and interpreters (leave out PROGRAM and --interpreter, or --page)")
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{page}: cannot be read: {error} (name a page that has the markers, such as docs/performance.md)")
    if missing := missing_block(text):
        fail(f"{page}: must have the line {missing} once, and behind it <!-- end --> (docs/performance.md has)")
    return text
