"""Policy guard_page and the faults of others: each in a process of its own, which is to end by it as it would have without us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BEGIN = """
import ctypes, faulthandler, io, mmap, os, signal, sys, threading, time
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import GUARD_PAGE
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.generate.page_faults import HandlerReplaced, fault_handler
from safepoint_vm.threads.vm import Vm

VARIANT = Variant(policy=GUARD_PAGE)
TURNS = compile_program("i = 0\\nwhile i < 1000:\\n    i = i + 1\\n", "turns.py")
ENDLESS = compile_program("while True:\\n    pass\\n", "endless.py")

def work():
    "Requests that are served under the policy, and so checks that fault."
    with Vm(ENDLESS, io.StringIO(), variant=VARIANT) as vm:
        record = vm.start().guest.record
        until = time.monotonic() + 20
        while record.get("slow_entries") < 4 and time.monotonic() < until:
            with vm.world.stopped():
                pass
        assert record.get("slow_entries") >= 4
    print("worked", flush=True)

def null():
    ctypes.string_at(0)
"""
WORKED = "worked\n"
REPORT = "Fatal Python error: Segmentation fault"


def ended(script: str, *flags: str) -> tuple[int, str, str]:
    """Exit status, standard output and error of a process that executes a script after BEGIN."""
    done = subprocess.run(
        [sys.executable, *flags, "-c", BEGIN + script],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_without_a_fault_of_others_it_ends_well() -> None:
    assert ended("work()") == (0, WORKED, "")


def test_a_fault_of_others_is_death_as_before() -> None:
    assert ended("work(); null()") == (-signal.SIGSEGV, WORKED, "")


def test_a_fault_is_reported_if_faulthandler_is_on_before() -> None:
    for script, flags in (("faulthandler.enable(); work(); null()", ()), ("work(); null()", ("-X", "faulthandler"))):
        status, said, report = ended(script, *flags)
        assert (status, said) == (-signal.SIGSEGV, WORKED)
        assert report.count(REPORT) == 1
        assert "in null" in report


@pytest.mark.parametrize("flags", [(), ("-X", "faulthandler")])
def test_a_fault_on_another_thread_while_guest_threads_check(flags: tuple[str, ...]) -> None:
    """They go to their slow paths meanwhile, as fast as they can be asked."""
    script = """
work()
with Vm(ENDLESS, io.StringIO(), variant=VARIANT) as vm:
    threads = [vm.start() for _ in range(2)]
    other = threading.Timer(0.3, null)
    other.start()
    while True:
        with vm.world.stopped():
            pass
"""
    status, said, report = ended(script, *flags)
    assert (status, said) == (-signal.SIGSEGV, WORKED)
    assert (REPORT in report) == ("in null" in report) == bool(flags)


def test_a_protected_page_is_a_checks_only_where_a_check_loads() -> None:
    """The thread never executes: its own check would take the protection away."""
    script = """
work()
guest = Vm(TURNS, io.StringIO(), variant=VARIANT)._thread(None)
guest.engine.procedure("poison", guest.address)
ctypes.string_at(guest.record.get("page"))
"""
    assert ended(script) == (-signal.SIGSEGV, WORKED, "")


def test_a_check_that_finds_no_page_is_a_fault_of_others() -> None:
    """As if a thread's record had been overwritten: it stands at a check, but the system has not found a protected page."""
    script = """
work()
guest = Vm(TURNS, io.StringIO(), variant=VARIANT)._thread(None)
guest.record.set("page", 64)
guest.enter()
"""
    assert ended(script) == (-signal.SIGSEGV, WORKED, "")


@pytest.mark.parametrize(
    "sends",
    ["os.kill(os.getpid(), signal.SIGSEGV); time.sleep(9)", "signal.raise_signal(signal.SIGSEGV); time.sleep(9)"],
)
def test_a_signal_that_is_sent_is_no_threads_check(sends: str) -> None:
    assert ended(f"work(); {sends}") == (-signal.SIGSEGV, WORKED, "")
    ignoring = (
        "signal.signal(signal.SIGSEGV, signal.SIG_IGN); work(); os.kill(os.getpid(), signal.SIGSEGV); print('over')"
    )
    assert ended(ignoring) == (0, WORKED + "over\n", "")
    assert ended(ignoring.replace("os.kill(os.getpid(), signal.SIGSEGV)", "null()"))[0] == -signal.SIGSEGV


def test_another_handler_is_called_and_may_go_on() -> None:
    """One of Python's, which runs later: it is told of a signal that was sent."""
    script = """
signal.signal(signal.SIGSEGV, lambda number, frame: print("told of", number, flush=True))
work()
os.kill(os.getpid(), signal.SIGSEGV)
time.sleep(0)
work()
"""
    assert ended(script) == (0, f"{WORKED}told of 11\n{WORKED}", "")


def test_a_handler_that_takes_the_signal_over_later_is_found() -> None:
    script = """
work()
faulthandler.enable()
try:
    work()
except HandlerReplaced as replaced:
    print(replaced)
"""
    status, said, report = ended(script)
    assert (status, report) == (0, "")
    assert "something else handles SIGSEGV since a policy was first used whose checks fault" in said
    assert said.count("worked") == 1
    assert ended(f"{script}\nnull()")[0] == -signal.SIGSEGV


def test_at_exit_the_old_handler_is_back() -> None:
    script = """
import atexit
atexit.register(lambda: print(fault_handler().is_there))  # executed after what is registered later
assert not fault_handler().is_there
work()
assert fault_handler().is_there
"""
    assert ended(script) == (0, f"{WORKED}False\n", "")


def test_an_engine_that_is_refused_leaves_no_table_behind() -> None:
    """Its code is freed: a handler that came to its checks on the way to another's would read what is not there."""
    script = """
import gc
from safepoint.protocol.policies import HOTSPOT
work()
known = len(fault_handler()._tables)
faulthandler.enable()
try:
    engine(Variant(policy=HOTSPOT))
except HandlerReplaced:
    print("refused", flush=True)
gc.collect()
assert len(fault_handler()._tables) == known
faulthandler.disable()
work()
"""
    assert ended(script) == (0, f"{WORKED}refused\n{WORKED}", "")


def test_a_thread_that_runs_at_exit_may_still_fault() -> None:
    """The program has not ended it, and a requester goes on asking."""
    script = """
from safepoint.protocol.words import SAMPLE
guest = Vm(ENDLESS, io.StringIO(), variant=VARIANT).start().guest
def ask():
    while True:
        guest.engine.procedure("post", guest.address, SAMPLE)
threading.Thread(target=ask, daemon=True).start()
while guest.record.get("slow_entries") < 4:
    time.sleep(0.01)
"""
    for _ in range(5):
        assert ended(script) == (0, "", "")


def test_a_process_that_blocks_all_signals_blocks_no_check() -> None:
    """As a server does that leaves its signals to one thread: guest threads inherit what is blocked."""
    assert ended("signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); work()") == (0, WORKED, "")
