"""The output that README.md shows is what the program says today."""

from __future__ import annotations

import re
from pathlib import Path

from safepoint.model.text import Text
from tests.spec.test_model import CAUGHT, PINNED

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def rows(columns: int) -> list[list[str]]:
    cells = [[c.strip() for c in line.strip("│").split("│")] for line in README.splitlines() if line.startswith("│")]
    return [row for row in cells if len(row) == columns]


def test_the_table_of_scopes_is_what_is_pinned() -> None:
    shown = {row[0]: (int(row[3].replace(",", "")), int(row[4].replace(",", ""))) for row in rows(8)}
    assert shown == PINNED
    assert {(row[5], row[6], row[7]) for row in rows(8)} == {("holds", "1", "1")}


def test_the_table_of_mutants_is_the_text() -> None:
    shown = {row[0]: (row[1], row[2], row[4]) for row in rows(5)}
    assert shown == {m.name: (m.rule, CAUGHT[m.name][1], "caught") for m in Text().mutants.values()}


def test_the_summary_is_of_one_piece() -> None:
    counts = {int(n.replace(",", "")) for n in re.findall(r"([\d,]+) interrupts", README)}
    assert len(counts) == 1
    assert counts.pop() >= 10_000
    assert f"holds: {len(PINNED)} scopes, {len(CAUGHT)} of {len(CAUGHT)} mutants caught" in README
