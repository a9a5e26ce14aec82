"""Races of OS threads in machine code: mistakes that only they can show are put into the interpreter, and are noticed.

The broken twin of a handler stands here, beside what it breaks; an engine is made with it, and kept by its text alone, for its
sources are those of the good one.
What holds in every order is asserted of the good engine; of the broken one, that some run of many shows it.
"""

# ruff: noqa: N802  -- handlers bear their opcodes' names

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint_vm.generate import build, cache
from safepoint_vm.generate.engine import PLAIN, Engine, engine
from safepoint_vm.generate.object_code import by_text
from safepoint_vm.handlers import lists, threads
from safepoint_vm.handlers.shared.allocation import bump, no_room
from safepoint_vm.handlers.shared.exits import fault
from safepoint_vm.handlers.shared.layout import backing_bytes, begin_backing, clear, copy_elements
from safepoint_vm.handlers.shared.values import is_list
from safepoint_vm.handlers.threads import is_lock, slow_acquire
from safepoint_vm.language.layout import Record
from safepoint_vm.language.machine import Machine, Slot
from safepoint_vm.language.records import Thread, World
from safepoint_vm.language.vocabulary import Exit, Value, Word, compare_and_swap, fetch_add, inline, opcode, slow
from safepoint_vm.language.words import FREE, HELD, Backing, List, Lock
from safepoint_vm.memory.heap import GuestHeap, HeapError, Ranges
from safepoint_vm.threads import vm
from safepoint_vm.threads.vm import Vm
from tests.child import Child, Lost
from tests.machines import Told, by_machine_code

RUNS = 20
"""In which a broken twin must be noticed; each test says how soon it was."""

Breaks = Callable[[object, str, Callable[..., Exit]], None]


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Breaks:
    """Put a broken twin into its place: programs run on an engine that is made with it."""

    def put(module: object, name: str, twin: Callable[..., Exit]) -> None:
        monkeypatch.setattr(module, name, twin)
        monkeypatch.setattr(cache, "state", lambda: "")
        monkeypatch.setattr(build, "object_file", by_text)
        broken: Engine = engine.__wrapped__(PLAIN)
        monkeypatch.setattr(vm, "engine", lambda variant: broken)

    return put


ALL = """
from threading import Lock, Thread
def all_of(f, count, turns):
    threads = []
    for i in range(count):
        threads.append(Thread(target=f, args=(i, turns)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
"""

# ---- a lock

COUNTING = """
lock = Lock()
x = [0]
def work(me, turns):
    for i in range(turns):
        lock.acquire()
        x[0] = x[0] + 1
        lock.release()
all_of(work, 2, TURNS)
print(x[0])
"""


def counted(turns: int) -> Told:
    return by_machine_code(compile_program(ALL + COUNTING.replace("TURNS", str(turns)), "f.py"), 4096)


def test_two_million_turns_under_a_lock_are_two_million() -> None:
    for _ in range(5):
        assert counted(turns=1_000_000) == Told("2000000\n", "", "", (), ())


@inline
def meet(thread: Thread, visits: Word) -> None:
    """Wait until threads have come here n times in all."""
    world = World(thread.world)
    here = fetch_add(world.result, 1) + 1  # a word that no procedure of the world uses
    while here < visits:
        here = fetch_add(world.result, 0)


def acquiring(swaps: bool) -> Callable[..., Exit]:
    """An ACQUIRE in which two threads test before either stores; without its compare-and-swap, both go on with the lock."""

    @opcode
    def ACQUIRE(vm: Machine, src: Slot) -> Exit:
        x = vm[src]
        if is_lock(x):
            if Lock(x).state == FREE:
                meet(vm.thread, Word(2))
                if swaps:
                    if compare_and_swap(Lock(x).state, Word(FREE), Word(HELD)):
                        return vm.next()
                else:
                    Lock(x).state = Value(HELD)
                    meet(vm.thread, Word(4))
                    return vm.next()
        return slow_acquire(vm, src)

    return ACQUIRE


def test_a_lock_without_its_compare_and_swap_is_noticed(breaks: Breaks) -> None:
    """Both threads own it, so one releases what the other has released, whichever is first."""
    breaks(threads, "ACQUIRE", acquiring(swaps=False))
    (uncaught,) = counted(turns=1).uncaught
    assert "release unlocked lock" in uncaught


def test_two_threads_that_have_both_found_a_lock_free_do_not_both_own_it(breaks: Breaks) -> None:
    """In the same order of steps: it is the missing compare-and-swap that the other test notices."""
    breaks(threads, "ACQUIRE", acquiring(swaps=True))
    assert counted(turns=1) == Told("2\n", "", "", (), ())


# ---- a list without a lock

LISTS = 500

APPENDING = """
numbers, pairs = [], []
for i in range(LISTS):
    numbers.append([])
    pairs.append([])
at = [-1, -1]
def work(me, turns):
    for i in range(LISTS):
        x = numbers[i]
        y = pairs[i]
        at[me] = i
        while at[1 - me] < i:
            pass
        for j in range(turns):
            x.append(me * 100 + j)
            y.append([me, j])
all_of(work, 2, 12)
total = 0
for x in numbers:
    total += len(x)
    for number in x:
        assert 0 <= number < 200 and number % 100 < 12
for y in pairs:
    total += len(y)
    for pair in y:
        if pair:
            assert len(pair) == 2 and 0 <= pair[0] < 2 and 0 <= pair[1] < 12
print(total)
"""


