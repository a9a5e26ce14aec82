"""Guest threads on OS threads of their own: births and ends, locks, waiting, interrupts, and collections that stop them all.

Which thread is faster is nobody's to say: what is asserted holds in every order.  Every wait has an end.
"""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import Fault
from safepoint.guest.heap import ThreadObject
from safepoint.guest.lockstep import THREADS
from safepoint.protocol.words import ENDED, STOP
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.memory.heap import Statistics
from safepoint_vm.target import FoldedTarget
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm, run
from tests.impl.threads.test_vm import soon
from tests.strategies import THREADED

FILE = "guest.py"
LONG = 20.0  # seconds until a test gives up

IMPORTS = """
from threading import Thread, Lock
from time import sleep
"""

STARTED = """
def all_of(f, arguments):
    threads = []
    for a in arguments:
        threads.append(Thread(target=f, args=(a,)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
"""


class Ran:
    """What a program has printed and said when all its threads have ended; `error`: what ended the main one."""

    def __init__(self, vm: Vm, output: io.StringIO, errors: io.StringIO) -> None:
        self._vm, self._output, self._errors = vm, output, errors
        self.running = vm.start()

    def wait(self) -> Ran:
        assert self.running.done.wait(LONG), "the main thread does not end"
        self.outcome = self.running.outcome()
        ending = threading.Thread(target=self._vm.finish, daemon=True)
        ending.start()
        ending.join(LONG)
        assert not ending.is_alive(), "a thread does not end"
        return self

    @property
    def output(self) -> str:
        return self._output.getvalue()

    @property
    def errors(self) -> str:
        return self._errors.getvalue()

    @property
    def error(self) -> str:
        return str(self.outcome.fault or "")

    @property
    def statistics(self) -> Statistics:
        return self.outcome.stats


@contextmanager
def begun(
    source: str, heap: int = 1 << 20, stress: bool = False, mutant: str = "", imports: str = ""
) -> Iterator[tuple[Vm, Ran]]:
    output, errors = io.StringIO(), io.StringIO()
    program = compile_program(imports + IMPORTS + STARTED + source, FILE)
    with Vm(program, output, 4096, Variant(mutant=mutant), heap, stress, errors) as vm:
        yield vm, Ran(vm, output, errors)


def ran(source: str, heap: int = 1 << 20, stress: bool = False, imports: str = "") -> Ran:
    with begun(source, heap, stress, imports=imports) as (_, program):
        return program.wait()


@pytest.mark.parametrize("path", THREADED, ids=lambda path: path.stem)
def test_race_free_programs_do_what_they_do_under_cpython(path: Path) -> None:
    theirs = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=LONG, check=False)
    collects = any(word in path.read_text(encoding="utf-8") for word in ("collect()", "--heap 1M"))
    for stress in (False, True):
        output, errors = io.StringIO(), io.StringIO()
        outcome = run(compile_program(path.read_bytes(), str(path)), output, 4096, 1 << 20, stress, errors)
        assert output.getvalue() == theirs.stdout
        assert (outcome.fault is not None) == (theirs.returncode != 0)
        assert errors.getvalue().count("Exception in thread") == theirs.stderr.count("Exception in thread")
        assert (outcome.stats.collections > 0) == (stress or collects)


# ---- births and ends


def test_a_thread_runs_and_is_joined() -> None:
    done = ran("""
def work(a, b):
    print(a, b)
t = Thread(target=work, args=(1, "two"))
t.start()
t.join()
t.join()
print("joined")
""")
    assert (done.output, done.errors, done.error) == ("1 two\njoined\n", "", "")


def test_the_module_ends_and_the_others_are_waited_for() -> None:
    done = ran("""
def late():
    sleep(0.1)
    print("late")
Thread(target=late).start()
print("end")
""")
    assert done.output == "end\nlate\n"


def test_records_are_used_again_and_stacks_are_freed() -> None:
    """More threads than there is room for, one after the other."""
    with begun("""
got = []
def work(n):
    got.append(n)
for i in range(200):
    t = Thread(target=work, args=(i,))
    t.start()
    t.join()
print(len(got), sum(got))
""") as (vm, program):
        stacks: list[weakref.ref[GuestThread]] = []
        add = vm.world.add

        def adding(make: Callable[..., GuestThread]) -> GuestThread:
            born = add(make)
            stacks.append(weakref.ref(born))
            return born

        vm.world.add = adding  # type: ignore[method-assign]
        program.wait()
        assert program.output == f"200 {sum(range(200))}\n"
        assert vm.world.record.get("population") < 8
        assert len(stacks) > 100
        assert soon(lambda: gc.collect() >= 0 and sum(born() is not None for born in stacks) <= 1)


