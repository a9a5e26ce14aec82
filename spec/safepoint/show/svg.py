"""A path as a picture, for issues, slides and reports: one lane a thread, one column a word, time running down, and the step
that breaks the property marked.  `model.counterexample` prints the same path for terminals.
"""

from __future__ import annotations

import html

import svg

from safepoint.graph.text import Text
from safepoint.model.counterexample import AGAIN, sentence, value_of
from safepoint.model.memory.names import C11, SC, STALE, TSO, base
from safepoint.model.path import Path, Taken
from safepoint.protocol.rules import RULES
from safepoint.show.footer import glossary, legend, replay_lines
from safepoint.show.lanes import Key, Lane, in_buffer, lanes_of, place_of, rails_of, source_of, touched, wrap_code
from safepoint.show.shapes import (
    CODE,
    FAINT,
    FATAL,
    GAP,
    INK,
    LOOP,
    MARGIN,
    NUMBERS,
    PAPER,
    ROW,
    SANS_WIDE,
    SMALL,
    Rail,
    Sheet,
    arrow,
    chip,
    chip_height,
    dot,
    draw_rail,
    label,
    wrap,
)

NARROWEST = 760

MEMORY = {
    SC: "sequential consistency",
    TSO: "x86-TSO: a thread's stores wait in its buffer",
    **{
        name: f"{'C11' if base(name) == C11 else base(name)}: a thread may read up to {kept} stale store{'s' * (kept > 1)} of a word"
        for name, kept in STALE.items()
    },
}


def picture(path: Path, text: Text) -> str:
    """The SVG file of a path."""
    lanes = lanes_of(path, text)
    right = max(lane.x + lane.width for lane in lanes.values())
    rails = rails_of(path, text, right + 2 * GAP)
    right = max([right, *(rail.x + rail.width for rail in rails)])
    sheet = Sheet(round(max(right + MARGIN, NARROWEST)))
    heading(sheet, path, text)
    top = columns(sheet, lanes, rails)
    row_of_values(sheet, rails, "start")
    buffered = in_buffer(path)
    begins = 0.0
    for number, step in enumerate(path.steps, start=1):
        begins = loop_begins(sheet, lanes) if number - 1 == path.loop else begins
        draw_step(sheet, path, text, number, lanes[step.process], rails, buffered=number in buffered)
    for lane in lanes.values():
        strip = svg.Rect(x=lane.x, y=top, width=lane.width, height=sheet.y - top, fill=lane.colour, fill_opacity=0.06)
        sheet.back.insert(0, strip)
    if begins:
        bracket(sheet, begins, sheet.y - ROW)
    ending(sheet, path, rails)
    legend(sheet, rails, buffered=bool(buffered))
    glossary(sheet, rails, text)
    replay_lines(sheet, path)
    return sheet.text(f"{path.broken or 'path'}: {len(path.steps)} steps, scope {path.model.scope.name}")


def heading(sheet: Sheet, path: Path, text: Text) -> None:
    """The broken property, the mutant and its rule, and the scope."""
    model = path.model
    if path.broken:
        sheet.write(f"refuted: {path.broken}", 18, FATAL, bold=True)
        sheet.write(sentence(path.broken), 13)
    else:
        sheet.write("A path on which nothing is broken", 18, bold=True)
    sheet.y += 5
    if model.mutant in text.mutants:
        mutant = text.mutants[model.mutant]
        rule = mutant.rule
        meaning = f" {RULES[rule].text}" if rule in RULES else ""
        sheet.write(
            f"The mistake: {mutant.name} ({mutant.file}:{mutant.line}), against the rule {rule}.{meaning}", 12, FAINT
        )
    moving = {step.process for step in path.steps}
    idle = [process.name for number, process in enumerate(model.processes) if number not in moving]
    rest = f" Left out, for they do nothing here: {', '.join(idle)}." if idle else ""
    sheet.write(f"Scope {model.scope.name}: {model.scope.why}. Memory: {MEMORY[model.memory]}.", 12, FAINT)
    sheet.write(
        f"{len(path.steps)} steps; time runs down. A box is one atomic step: the statement, above it in bold what the thread"
        f" has chosen, below it where the statement stands.{rest}",
        12,
        FAINT,
    )
    sheet.y += GAP


