"""Locks of guest threads on OS threads: no turn is lost, and a thread blocked on one does not hold up a stop."""

from __future__ import annotations

import pytest

from safepoint_vm.generate.engine import PLAIN
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.words import CONTENDED, FREE, Lock
from safepoint_vm.memory.value_view import get, put
from tests.impl.building import code, fresh, no_room, program
from tests.impl.machine_code import listing
from tests.impl.running import begun, ran
from tests.impl.waiting import soon

COUNTING = """
lock = Lock()
count = [0]
def work(turns):
    for i in range(turns):
        with lock:
            count[0] = count[0] + 1
all_of(work, [TURNS, TURNS, TURNS, TURNS])
print(count[0])
"""


def test_no_turn_is_lost_under_a_lock() -> None:
    """Turns enough for the threads to overlap."""
    assert ran(COUNTING.replace("TURNS", "100_000")).output == "400000\n"


@pytest.mark.parametrize("op", ["ACQUIRE", "RELEASE"])
def test_a_free_lock_costs_one_locked_instruction(op: str) -> None:
    """That it is locked, few runs would show: the race is a nanosecond long."""
    lines = listing(PLAIN, op)
    assert [line.split()[:2] for line in lines if line.startswith(("lock", "xchg"))] == [["lock", "cmpxchgq"]]


def test_the_same_while_the_world_is_stopped_again_and_again() -> None:
    """Locks move while threads wait for them."""
    source = COUNTING.replace("count[0] = count[0] + 1", "count[0] = count[0] + len([i, [i]]) - 1")
    done = ran(source.replace("TURNS", "60"), stress=True)
    assert done.output == "240\n"
    assert done.statistics.collections > 400  # two lists each time


def test_a_thread_blocked_on_a_lock_does_not_keep_the_world_from_stopping() -> None:
    with begun("""
lock = Lock()
lock.acquire()
def wait():
    with lock:
        print("through")
t = Thread(target=wait)
t.start()
sleep(0.2)
lock.release()
t.join()
""") as (vm, program):
        assert soon(lambda: len(vm.world.threads) == 2)
        stops = 0
        while not program.running.done.is_set() and stops < 50:
            with vm.world.stopped():
                stops += 1
        assert stops == 50
        program.wait()
        assert program.output == "through\n"


def test_a_lock_that_is_contended_before_a_stray_release_has_failed_stays_contended() -> None:
    """A thread releases a free lock; before the host raises, another has it, and a third sleeps until it is released.

    Were the lock freed now, nothing would wake the third.
    """
    lines = (("LOADK", 0, 0), ("LOCK", 0), ("RELEASE", 0), ("HALT",))
    thread = fresh(program(code("<module>", 1, *lines)))
    assert thread.serve(thread.enter(), no_room)  # LOCK
    lock = thread.stack[0]
    why = thread.enter()
    put(lock, Lock, "state", CONTENDED)
    assert thread.serve(why, no_room)
    assert str(thread.fault) == "RuntimeError: release unlocked lock"
    assert get(lock, Lock, "state") == CONTENDED


def test_a_contended_lock_released_by_another_than_its_holder_wakes_who_sleeps() -> None:
    """It is freed in machine code, in the access that tells that it was contended, and the host is told."""
    lines = (("LOADK", 0, 0), ("LOCK", 0), ("RELEASE", 0), ("HALT",))
    thread = fresh(program(code("<module>", 1, *lines)))
    assert thread.serve(thread.enter(), no_room)  # LOCK
    put(thread.stack[0], Lock, "state", CONTENDED)
    assert thread.enter() is Exited.RELEASED
    assert get(thread.stack[0], Lock, "state") == FREE