def test_there_is_room_for_so_many_threads_and_then_again() -> None:
    done = ran("""
lock = Lock()
lock.acquire()
def wait():
    with lock:
        pass
threads = []
more = True
while more:
    t = Thread(target=wait)
    try:
        t.start()
        threads.append(t)
    except RuntimeError as e:
        more = False
        print(e, len(threads))
lock.release()
for t in threads:
    t.join()
t = Thread(target=wait)
t.start()
t.join()
print("again")
""")
    assert done.output == f"can't start new thread {THREADS - 1}\nagain\n"


def test_threads_start_threads() -> None:
    done = ran("""
lock = Lock()
count = [0]
def tree(depth):
    with lock:
        count[0] += 1
    if depth > 0:
        all_of(tree, [depth - 1, depth - 1])
tree(4)
print(count[0])
""")
    assert done.output == "31\n"


def test_an_exception_ends_its_thread_only_and_is_told() -> None:
    done = ran("""
def fail(n):
    return 1 // n
all_of(fail, [1, 0, 2])
print("on")
t = Thread(target=fail)
t.start()
t.join()
t = Thread(target=7)
t.start()
t.join()
""")
    assert done.output == "on\n"
    assert done.error == ""
    line = (IMPORTS + STARTED).count("\n") + 3
    assert done.errors == (
        "Exception in thread Thread-2 (fail):\n"
        "Traceback (most recent call last):\n"
        f'  File "{FILE}", line {line}, in fail\n'
        "    return 1 // n\n"
        "ZeroDivisionError: integer division or modulo by zero\n"
        "Exception in thread Thread-4 (fail):\n"
        "TypeError: fail() missing 1 required positional argument: 'n'\n"
        "Exception in thread Thread-5:\n"
        "TypeError: 'int' object is not callable\n"
    )


def test_what_is_refused() -> None:
    done = ran("""
me = []
def self_join():
    try:
        me[0].join()
    except RuntimeError as e:
        print(e)
me.append(Thread(target=self_join))
t = me[0]
try:
    t.join()
except RuntimeError as e:
    print(e)
t.start()
t.join()
try:
    t.start()
except RuntimeError as e:
    print(e)
try:
    Lock().release()
except RuntimeError as e:
    print(e)
for x in [1, [], t]:
    try:
        x.acquire()
    except AttributeError as e:
        print(e)
try:
    with t:
        pass
except TypeError as e:
    print(e)
try:
    sleep(-1)
except ValueError as e:
    print(e)
print(t, Lock())
""")
    assert done.output.splitlines() == [
        "cannot join thread before it is started",
        "cannot join current thread",
        "threads can only be started once",
        "release unlocked lock",
        "'int' object has no attribute 'acquire'",
        "'list' object has no attribute 'acquire'",
        "'Thread' object has no attribute 'acquire'",
        "'Thread' object does not support the context manager protocol",
        "sleep length must be non-negative",
        "<Thread> <lock>",
    ]


# ---- locks

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
    """So many that they are at it at the same time."""
    assert ran(COUNTING.replace("TURNS", "100_000")).output == "400000\n"


@pytest.mark.parametrize("op", ["ACQUIRE", "RELEASE"])
def test_a_free_lock_costs_one_locked_instruction(op: str) -> None:
    """That it is locked, few runs would show: the race is a nanosecond long."""
    listing = engine(PLAIN).listing(op)
    assert [line.split()[:2] for line in listing if line.startswith(("lock", "xchg"))] == [["lock", "cmpxchgq"]]


def test_the_same_while_the_world_is_stopped_again_and_again() -> None:
    """Locks move while threads wait for them."""
    source = COUNTING.replace("count[0] = count[0] + 1", "count[0] = count[0] + len([i, [i]]) - 1")
    done = ran(source.replace("TURNS", "60"), stress=True)
    assert done.output == "240\n"
    assert done.statistics.collections > 400  # two lists each time


def test_whoever_waits_for_a_lock_does_not_keep_the_world_from_stopping() -> None:
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


# ---- collections

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
    """Nobody is left out of a stop, and nobody stays stopped."""
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
                states = [thread.record.get("state") for thread in vm.world.threads]
                assert 0 not in states  # MANAGED
                places = [(t.record.get("pc"), t.record.get("frame")) for t in vm.world.threads]
                time.sleep(0.0002)
                assert places == [(t.record.get("pc"), t.record.get("frame")) for t in vm.world.threads]
            stops += 1
            time.sleep(0.0005)
        program.wait()
        assert program.output == "180\n"
        assert stops > 20


