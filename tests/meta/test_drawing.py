"""The picture of the house: all rooms, all arrows down, nothing covered; and the dark scheme, which leaves no colour out."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from safepoint.show import svg
from safepoint.show.shapes import FAINT, INK, LANES, PAPER
from tests.show.layout import NS, check_layout, cross, number, rectangle
from tools import architecture, pictures
from tools.rooms import Room, direct, reachable, rooms_of

DRAWING = (Path(architecture.__file__).parent, Path(svg.__file__).parent)
"""Where colours are named: the tools, and the package's own pictures."""


@pytest.fixture(scope="module")
def rooms() -> dict[str, Room]:
    return rooms_of(*pictures.ROOTS)


@pytest.fixture(scope="module")
def root(rooms: dict[str, Room]) -> ET.Element:
    return ET.fromstring(architecture.picture(rooms))


def boxes(root: ET.Element) -> dict[str, tuple[float, float, float, float]]:
    """Name of a room -> its box: the name is the bold writing in it."""
    names = {
        (number(t, "x"), number(t, "y")): t.text or "" for t in root.iter(f"{NS}text") if t.get("font-size") == "14"
    }
    drawn = [rectangle(r) for r in root.iter(f"{NS}rect") if r.get("rx")]
    return {name: box for (x, y), name in names.items() for box in drawn if box[0] < x < box[2] and box[1] < y < box[3]}


def test_every_room_has_its_box_and_nothing_covers_anything(root: ET.Element, rooms: dict[str, Room]) -> None:
    check_layout(root)
    assert sorted(boxes(root)) == sorted(name.partition(".")[2] for name in rooms)


def test_every_import_is_an_arrow_down_or_follows_from_arrows(root: ET.Element, rooms: dict[str, Room]) -> None:
    drawn = {name: {other for one, other in direct(rooms) if one == name} for name in rooms}
    for name, room in rooms.items():
        assert reachable(drawn, name) >= room.imports
        assert all(rooms[other].floor < room.floor for other in room.imports)
    heads = list(root.iter(f"{NS}polygon"))
    assert len(heads) == len(direct(rooms))


def courses(root: ET.Element) -> list[list[tuple[float, float]]]:
    """Points along every line of an arrow."""
    found = []
    for path in root.iter(f"{NS}path"):
        x1, y1, _, ya, _, yb, x2, y2 = map(float, re.findall(r"-?[\d.]+", path.get("d", "")))
        steps = [n / 40 for n in range(41)]
        found.append([
            (x1 * (1 - t) ** 2 * (1 + 2 * t) + x2 * t**2 * (3 - 2 * t),
             y1 * (1 - t) ** 3 + 3 * ya * t * (1 - t) ** 2 + 3 * yb * t**2 * (1 - t) + y2 * t**3)
            for t in steps
        ])  # fmt: skip
    return found


def test_no_arrow_runs_through_a_room(root: ET.Element) -> None:
    rooms = boxes(root).values()
    for course in courses(root):
        for x, y in course:
            assert not any(left < x < right and top < y < bottom for left, top, right, bottom in rooms)


def test_boxes_keep_their_distance(root: ET.Element) -> None:
    for one, other in combinations(boxes(root).values(), 2):
        grown = (one[0] - 10, one[1] - 10, one[2] + 10, one[3] + 10)
        assert not cross(grown, other)


def test_of_several_orders_the_one_without_crossings_is_taken() -> None:
    """Two pairs, which by name would cross."""
    rooms = {name: Room(f"r.{name}", "", []) for name in ("a", "b", "c", "d")}
    house = {f"r.{name}": room for name, room in rooms.items()}
    for upper, lower in (("a", "d"), ("b", "c")):
        rooms[upper].imports, rooms[upper].floor = {f"r.{lower}"}, 1
    floors = architecture.floors_of(house)
    assert architecture.crossings(floors) == 1
    assert min(map(architecture.crossings, architecture.orders(floors))) == 0


# ---------------------------------------------------------------------------------------------- light and dark


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", [INK, FAINT, *LANES])
def test_writing_is_legible_on_both_papers(colour: str) -> None:
    """4.5: what the guidelines for accessible pages ask of text of this size."""
    assert contrast(colour, PAPER) >= 4.5
    assert contrast(pictures.DARK[colour], pictures.DARK[PAPER]) >= 4.5


def test_every_colour_has_its_dark_one() -> None:
    used = {
        colour
        for directory in DRAWING
        for file in directory.glob("*.py")
        if file.name != "pictures.py"
        for colour in pictures.COLOUR.findall(file.read_text())
    }
    assert used == set(pictures.DARK)
    assert len(set(pictures.DARK.values())) == len(pictures.DARK)
    with pytest.raises(KeyError):
        pictures.dark('<rect fill="#123456"/>')
