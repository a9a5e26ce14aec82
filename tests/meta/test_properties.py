"""The page of the properties says what they say, and each bites: there is a mistake that only it catches."""

from __future__ import annotations

import pytest

from tests.meta.properties import PROPERTIES, decided_in, shown, witness

ROWS = shown()


def test_the_page_has_every_property() -> None:
    assert list(ROWS) == list(PROPERTIES)


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_page_says_what_the_program_says(name: str) -> None:
    assert ROWS[name]["says"] == PROPERTIES[name]
    assert ROWS[name]["where"] == decided_in(name).name


@pytest.mark.parametrize("name", [name for name in PROPERTIES if witness(ROWS[name])])
def test_a_mutation_that_only_it_kills(name: str) -> None:
    found = witness(ROWS[name])
    assert found
    assert found.breaks() == {name}
