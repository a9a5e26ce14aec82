"""The persistent vector against a plain list, and what it shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.guest.reference.vector import WIDTH, Vector, alike

SIZES = (0, 1, WIDTH - 1, WIDTH, WIDTH + 1, WIDTH**2, WIDTH**2 + 1)


@given(st.sampled_from(SIZES), st.lists(st.integers(0, 2 * WIDTH**2), max_size=40))
def test_it_is_a_list_that_never_changes(size: int, writes: list[int]) -> None:
    """Each number writes to that item, or, beyond the end, appends."""
    vector, plain = Vector.of(range(size)), list(range(size))
    versions = [(vector, list(plain))]
    for number in writes:
        if number < len(plain):
            vector, plain[number] = vector.set(number, -number), -number
        else:
            vector = vector.append(number)
            plain.append(number)
        versions.append((vector, list(plain)))
    for version, items in versions:
        assert list(version) == items
        assert len(version) == len(items)
        assert [version[n] for n in range(0, len(items), 7)] == items[::7]
        assert alike(version, Vector.of(items), lambda a, b: a == b), "one shape for each content"


@pytest.mark.parametrize("size", SIZES)
def test_there_is_nothing_beyond_its_ends(size: int) -> None:
    vector = Vector.of(range(size))
    for number in (-1, size):
        with pytest.raises(IndexError):
            vector[number]
        with pytest.raises(IndexError):
            vector.set(number, 0)


def test_what_is_shared_is_not_compared() -> None:
    old = Vector.of(range(WIDTH**2))
    new = old.set(5, 5)
    compared = []

    def same(a: int, b: int) -> bool:
        compared.append(a)
        return a == b

    assert alike(old, new, same)
    assert len(compared) <= WIDTH, "one leaf of the tree"
    assert not alike(old, old.set(5, 6), same)
    assert not alike(old, old.append(0), same)


@given(st.sampled_from(SIZES), st.integers(0, WIDTH**2 + 2), st.integers(0, WIDTH**2 + 2))
def test_a_part_is_a_lists_part(size: int, first: int, end: int) -> None:
    assert Vector.of(range(size)).part(first, end) == list(range(size))[first:end]
