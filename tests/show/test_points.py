"""Policies as points: each stands where its cost and its bound put it, under its name; nothing covers anything, and none is left out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from safepoint.cli.main import cli
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Bound
from safepoint.show.points import DOT, Costing, plot
from safepoint.show.policies import costing, counted
from safepoint.verify import policies
from safepoint.verify.policies import PolicyRow
from tests.show.layout import NS, area, check_layout, cross, number
from tools import pictures

Point = tuple[float, float]
NAMES = st.text("abcdefghijk_", min_size=1, max_size=12)
BOUNDS = st.one_of(st.integers(1, 4), st.sampled_from(["depth", None]))
ROW = PolicyRow(
    policy="mine", title="t", sites=(), trigger="flag", declared=Bound(1, 1), proved=Bound(1, 1), proved_tso=Bound(2, 1),
    instructions={"frame_push": 3, "back_edge": 4, "allocation": 0},
)  # fmt: skip


def drawn(*policies: Costing) -> ET.Element:
    return ET.fromstring(plot(policies))


def points(root: ET.Element) -> dict[str, Point]:
    """Name -> where its point is, by what a browser shows where the pointer stands."""
    found = {}
    for circle in root.iter(f"{NS}circle"):
        said = circle.findtext(f"{NS}title") or ""
        for name in said.partition(":")[0].split(", "):
            assert name not in found
            found[name] = number(circle, "cx"), number(circle, "cy")
    return found


@given(
    st.dictionaries(NAMES, st.tuples(BOUNDS, BOUNDS, st.integers(0, 9), st.integers(0, 30)), min_size=1, max_size=14)
)
def test_each_stands_in_its_place_and_nothing_covers_anything(
    given: dict[str, tuple[int | str | None, int | str | None, int, int]],
) -> None:
    policies = [
        Costing(name, {"frames": a, "back_edges": b}, {"frame_push": p, "back_edge": q})
        for name, (a, b, p, q) in given.items()
    ]
    root = drawn(*policies)
    check_layout(root)
    at = points(root)
    assert set(at) == set(given)

    def height(bounds: tuple[int | str | None, ...]) -> tuple[int, int]:
        """Numbers are below what is as deep as the stack, and that below what has no bound; there the kinds decide."""
        if None in bounds or "depth" in bounds:
            return (2, bounds.count(None)) if None in bounds else (1, 0)
        return 0, max(n for n in bounds if isinstance(n, int))

    for one, other in pairwise(sorted(given, key=lambda name: sum(given[name][2:]))):
        cheaper, dearer = sum(given[one][2:]), sum(given[other][2:])
        assert (at[one][0] < at[other][0]) == (cheaper < dearer)
    for one in given:
        for other in given:
            if at[one][1] >= at[other][1]:  # no higher on the sheet
                assert height(given[one][:2]) <= height(given[other][:2])
    writing = [area(text) for text in root.iter(f"{NS}text")]
    poles = [
        (number(line, "x1") - 0.5, number(line, "y1"), number(line, "x1") + 0.5, number(line, "y2"))
        for line in root.iter(f"{NS}line") if line.get("x1") == line.get("x2")
    ]  # fmt: skip
    dots = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in at.values()]
    assert not any(cross(place, shape) for place in writing for shape in (*poles, *dots))


def test_a_scale_is_even_and_what_has_no_bound_is_in_the_band_at_the_top() -> None:
    root = drawn(
        *(Costing(f"p{n}", {"frames": 1}, {"frame_push": n}) for n in (0, 3, 6)),
        Costing("none", {"frames": 1, "back_edges": None}, {"frame_push": 3}),
    )
    at = points(root)
    assert at["p3"][0] - at["p0"][0] == pytest.approx(at["p6"][0] - at["p3"][0], abs=0.2)
    assert at["none"][0] == at["p3"][0]
    (band,) = (rect for rect in root.iter(f"{NS}rect") if rect.get("fill-opacity"))
    inside = {name for name, (_, y) in at.items() if number(band, "y") < y < number(band, "y") + number(band, "height")}
    assert inside == {"none"}
    assert min(at, key=lambda name: at[name][1]) == "none"


def test_equal_policies_share_a_label_and_those_without_a_count_are_named() -> None:
    free = {"frame_push": 0}
    root = drawn(
        *(Costing(name, {"frames": 1, "back_edges": None}, free) for name in "ab"),
        Costing("r", {"frames": None, "back_edges": 1, "returns": 1}, free),
        Costing("c", {}, {}, "no code"),
    )
    written = [text.text for text in root.iter(f"{NS}text")]
    assert {"a, b", "r", "No point: c: no code", "in back-edges", "in frame pushes"} <= set(written)
    at = points(root)
    assert set(at) == {"a", "b", "r"}
    assert at["a"] == at["b"] != at["r"]
    check_layout(drawn(Costing("c", {}, {}, "no code")))


def test_the_pages_table_puts_each_policy_where_it_is_declared_and_counted() -> None:
    """`tests/verify/test_policies.py` holds the table to what the interpreter has; here: it is read right."""
    (body,) = pictures.MEASURED.findall(pictures.POLICIES.read_text(encoding="utf-8"))
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
    found = {row[0]: pictures.costing(dict(zip(head, row, strict=True))) for row in rows}
    assert set(found) <= set(POLICIES)
    for name, policy in found.items():
        if not policy.without:
            bounds = POLICIES[name].declared.as_json().values()
            numbers = [n for n in bounds if isinstance(n, int)]
            assert policy.largest == (None if None in bounds else "depth" if "depth" in bounds else max(numbers))
    assert (found["folded"].cost, found["dart"].cost, found["cpython"].cost) == (0, 2, 14)
    both = {
        "policy": "x",
        "proved": "1 / 2 / 3 (TSO: depth / unbounded / 3)",
        "elsewhere": "return",
        "added": "1 / 2 / 4",
    }
    assert pictures.costing(both).bound == {"frames": "depth", "back_edges": None, "returns": 3}
    assert pictures.costing(both).added == dict(zip(counted("return"), (1, 2, 4), strict=True))
    plain = {**both, "elsewhere": "-", "added": "1 / 2", "proved": "1 / 2"}
    assert (pictures.costing(plain).cost, pictures.costing(plain).bound) == (3, {"frames": 1, "back_edges": 2})


def test_a_row_is_drawn_with_its_worst_bound_and_one_that_is_refuted_is_not() -> None:
    assert (costing(ROW).largest, costing(ROW).cost) == (2, 7)
    refuted = PolicyRow(policy="mine", title="t", sites=(), trigger="flag", declared=Bound(1, 1), proved=Bound(0, 0), proved_tso=Bound(0, 0), broken="x")  # fmt: skip
    assert costing(refuted).without


def test_the_command_draws_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "rows", lambda *_: [ROW])
    file = tmp_path / "points.svg"
    assert CliRunner().invoke(cli, ["policies", "--svg", str(file)]).exit_code == 1, "2 under TSO is more than declared"
    assert set(points(ET.parse(file).getroot())) == {"mine"}
    refused = CliRunner().invoke(cli, ["policies", "--svg", str(tmp_path / "no" / "points.svg")])
    assert refused.exit_code == 2
    assert "No such file or directory (name a file that can be written)" in refused.output
