"""The page of the properties says what they say, and each bites: there is a mistake that only it catches."""

from __future__ import annotations

import pytest

from tests.meta.properties import PROPERTIES, decided_in, shown, too, witness

ROWS = shown()


def test_the_page_has_every_property() -> None:
    assert list(ROWS) == list(PROPERTIES)


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_page_says_what_the_program_says(name: str) -> None:
    assert ROWS[name]["says"] == PROPERTIES[name]
    assert ROWS[name]["where"] == decided_in(name).name


@pytest.mark.parametrize("name", PROPERTIES)
def test_each_has_a_mutation_that_it_kills(name: str) -> None:
    found = witness(ROWS[name])
    assert found
    assert found.breaks() == {name} | too(ROWS[name])


def test_most_have_a_mutation_that_only_they_kill() -> None:
    assert sum(not too(ROWS[name]) for name in PROPERTIES) >= 0.6 * len(PROPERTIES)