def columns(sheet: Sheet, lanes: dict[int, Lane], rails: list[Rail]) -> float:
    """The names of threads and words.  Returns the height at which the lanes begin."""
    top = sheet.y
    most = 2
    for lane in lanes.values():
        sheet.front.append(svg.Rect(x=lane.x, y=top, width=lane.width, height=26, fill=lane.colour))
        sheet.front.append(label(lane.x + 10, top + 18, lane.name, 13, PAPER, bold=True))
        role = wrap(lane.role, lane.width - 20, SMALL)
        most = max(most, len(role))
        for i, line in enumerate(role):
            sheet.front.append(label(lane.x + 10, top + 42 + 15 * i, line, SMALL, FAINT))
    for owner in dict.fromkeys(rail.owner for rail in rails):
        mine = [rail for rail in rails if rail.owner == owner]
        left, right = mine[0].x, mine[-1].x + mine[-1].width
        name = f"T{owner}" if isinstance(owner, int) else owner
        whole = f"words of {name}"  # or it looks like one more thread
        name = whole if len(whole) * 13 * SANS_WIDE < right - left else name
        sheet.front.append(svg.Rect(x=left, y=top, width=right - left, height=26, fill="#e4e8ec"))
        sheet.front.append(label((left + right) / 2, top + 18, name, 13, bold=True, centred=True))
        for rail in mine:
            sheet.front.append(label(rail.middle, top + 42, rail.word, SMALL, mono=True, centred=True))
            if rail.kind == "private":
                sheet.front.append(label(rail.middle, top + 56, "private", SMALL, FAINT, centred=True))
    sheet.y = top + 26 + 15 * most + ROW
    return top


def row_of_values(sheet: Sheet, rails: list[Rail], name: str) -> None:
    """The value of every word, at the start or at the end."""
    tall = max([chip_height(rail.said) for rail in rails], default=20)
    sheet.front.append(label(MARGIN, sheet.y + tall / 2 + 4, name, SMALL, FAINT))
    for rail in rails:
        chip(sheet, rail, rail.said, sheet.y + tall / 2, fresh=False)
    sheet.y += tall + ROW


def draw_step(
    sheet: Sheet, path: Path, text: Text, number: int, lane: Lane, rails: list[Rail], *, buffered: bool
) -> None:
    """A box in the thread's lane, and the arrows between it and the words that it reads or changes."""
    step = path.steps[number - 1]
    fatal = bool(path.broken) and path.loop is None and number == len(path.steps)
    code = wrap_code(source_of(step), lane.width)
    values = {(c.owner, c.word): value_of(path, c.word, c.new, text) for c in step.changes}
    box = 12 + 16 * (bool(step.move.cases) + len(code) + 1)
    tall = max([box, *map(chip_height, values.values())])
    middle = sheet.y + tall / 2
    shade = FATAL if fatal else FAINT
    sheet.front.append(label(MARGIN, middle + 4, str(number), CODE, shade, bold=fatal))
    draw_box(sheet, step, place_of(step, text), lane, code, middle - box / 2, fatal=fatal)
    draw_words(sheet, touched(path, step), rails, values, lane.x + lane.width - 5, middle, buffered=buffered)
    sheet.y += tall + ROW


def loop_begins(sheet: Sheet, lanes: dict[int, Lane]) -> float:
    """The line between the steps that says where the loop begins.  Returns its height."""
    left = min(lane.x for lane in lanes.values())
    sheet.front.append(label(left + 5, sheet.y + 12, AGAIN, 13, FATAL, bold=True))
    sheet.y += 24
    return sheet.y


