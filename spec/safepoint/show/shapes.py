"""What pictures are drawn with: a sheet, writing, and the shapes that stand for values, reads and changes.

Shapes and words say everything; colour only repeats it.  No style sheet and no ids, so that one page can hold many pictures.
"""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass, field

import svg

MONO, SANS = "DejaVu Sans Mono, Menlo, Consolas, monospace", "Helvetica, Arial, DejaVu Sans, sans-serif"
MONO_WIDE, SANS_WIDE = 0.62, 0.56
"""The width of a character as a multiple of the font size, in the widest font of each list: no font overflows a box."""

INK, FAINT, LINE, PAPER = "#1b1f24", "#59636e", "#8c959f", "#ffffff"
POISON, REAL, FATAL = "#b3261e", "#1a7f37", "#b3261e"
LANES = ("#0b5cad", "#7a3e9d", "#9a5b00", "#00706b", "#8a2f5f", "#4d5b00")
"""Colours of lanes, dark enough for white text.  They may repeat, because every lane has its name."""

MARGIN, NUMBERS, GAP, ROW = 20, 34, 14, 12
LOOP = 28
"""The room for the bracket of a loop, beside the step numbers."""
CODE, SMALL = 12, 11
POISONED = "poison"
"""The first word of what `model.counterexample` prints for a poisoned trigger word."""


@dataclass
class Rail:
    """The column of one word: a line that shows what it holds, from chip to chip."""

    owner: int | str
    word: str
    kind: str  # "trigger", "shared" or "private"
    x: float
    width: float
    said: str  # its value at the height `since`
    since: float = 0

    @property
    def key(self) -> tuple[int | str, str]:
        return self.owner, self.word

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass
class Sheet:
    """The drawing: `back` under `lines` under `front`.  `y`: the height down to which it is filled."""

    width: float
    y: float = MARGIN
    back: list[svg.Element] = field(default_factory=list)
    lines: list[svg.Element] = field(default_factory=list)
    front: list[svg.Element] = field(default_factory=list)

    def write(self, string: str, size: int, colour: str = INK, *, bold: bool = False) -> None:
        """A paragraph over the width of the sheet."""
        for line in wrap(string, self.width - 2 * MARGIN, size):
            self.y += size + 5
            self.front.append(label(MARGIN, self.y, line, size, colour, bold=bold))

    def text(self, title: str) -> str:
        """The SVG."""
        height = self.y + MARGIN
        paper = svg.Rect(x=0, y=0, width=self.width, height=height, fill=PAPER)
        return str(
            svg.SVG(
                width=self.width,
                height=height,
                viewBox=svg.ViewBoxSpec(0, 0, self.width, height),
                extra={"role": "img"},
                elements=[svg.Title(text=html.escape(title)), paper, *self.back, *self.lines, *self.front],
            )
        )


def wrap(string: str, width: float, size: int) -> list[str]:
    """Lines of the sans font in that size that fit into `width`."""
    return textwrap.wrap(string, int(width / size / SANS_WIDE), break_on_hyphens=False)


def label(
    x: float,
    y: float,
    string: str,
    size: int = SMALL,
    colour: str = INK,
    *,
    mono: bool = False,
    bold: bool = False,
    centred: bool = False,
) -> svg.Text:
    """One line of text, escaped, which svg.py does not do; leading spaces are kept.  `y`: its base line."""
    body = string.lstrip()
    body = "\N{NO-BREAK SPACE}" * (len(string) - len(body)) + body
    return svg.Text(
        x=round(x, 1),
        y=round(y, 1),
        text=html.escape(body),
        font_size=size,
        fill=colour,
        font_family=MONO if mono else SANS,
        font_weight="bold" if bold else None,
        text_anchor="middle" if centred else None,
    )


def chip_height(said: str) -> int:
    """The height of a value: one line for each of its parts."""
    return 8 + 14 * len(said.split("|"))


def chip(sheet: Sheet, rail: Rail, said: str, y: float, *, fresh: bool = True) -> None:
    """A value at the height y: eight-cornered and dark if it is poison, round and light otherwise.  `fresh`: it has just changed."""
    rail.said = said
    rail.since = y
    lines = said.split("|")
    tall = chip_height(said)
    left, right, top, bottom = rail.x + 3, rail.x + rail.width - 3, y - tall / 2, y + tall / 2
    bad = said.startswith(POISONED)
    edge = colour_of(rail, INK if fresh else LINE)
    ink = INK if fresh else FAINT
    width = 1.5 if fresh else 1
    if bad:
        corner = 6
        corners = [(left + corner, top), (right - corner, top), (right, top + corner), (right, bottom - corner),
                   (right - corner, bottom), (left + corner, bottom), (left, bottom - corner), (left, top + corner)]  # fmt: skip
        points = [svg.Point(round(x, 1), round(y, 1)) for x, y in corners]
        sheet.front.append(svg.Polygon(points=points, fill=POISON, stroke=edge))
    else:
        sheet.front.append(
            svg.Rect(x=left, y=top, width=right - left, height=tall, rx=9, fill=PAPER, stroke=edge, stroke_width=width)
        )
    for i, line in enumerate(lines):
        mark = "|" if i + 1 < len(lines) else ""
        colour = PAPER if bad else ink
        sheet.front.append(
            label(rail.middle, top + 15 + 14 * i, line + mark, SMALL, colour, mono=True, bold=fresh, centred=True)
        )


def colour_of(rail: Rail, otherwise: str) -> str:
    """The colour of a rail's value: of poison, of a real trigger word, or of any other word."""
    if rail.said.startswith(POISONED):
        return POISON
    return REAL if rail.kind == "trigger" else otherwise


def draw_rail(sheet: Sheet, rail: Rail, y: float) -> None:
    """The line down to the height y: thick and dashed while a trigger word is poisoned."""
    bad = rail.said.startswith(POISONED)
    colour = colour_of(rail, LINE)
    sheet.back.append(
        svg.Line(
            x1=rail.middle,
            x2=rail.middle,
            y1=rail.since,
            y2=y,
            stroke=colour,
            stroke_width=5 if bad else 1.5,
            stroke_dasharray=[7, 3] if bad else None,
        )
    )
    rail.since = y


def dot(sheet: Sheet, x: float, y: float, *, reads: bool, buffered: bool = False) -> None:
    """A step's access to a word that it does not change: round in memory, square in the thread's own store buffer."""
    fill = PAPER if reads else LINE
    if buffered:
        sheet.front.append(svg.Rect(x=x - 4.5, y=y - 4.5, width=9, height=9, fill=PAPER, stroke=INK, stroke_width=1.2))
    else:
        sheet.front.append(svg.Circle(cx=x, cy=y, r=4.5, fill=fill, stroke=INK, stroke_width=1.2))


def arrow(sheet: Sheet, x1: float, x2: float, y: float, *, back: bool = False) -> None:
    """An arrow to the word if the step changes it; dashed, and back to the box, if it only reads."""
    start, end = (x1 + 7, x2) if back else (x1, x2 - 7)
    tip, base = (x1, x1 + 8) if back else (x2, x2 - 8)
    sheet.lines.append(
        svg.Line(x1=start, x2=end, y1=y, y2=y, stroke=INK, stroke_width=1.2, stroke_dasharray=[3, 3] if back else None)
    )
    head = [svg.Point(tip, y), svg.Point(base, y - 4), svg.Point(base, y + 4)]
    sheet.lines.append(svg.Polygon(points=head, fill=INK))
