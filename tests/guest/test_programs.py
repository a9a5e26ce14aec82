"""The compiler and the reference machine together, against CPython: output, end, traceback, and the number of checks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given

from tests import oracle
from tests.generated.once import once
from tests.generated.programs import programs
from tests.guest.running import run
from tests.strategies import EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_are_as_in_cpython(path: Path) -> None:
    ours, theirs = run(path.read_text()).opinion, oracle.run(path.read_text())
    assert ours.output == theirs.output
    assert ours.output.strip(), "an example shows nothing"
    assert ours.error == theirs.error
    if ours.error != "RecursionError":  # how deep is deep differs, and CPython may add where it noticed
        assert ours == theirs


def test_there_are_enough_examples_and_most_are_short() -> None:
    short = long = 0
    for path in EXAMPLES:  # until there are: those that take longest need not be run for that
        if run(path.read_text()).steps <= 2000:
            short += 1
        else:
            long += 1
        if short >= 14 and long >= 2:
            return
    pytest.fail(f"{short} short ones and {long} others")


@given(programs())
@once
def test_programs_are_as_in_cpython(source: str) -> None:
    assert run(source, stack=100_000).opinion == oracle.run(source)


@given(programs(wide=True))
@once
def test_programs_at_the_edges_are_as_in_cpython(source: str) -> None:
    assert run(source, stack=100_000).opinion == oracle.run(source)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4, 5, 9])
def test_tracebacks_are_cpythons(turns: int, tmp_path: Path) -> None:
    """But for the carets; and the NameError's guess what was meant."""
    source = f"def down(n):\n    if n == {turns}:\n        return missing\n    return (down(n + 1) +\n            1)\n\n\ndown(0)\n"
    file = tmp_path / "guest.py"
    file.write_text(source)
    theirs = subprocess.run([sys.executable, "-I", file], capture_output=True, text=True, timeout=20, check=False)
    plain = re.sub(r"^ *[\^~]+\n", "", theirs.stderr, flags=re.MULTILINE)
    assert run(source).traceback == plain.replace(str(file), oracle.FILE)


@pytest.mark.parametrize(
    "assignment",
    ["x = y or x", "x = z and x", "x = z < x < y", "x = z and y or x", "x = (z or x) if y else x", "x, y = y, x", "x, y, z = z, x, y",
     "x = y = x", "x = x + (y or x)", "x += x and y", "x = 1 if z else x", "x = x - (x if x else y) - x"],
)  # fmt: skip
def test_an_assignment_reads_all_before_it_writes(assignment: str) -> None:
    source = f"def f(x, y, z):\n    {assignment}\n    print(x, y, z)\nf(5, 7, 0)\nf(0, 2, 3)\n"
    assert run(source).opinion == oracle.run(source)


@pytest.mark.parametrize(
    ("loop", "tests"),
    [
        ("while i < 5: i += 1", 6),
        ("while i - 5: i += 1", 6),
        ("while not i >= 5: i += 1", 6),
        ("while i < 3 < 9 and i < 2: i += 1", 3),
        ("while True:\n  i += 1\n  if i == 4: break", 4),
        ("while 1:\n  i += 1\n  if i < 4: continue\n  break", 4),
        ("while False: i += 1", 1),
        ("while 0 < i: i += 1", 1),
        ("for j in range(5): i += 1", 6),
        ("for j in range(9, 0, -4): i += 1", 4),
        ("for j in range(0): i += 1", 1),
        ("for j in range(5):\n  if j == 2: break", 3),
        ("for j in range(3):\n  for k in range(2): pass", 4 + 3 * 3),
    ],
)
def test_a_back_edge_is_one_evaluation_of_the_test(loop: str, tests: int) -> None:
    assert run(f"i = 0\n{loop}\nprint(i)\n").opinion.back_edges == tests
    assert oracle.run(f"i = 0\n{loop}\nprint(i)\n").back_edges == tests
