"""Requests that the guest makes itself: on the reference machine, and in the module that CPython executes."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from safepoint.differential.runs import Undisturbed
from safepoint.graph.ir import Cell
from safepoint.guest.api import collect, handshake, interrupt
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.lockstep import MAIN
from safepoint.guest.reference.sites import Sites
from safepoint.guest.reference.world import World
from safepoint.protocol.words import MANAGED
from tests import oracle

# ---------------------------------------------------------------------------------------------- interrupt

THREADS = "from threading import Thread\nfrom time import sleep\nfrom safepoint.guest.api import collect, handshake, interrupt, masked, terminate\n"


def finished(source: str, quantum: int) -> World:
    world = World(compile_program(THREADS + source, "f.py"), 4096, quantum)
    for _ in range(20_000):
        if not world.step():
            assert world.waiting() == []
            return world
    raise AssertionError("does not end")


NEWBORN = """
def f():
    try:
        while True:
            pass
    except KeyboardInterrupt:
        print("interrupted")
t = Thread(target=f)
t.start()
for i in range(turns):
    pass
interrupt(t)
t.join()
print("joined")
"""


@pytest.mark.parametrize("quantum", [1, 2, 3, 1000])
@pytest.mark.parametrize("turns", range(6))
def test_an_interrupt_is_not_lost_at_birth(turns: int, quantum: int) -> None:
    """Birth drops what is pending; with long turns the thread is interrupted before it is born, and dies of it."""
    world = finished(NEWBORN.replace("turns", str(turns)), quantum)
    died = [uncaught.fault.kind for uncaught in world.uncaught]
    assert (world.output, died) in (("interrupted\njoined\n", []), ("joined\n", ["KeyboardInterrupt"]))
    assert seen_by(world, 1) == ["INTERRUPT"]


AGAIN = """
def f():
    for i in range(20):
        pass
    print("whole")
a = Thread(target=f)
interrupt(a)
a.start()
a.join()
b = Thread(target=f)
b.start()
interrupt(a)
b.join()
interrupt(b)
"""


@pytest.mark.rule("BIRTH-IS-CLEAN")
@pytest.mark.parametrize("asks", ["interrupt", "terminate"])
@pytest.mark.parametrize("quantum", [1, 1000])
def test_who_has_not_been_started_or_has_ended_hears_nothing(quantum: int, asks: str) -> None:
    """Nor does the thread that lives in its record now."""
    world = finished(AGAIN.replace("interrupt", asks), quantum)
    assert len(world.machines) == 2, "the second thread was to be born in the record of the first"
    assert world.output == "whole\nwhole\n"
    assert world.sites[1].words[Cell(1, "pending")] == 0


@pytest.mark.parametrize("turns", [*range(12), 60])
def test_a_section_of_a_thread_that_another_one_interrupts_is_executed_whole(turns: int) -> None:
    """At every distance of the two threads, from before the section to after its end."""
    source = f"""
done = []
def f():
    while not done:
        pass
    try:
        with masked():
            for i in range(3):
                done.append(i)
    except KeyboardInterrupt:
        pass
t = Thread(target=f)
t.start()
sleep(0.0001)
done.append("go")
for i in range({turns}):
    pass
interrupt(t)
t.join()
print(done)
"""
    assert finished(source, 1).output in ("['go', 0, 1, 2]\n", "['go']\n")


def test_cpython_interrupts_a_thread_and_no_other() -> None:
    heard, ready, over = [], threading.Event(), threading.Event()

    def work() -> None:
        try:
            ready.set()
            while not over.is_set():
                pass
        except KeyboardInterrupt:
            heard.append("interrupted")

    threads = [threading.Thread(target=work) for _ in range(2)]
    interrupt(threads[0])
    for thread in threads:
        ready.clear()
        thread.start()
        assert ready.wait(60)
    interrupt(threads[1])
    threads[1].join(60)
    assert heard == ["interrupted"]
    assert threads[0].is_alive()
    over.set()
    threads[0].join(60)
    interrupt(threads[0])
    assert heard == ["interrupted"]


@pytest.mark.parametrize("value", ["None", "'t'", "[]"])
def test_only_a_thread_is_interrupted(value: str) -> None:
    source = f"{THREADS}try:\n interrupt({value})\nexcept TypeError as e:\n print(e)\n"
    assert Undisturbed(source, "f.py", 4096).end.output == oracle.run(source).output == "interrupt() wants a thread\n"


# ---------------------------------------------------------------------------------------------- handshake

HANDSHAKES = """
over = []
started = []
def turns(n):
    while len(over) < n:
        pass
