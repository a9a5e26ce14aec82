"""Strings that are joined by words of two characters: each length beside each other, as CPython joins them."""

from __future__ import annotations

import io

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.heap import WORK
from safepoint_vm.threads.vm import run
from tests import oracle

SHORT = (0, 1, 2, 3, 4, 5, 6, 7)
LONG = (WORK - 1, WORK, 2 * WORK + 3)
"""One piece of work, one less, and more than two: a copy may be given up between two pieces."""

JOINS = """
def digits(n):
    text = ""
    while len(text) < n:
        text = text + chr(32 + len(text) * 7 % 90)
    return text

def same(x, y):
    if len(x) != len(y):
        return False
    for i in range(len(x)):
        if x[i] != y[i]:
            return False
    return True

lengths = {lengths}
for a in lengths:
    for b in lengths:
        x, y = digits(a), digits(b)
        both = x + y
        assert len(both) == a + b
        assert same(both[:a], x) and same(both[a:], y)
        three = f"{{y}}{{a}}{{x}}{{y}}"
        assert same(three, y + str(a) + x + y)
        assert three == y + (str(a) + (x + y))
        both += both[1:]
        assert same(both, x + y + (x + y)[1:])
        if a < 9 and b < 9:
            print(x, y, both, three)
"""


@pytest.mark.parametrize("lengths", [SHORT, LONG], ids=["short", "long"])
def test_strings_are_joined_as_cpython_joins_them(lengths: tuple[int, ...]) -> None:
    source, output = JOINS.format(lengths=list(lengths)), io.StringIO()
    outcome = run(compile_program(source, oracle.FILE), output)
    theirs = oracle.run(source)
    assert outcome.fault is None
    assert theirs.error == ""
    assert output.getvalue() == theirs.output
