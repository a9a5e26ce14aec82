"""The mistakes of the interpreter that are in no line of the text: which way of looking shows each, and how soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from safepoint.verify.report import Report
    from safepoint.verify.rows import CompiledMutantRow


def mistake_table(report: Report, out: Console) -> None:
    """A line for each; nothing if none was tried."""
    rows = [row for row in report.implementation_mutants or [] if row.of == "interpreter"]
    if not rows:
        return
    shown = sum(_is_shown(row) for row in rows)
    out.print(
        f"[bold]mistakes of the interpreter[/], in what is not generated from the text: {shown} of {len(rows)} caught; after"
        " how many requests of the differential test, schedules, requests on real cores"
    )
    table = Table()
    table.add_column("mistake", no_wrap=True)
    for name in ("in the place of", "differential", "schedules", "real cores"):
        table.add_column(name, overflow="fold")
    for row in rows:
        ways = ((row.differential, row.requests), (row.controlled, row.schedules), (row.real_cores, row.raced))
        table.add_row(row.name, row.swaps, *(_after(*way, open_=not _is_shown(row)) for way in ways))
    out.print(table)


def _is_shown(row: CompiledMutantRow) -> bool:
    return bool(row.differential or row.controlled or row.real_cores)


def _after(noticed: bool | None, count: int | None, *, open_: bool) -> str:
    """After how many it was caught; "no", after how many it was not; "-": not tried."""
    if noticed is None:
        return "-"
    missed = f"no ({count:,})"
    return f"{count:,}" if noticed else f"[red]{missed}[/]" if open_ else missed
