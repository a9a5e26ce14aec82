"""The tables of docs/concurrency.md that are measured have the rows and columns that their command makes, and what is the same each time is so."""

from __future__ import annotations

import pytest

from safepoint.differential.mistakes import mistakes_of
from safepoint.verify.interpreter import OURS
from safepoint.verify.under import policies
from tests.concurrency.measured import HEADS, ROWS, tried
from tests.concurrency.page import PAGE

TEXT = PAGE.read_text(encoding="utf-8")


def shown(name: str) -> list[list[str]]:
    """The cells of a table of the page, row by row."""
    head = f"| {' | '.join(HEADS[name])} |\n"
    assert TEXT.count(head) == 1
    body = TEXT.partition(head)[2].partition("\n\n")[0]
    return [line.strip("| ").split(" | ") for line in body.splitlines()[1:]]


@pytest.mark.parametrize("name", ROWS)
def test_the_page_names_the_command(name: str) -> None:
    assert f"`python -m tests.concurrency.measured {name}`, on " in TEXT
    assert all(len(row) == len(HEADS[name]) for row in shown(name))


def test_the_rows_are_those_that_the_command_makes() -> None:
    assert [row[0] for row in shown("under")] == list(policies())
    assert [row[0].strip("`") for row in shown("mistakes")] == list(mistakes_of(OURS))


@pytest.mark.parametrize("name", ["back-edge-forgets-its-jump", "poison-in-the-base-table", "parked-forgets-why"])
def test_what_is_the_same_each_time_is_what_the_page_says(name: str) -> None:
    """By the differential test and by controlled schedules; of those that are caught soon."""
    row = next(row for row in shown("mistakes") if row[0] == f"`{name}`")
    mistake = mistakes_of(OURS)[name]
    assert row[1:3] == [tried(mistake, "differential"), tried(mistake, "controlled schedules")]
