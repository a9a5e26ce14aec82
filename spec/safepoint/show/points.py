"""Policies as points of a plot: to the right what their checks cost, upwards their bound.

A bound is a number of checks, or it has none; so the height is no scale but a row for each value that there is, and what has no bound
stands in a band of its own, a row for each choice of the kinds of checks that have none.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import svg

from safepoint.protocol.policy import Checks, at_most
from safepoint.show.shapes import FAINT, FATAL, INK, LANES, LINE, MARGIN, PAPER, SANS_WIDE, SMALL, Sheet, label

WIDTH = 760
LEFT = MARGIN + 185
"""Where the scale begins; beside it stand the names of the rows."""
DOT, FLAG, NAME, ROOM = 5, 20, 12, 16
"""Radius of a point, the height from one label to the next, the size of a name, the room below a row's points."""
TITLE = "Bound against cost"
KIND = {"back_edge": "back-edge", "back_edges": "back-edges", "frames": "frame pushes"}
"""Kinds of sites and of checks whose words are not those of their name."""


Row = tuple[Checks, tuple[str, ...]]
"""The worst of a bound, and the kinds that have none."""


@dataclass(frozen=True)
class Costing:
    """A policy as it is drawn.

    bound: of each kind of check.  added: instructions on the fast path of each kind of site, by kind.  without: why it is no point.
    """

    name: str
    bound: Mapping[str, Checks]
    added: Mapping[str, int]
    without: str = ""

    @property
    def cost(self) -> int:
        return sum(self.added.values())

    @property
    def largest(self) -> Checks:
        """The worst of its kinds."""
        worst: Checks = 0
        for n in self.bound.values():
            worst = worst if at_most(n, worst) else n
        return worst

    @property
    def row(self) -> Row:
        """Where it stands."""
        return self.largest, tuple(kind for kind, n in self.bound.items() if n is None)


@dataclass
class Flag:
    """The label of a point; equal points have one.  level: how many labels stand below it, and it clears."""

    x: float
    cost: int
    names: list[str]
    level: int = 0

    @property
    def text(self) -> str:
        return ", ".join(self.names)

    @property
    def end(self) -> float:
        """Where its writing ends, in the widest font."""
        return self.x + 6 + len(self.text) * NAME * SANS_WIDE


def plot(policies: Sequence[Costing]) -> str:
    """The SVG file.  Policies that are no points are named below it."""
    shown = [policy for policy in policies if not policy.without]
    sheet = Sheet(WIDTH)
    sheet.write(TITLE, 15, bold=True)
    kinds = list(dict.fromkeys(KIND.get(kind, kind.replace("_", " ")) for policy in shown for kind in policy.added))
    sheet.write(
        "To the right: the instructions that a policy's checks add to the interpreter's fast paths"
        f"{' (' + ', '.join(kinds) + ': all together)' if kinds else ''}. Upwards: its bound, in checks from a completed post to the"
        " check that sees it; of several kinds of checks the worst.",
        SMALL,
        FAINT,
    )
    sheet.y += 12
    if shown:
        scale = _scale(shown)
        for row in sorted({policy.row for policy in shown}, key=_order, reverse=True):
            _row(sheet, row, _flags([policy for policy in shown if policy.row == row], scale))
        _axis(sheet, scale, max(policy.cost for policy in shown))
    for why in dict.fromkeys(policy.without for policy in policies if policy.without):
        names = ", ".join(policy.name for policy in policies if policy.without == why)
        sheet.write(f"No point: {names}: {why}", SMALL, FAINT)
    return sheet.text(TITLE)


def _order(row: Row) -> tuple[int, int, tuple[str, ...]]:
    """Numbers, then what is as deep as the stack, then what has no bound: in one kind of checks, in several."""
    n, kinds = row
    return (0, n, ()) if isinstance(n, int) else (1 if n == "depth" else 2, len(kinds), kinds)


def _said(n: Checks) -> str:
    if n is None:
        return "unbounded"
    return "as deep as the stack" if n == "depth" else f"{n} check{'s' * (n != 1)}"


