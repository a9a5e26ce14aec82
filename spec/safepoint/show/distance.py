"""What `safepoint distance` found: a line for each measure; then the longest way, and why lengths have no bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from safepoint.show.tables import console

if TYPE_CHECKING:
    from safepoint.guest.distance.measure import Distance, Measured

NAMES = {
    "frames": "frame pushes",
    "back_edges": "back-edges",
    "instructions": "instructions",
    "units": "units of bulk work",
}
SHOWN = 12
"""Most reasons that are printed of one measure, and most lines of a way; the rest is counted."""


def distance_table(distance: Distance, stack: int) -> None:
    """stack: slots of a guest thread's stack."""
    out = console()
    table = Table("measure", "longest way", f"on a stack of {stack:,} slots")
    for name, measured in distance.measures.items():
        table.add_row(NAMES[name], length(measured), _number(measured.at_most(stack)))
    out.print(table)
    for line in lines(distance):
        out.print(escape(line), highlight=False, soft_wrap=True)


def length(measured: Measured) -> str:
    """In one cell."""
    match measured.length:
        case None:
            return "unbounded"
        case "depth":
            return f"depth: {measured.per_frame:,} a frame"
    return f"{measured.length:,}"


def _number(most: int | None) -> str:
    return "unbounded" if most is None else f"{most:,}"


def lines(distance: Distance) -> Iterator[str]:
    """Below the table."""
    yield f"{distance.file}, policy {distance.policy}: {checks(distance)}"
    if distance.coarse:
        yield "the program is too large to follow its values: any slot is taken to hold anything"
    way = distance.measures["instructions"]
    if way.way:
        partly = "" if isinstance(way.length, int) else "a part of "
        yield f"in instructions, {partly}the longest way begins {way.begins}:"
        for step in way.way[:SHOWN]:
            yield f"  {step.instructions:>6,}  {distance.file}:{step.line} in {step.function}"
        if rest := way.way[SHOWN:]:
            yield f"  {sum(step.instructions for step in rest):>6,}  on {len(rest)} more lines"
    for name, measured in distance.measures.items():
        for reason in measured.reasons[:SHOWN]:
            yield f"{_what(measured, name)}: {distance.file}:{reason.line}: {reason.what}"
        if more := len(measured.reasons[SHOWN:]):
            yield f"{NAMES[name]}: and at {more} more places (--json has them all)"
    if distance.measures["units"].length is None and distance.counted.length is not None:
        yield f"units that are counted, and polled for before what is done at once: {length(distance.counted)}"


def _what(measured: Measured, name: str) -> str:
    return f"{NAMES[name]} {'unbounded' if measured.length is None else 'as deep as the stack'}"


def checks(distance: Distance) -> str:
    """Which the checks are."""
    kinds = [
        kind
        for kind, looked in (
            ("frame pushes", distance.frames_are_checks),
            ("back-edges", distance.back_edges_are_checks),
            (f"{distance.elsewhere}s", bool(distance.elsewhere)),
        )
        if looked
    ]
    if not kinds:
        return "nothing is a check"
    seen = "the first sees" if distance.checks == 1 else f"one of {distance.checks} in a row sees"
    listed = f"{', '.join(kinds[:-1])} and {kinds[-1]}" if len(kinds) > 1 else kinds[0]
    return f"{listed} are checks, and {seen} a request"
