"""The picture of a histogram: a bar for each bucket, where it belongs, as high as it is full; nothing leaves the sheet."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from safepoint.show.latency import BAR, HEIGHT, NARROWEST, WIDTH, histogram
from safepoint.show.shapes import MARGIN
from tests.show.layout import NS, area, number

EDGES = st.lists(st.floats(0.001, 1e8), min_size=1, max_size=40, unique=True).map(sorted)


def drawn(buckets: list[tuple[float, int]], marks: dict[str, float]) -> ET.Element:
    return ET.fromstring(histogram("Something", buckets, marks))


def bars(root: ET.Element) -> list[ET.Element]:
    return [rect for rect in root.iter(f"{NS}rect") if rect.get("fill") == BAR]


def test_a_bar_is_as_high_as_its_bucket_is_full() -> None:
    found = bars(drawn([(0.1, 10), (1.0, 40), (10.0, 20)], {}))
    assert [number(bar, "height") for bar in found] == [HEIGHT / 4, HEIGHT, HEIGHT / 2]
    ends = [number(bar, "x") + number(bar, "width") for bar in found]
    steps = [later - earlier for earlier, later in pairwise(ends)]
    assert abs(steps[0] - steps[1]) <= 2 * NARROWEST, "a decade is as wide as any other"


@given(EDGES, st.data())
def test_nothing_leaves_the_sheet(edges: list[float], data: st.DataObject) -> None:
    buckets = [(edge, data.draw(st.integers(1, 10**9))) for edge in edges]
    marks = {name: data.draw(st.sampled_from(edges)) for name in ("p50", "p99", "max")}
    root = drawn(buckets, marks)
    assert len(bars(root)) == len(buckets)
    for bar in bars(root):
        assert number(bar, "height") >= NARROWEST
        assert number(bar, "x") >= MARGIN - 1
        assert number(bar, "x") + number(bar, "width") <= WIDTH - MARGIN + NARROWEST
    for text in root.iter(f"{NS}text"):
        left, _, right, _ = area(text)
        assert left >= -MARGIN / 2
        assert right <= WIDTH + MARGIN / 2
    said = [text.text or "" for text in root.iter(f"{NS}text")]
    assert f"{sum(count for _, count in buckets):,}" in said[0]
    assert [each.split()[0] for each in said if each.startswith(("p50", "p99", "max"))] == list(marks)
