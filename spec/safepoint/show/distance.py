"""What `safepoint distance` found: a line for each measure; then the longest way, why lengths have no bound, and what compiled code adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from safepoint.guest.distance.installed import back_edges
from safepoint.guest.distance.ways import NAMES
from safepoint.show.tables import console

if TYPE_CHECKING:
    from safepoint.guest.distance.installed import Judged
    from safepoint.guest.distance.measure import Distance, Measured

SHOWN = 12
"""Most reasons that are printed of one measure, and most lines of a way; the rest is counted."""


def distance_table(distance: Distance, judged: Judged, stack: int) -> None:
    """stack: slots of a guest thread's stack."""
    out, compiled = console(), judged.distance
    more = ("as compiled",) if compiled else ()
    table = Table("measure", "longest way", *more, f"on a stack of {stack:,} slots")
    for name, measured in distance.measures.items():
        each = [measured, compiled.measures[name]] if compiled else [measured]
        table.add_row(NAMES[name], *map(length, each), _most([one.at_most(stack) for one in each]))
    out.print(table)
    for line in (*lines(distance), *installed_lines(distance.file, judged)):
        out.print(escape(line), highlight=False, soft_wrap=True)


def length(measured: Measured) -> str:
    """In one cell."""
    match measured.length:
        case None:
            return "unbounded"
        case "depth":
            return f"depth: {measured.per_frame:,} a frame"
    return f"{measured.length:,}"


def _most(numbers: Sequence[int | None]) -> str:
    """The largest."""
    known = [each for each in numbers if each is not None]
    return f"{max(known):,}" if len(known) == len(numbers) else "unbounded"


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


def installed_lines(file: str, judged: Judged) -> Iterator[str]:
    """What has been judged of compiled code, and what has not."""
    program, found = judged.program, judged.installed
    if found.why_not:
        yield f"compiled code is not judged: {found.why_not}"
        return
    pushes = sum(len(made.pushes) for made in found.codes.values())
    loops = [
        at in made.left for number, made in found.codes.items() for at in back_edges(program.codes[number], made)
    ]  # whether each stays with the interpreter
    where = f" ({loops.count(False):,} compiled, {loops.count(True):,} interpreted)" if any(loops) else ""
    yield (
        f"compiled code of {len(found.codes)} of {len(program.codes)} functions: {_many(pushes, 'frame push', 'es')} and"
        f" {_many(len(loops), 'back-edge')}{where}, {'all checked; no way is longer' if judged.holds else 'but it is not as the bytecode'}"
    )
    left = [(program.codes[number].line, f"{program.codes[number].name}: {why}") for number, why in found.left.items()]
    for number, made in found.codes.items():
        instructions = program.codes[number].instructions
        left += [(instructions[at].line, f"{instructions[at].op}: {why}") for at, why in made.left.items()]
    yield from _some(f"not compiled: {file}", sorted(left))
    yield from _some(f"compiled: {file}", [(each.line, each.what) for each in judged.differences])


def _many(number: int, what: str, ending: str = "s") -> str:
    return f"{number:,} {what}{ending * (number != 1)}"


def _some(what: str, places: Sequence[tuple[int, str]]) -> Iterator[str]:
    for line, why in places[:SHOWN]:
        yield f"{what}:{line}: {why}"
    if more := len(places[SHOWN:]):
        yield f"{what}: and at {more} more places (--json has them all)"


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
