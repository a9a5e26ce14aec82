"""Generated programs, undisturbed, three ways: CPython, the reference machine, machine code.  Each test says how many it was.

Threads go in turns of a length that is drawn on the reference machine, and as they will in machine code; there the heap is
the smallest, or every allocation collects, so that collections happen in the middle.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.lockstep import QUANTUM
from safepoint_vm.memory.heap import SMALLEST
from tests import oracle
from tests.generated.programs import programs
from tests.generated.threads import threaded
from tests.machines import by_cpython, by_machine_code, by_reference

EACH = 4000
"""Programs of a kind, nightly.  Of 3000 some 2100 are different: so that there are more than 10,000 in all."""

KINDS = {
    "of one thread": programs(),
    "of one thread, with large numbers": programs(wide=True),
    "of several threads": threaded(),
    "of several threads, with large numbers": threaded(wide=True),
}


FOUND = [
    """
x = "a"
try:
    print(x % None)
except TypeError as error:
    print(error)
x %= 3
"""
]
"""What did not agree once."""


@pytest.mark.parametrize("source", FOUND)
def test_what_was_found_agrees(source: str) -> None:
    opinion = by_cpython(source)
    assert by_reference(source) == opinion
    assert by_machine_code(compile_program(source, oracle.FILE)) == opinion


@pytest.mark.timeout(14_400)  # nightly; a program that hangs is noticed sooner
@pytest.mark.parametrize("kind", KINDS)
def test_generated_programs_agree_three_ways(kind: str, say: Callable[[str], None]) -> None:
    agreed: set[str] = set()

    @settings(max_examples=min(EACH, settings().max_examples))
    @given(KINDS[kind], st.sampled_from((1, 2, 7, 61, QUANTUM)), st.booleans())
    def agree(source: str, quantum: int, stress: bool) -> None:
        note(source)
        opinion, program = by_cpython(source), compile_program(source, oracle.FILE)
        assert by_reference(program, quantum) == opinion
        assert by_machine_code(program, heap=SMALLEST, stress=stress) == opinion
        agreed.add(source)

    agree()
    say(f"{len(agreed)} generated programs {kind} agree three ways")
