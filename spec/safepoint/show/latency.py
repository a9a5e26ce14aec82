"""How long requests took, as a picture: a bar for each bucket of a histogram, on a logarithmic scale of time."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

import svg

from safepoint.show.shapes import FAINT, INK, LINE, MARGIN, SANS_WIDE, SMALL, Sheet, label

WIDTH, HEIGHT = 760, 160
DECADE = ("0.01 us", "0.1 us", "1 us", "10 us", "100 us", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s")
FIRST = -2
"""The power of ten, in microseconds, of the first of these."""
BAR = "#0b5cad"
NARROWEST = 1.5
"""Of a bar: one that has a count can be seen."""


def histogram(title: str, buckets: Sequence[tuple[float, int]], marks: dict[str, float]) -> str:
    """The SVG.

    `buckets`: upper edge in microseconds, and how many; at least one.  `marks`: name -> microseconds, drawn as lines: percentiles.
    """
    total = sum(count for _, count in buckets)
    left, right = _decade(buckets[0][0]), _decade(buckets[-1][0]) + 1
    scale = (WIDTH - 2 * MARGIN) / (right - left)

    def at(microseconds: float) -> float:
        """The column of a duration: what is below the first decade stands at its edge."""
        return MARGIN + scale * (max(log10(microseconds), left) - left)

    sheet = Sheet(WIDTH)
    sheet.write(f"{title}: {total:,}", SMALL + 2, bold=True)
    sheet.y += 3 * SMALL
    bottom = sheet.y + HEIGHT
    highest = max(count for _, count in buckets)
    before = buckets[0][0] / 1.25
    for edge, count in buckets:
        start = max(before, edge / 1.5)  # buckets without a count are not there
        tall = max(NARROWEST, HEIGHT * count / highest)
        bar = svg.Rect(
            x=round(at(start), 1), y=round(bottom - tall, 1), width=round(max(NARROWEST, at(edge) - at(start) - 0.5), 1),
            height=round(tall, 1), fill=BAR,
        )  # fmt: skip
        sheet.lines.append(bar)
        before = edge
    for decade in range(left, right + 1):
        x = round(MARGIN + scale * (decade - left), 1)
        sheet.back.append(svg.Line(x1=x, x2=x, y1=bottom - HEIGHT, y2=bottom + 4, stroke=LINE, stroke_width=0.5))
        sheet.front.append(label(x, bottom + 18, DECADE[decade - FIRST], colour=FAINT, centred=True))
    for row, (name, microseconds) in enumerate(marks.items()):
        x, y = round(at(microseconds), 1), bottom - HEIGHT - 4 - (SMALL + 2) * (row % 2)
        sheet.front.append(svg.Line(x1=x, x2=x, y1=y, y2=bottom, stroke=INK, stroke_dasharray=[3, 2]))
        said = f"{name} {_in_words(microseconds)}"
        wide = len(said) * SMALL * SANS_WIDE + 3
        sheet.front.append(label(x + 3 if x + wide < WIDTH - MARGIN else x - wide, y, said))
    sheet.y = bottom + 24
    return sheet.text(title)


def _in_words(microseconds: float) -> str:
    return f"{microseconds:.2g} us" if microseconds < 1000 else f"{microseconds / 1000:.2g} ms"


def _decade(microseconds: float) -> int:
    """The power of ten below a duration, if it is one of those that have a name."""
    return min(max(floor(log10(microseconds)), FIRST), FIRST + len(DECADE) - 2)