def test_nobody_starts_a_thread_in_a_stopped_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """What START reads of the heap is not about to move."""
    arrived, go, stops = threading.Event(), threading.Event(), []
    start_for, startable = Vm.start_for, GuestThread.startable

    def late(vm: Vm, guest: GuestThread) -> Fault | None:
        arrived.set()
        assert go.wait(LONG)
        return start_for(vm, guest)

    def looking(guest: GuestThread) -> tuple[ThreadObject, int, list[int]]:
        stops.append(guest.world.get("stop"))
        return startable(guest)

    monkeypatch.setattr(Vm, "start_for", late)
    monkeypatch.setattr(GuestThread, "startable", looking)
    with begun("def work(x):\n    print(x)\nall_of(work, [[1, 'a']])\n") as (vm, program):
        assert arrived.wait(LONG)
        with vm.world.stopped():
            go.set()
            time.sleep(0.05)
            assert vm.world.collect(program.running.guest)
            assert stops == []
        program.wait()
        assert program.output == "[1, 'a']\n"
        assert stops == [0]


@pytest.mark.parametrize("mutant", ["", "birth-keeps-bits"])
def test_a_record_that_is_used_again_inherits_no_request(mutant: str) -> None:
    """But if the text forgets to clean it, it does: this test can tell."""
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


# ---- Control-C


@pytest.mark.parametrize("waits", ["t.join()", "sleep(1000)", "lock.acquire()"])
def test_an_interrupt_reaches_a_main_thread_that_waits(waits: str) -> None:
    """And only that one."""
    with begun(f"""
lock = Lock()
lock.acquire()
over = [False]
def wait():
    while not over[0]:
        sleep(0.001)
    print("not interrupted")
t = Thread(target=wait)
t.start()
try:
    {waits}
except KeyboardInterrupt:
    print("interrupted")
lock.release()
over[0] = True
t.join()
""") as (vm, program):
        time.sleep(0.1)
        vm.interrupt()
        program.wait()
        assert program.output == "interrupted\nnot interrupted\n"
        assert (program.error, program.errors) == ("", "")


def test_an_interrupted_acquire_does_not_own() -> None:
    with begun("""
lock = Lock()
lock.acquire()
try:
    with lock:
        print("owns")
except KeyboardInterrupt:
    lock.release()
lock.acquire()
print("free")
""") as (vm, program):
        time.sleep(0.1)
        vm.interrupt()
        assert program.wait().output == "free\n"


def test_an_interrupt_before_the_first_instruction_is_not_lost() -> None:
    for _ in range(30):
        with begun("while True:\n    pass\n") as (vm, program):
            vm.interrupt()
            assert program.wait().error == "KeyboardInterrupt"


def test_when_the_main_thread_has_ended_an_interrupt_ends_the_others() -> None:
    with begun("""
def work():
    while True:
        sleep(0.001)
Thread(target=work).start()
""") as (vm, program):
        assert program.running.done.wait(LONG)
        vm.interrupt()
        program.wait()
        assert program.errors.startswith("Exception in thread Thread-1 (work):\n")
        assert program.errors.endswith("\nKeyboardInterrupt\n")


def test_threads_that_refuse_to_end_are_stopped_with_the_vm() -> None:
    with begun("""
lock = Lock()
lock.acquire()
def stubborn(how):
    while True:
        try:
            if how == 0:
                lock.acquire()
            if how == 1:
                sleep(1000)
            while True:
                pass
        except KeyboardInterrupt:
            pass
all_of(stubborn, [0, 1, 2])
""") as (vm, program):
        assert soon(lambda: len(vm.world.threads) == 4)
        began = time.monotonic()
    assert time.monotonic() - began < LONG
    assert program.running.done.is_set()
    assert vm.world.threads == []


def test_threads_that_start_others_for_ever_are_stopped_with_the_vm() -> None:
    """Nobody is born any more, once all are to end."""
    for _ in range(5):
        with begun("""
def grow(n):
    while True:
        try:
            all_of(grow, [n, n])
        except (RuntimeError, KeyboardInterrupt):
            pass
grow(0)
""") as (vm, program):
            assert soon(lambda: len(vm.world.threads) > 40)
        assert program.running.done.is_set()
        assert vm._living() == []


# ---- on both cores, and step by step


def test_threads_run_at_the_same_time() -> None:
    """Two that each wait, without leaving guest code, for what the other one writes."""
    done = ran("""
turn = [0]
def ping(me):
    for i in range(200):
        while turn[0] != me:
            pass
        turn[0] = 1 - me
all_of(ping, [0, 1])
print("done", turn[0])
""")
    assert done.output == "done 0\n"


def test_locks_of_one_thread_are_steppable() -> None:
    target = FoldedTarget()
    target.load(IMPORTS + "lock = Lock()\nwith lock:\n    print(1)\nlock.acquire()\nlock.release()\nprint(2)\n")
    target.start()
    target.advance(1000)
    assert (target.observe().ended, target.observe().output) == (True, "1\n2\n")
