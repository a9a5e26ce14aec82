"""The command that judges a trace: `accept`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from safepoint.cli.console import FILE, fail
from safepoint.cli.status import REFUTED


@click.command(short_help="Judge a trace: is it a run of the protocol?")
@click.argument("trace", type=FILE, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a line of a trace, and do nothing else.")
def accept(*, trace: Path | None, as_json: bool, schema: bool) -> int:
    """Judge a trace: is it, in some order of what overlaps, a run of the protocol?

    Exit status: 0 accepted, 1 refused: the first event that no run explains is named, with its rule; 2 the file is damaged, is no
    trace, or has no event. docs/trace.md says what a VM logs.
    """
    if schema:
        if trace is not None or as_json:
            fail("--schema judges no trace (leave it out, or leave out TRACE and --json)")
        from safepoint.trace.schema import text

        click.echo(text(), nl=False)
        return 0
    if trace is None:
        fail("no trace is named (write safepoint accept TRACE)")
    from safepoint.show.traces import verdict_lines
    from safepoint.trace.files import DamagedTrace
    from safepoint.trace.verdict import NoVerdict, judge

    try:
        with trace.open("rb") as file:
            verdict = judge(file, str(trace))
    except OSError as error:
        fail(f"{trace}: {error.strerror} (write the path of a trace)")
    except (DamagedTrace, NoVerdict) as error:
        fail(str(error))
    click.echo(json.dumps(verdict.as_json(), indent=1) if as_json else "\n".join(verdict_lines(verdict, str(trace))))
    return REFUTED if verdict.refusal else 0