def asks(first, second):
    while not started:
        pass
    for i in range(5):
        handshake(threads[first])
        handshake(threads[second])
    over.append(first)
threads = [Thread(target=turns, args=(2,)), Thread(target=asks, args=(2, 0)), Thread(target=asks, args=(1, 0))]
for t in threads:
    t.start()
started.append(True)
for t in threads:
    t.join()
    handshake(t)
"""


def seen_by(world: World, thread: int) -> list[str]:
    """The kinds of all requests that a thread has answered."""
    return [served.kind for served in world.sites[MAIN].seen if served.thread == thread]


@pytest.mark.rule("HANDSHAKE-ONCE")
@pytest.mark.parametrize("quantum", [1, 2, 3, 5, 1000])
def test_each_handshake_runs_once_also_of_threads_that_ask_each_other(quantum: int) -> None:
    """Two ask each other, and a third one, which never leaves guest code; who has ended already is not asked."""
    world = finished(HANDSHAKES, quantum)
    ran = [seen_by(world, number).count("HANDSHAKE") for number in range(1, world.population)]
    assert ran[0] == 10
    assert max(ran[1:]) == 5
    assert not world.asked


FENCE = """
seen = [0]
news = [0]
def looks():
    while news[0] == 0:
        pass
    seen[0] = news[0]
    while news[0] < 2:
        pass
t = Thread(target=looks)
t.start()
sleep(0.001)
news[0] = 1
for i in range(turns):
    handshake(t)
print(seen[0])
news[0] = 2
t.join()
"""


def test_a_handshake_returns_after_a_check_site() -> None:
    """The first at the back-edge whose test has not heard of the news, perhaps; but at the second one it has."""
    assert finished(FENCE.replace("turns", "2"), 1000).output == "1\n"
    assert finished(FENCE.replace("turns", "0"), 1000).output == "0\n"


def test_under_cpython_only_a_thread_is_asked() -> None:
    handshake(threading.Thread())
    with pytest.raises(TypeError, match=r"handshake\(\) wants a thread"):
        handshake(None)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- collect

COLLECTORS = """
over = []
def turns():
    while len(over) < 2:
        pass
def collects(n):
    for i in range(n):
        collect()
    over.append(n)
threads = [Thread(target=turns), Thread(target=collects, args=(4,)), Thread(target=collects, args=(3,))]
for t in threads:
    t.start()
for t in threads:
    t.join()
"""


@pytest.mark.rule("STOP-AWAITS-ALL", "COORDINATOR-IS-OUTSIDE", "ONE-COORDINATOR")
@pytest.mark.parametrize("quantum", [1, 2, 3, 5, 1000])
def test_nobody_runs_guest_code_when_a_guest_has_stopped_the_world(
    quantum: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two coordinators beside a thread that must be stopped: each stop is whole before its end begins."""
    call, stops = Sites.call, []

    def watched(sites: Sites, procedure: str, *args: int) -> int | None:
        if procedure == "start_world_from":
            stops.append([value for cell, value in sites.words.values.items() if cell.word == "state"])
        return call(sites, procedure, *args)

    monkeypatch.setattr(Sites, "call", watched)
    world = finished(COLLECTORS, quantum)
    assert len(stops) == 7
    assert not any(MANAGED in states for states in stops)
    assert seen_by(world, 1).count("STOP") >= 1


def test_cpython_collects() -> None:
    class Thing:
        itself: Thing

    thing = Thing()
    thing.itself = thing
    left = weakref.ref(thing)
    gc.disable()
    try:
        del thing
        assert left() is not None
        collect()
        assert left() is None
    finally:
        gc.enable()