def _scale(shown: Sequence[Costing]) -> float:
    """Units of the sheet for an instruction: as many as leave room for the label of each point."""
    most = max((policy.cost for policy in shown), default=0)
    scale = (WIDTH - MARGIN - LEFT - 20) / max(most, 1)
    for policy in shown:
        names = [other.name for other in shown if (other.cost, other.row) == (policy.cost, policy.row)]
        room = WIDTH - MARGIN - LEFT - 6 - Flag(0, 0, names).end
        scale = min(scale, room / policy.cost) if policy.cost else scale
    return max(scale, 1.0)


def _flags(policies: Sequence[Costing], scale: float) -> list[Flag]:
    """One for each cost.  A label stands above all those to the right whose pole it would cross."""
    flags: dict[int, Flag] = {}
    for policy in policies:
        at = LEFT + scale * policy.cost
        flags.setdefault(policy.cost, Flag(at, policy.cost, [])).names.append(policy.name)
    placed: list[Flag] = []
    for flag in sorted(flags.values(), key=lambda flag: -flag.x):
        flag.level = max((other.level + 1 for other in placed if other.x - DOT < flag.end + 4), default=0)
        placed.append(flag)
    return placed


def _row(sheet: Sheet, row: Row, flags: Sequence[Flag]) -> None:
    """A line for a bound, with its points on it and their labels above."""
    (value, endless), top = row, sheet.y
    middle = top + FLAG * (max(flag.level for flag in flags) + 1) + 8
    bottom = middle + ROOM
    if value is None:
        band = svg.Rect(x=MARGIN, y=top, width=WIDTH - 2 * MARGIN, height=bottom - top, fill=FATAL, fill_opacity=0.07)
        sheet.back.append(band)
    sheet.lines.append(svg.Line(x1=LEFT, x2=WIDTH - MARGIN, y1=middle, y2=middle, stroke=LINE, stroke_width=0.5))
    colour = FATAL if value is None else INK
    sheet.front.append(
        label(MARGIN + 8, middle + (4 if value is not None else -3), _said(value), NAME, colour, bold=True)
    )
    if value is None:
        kinds = ", ".join(KIND.get(kind, kind.replace("_", " ")) for kind in endless)
        sheet.front.append(label(MARGIN + 8, middle + 11, f"in {kinds}", SMALL, FAINT))
    for flag in flags:
        x, y = round(flag.x, 1), middle - 8 - FLAG * flag.level
        if flag.level:
            sheet.lines.append(svg.Line(x1=x, x2=x, y1=y - 4, y2=middle, stroke=FAINT, stroke_width=1))
        name = html.escape(f"{flag.text}: {flag.cost} instructions, {_said(value)}")
        sheet.front.append(
            svg.Circle(
                cx=x,
                cy=middle,
                r=DOT,
                fill=colour_of(value),
                stroke=PAPER,
                stroke_width=1,
                elements=[svg.Title(text=name)],
            )
        )
        sheet.front.append(label(flag.x + 6, y, flag.text, NAME))
    sheet.y = bottom


def colour_of(bound: Checks) -> str:
    """Of a point: it only repeats the row."""
    return FATAL if bound is None else LANES[0]


def _axis(sheet: Sheet, scale: float, most: int) -> None:
    """The scale of instructions: a mark for each, or for each fifth or tenth and so on if they are many."""
    y = sheet.y
    sheet.lines.append(svg.Line(x1=LEFT, x2=WIDTH - MARGIN, y1=y, y2=y, stroke=INK, stroke_width=1))
    step = next(n for n in (1, 2, 5, 10, 20, 50, 100, 1000, most + 1) if n * scale >= 24)
    for n in range(0, most + 1, step):
        x = round(LEFT + scale * n, 1)
        sheet.lines.append(svg.Line(x1=x, x2=x, y1=y, y2=y + 4, stroke=INK, stroke_width=1))
        sheet.front.append(label(x, y + 18, str(n), SMALL, FAINT, centred=True))
    sheet.front.append(label(MARGIN + 8, y + 18, "instructions added", SMALL, FAINT))
    sheet.y = y + 26