def appended(lists: int, heap: int, stress: bool = False) -> int:
    """How many appends of two threads at the same lists are left; the heap is verified again and again meanwhile."""
    output, errors = io.StringIO(), io.StringIO()
    program = compile_program(ALL + APPENDING.replace("LISTS", str(lists)), "f.py")
    with Vm(program, output, 4096, heap=heap, stress=stress, errors=errors) as machine:
        running = machine.start()
        while not running.done.wait(0.005):
            verify(machine)
        outcome = running.outcome()
        machine.finish()
    assert (str(outcome.fault or ""), errors.getvalue()) == ("", "")
    return int(output.getvalue())


def verify(machine: Vm) -> None:
    """Stop the world, and look at every word of the heap."""
    world = machine.world
    with world.stopped():
        for thread in world.threads:
            world.engine.routine("retire", thread.record.address)
        variables = machine._variables
        roots = [(variables.address, variables.address + 8 * variables.words)]
        world.heap.verify(roots + [root for thread in world.threads for root in thread.roots()])


def test_lists_that_two_threads_append_to_lose_updates_and_never_memory() -> None:
    """What is in them has been appended, or is 0, where another's append was lost; and each word of the heap is sound."""
    assert all(24 * LISTS <= appended(LISTS, 4 << 20) <= 48 * LISTS for _ in range(2))


def test_the_same_when_each_allocation_collects_and_verifies() -> None:
    assert 24 * 20 <= appended(20, 1 << 20, stress=True) <= 48 * 20


@inline
def list_length(of: List, backing: Backing) -> Word:  # noqa: ARG001  -- in the place of the one that asks it
    """Trusts the list's length, which need not be its backing's: then what lies behind the backing is copied, too."""
    return of.length >> 1


def put_for_good(name: str, twin: Callable[..., object]) -> None:
    """As `breaks`, in a process of its own, which may die of it: every engine is made with the broken twin in `lists`."""
    setattr(lists, name, twin)
    vars(cache)["state"] = lambda: ""
    vars(build)["object_file"] = by_text


def appended_badly(runs: int) -> int:
    """The number of the run that was noticed; -1: none was.  For a process of its own: it may also die, or hang."""
    put_for_good("list_length", list_length)
    for run in range(runs):
        try:
            appended(LISTS, 4 << 20)
        except (HeapError, AssertionError):
            return run
    return -1


def test_a_list_that_trusts_its_length_is_noticed() -> None:
    """The verifier finds a word that is not a value, a thread reads what was never appended, or the process does not survive.

    On two cores: in one of three runs.
    """
    with Child(bound=100) as child, suppress(Lost):
        assert child(appended_badly, RUNS) >= 0


GROWING = """
filled = [[1]]
wrong = [0]
def work(me, turns):
    if me == 0:
        for i in range(turns):
            x = [1]
            filled[0] = x
            for j in range(100):
                x.append(1)
        filled[0] = []
    while filled[0]:
        for number in filled[0]:
            if number != 1:
                wrong[0] += 1
all_of(work, 2, 3000)
print(wrong[0])
"""


def grown() -> str:
    return by_machine_code(compile_program(ALL + GROWING, "f.py"), 4096).output


def test_a_reader_of_a_list_that_grows_finds_what_was_appended() -> None:
    assert grown() == "0\n"


@slow
def slow_append(vm: Machine, of: Slot, src: Slot) -> Exit:
    """Publishes the larger backing before it is complete."""
    x = vm[of]
    if not is_list(x):
        return fault(vm)
    old = List(x).backing
    length = list_length(List(x), old)
    capacity = length * 2 + 4
    start = bump(vm.thread, backing_bytes(capacity))
    if start == 0:
        return no_room(vm)
    new = begin_backing(start, capacity)
    List(x).backing = new
    copy_elements(vm.thread, old, Word(0), new, Word(0), length)
    new.elements[length] = vm[src]
    clear(vm.thread, new, length + 1, capacity)
    List(x).length = Value((length + 1) << 1)
    return vm.next()


def grown_badly(runs: int) -> int:
    """As `appended_badly`."""
    put_for_good("slow_append", slow_append)
    return next((run for run in range(runs) if grown() != "0\n"), -1)


def test_a_backing_that_is_published_too_early_is_noticed() -> None:
    """Another thread reads what is no item yet, or the process does not survive it."""
    with Child(bound=100) as child, suppress(Lost):
        assert child(grown_badly, RUNS) >= 0


# ---- a stack that the collector forgets

KEEPING = """
def work(me, turns):
    kept = [me, [me, str(me)]]
    for i in range(turns):
        fresh = [kept, i]
        assert fresh[0][1] == [me, str(me)]
all_of(work, 3, 20)
print("kept")
"""


def test_a_thread_without_roots_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the thread uses its stack, which points into from-space.  The main thread is the first, and outlives all others."""
    collect = GuestHeap.collect

    def forgetful(heap: GuestHeap, records: Sequence[Record], roots: Ranges) -> None:
        collect(heap, records, roots[1:] if len(records) > 1 else roots)

    program = compile_program(ALL + KEEPING, "f.py")
    assert by_machine_code(program, 4096, stress=True).output == "kept\n"
    monkeypatch.setattr(GuestHeap, "collect", forgetful)
    with pytest.raises(HeapError, match=r"the roots lack the stack of thread 0, whose frame is at 0x"):
        by_machine_code(program, 4096, stress=True)
