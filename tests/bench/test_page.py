"""docs/performance.md, as the bench makes it: its blocks are well-formed, and the picture has all ratios of the table in their places."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import interpreters, page
from bench.languages import LANGUAGES, NAMED, OURS, REFERENCE, installed
from bench.page import BLOCKS, PAGE, Run, block_of
from bench.sizes import SIZES, full
from bench.summary import MEAN, Results, Round, Spread, Switched, Table
from tests.show.layout import NS, area, check_layout, cross, number
from tools import pictures, ratios

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
    switched = Switched({p: [1.0] * 3 for p in SIZES}, {p: [4.0] * 3 for p in SIZES})
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
    assert [row[0] for row in cells(block("superinstructions"))] == ["program", "---", *SIZES, MEAN]


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
    written = page.made(TEXT, run)
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
        "* safepoint is slower than luajit -joff in 1 of 11: fib.\n* safepoint is slower than luajit in 0 of 11.\n"
        in body
    )
    table = ratios.table_of(body)
    assert table["fib"][OURS] == Spread(2.0, 2.0, 2.0)
    assert table["trees"] == {name: Spread(*[0.5 if name == OURS else 3.0] * 3) for name in OTHERS}
    assert cells(block("superinstructions", written))[2] == ["fib", "0.25 (0.25..0.25)", "4.00"]
    assert page.made(written, run) == written


def test_a_page_without_its_markers_is_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "PAGE", PAGE.parent / "README.md")
    monkeypatch.setattr(interpreters, "installed", lambda: (list(LANGUAGES), []))
    assert interpreters.main(["--page"]) == 2
    assert "must have the block `<!-- made by bench.interpreters: ratios -->` once" in capsys.readouterr().err


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("bench.languages.shutil.which", lambda name: None if name.startswith("luajit") else name)
    here, missing = installed()
    assert [each.name for each in missing] == [REFERENCE, "luajit"]
    assert len(here) + len(missing) == len(LANGUAGES)
    assert interpreters.main([]) == 2
    assert (
        capsys.readouterr().err == "bench: luajit -joff: not installed, and all are compared with it (install luajit)\n"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["fbi"], "no such program: fbi (there are: fib, "),
        (["--rounds", "0"], "--rounds is at least 1"),
        (["--rounds", "3", "--quick"], "not together with --quick"),
        (["--page", "fib"], "--page has all programs: name none"),
    ],
)
def test_bad_options_are_refused(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        interpreters.main(given)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


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
