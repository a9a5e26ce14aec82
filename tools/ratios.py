"""The interpreters of docs/performance.md as a plot: a row for each program, and in it a letter for each interpreter, at its ratio.

The scale is logarithmic: to be twice as fast is as far from 1 as to be half as fast.  All ratios of the table are drawn.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import svg

from safepoint.bench.languages import OURS, REFERENCE
from safepoint.bench.summary import MEAN, Spread, Table
from safepoint.show.shapes import FAINT, FATAL, INK, LANES, LINE, MARGIN, PAPER, SMALL, Sheet, label

WIDTH, LEFT = 760, MARGIN + 130
"""Of the sheet, and where the scale begins; beside it stand the programs."""
DOT, LEVEL, NAME = 8, 19, 13
"""Radius of a letter's circle, height from one letter to the next above it, size of a program's name."""
TITLE = f"CPU time, compared with {REFERENCE}"
ROW = re.compile(r"^\| (.*) \|$", re.MULTILINE)
SPREAD = re.compile(r"([\d.]+) \(([\d.]+)\.\.([\d.]+)\)")


def table_of(block: str) -> Table:
    """The first table of a block of the page.  ValueError: a cell is no ratio."""
    rows = [line.split(" | ") for line in ROW.findall(block.partition("| program | N |")[0])]
    (_, *names), _, *body = rows
    return {name: dict(zip(names, map(spread_of, cells), strict=True)) for name, *cells in body}


def spread_of(cell: str) -> Spread:
    """ValueError: it is not `median (least..most)`."""
    found = SPREAD.fullmatch(cell)
    if found is None:
        raise ValueError(f"{cell!r} is no ratio with a spread (run safepoint bench --page docs/performance.md)")
    return Spread(*map(float, found.groups()))


@dataclass(frozen=True)
class Scale:
    """From a ratio to a place on the sheet."""

    least: float
    most: float

    @classmethod
    def of(cls, table: Table) -> Scale:
        """A tenth more than all of them, and 1."""
        found = [number for row in table.values() for each in row.values() for number in (each.least, each.most)]
        return cls(min([1.0, *found]) / 1.1, max([1.0, *found]) * 1.1)

    @property
    def decade(self) -> float:
        """Its width."""
        return (WIDTH - MARGIN - LEFT) / math.log10(self.most / self.least)

    def x(self, ratio: float) -> float:
        return round(LEFT + math.log10(ratio / self.least) * self.decade, 1)

    def marks(self) -> list[float]:
        """1, 2, 5, 10 and so on, or powers of ten only, where these would be too near to each other."""
        steps = (1, 2, 5) if self.decade > 130 else (1,)
        powers = range(math.floor(math.log10(self.least)), math.ceil(math.log10(self.most)) + 1)
        return [n for power in powers for step in steps if self.least <= (n := step * 10.0**power) <= self.most]


def plot(table: Table, marks: Mapping[str, str]) -> str:
    """The SVG file.  marks: each interpreter's letter."""
    sheet, scale = Sheet(WIDTH), Scale.of(table)
    sheet.write(TITLE, 15, bold=True)
    names = list(next(iter(table.values())))
    sheet.write(
        "To the left: faster. Each letter is a median of ratios within a round, its line reaches from the least to the largest: "
        f"{', '.join(f'{marks[name]} {name}' for name in names)}.",
        SMALL,
        FAINT,
    )
    sheet.y += 8
    top = sheet.y
    for program, row in table.items():
        _row(sheet, scale, program, row, marks)
    _axis(sheet, scale, top)
    return sheet.text(TITLE)


def levels(scale: Scale, row: Mapping[str, Spread]) -> list[list[str]]:
    """Who stands on the line, who above it, and so on: from left to right, each as low as nothing of another is in its way."""
    placed: list[list[str]] = []
    ends: list[float] = []
    for name in sorted(row, key=lambda name: row[name].median):
        left, right = _reach(scale, row[name])
        level = next((n for n, end in enumerate(ends) if end + 2 <= left), len(ends))
        if level == len(ends):
            placed.append([])
            ends.append(0.0)
        placed[level].append(name)
        ends[level] = right
    return placed


def _reach(scale: Scale, spread: Spread) -> tuple[float, float]:
    middle = scale.x(spread.median)
    return min(scale.x(spread.least), middle - DOT), max(scale.x(spread.most), middle + DOT)


def _row(sheet: Sheet, scale: Scale, program: str, row: Mapping[str, Spread], marks: Mapping[str, str]) -> None:
    placed = levels(scale, row)
    y = sheet.y + LEVEL * len(placed)
    sheet.lines.append(svg.Line(x1=LEFT, x2=WIDTH - MARGIN, y1=y, y2=y, stroke=LINE, stroke_width=0.5))
    sheet.front.append(label(MARGIN, y + 4, program, NAME, bold=program == MEAN))
    for level, names in enumerate(placed):
        for name in names:
            _letter(sheet, scale, y - LEVEL * level, f"{program}, {name}", row[name], marks[name], ours=name == OURS)
    sheet.y = y + 10


def _letter(sheet: Sheet, scale: Scale, y: float, said: str, spread: Spread, mark: str, *, ours: bool) -> None:
    x, colour = scale.x(spread.median), LANES[0] if ours else FAINT
    least, most = scale.x(spread.least), scale.x(spread.most)
    sheet.lines.append(svg.Line(x1=least, x2=most, y1=y, y2=y, stroke=colour, stroke_width=3))
    sheet.front.append(
        svg.Circle(
            cx=x,
            cy=y,
            r=DOT,
            fill=LANES[0] if ours else PAPER,
            stroke=colour,
            stroke_width=1,
            elements=[svg.Title(text=html.escape(f"{said}: {spread}"))],
        )
    )
    sheet.front.append(label(x, y + 4, mark, SMALL, PAPER if ours else INK, bold=ours, centred=True))


def _axis(sheet: Sheet, scale: Scale, top: float) -> None:
    """A line for each mark, over all rows; that of 1 is the reference."""
    y, one = sheet.y, scale.x(1)
    band = svg.Rect(x=one, y=top, width=WIDTH - MARGIN - one, height=y - top, fill=FATAL, fill_opacity=0.05)
    sheet.back.append(band)
    for n in scale.marks():
        x, width = scale.x(n), 1.5 if n == 1 else 0.5
        sheet.back.append(svg.Line(x1=x, x2=x, y1=top, y2=y + 4, stroke=INK if n == 1 else LINE, stroke_width=width))
        sheet.front.append(label(x, y + 17, f"{n:g}", SMALL, INK if n == 1 else FAINT, centred=True))
    sheet.front.append(label(MARGIN, y + 17, f"{REFERENCE} = 1", SMALL, FAINT))
    sheet.y = y + 22