def bracket(sheet: Sheet, top: float, bottom: float) -> None:
    """The bracket beside a loop: from below its last step back up to its first."""
    x, into = MARGIN + NUMBERS + 4, MARGIN + NUMBERS + LOOP - 2
    top, bottom = top + 10, bottom - 10
    points = [svg.Point(into, bottom), svg.Point(x, bottom), svg.Point(x, top), svg.Point(into - 8, top)]
    sheet.lines.append(svg.Polyline(points=points, fill="none", stroke=FATAL, stroke_width=3))
    head = [svg.Point(into, top), svg.Point(into - 10, top - 6), svg.Point(into - 10, top + 6)]
    sheet.lines.append(svg.Polygon(points=head, fill=FATAL))


def draw_box(sheet: Sheet, step: Taken, place: str, lane: Lane, code: list[str], y: float, *, fatal: bool) -> None:
    """The box of a step: the chosen case, the statement, and its place in the text."""
    head = [step.move.cases] if step.move.cases else []
    height = 12 + 16 * (len(head) + len(code) + 1)
    sheet.front.append(
        svg.Rect(
            x=lane.x + 5,
            y=y,
            width=lane.width - 10,
            height=height,
            rx=3,
            fill="#fff0ee" if fatal else PAPER,
            stroke=FATAL if fatal else lane.colour,
            stroke_width=3 if fatal else 1,
            elements=[svg.Title(text=html.escape(source_of(step)))],
        )
    )
    rows = [(line, CODE, lane.colour, False, True) for line in head]
    rows += [(line, CODE, INK, True, False) for line in code] + [(place, SMALL, FAINT, False, False)]
    for i, (line, size, colour, mono, bold) in enumerate(rows):
        sheet.front.append(label(lane.x + 13, y + 19 + 16 * i, line, size, colour, mono=mono, bold=bold))


def draw_words(
    sheet: Sheet,
    access: tuple[str, Key] | None,
    rails: list[Rail],
    values: dict[Key, str],
    x: float,
    y: float,
    *,
    buffered: bool,
) -> None:
    """An arrow from the box through each word that it changes, and one for a word that it only reads, or leaves as it was."""
    left = x
    for rail in rails:
        if rail.key in values:
            arrow(sheet, left, rail.x, y)
            left = rail.x + rail.width
            draw_rail(sheet, rail, y)
            chip(sheet, rail, values[rail.key], y)
        elif access and access[1] == rail.key:
            reads = access[0] != "store"
            above = y - 15 if values else y  # clear of the chips of what the step changed besides
            arrow(sheet, x, rail.middle - 5, above, back=reads)
            dot(sheet, rail.middle, above, reads=reads, buffered=buffered)


def ending(sheet: Sheet, path: Path, rails: list[Rail]) -> None:
    """The value of every word at the end, and under them the broken property."""
    for rail in rails:
        draw_rail(sheet, rail, sheet.y + chip_height(rail.said) / 2)
    row_of_values(sheet, rails, "end")
    if not path.broken:
        return
    left = MARGIN + NUMBERS
    width = sheet.width - left - MARGIN
    by = "step" if path.loop is None else "loop"
    head = wrap(f"broken by this {by}: {path.broken}", width - 24, 14)
    body = wrap(sentence(path.broken), width - 24, CODE)
    body += wrap(f"Here: {path.detail}", width - 24, CODE) if path.detail else []
    height = 17 * (len(head) + len(body)) + 14
    sheet.front.append(svg.Rect(x=left, y=sheet.y, width=width, height=height, rx=3, fill=FATAL))
    for i, line in enumerate(head + body):
        title = i < len(head)
        sheet.front.append(label(left + 12, sheet.y + 20 + 17 * i, line, 13 if title else CODE, PAPER, bold=title))
    sheet.y += height + ROW
