"""Control-C: which guest threads it reaches, where they wait, and how they are ended with the VM."""

from __future__ import annotations

import io
import time

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import DART, FOLDED
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import INTERRUPT
from safepoint_vm.generate.engine import Variant
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm
from tests.impl.running import FILE, LONG, begun
from tests.impl.waiting import soon


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
    """No thread is started once all are to end."""
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


@pytest.mark.parametrize("policy", [FOLDED, DART], ids=lambda policy: policy.name)
def test_an_interrupt_that_comes_at_the_end_is_known(policy: Policy) -> None:
    """Wherever the mechanism keeps what is pending: the host ends the other threads by it."""
    with Vm(compile_program("x = 1\n", FILE), io.StringIO(), variant=Variant(policy=policy)) as vm:
        call = vm.world.call

        def ending(procedure: str, record: int, *arguments: int, most: float | None = None) -> None:
            if procedure == "exit_thread":
                vm.world.engine.procedure("post", record, INTERRUPT)
            call(procedure, record, *arguments, most=most)

        vm.world.call = ending  # type: ignore[method-assign]
        running = vm.start()
        assert running.done.wait(LONG)
        assert running.interrupted


def test_an_interrupt_that_finds_its_thread_ended_is_known() -> None:
    """It ends after it was found alive, and before it is posted to."""
    with Vm(compile_program("i = 0\nwhile i < 3000000:\n    i = i + 1\n", FILE), io.StringIO()) as vm:
        running, post = vm.start(), vm.world.post
        assert soon(lambda: running._begun)

        def late(guest: GuestThread, kind: int) -> bool:
            assert running.done.wait(LONG)
            return post(guest, kind)

        vm.world.post = late  # type: ignore[method-assign,assignment]
        running.interrupt()
        assert running.interrupted
