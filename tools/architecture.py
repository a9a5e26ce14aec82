"""The house as a picture: rooms are boxes on floors, and each arrow points down to what a room imports.

Order and places are computed: an arrow that passes a floor takes a place on it; of several orders by what stands above and below,
the one with the fewest crossings is taken; then, from the ground up, all move as near to what they stand on as the order lets them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from math import fsum

import svg

from safepoint.show.shapes import FAINT, INK, LANES, LINE, MARGIN, MONO_WIDE, PAPER, SMALL, Sheet, label
from tools.rooms import Room, direct

BOX, PASSAGE, SPACE, BETWEEN, NAME, INSIDE = 216, 16, 22, 46, 14, 10
"""Widths of a box and of a passing arrow; space between them on a floor, between floors; size of names; inner margin."""
HEAD = 9
CAPTION = "An arrow points to a room that is imported. What follows from other arrows is not drawn; the table has all."
ROUNDS = 4
LEFT = MARGIN + 24


@dataclass(eq=False)
class Place:
    """A room on its floor, or (without one) where an arrow passes a floor.  `x` is its middle."""

    floor: int
    root: str
    room: Room | None = None
    x: float = 0
    top: float = 0
    bottom: float = 0
    above: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)

    @property
    def width(self) -> int:
        return BOX if self.room else PASSAGE


def picture(rooms: Mapping[str, Room]) -> str:
    """The SVG file."""
    floors = floors_of(rooms)
    floors = min(orders(floors), key=crossings)
    for floor in floors:
        spread(floor)
        settle(floor)
    places = [place for floor in floors for place in floor]
    wings = {
        root: [place for place in places if place.root == root] for root in sorted({place.root for place in places})
    }
    sheet = Sheet(side_by_side(wings.values()) + MARGIN)
    colours = dict(zip(wings, LANES, strict=False))
    for root, wing in wings.items():
        sheet.front.append(label(min(map(left_of, wing)), sheet.y + 16, root, 18, colours[root], bold=True))
    sheet.y += 36
    for floor in reversed(floors):
        draw_floor(sheet, floor, colours)
    for place in places:
        draw_arrows(sheet, place, colours[place.root])
    sheet.y += 4 - BETWEEN
    sheet.write(CAPTION, SMALL, FAINT)
    return sheet.text("The rooms of " + " and ".join(wings))


def floors_of(rooms: Mapping[str, Room]) -> list[list[Place]]:
    """From the ground up; each joined to places of the next floors only."""
    floors: list[list[Place]] = [[] for _ in range(max(room.floor for room in rooms.values()) + 1)]
    boxes = {room.name: Place(room.floor, room.root, room) for room in rooms.values()}
    for box in boxes.values():
        floors[box.floor].append(box)
    for name, other in direct(rooms):
        upper, lower = boxes[name], boxes[other]
        passing = [Place(floor, upper.root) for floor in range(upper.floor - 1, lower.floor, -1)]
        for place in passing:
            floors[place.floor].append(place)
        for one, next_one in pairwise((upper, *passing, lower)):
            one.below.append(next_one)
            next_one.above.append(one)
    for floor in floors:
        spread(floor)
    return floors


def mean(at: Collection[float]) -> float:
    return fsum(at) / len(at)  # exact, and the same in every version of Python


def amid(place: Place, neighbours: list[Place]) -> float:
    """The middle of the neighbours; where the place is, if there are none."""
    return mean([other.x for other in neighbours]) if neighbours else place.x


def wish(place: Place) -> float:
    """Amid what it stands on in its own root package."""
    return amid(place, [other for other in place.below if other.root == place.root])


def orders(floors: list[list[Place]]) -> Iterator[list[list[Place]]]:
    """Ways to sort the floors: each by what stands above, below, or both; a root package keeps its side."""
    looks: tuple[Callable[[Place], list[Place]], ...] = (
        lambda place: place.above,
        lambda place: place.below,
        lambda place: place.above + place.below,
    )
    for look in looks * ROUNDS:
        for floor in (*floors, *reversed(floors)):
            floor.sort(key=lambda place: (place.root, amid(place, look(place))))
            spread(floor)
        yield [list(floor) for floor in floors]


def crossings(floors: list[list[Place]]) -> int:
    """How many pairs of arrows between two floors cross each other."""
    at = {place: number for floor in floors for number, place in enumerate(floor)}
    arrows = [[(at[place], at[below]) for place in floor for below in place.below] for floor in floors]
    return sum((a - c) * (b - d) < 0 for between in arrows for (a, b), (c, d) in combinations(between, 2))


def spread(floor: list[Place]) -> None:
    """Side by side, about the middle."""
    at = -fsum(place.width + SPACE for place in floor) / 2
    for place in floor:
        place.x = at + (place.width + SPACE) / 2
        at += place.width + SPACE


def settle(floor: list[Place]) -> None:
    """As near to their wishes as order and width allow: neighbours that would overlap move together (least squares)."""
    groups: list[tuple[float, list[Place], list[float]]] = []
    for place in floor:
        groups.append((wish(place), [place], [0.0]))
        while (
            len(groups) > 1
            and groups[-2][0] + groups[-2][2][-1] + gap(groups[-2][1][-1], groups[-1][1][0]) > groups[-1][0]
        ):
            (_, first, offsets), (_, second, more) = groups[-2:]
            shift = offsets[-1] + gap(first[-1], second[0])
            members, offsets = first + second, offsets + [shift + o for o in more]
            start = mean([wish(p) - o for p, o in zip(members, offsets, strict=True)])
            groups[-2:] = [(start, members, offsets)]
    for start, members, offsets in groups:
        for place, offset in zip(members, offsets, strict=True):
            place.x = start + offset


def gap(one: Place, other: Place) -> float:
    return (one.width + other.width) / 2 + SPACE


def left_of(place: Place) -> float:
    return place.x - place.width / 2


def side_by_side(wings: Iterable[list[Place]]) -> int:
    """Move each root package to the right of those before it; gives where the last one ends."""
    end = LEFT - 3 * SPACE
    for wing in wings:
        shift = end + 3 * SPACE - min(map(left_of, wing))
        for place in wing:
            place.x = round(place.x + shift)
        end = max(round(left_of(place) + place.width) for place in wing)
    return end


def inside(room: Room) -> list[str]:
    return textwrap.wrap(", ".join(room.contents), int((BOX - 2 * INSIDE) / SMALL / MONO_WIDE), break_on_hyphens=False)


def height(room: Room) -> int:
    return 34 + 14 * len(inside(room)) + (2 if room.contents else 0)


def draw_floor(sheet: Sheet, floor: list[Place], colours: dict[str, str]) -> None:
    """Its boxes, that stand on it; the sheet is filled down to the floor below."""
    boxes = [(place, place.room) for place in floor if place.room]
    tall = max(height(room) for _, room in boxes)
    sheet.back.append(
        svg.Line(
            x1=MARGIN,
            x2=sheet.width - MARGIN,
            y1=sheet.y + tall,
            y2=sheet.y + tall,
            stroke=LINE,
            stroke_width=0.5,
            stroke_dasharray=[2, 4],
        )
    )
    sheet.front.append(label(MARGIN, sheet.y + tall - 5, str(floor[0].floor), SMALL, FAINT))
    for place in floor:
        place.top, place.bottom = sheet.y, sheet.y + tall
    for place, room in boxes:
        left, colour = left_of(place), colours[place.root]
        place.top = place.bottom - height(room)
        box = svg.Rect(
            x=left, y=place.top, width=BOX, height=height(room), rx=5, fill=PAPER, stroke=colour, stroke_width=1.5
        )
        sheet.front.append(box)
        sheet.front.append(label(left + INSIDE, place.top + 21, room.name.partition(".")[2], NAME, colour, bold=True))
        for i, line in enumerate(inside(room)):
            sheet.front.append(label(left + INSIDE, place.top + 39 + 14 * i, line, SMALL, INK, mono=True))
    sheet.y += tall + BETWEEN


def port(place: Place, neighbours: list[Place], neighbour: Place) -> float:
    """Where on its edge the arrow to or from a neighbour is: in the neighbours' order."""
    order = sorted(neighbours, key=lambda other: other.x)
    step = place.width / (len(order) + 1)
    return round(left_of(place) + step * (order.index(neighbour) + 1))


def draw_arrows(sheet: Sheet, place: Place, colour: str) -> None:
    """From the place to the floor below; and through it, if it is not a room."""
    if not place.room:
        sheet.lines.append(
            svg.Line(x1=place.x, x2=place.x, y1=place.top, y2=place.bottom, stroke=colour, stroke_width=1.5)
        )
    for below in place.below:
        x1, y1 = port(place, place.below, below), place.bottom
        x2, y2 = port(below, below.above, place), below.top - (HEAD if below.room else 0)
        bend = (y2 - y1) / 2
        course = [svg.M(x1, y1), svg.C(x1, y1 + bend, x2, y2 - bend, x2, y2)]
        sheet.lines.append(svg.Path(d=course, fill="none", stroke=colour, stroke_width=1.5))
        if below.room:
            head = [svg.Point(x2, y2 + HEAD), svg.Point(x2 - 5, y2), svg.Point(x2 + 5, y2)]
            sheet.lines.append(svg.Polygon(points=head, fill=colour))
