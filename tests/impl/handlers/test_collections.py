"""Collections while programs run: under stress every program does what it does under CPython, and threads that share a heap
and fill it lose nothing.
"""

from __future__ import annotations

import io

import pytest

from safepoint.differential.corpus import Guest, corpus
from safepoint.guest.compiler.program import compile_program
from safepoint_vm.memory.heap import SMALLEST
from safepoint_vm.target import FoldedTarget
from safepoint_vm.threads.os_thread import Outcome
from safepoint_vm.threads.vm import Vm, run
from tests import oracle

STRESSED = 1 << 20  # bytes; small, since each collection fills and verifies it


def ran(source: str, heap: int = SMALLEST, stress: bool = False, stack: int = 4096) -> tuple[str, Outcome]:
    output = io.StringIO()
    outcome = run(compile_program(source, oracle.FILE), output, stack, heap, stress)
    return output.getvalue(), outcome


@pytest.mark.parametrize("guest", [guest for guest in corpus() if guest.alone], ids=lambda guest: guest.name)
def test_a_collection_at_every_allocation_changes_nothing(guest: Guest) -> None:
    """What is left behind is overwritten, and the heap verified before and after each."""
    output, outcome = ran(guest.source, STRESSED, True, guest.stack)
    theirs = oracle.run(guest.source)
    assert output == theirs.output
    assert (outcome.fault.kind if outcome.fault else "") == theirs.error
    if outcome.fault and theirs.error != "RecursionError":
        assert outcome.fault.message == theirs.message
        assert tuple((line, function) for _, line, function in outcome.traceback) == theirs.lines


@pytest.mark.parametrize("name", ["linked_list", "word_count", "exceptions_in_loops", "string_reversal"])
def test_an_instruction_that_begins_again_is_one_step_and_visits_its_site_once(name: str) -> None:
    guest = next(guest for guest in corpus() if guest.name == name)
    seen = []
    for stress in (False, True):
        target = FoldedTarget(stress=stress)
        target.load(guest.source, guest.file, guest.stack)
        target.start()
        steps = 0
        while not target.observe().ended:
            steps += target.advance(7)
        seen.append((steps, target.observe()))
        assert (target._world.world.heap.statistics.collections > 0) == stress
    assert seen[0] == seen[1]


GARBAGE = """
def chain(n):
    first = [0, None]
    for i in range(n):
        first = [i, first]
    return first

def total(cell):
    t = 0
    while cell[1] is not None:
        t += cell[0]
        cell = cell[1]
    return t

kept = chain(100)
words = ""
for turn in range(60):
    assert total(chain(100)) == 4950
    words = words + "\\u1234!" + f"{turn / 7}"[:3]
    assert total(kept) == 4950
print(total(kept), len(words), words[-5:])
"""


def test_a_small_heap_is_collected_again_and_again() -> None:
    output, outcome = ran(GARBAGE)
    assert output == oracle.run(GARBAGE).output
    assert outcome.stats.collections > 5
    assert outcome.stats.copied > 0
    assert 0 < outcome.stats.longest_pause <= outcome.stats.pauses


def test_threads_that_fill_a_heap_stop_each_other_and_lose_nothing() -> None:
    """All run the module, on the same variables; each checks what it has made, and has made it of what all keep alive."""
    output, longer = io.StringIO(), GARBAGE.replace("range(60)", "range(600)")
    with Vm(compile_program(longer, oracle.FILE), output, heap=4 * SMALLEST) as vm:
        outcomes = [running.outcome() for running in [vm.start() for _ in range(4)]]
    assert [outcome.fault for outcome in outcomes] == [None] * 4
    assert outcomes[0].stats.collections > 20


FULL = """
def fill():
    kept = []
    try:
        while True:
            kept.append([1, 2, 3])
    except MemoryError as error:
        count = len(kept)
        kept = None
        return count

for turn in range(3):
    count = fill()
    print(100 < count, len([0] * 50))
try:
    print(len("x" * 10 ** 6))
except MemoryError:
    print("no room")
x = []
while True:
    x = [x, x]
"""


def test_a_full_heap_raises_a_memory_error_that_can_be_caught() -> None:
    output, outcome = ran(FULL)
    assert output == "True 50\n" * 3 + "no room\n"
    assert outcome.fault
    assert outcome.fault.kind == "MemoryError"
    assert outcome.traceback == ((oracle.FILE, 21, "<module>"),)


def test_a_deep_traceback_survives_collections() -> None:
    source = "def f(n):\n    x = [n]\n    if n == 0:\n        raise ValueError(f'{x} here')\n    f(n - 1)\n\nf(200)\n"
    output, outcome = ran(source, STRESSED, stress=True)
    assert output == ""
    assert str(outcome.fault) == "ValueError: [0] here"
    assert [line for _, line, _ in outcome.traceback] == [7, *[5] * 200, 4]


def test_an_interrupt_in_a_full_heap_is_still_raised() -> None:
    """Its exception is made in the spare room."""
    source = "x = []\ntry:\n    while True:\n        x = [x]\nexcept MemoryError:\n    pass\n"
    source += "try:\n    while True:\n        pass\nexcept KeyboardInterrupt:\n    x = None\n    print('interrupted')\n"
    output = io.StringIO()
    with Vm(compile_program(source, oracle.FILE), output, heap=SMALLEST) as vm:
        running = vm.start()
        while not running.done.wait(0.05):
            vm.interrupt()
        running.outcome()
    assert output.getvalue() == "interrupted\n" or running.guest.fault


KEEPS = """
errors = [None] * 5000
x = []
try:
    while True:
        x = [x]
except MemoryError:
    pass
for i in range(5000):
    try:
        y = [i]
    except MemoryError as e:
        errors[i] = e
"""


def test_not_even_memory_errors_have_room_for_ever() -> None:
    """Kept, they use up what is spared for them: then the guest ends with one."""
    _, outcome = ran(KEEPS)
    assert outcome.fault
    assert outcome.fault.kind == "MemoryError"
    assert outcome.traceback == ((oracle.FILE, 11, "<module>"),)
