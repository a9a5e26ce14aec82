"""Races of OS threads in machine code: mistakes that only they can show are put into the interpreter, and are noticed.

The broken twin of a handler stands here, beside what it breaks; an engine is made with it, and never kept in the cache.
What holds in every order is asserted of the good engine; of the broken one, that some run of many shows it.
"""

# ruff: noqa: N802  -- handlers bear their opcodes' names

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest

from safepoint.guest.compiler import compile_program
from safepoint_vm import cache, vm
from safepoint_vm.engine import PLAIN, Engine, engine
from safepoint_vm.handlers import sequences, threads
from safepoint_vm.handlers.allocating import bump, no_room
from safepoint_vm.handlers.leaving import fault
from safepoint_vm.handlers.strings import begin_backing, clear
from safepoint_vm.handlers.threads import is_lock, slow_acquire
from safepoint_vm.heap import SMALLEST, GuestHeap, HeapError
from safepoint_vm.machine import Machine, Slot
from safepoint_vm.vm import Vm
from safepoint_vm.vocabulary import Exit, Value, Word, opcode, slow
from safepoint_vm.words import FREE, HEAD_WORDS, HELD, List, Lock, is_list
from safepoint_vm.world import GuestWorld
from tests.child import Child, Lost
from tests.machines import Told, by_machine_code

RUNS = 60
"""In which a broken twin must be noticed; see each test for how soon it was."""

Breaks = Callable[[object, str, Callable[..., Exit]], None]


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Breaks:
    """Put a broken twin into its place: programs run on an engine that is made with it."""

    def put(module: object, name: str, twin: Callable[..., Exit]) -> None:
        monkeypatch.setattr(module, name, twin)
        monkeypatch.setattr(cache, "load", lambda name: None)
        monkeypatch.setattr(cache, "keep", lambda name, made: None)
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
all_of(work, 2, 1000000)
print(x[0])
"""
COUNTED = Told("2000000\n", "", "", (), ())


def counted() -> Told:
    return by_machine_code(compile_program(ALL + COUNTING, "f.py"), 4096)


def test_two_million_turns_under_a_lock_are_two_million() -> None:
    for _ in range(5):
        assert counted() == COUNTED


@opcode
def ACQUIRE(vm: Machine, src: Slot) -> Exit:
    """Without its compare-and-swap: between the test and the store, another thread may do the same."""
    x = vm[src]
    if is_lock(x):
        if Lock(x).owner == FREE:
            Lock(x).owner = Word(HELD)
            return vm.next()
    return slow_acquire(vm, src)


def test_a_lock_without_its_compare_and_swap_is_noticed(breaks: Breaks) -> None:
    """Turns are lost, or somebody releases what another one has released.  On two cores: in every second run."""
    breaks(threads, "ACQUIRE", ACQUIRE)
    assert any(counted() != COUNTED for _ in range(RUNS))


# ---- a list without a lock

APPENDING = """
lists = []
for i in range(LISTS):
    lists.append([])
def work(me, turns):
    for i in range(LISTS):
        x = lists[i]
        for j in range(turns):
            x.append(me * 100 + j)
            x.append([me, j])
all_of(work, 4, 12)
most = 0
for x in lists:
    most = max(most, len(x))
    for y in x:
        if str(y)[0] == "[":
            assert len(y) == 2 and y[0] < 4 and y[1] < 12, str(y)
        else:
            assert 0 <= y < 400 and y % 100 < 12, str(y)
print(most)
"""


def appended(lists: int, heap: int, stress: bool) -> int:
    """How long the longest list is; the heap is verified again and again while it grows."""
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
        world.heap.verify(roots + [thread.roots() for thread in world.threads])


@pytest.mark.parametrize("stress", [False, True])
def test_lists_that_several_threads_append_to_lose_updates_and_never_memory(stress: bool) -> None:
    """What is in them has been appended, or is 0, where an append of another thread was lost: and each word is sound."""
    for _ in range(5):
        assert 24 <= appended(20 if stress else 200, 1 << 20 if stress else 2 << 20, stress) <= 4 * 24


@slow
def slow_append(vm: Machine, of: Slot, src: Slot) -> Exit:
    """With a length that need not be that of the backing: then words behind the backing are taken for elements."""
    x = vm[of]
    if not is_list(x):
        return fault(vm)
    old = List(x).backing
    length = List(x).length >> 1
    capacity = length * 2 + 4
    start = bump(vm.thread, (HEAD_WORDS + capacity) << 3)
    if start == 0:
        return no_room(vm)
    new = begin_backing(start, capacity)
    i = Word(0)
    while i < length:
        new.elements[i] = old.elements[i]
        i += 1
    new.elements[length] = vm[src]
    clear(new, length + 1, capacity)
    List(x).backing = new
    List(x).length = Value((length + 1) << 1)
    return vm.next()


def appended_badly() -> None:
    """For a process of its own: it may also die, or hang."""
    sequences.slow_append = slow_append
    cache.load = lambda name: None  # type: ignore[assignment]
    cache.keep = lambda name, content: None  # type: ignore[assignment]
    for _ in range(RUNS):
        appended(400, 4 << 20, False)


def test_a_list_that_trusts_its_length_is_noticed() -> None:
    with Child(bound=20) as child, pytest.raises((AssertionError, Lost)):
        child(appended_badly)
