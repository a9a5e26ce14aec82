"""The output that README.md shows is what the program says today."""

from __future__ import annotations

import re
from pathlib import Path

from safepoint.graph.text import Text
from safepoint.model.scopes import SCOPES
from safepoint.protocol.policies import POLICIES
from tests.model.pinned import CAUGHT, COUNTS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def rows(columns: int) -> list[list[str]]:
    cells = [[c.strip() for c in line.strip("│").split("│")] for line in README.splitlines() if line.startswith("│")]
    return [row for row in cells if len(row) == columns]


def test_the_table_of_policies_is_what_is_pinned() -> None:
    shown = {(row[0], row[1]): (int(row[2]), *(int(n.replace(",", "")) for n in row[4:6])) for row in rows(10)}
    pinned: dict[tuple[str, str], tuple[int, int, int]] = {}
    for key, (states, transitions) in COUNTS.items():
        policy, memory, _ = key.split("/")
        before = pinned.get((policy, memory), (0, 0, 0))
        pinned[policy, memory] = (before[0] + 1, before[1] + states, before[2] + transitions)
    assert shown == pinned
    for row in rows(10):
        bound = POLICIES[row[0]].declared
        scopes = [SCOPES[key.split("/")[2]] for key in COUNTS if key.split("/")[:2] == row[:2]]
        alone = sum("collect" not in s.slices for s in scopes)  # else a thread posts to another
        assert row[6:] == ["holds", str(bound.frames), str(bound.back_edges), f"{alone} of {len(scopes)}"]


def test_the_table_of_mutants_is_the_text() -> None:
    shown = {row[0]: tuple(row[2:4]) for row in rows(6)}
    assert shown == {m: (CAUGHT[m][2], " ".join(CAUGHT[m][:2])) for m in Text().mutants}
    assert sum(row[5] == "caught" for row in rows(6)) >= 6


def test_the_summary_is_of_one_piece() -> None:
    counts = {int(n.replace(",", "")) for n in re.findall(r"([\d,]+) interrupts", README)}
    assert len(counts) == 1
    assert counts.pop() >= 10_000
    assert f"holds: {len(COUNTS)} scopes, {len(CAUGHT)} of {len(CAUGHT)} mutants caught" in README
