"""Where everything in a picture is, and a check that nothing covers anything else."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree as ET

from safepoint.graph.text import Text
from safepoint.model.path import Path
from safepoint.show import svg
from safepoint.show.shapes import MONO_WIDE, SANS_WIDE

TEXT = Text()
NS = "{http://www.w3.org/2000/svg}"


def drawn(path: Path) -> ET.Element:
    return ET.fromstring(svg.picture(path, TEXT))


def written(root: ET.Element) -> str:
    """All that the picture says, in the order in which it is written; a wrapped sentence is whole again."""
    told = " ".join(t.text or "" for t in root.iter(f"{NS}text"))
    return " ".join(told.split())


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "0"))


Box = tuple[float, float, float, float]


def area(text: ET.Element) -> Box:
    """Left, top, right, bottom, in the widest font: half a unit is allowed for rounding."""
    size = number(text, "font-size")
    wide = MONO_WIDE if "Mono" in text.get("font-family", "") else SANS_WIDE
    width = len(text.text or "") * size * wide
    left = number(text, "x") - (width / 2 if text.get("text-anchor") == "middle" else 0)
    return left + 0.5, number(text, "y") - size * 0.8, left + width - 0.5, number(text, "y") + size * 0.2


def rectangle(rect: ET.Element) -> Box:
    x, y = number(rect, "x"), number(rect, "y")
    return x, y, x + number(rect, "width"), y + number(rect, "height")


def cross(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def inside(a: Box, b: Box) -> bool:
    return b[0] <= a[0] and b[1] <= a[1] and a[2] <= b[2] and a[3] <= b[3]


def check_layout(root: ET.Element) -> None:
    """Nothing written covers anything written, nor leaves the sheet; a shape that it touches holds the whole of it."""
    sheet = (0.0, 0.0, number(root, "width"), number(root, "height"))
    texts = [(t.text or "", area(t)) for t in root.iter(f"{NS}text")]
    shapes = [rectangle(r) for r in root.iter(f"{NS}rect") if r.get("fill-opacity") is None]
    for said, where in texts:
        assert inside(where, sheet), f"{said!r} leaves the sheet"
        assert all(inside(where, s) for s in shapes if cross(where, s)), f"{said!r} leaves its box"
    for (a, at), (b, where) in combinations(texts, 2):
        assert not cross(at, where), f"{a!r} and {b!r} cover each other"
    for r, s in combinations(shapes, 2):
        assert not cross(r, s) or inside(r, s) or inside(s, r), "two boxes overlap"
