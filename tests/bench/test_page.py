"""docs/performance.md, as the bench makes it: its blocks are well-formed, and the picture has all ratios of the table in their places."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safepoint.bench.languages import LANGUAGES, NAMED, OURS, REFERENCE
from safepoint.bench.run import Run
from safepoint.bench.sizes import SIZES, full
from safepoint.bench.summary import MEAN, Results, Round, Spread, Switched, Table
from safepoint.differential.switchable import STEPS
from safepoint.show import bench_page
from safepoint.show.bench_page import BLOCKS, block_of, missing_block
from tests.show.layout import NS, area, check_layout, cross, number
from tools import pictures, ratios

PAGE = pictures.PERFORMANCE
TEXT = PAGE.read_text(encoding="utf-8")
MARKS = {language.name: language.mark for language in LANGUAGES}
OTHERS = [language.name for language in LANGUAGES if language.name != REFERENCE]


def block(name: str, text: str = TEXT) -> str:
    ((_, body, _),) = block_of(name).findall(text)
    return str(body)


def cells(body: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in body.splitlines() if line.startswith("|")]


def invented() -> Run:
    """Ours takes half the time of the reference, but for `fib`; all others three times as much."""
    times = {}
    for program in SIZES:
        for less in (False, True):
            times[program, REFERENCE, less] = 2.0
            for name in OTHERS:
                times[program, name, less] = (4.0 if program == "fib" else 1.0) if name == OURS else 6.0
    starts = dict.fromkeys(MARKS, 0.0)
    results = Results(list(SIZES), {name: NAMED[name].slow for name in OTHERS}, [Round(starts, times)] * 3)
    switched = {
        step: Switched({p: [1.0] * 3 for p in SIZES}, {p: [without] * 3 for p in SIZES})
        for step, without in zip(STEPS, (4.0, 2.0), strict=True)
    }
    versions = {name: f"{name} 1.0" for name in MARKS if name != "pypy"}
    return Run(datetime(2031, 5, 6, 7, 8, tzinfo=UTC), "an abacus, 2 cores", 0.5, versions, ["pypy"], results, switched)


def test_the_pages_blocks_are_well_formed() -> None:
    body = block("ratios")
    assert re.search(r"^\* \d{4}-\d\d-\d\d \d\d:\d\d UTC; .+, \d+ cores, .+; load \d+\.\d when it began; \d+ rounds?\.$", body, re.MULTILINE)  # fmt: skip
    assert re.search(r"^\* Versions: safepoint: safepoint \d.*, commit \w+", body, re.MULTILINE)
    assert re.search(r"^\* A start, in ms of CPU time, which is subtracted: safepoint \d+, ", body, re.MULTILINE)
    missing = re.findall(r"^\* Left out: (.*?): not installed", body, re.MULTILINE)
    table = ratios.table_of(body)
    assert list(table) == [*SIZES, MEAN]
    assert all([*row, *missing] == [*dict.fromkeys([*row, *missing])] for row in table.values())
    assert {*table["fib"], *missing} == set(OTHERS)
    for row in table.values():
        assert all(0 < each.least <= each.median <= each.most for each in row.values())
    sizes = {row[0]: row[1] for row in cells(body) if len(row) == 6}
    assert {name: sizes[name] for name in SIZES} == {name: f"{full(name, 'py'):,}" for name in SIZES}
    for step in STEPS:
        assert [row[0] for row in cells(block(step))] == ["program", "---", *SIZES, MEAN]


def test_the_pages_verdict_names_every_program_in_which_we_lose() -> None:
    """By the rounded ratios of the table: programs whose ratios are equal there are not asked for."""
    table = ratios.table_of(block("ratios"))
    for other in (REFERENCE, *table["fib"]):
        if other != OURS:
            (said,) = re.findall(rf"^\* {OURS} is slower than {re.escape(other)} in \d+ of \d+(?:: (.*))?\.$", block("ratios"), re.MULTILINE)  # fmt: skip
            named = set(said.split(", ")) - {""}
            for program in SIZES:
                mine, its = table[program][OURS].median, 1.0 if other == REFERENCE else table[program][other].median
                assert mine == its or (program in named) == (mine > its), (program, other)


def test_a_run_is_written_as_it_was() -> None:
    run = invented()
    written = bench_page.made(TEXT, run)
    for name in BLOCKS:
        assert len(block_of(name).findall(written)) == 1
    assert [part[::2] for part in block_of("ratios").findall(written)] == [part[::2] for part in block_of("ratios").findall(TEXT)]  # fmt: skip
    body = block("ratios", written)
    assert "2031-05-06 07:08 UTC; an abacus, 2 cores; load 0.5 when it began; 3 rounds." in body
    assert "Left out: pypy: not installed" in body
    assert "safepoint: safepoint 1.0; luajit -joff: luajit -joff 1.0; lua 5.4: lua 5.4 1.0;" in body, "LuaJIT once"
    assert "In the smaller size, also of what they are divided by: cpython, ruby, node --jitless." in body
    assert "coroutines (lua 5.4), generators (node --jitless)." in body
    assert (
        "* safepoint is slower than luajit -joff in 1 of 11: fib.\n* safepoint is slower than safepoint --no-compile in 0 of 11.\n"
        in body
    )
    table = ratios.table_of(body)
    assert table["fib"][OURS] == Spread(2.0, 2.0, 2.0)
    assert table["trees"] == {name: Spread(*[0.5 if name == OURS else 3.0] * 3) for name in OTHERS}
    assert cells(block("superinstructions", written))[2] == ["fib", "0.25 (0.25..0.25)", "4.00"]
    assert cells(block("compiled code", written))[2] == ["fib", "0.50 (0.50..0.50)", "2.00"]
    assert bench_page.made(written, run) == written


def test_the_json_has_what_the_page_has() -> None:
    """Every ratio, who is left out, and where ours loses; and nothing else than JSON."""
    run = invented()
    found = json.loads(json.dumps(run.as_json()))
    assert list(found) == [
        "began", "machine", "load", "rounds", "reference", "interpreters", "left_out", "programs", "mean", "slower",
    ]  # fmt: skip
    assert (found["began"], found["rounds"], found["reference"]) == ("2031-05-06T07:08:00+00:00", 3, REFERENCE)
    assert found["left_out"] == {"pypy": "not installed"}
    assert [each["name"] for each in found["interpreters"]] == list(run.versions)
    assert {each["name"] for each in found["interpreters"] if each["smaller"]} == {"cpython", "ruby", "node --jitless"}
    assert [row["program"] for row in found["programs"]] == list(SIZES)
    for row in found["programs"]:
        assert list(row) == ["program", "size", "smaller", "seconds", "ratios", "optimisations"]
        ratio = 2.0 if row["program"] == "fib" else 0.5
        assert row["ratios"][OURS] == {"median": ratio, "least": ratio, "most": ratio}
        assert list(row["ratios"]) == OTHERS
        assert row["seconds"] == {OURS: 2 * ratio, REFERENCE: 2.0}
        brought = {
            step: (each["ratio"]["median"], each["seconds_without"]) for step, each in row["optimisations"].items()
        }
        assert brought == {"superinstructions": (0.25, 4.0), "compiled code": (0.5, 2.0)}
    assert found["mean"]["ratios"]["ruby"]["median"] == pytest.approx(3)
    assert found["slower"] == {REFERENCE: ["fib"], **{name: [] for name in OTHERS if name != OURS}}


def test_a_page_must_have_each_block_once() -> None:
    assert missing_block(TEXT) == ""
    for name in BLOCKS:
        begin = f"<!-- made by safepoint bench: {name} -->"
        assert missing_block(TEXT.replace(begin, "")) == begin
        assert missing_block(f"{TEXT}\n{begin}\n<!-- end -->\n") == begin
    assert missing_block(TEXT.replace("<!-- end -->", "")) == "<!-- made by safepoint bench: ratios -->"


# -- the picture

RATIO = st.floats(0.01, 100).map(lambda n: round(n, 2))
SPREADS = st.lists(RATIO, min_size=3, max_size=3).map(sorted).map(lambda n: Spread(n[1], n[0], n[2]))


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(["fib", "for", MEAN]), st.fixed_dictionaries(dict.fromkeys(OTHERS, SPREADS)), min_size=1))  # fmt: skip
def test_every_ratio_is_a_letter_in_its_place_and_nothing_covers_anything(table: Table) -> None:
    root = ET.fromstring(ratios.plot(table, MARKS))
    check_layout(root)
    circles = {circle.findtext(f"{NS}title"): circle for circle in root.iter(f"{NS}circle")}
    at = {(p, name): circles[f"{p}, {name}: {each}"] for p, row in table.items() for name, each in row.items()}
    assert len(at) == len(circles)
    (band,) = (rect for rect in root.iter(f"{NS}rect") if rect.get("fill-opacity"))
    for (program, name), circle in at.items():
        ratio = table[program][name].median
        if ratio != 1:
            assert (number(circle, "cx") > number(band, "x")) == (ratio > 1) or math.isclose(ratio, 1, rel_tol=0.02)
    dots = [(number(c, "cx") - 7, number(c, "cy") - 7, number(c, "cx") + 7, number(c, "cy") + 7) for c in at.values()]
    assert not any(cross(a, b) for i, a in enumerate(dots) for b in dots[:i])
    letters = {(t.text, number(t, "x"), number(t, "y") - 4) for t in root.iter(f"{NS}text")}
    assert all((MARKS[name], number(c, "cx"), number(c, "cy")) in letters for (_, name), c in at.items())
    names = [area(t) for t in root.iter(f"{NS}text") if t.text in table]
    assert len(names) == len(table)
    assert not any(cross(where, dot) for where in names for dot in dots)


def test_twice_is_as_far_from_one_as_half() -> None:
    scale = ratios.Scale.of({"fib": {OURS: Spread(0.5, 0.25, 4.0)}})
    assert scale.x(2) - scale.x(1) == pytest.approx(scale.x(1) - scale.x(0.5), abs=0.2)
    assert scale.x(0.25) > ratios.LEFT
    assert [mark for mark in scale.marks() if mark in (0.5, 1, 2)] == [0.5, 1, 2]


def test_a_cell_that_is_no_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match="'fast' is no ratio with a spread"):
        ratios.table_of("| program | safepoint |\n| --- | --- |\n| fib | fast |\n")


def test_the_picture_of_the_page_has_the_pages_table() -> None:
    root = ET.fromstring(pictures.interpreters())
    table = ratios.table_of(block("ratios"))
    said = {circle.findtext(f"{NS}title") for circle in root.iter(f"{NS}circle")}
    assert said == {f"{program}, {name}: {each}" for program, row in table.items() for name, each in row.items()}
