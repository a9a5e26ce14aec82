"""A profile as a flame graph (Brendan Gregg's): a box for each call, as wide as its share, on the box of its caller.

Callers stand below, threads at the bottom.  Equal calls beside each other are one box.  The colour is the function's: it says no more
than the name.
"""

from __future__ import annotations

import html
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import svg

from safepoint.guest.profile import BYTES, Profile
from safepoint.show.shapes import FAINT, INK, LANES, LINE, MARGIN, PAPER, SANS_WIDE, SMALL, Sheet, label

WIDTH = 1200
TALL = 18
"""The height of a box."""
CONTROLS = dict.fromkeys([*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xFFFE, 0xFFFF], "_")
"""Characters that end a line somewhere, or that XML has no place for -> an underscore; a file's name may have them."""
NARROWEST = 0.3
"""Of a box that is drawn; those that are not are counted."""


@dataclass
class Flame:
    """A call, and what was called from it.  `weight`: of all samples in it; `own`: of those in it and in no call from it."""

    name: str
    weight: int = 0
    own: int = 0
    calls: dict[str, Flame] = field(default_factory=dict)

    def depth(self) -> int:
        """Calls on the longest way up, itself included."""
        deepest, level = 0, [self]
        while level:
            deepest, level = deepest + 1, [call for flame in level for call in flame.calls.values()]
        return deepest


def flame_of(profile: Profile) -> Flame:
    """All threads, on one box."""
    root = Flame("all")
    for stack, weight in profile.merged().items():
        flame = root
        flame.weight += weight
        for name in (call.translate(CONTROLS) for call in stack):
            flame = flame.calls.setdefault(name, Flame(name))
            flame.weight += weight
        flame.own += weight
    return root


def boxes(root: Flame, scale: float) -> Iterator[tuple[Flame, int, float]]:
    """The boxes that are wide enough, each with its height above the root's, and where it begins; siblings by name."""
    todo = [(root, 0, 0.0)]
    while todo:
        flame, height, x = todo.pop()
        yield flame, height, x
        for name in sorted(flame.calls):
            call = flame.calls[name]
            if call.weight * scale >= NARROWEST:
                todo.append((call, height + 1, x))
            x += call.weight * scale


def flame_graph(profile: Profile, title: str) -> str:
    """The SVG file."""
    sheet = Sheet(WIDTH)
    sheet.write(title, 15, bold=True)
    by = "bytes allocated" if profile.every.unit == BYTES else "CPU time"
    sheet.write(f"The width of a box is its share of {by}; {profile.samples:,} samples.", SMALL, FAINT)
    sheet.y += 12
    root = flame_of(profile)
    if not root.weight:
        sheet.write("No sample was taken: the program ended before, or allocated too little.", SMALL)
        return sheet.text(title)
    scale = (WIDTH - 2 * MARGIN) / root.weight
    shown = list(boxes(root, scale))
    top = sheet.y
    floor = top + TALL * max(height for _, height, _ in shown)
    for flame, height, x in shown:
        box(sheet, flame, MARGIN + x, floor - TALL * height, flame.weight * scale, root.weight)
    sheet.y = floor + TALL
    narrow = calls_of(root) - len(shown)
    if narrow:
        sheet.y += 6
        sheet.write(f"Too narrow to be drawn: {narrow:,} boxes.", SMALL, FAINT)
    return sheet.text(title)


def calls_of(root: Flame) -> int:
    """How many boxes there are."""
    count, todo = 0, [root]
    while todo:
        count += 1
        todo += todo.pop().calls.values()
    return count


def box(sheet: Sheet, flame: Flame, x: float, y: float, width: float, whole: int) -> None:
    """A box, with as much of its name as there is room for; a browser shows all of it where the pointer stands."""
    share = f"{flame.name}: {flame.weight / whole:.1%}, itself {flame.own / whole:.1%}"
    sheet.lines.append(
        svg.Rect(
            x=round(x, 2),
            y=round(y, 1),
            width=round(max(width - 0.5, NARROWEST), 2),
            height=TALL - 1,
            fill=colour_of(flame.name),
            elements=[svg.Title(text=html.escape(share))],
        )
    )
    room = int((width - 6) / SMALL / SANS_WIDE)
    name = flame.name if len(flame.name) <= room else flame.name[: room - 1] + "…"
    if room >= 3:
        sheet.front.append(label(x + 3, y + 13, name, colour=INK if flame.name == "all" else PAPER))


def colour_of(name: str) -> str:
    """The same for the same name, in every picture."""
    return LINE if name == "all" else LANES[zlib.crc32(name.encode()) % len(LANES)]
