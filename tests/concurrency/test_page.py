"""docs/concurrency.md shows what is declared today."""

from __future__ import annotations

from tests.concurrency.page import PAGE, TABLES, page


def test_the_tables_are_what_is_declared() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert page(shown) == shown, "python -m tests.concurrency.page"


def test_a_table_that_is_out_of_date_is_noticed() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    for make in TABLES.values():
        line = make().splitlines()[2]
        assert page(shown.replace(line, line + " ")) == shown != shown.replace(line, line + " ")
