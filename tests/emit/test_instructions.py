"""The instructions of a check that docs/adopt.md names, counted anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint.protocol.policies import POLICIES
from tests.emit.building import CC, needs_cc
from tests.emit.instructions import COMPILER, GO, PAGE, ROW, compiler, counted, on_x86, probe, row, ways

TEXT = PAGE.read_text(encoding="utf-8")
(NAMED,) = COMPILER.findall(TEXT)


@needs_cc
@on_x86
@pytest.mark.skipif(CC is not None and compiler() != NAMED, reason=f"the figures of docs/adopt.md are those of {NAMED}")
def test_the_row_of_the_page_is_what_is_counted() -> None:
    assert ROW.findall(TEXT) == [row()], "python -m tests.emit.instructions"


@needs_cc
@on_x86
def test_what_is_no_check_has_no_instruction_and_one_comparison_has_two(tmp_path: Path) -> None:
    """Whatever the compiler: a compare and a jump; and nothing where the policy does not look."""
    found = {name: counted(POLICIES[name], tmp_path) for name in ("folded", "skybison", "hotspot", "pypy_sampling")}
    assert found == {
        "folded": {"push": 2, "edge": 2},
        "skybison": {"push": 2, "edge": 0},
        "hotspot": {"push": 0, "edge": 2, "return": 2},
        "pypy_sampling": {"push": 0, "edge": 0},
    }


@needs_cc
@on_x86
@pytest.mark.skipif(CC is not None and compiler() != NAMED, reason=f"the figures of docs/adopt.md are those of {NAMED}")
def test_a_spent_budget_takes_three_more(tmp_path: Path) -> None:
    edge = ways(probe(POLICIES["v8_ignition"], tmp_path)["edge"])
    assert [way - GO for way in edge] == [5, 8]
    assert "are 3 more when its budget is spent" in TEXT


def test_the_ways_through_a_function_are_followed() -> None:
    """One that jumps over two instructions, one that does not, and one that leaves it by a call."""
    listing = {0: "cmp %rax,(%rdi)", 1: "jb 9 <f+0x9>", 2: "je 5 <f+0x5>", 3: "mov %eax,%edx", 4: "mov %eax,%edx", 5: "ret", 9: "call 0 <g>"}  # fmt: skip
    assert ways(listing) == [4, 6]
