"""Collections and stops of the world while guest threads on OS threads allocate, start and end."""

from __future__ import annotations

import threading
import time

import pytest

from safepoint.guest.faults import Fault
from safepoint.guest.heap import ThreadObject
from safepoint.protocol.words import ENDED, MANAGED, STOP
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm
from safepoint_vm.threads.world import GuestWorld
from tests.impl.running import LONG, begun, ran
from tests.impl.waiting import soon

CHURN = """
sums = [0, 0, 0, 0]
def churn(which):
    kept = []
    total = 0
    for i in range(TURNS):
        fresh = [i, [which, str(i)], None]
        if i % 50 == 0:
            kept.append(fresh)
        total += fresh[0] + len(fresh[1][1])
    for old in kept:
        total += old[1][0] + int(old[1][1])
    sums[which] = total
all_of(churn, [0, 1, 2, 3])
print(sums)
"""


def churned(turns: int) -> str:
    plain = sum(i + len(str(i)) for i in range(turns)) + sum(range(0, turns, 50))
    return f"{[plain + which * len(range(0, turns, 50)) for which in range(4)]}\n"


def test_threads_that_share_a_small_heap_lose_nothing() -> None:
    done = ran(CHURN.replace("TURNS", "5000"), heap=1 << 18)
    assert done.output == churned(5000)
    assert done.statistics.collections > 5


def test_the_same_when_each_allocation_collects_and_verifies() -> None:
    done = ran(CHURN.replace("TURNS", "100"), stress=True)
    assert done.output == churned(100)
    assert done.statistics.collections >= 3 * 4 * 100 / 4  # three objects a turn; one collection may help all four


def test_what_a_thread_is_to_do_is_alive_before_it_does_it() -> None:
    """A THREAD object and its arguments move before START, and between START and the first instruction."""
    done = ran("""
lock = Lock()
got = []
def work(words, number):
    with lock:
        got.append(words[0] + words[1] + str(number))
threads = []
for i in range(12):
    threads.append(Thread(target=work, args=(["a" + str(i), "b" * i], [i])))
for t in threads:
    t.start()
    garbage = [[t], str(t)]
for t in threads:
    t.join()
for text in got:
    print(text)
""", stress=True)  # fmt: skip
    assert sorted(done.output.splitlines()) == sorted(f"a{i}{'b' * i}[{i}]" for i in range(12))


def test_births_and_ends_while_the_world_is_stopped_again_and_again() -> None:
    """No thread is left out of a stop, and none stays stopped."""
    with begun("""
lock = Lock()
done = [0]
def work(n):
    x = [n, [n]]
    with lock:
        done[0] += x[1][0] - n + 1
for i in range(60):
    all_of(work, [i, i + 1, i + 2])
print(done[0])
""") as (vm, program):
        stops, until = 0, time.monotonic() + LONG
        while not program.running.done.is_set() and time.monotonic() < until:
            with vm.world.stopped():
                threads = list(vm.world.threads)  # one that has ended may be taken out meanwhile
                assert MANAGED not in [thread.record.get("state") for thread in threads]
                places = [(t.record.get("pc"), t.record.get("frame")) for t in threads]
                time.sleep(0.0002)
                assert places == [(t.record.get("pc"), t.record.get("frame")) for t in threads]
                assert set(vm.world.threads) <= set(threads)
            stops += 1
            time.sleep(0.0005)
        program.wait()
        assert program.output == "180\n"
        assert stops > 20


def test_no_thread_is_started_in_a_stopped_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """What START reads of the heap does not move: its thread is in guest code, so a stop waits for it."""
    arrived, go, stopped, states = threading.Event(), threading.Event(), threading.Event(), []
    start_for, startable = Vm.start_for, GuestThread.startable

    def late(vm: Vm, guest: GuestThread) -> Fault | None:
        arrived.set()
        assert go.wait(LONG)
        return start_for(vm, guest)

    def looking(guest: GuestThread) -> tuple[ThreadObject, int, list[int]]:
        states.append((guest.record.get("state"), stopped.is_set()))
        return startable(guest)

    monkeypatch.setattr(Vm, "start_for", late)
    monkeypatch.setattr(GuestThread, "startable", looking)
    with begun("def work(x):\n    print(x)\nall_of(work, [[1, 'a']])\n") as (vm, program):

        def stop() -> None:
            with vm.world.stopped():
                stopped.set()
                assert vm.world.collect(program.running.guest)

        assert arrived.wait(LONG)
        stopping = threading.Thread(target=stop)
        stopping.start()
        assert soon(lambda: vm.world.record.get("stop") == 1)
        assert not stopped.wait(0.05)
        go.set()
        stopping.join(LONG)
        assert stopped.is_set()
        program.wait()
        assert program.output == "[1, 'a']\n"
        assert states == [(MANAGED, False)]


def test_a_sleeper_whose_time_is_over_sleeps_on_in_a_stopped_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """It awakes once for each change of the world, and does not go round until the world starts."""
    awoken, slept = [], threading.Event()
    try_call = GuestWorld.try_call

    def counted(world: GuestWorld, procedure: str, record: int, *arguments: int, resume: int = 0) -> int:
        awoken.extend([procedure] * (procedure == "awaken"))
        status = try_call(world, procedure, record, *arguments, resume=resume)
        if procedure == "block" and status:
            slept.set()
        return status

    monkeypatch.setattr(GuestWorld, "try_call", counted)
    with begun("sleep(0.05)\nprint(1)\n") as (vm, program):
        assert slept.wait(LONG)
        with vm.world.stopped():
            assert soon(lambda: bool(awoken))
            time.sleep(0.05)  # in which it went round two thousand times
        assert program.wait().output == "1\n"
    assert len(awoken) <= 3


@pytest.mark.parametrize("mutant", ["", "birth-keeps-bits"])
def test_a_record_that_is_used_again_inherits_no_request(mutant: str) -> None:
    """With the mutant that does not clean it, it does: this test can fail."""
    with begun("""
def nothing(n):
    sleep(0.001)
all_of(nothing, [1])
sleep(0.3)
all_of(nothing, [1])
print("on")
""", mutant=mutant) as (vm, program):  # fmt: skip
        assert soon(lambda: vm.world._free() is not None)
        record = vm.world._free()
        assert record is not None
        assert record.get("state") == ENDED
        for kind in (STOP, 4):
            vm.world.engine.procedure("post", record.address, kind)
        program.wait()
        assert program.output == "on\n"
        assert program.errors.endswith("\nKeyboardInterrupt\n") == bool(mutant)
