"""Births and ends of guest threads: what is started, refused, joined and reported, and records that are reused."""

from __future__ import annotations

import gc
import io
import weakref
from collections.abc import Callable

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.lockstep import THREADS
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import ASKED, ENDED, HANDSHAKE, INTERRUPT, MANAGED, NOTHING
from safepoint_vm.generate.engine import Variant
from safepoint_vm.handlers.shared.checks import MECHANISMS
from safepoint_vm.language.records import SERVED
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm
from tests.impl.running import FILE, IMPORTS, STARTED, begun, ran
from tests.impl.waiting import soon


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


BEARING = [p for p in POLICIES.values() if p.trigger in MECHANISMS and "births" in p.slices]


@pytest.mark.rule("BIRTH-OWES-HANDSHAKE")
@pytest.mark.parametrize("policy", BEARING, ids=lambda policy: policy.name)
def test_what_is_posted_to_an_ended_threads_record_is_there_at_the_next_birth_in_it(policy: Policy) -> None:
    """Its requester has asked, and waits: it posts no more.  Where the bits are in the limit, a new thread must not set that before."""
    with Vm(compile_program("pass\n", FILE), io.StringIO(), variant=Variant(policy=policy)) as vm:
        first = vm.world.add(vm._thread)
        vm.world.call("start_thread", first.address)
        vm.world.call("exit_thread", first.address)
        vm.world.remove(first)
        record = first.record
        record.set("operation", ASKED)  # `handshake`, up to its post
        vm.world.engine.procedure("post", first.address, HANDSHAKE)
        vm.world.engine.procedure("post", first.address, INTERRUPT)
        born = vm._thread(record)
        assert (born.record, record.get("state")) == (record, ENDED)
        assert born.pending == HANDSHAKE | INTERRUPT
        vm.world.call("start_thread", born.address)
        assert (record.get("state"), record.get("operation"), born.pending) == (MANAGED, NOTHING, 0)
        assert [record.get("served", SERVED[kind]) for kind in (HANDSHAKE, INTERRUPT)] == [1, 0]
        vm.world.call("exit_thread", born.address)


def test_a_world_is_full_and_has_room_again_when_threads_end() -> None:
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


def test_an_exception_ends_its_thread_only_and_is_reported() -> None:
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
