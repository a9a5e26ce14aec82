"""Guest programs on OS threads of their own: Control-C, stops of the world, and errors of the host."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from safepoint.guest.code import FunctionConstant
from safepoint.guest.compiler.program import compile_program
from safepoint_vm.threads import vm as vm_module
from safepoint_vm.threads.vm import Vm, run
from tests.impl.building import CALLING, ENDLESS, code, program
from tests.impl.running import LONG

HELLO = program(
    code("<module>", 2, ("LOADK", 0, 42), ("LOADK", 1, -(2**30)), ("PRINT", 0, 2), ("PRINT", 0, 0), ("HALT",))
)


def test_a_program_prints_and_ends() -> None:
    output = io.StringIO()
    outcome = run(HELLO, output)
    assert output.getvalue() == "42 None\n\n"
    assert (outcome.fault, outcome.traceback) == (None, ())


def test_a_fault_comes_with_its_traceback() -> None:
    inner = code("f", 2, ("LOADK", 1, 0), ("MOD", 0, 0, 1), ("RETURN", 0), parameters=("x",))
    module = code("<module>", 6, ("CONSTANT", 0, 0), ("LOADK", 3, 7), ("CALL", 0, 1), ("HALT",))
    outcome = run(program(module, inner, constants=(FunctionConstant(1),)), io.StringIO())
    assert str(outcome.fault) == "ZeroDivisionError: integer modulo by zero"
    assert outcome.traceback == (("test.py", 3, "<module>"), ("test.py", 2, "f"))


def test_a_real_stack_overflows() -> None:
    deep = code("deep", 4, ("CONSTANT", 0, 0), ("CALL", 0, 0), ("RETURN", 0))
    module = code("<module>", 4, ("CONSTANT", 0, 0), ("CALL", 0, 0), ("HALT",))
    outcome = run(program(module, deep, constants=(FunctionConstant(1),)), io.StringIO(), stack=10_000)
    assert outcome.fault is not None
    assert outcome.fault.kind == "RecursionError"
    assert len(outcome.traceback) == (10_000 - 4) // 3 + 1


@pytest.mark.parametrize("built", [ENDLESS, CALLING], ids=["loop", "calls"])
def test_an_interrupt_ends_an_endless_guest(built: object) -> None:
    with Vm(built, io.StringIO()) as vm:  # type: ignore[arg-type]
        running = vm.start()
        assert not running.done.wait(0.02)
        began = time.monotonic()
        vm.interrupt()
        outcome = running.outcome()
        assert time.monotonic() - began < 1
    assert outcome.fault is not None
    assert outcome.fault.kind == "KeyboardInterrupt"


def test_a_guest_is_stopped_even_where_the_time_is_over_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that does not come to the host for seconds: a guest thread that was left running would take a core for ever."""
    monkeypatch.setattr(vm_module, "GRACE", 0)
    with Vm(ENDLESS, io.StringIO()) as vm:
        running = vm.start()
        vm._end(grace=0)
        assert running.done.wait(LONG)


CATCHES = """
from threading import Thread
def catches():
    while True:
        try:
            while True:
                pass
        except:
            pass
t = Thread(target=catches)
t.start()
"""


def test_pressed_twice_after_the_main_threads_end_it_ends_a_thread_that_catches_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vm_module, "GRACE", 0.1)
    with Vm(compile_program(CATCHES, "guest.py"), io.StringIO()) as vm:
        assert vm.start().done.wait(LONG)
        ending = threading.Thread(target=vm.finish, daemon=True)
        ending.start()
        vm.interrupt()
        assert not vm.all_ended
        vm.interrupt()
        ending.join(LONG)
        assert vm.all_ended


def test_control_c_reaches_a_guest_that_never_calls_python() -> None:
    """In a process of its own, whose main thread waits in `run`."""
    script = textwrap.dedent("""
        import os, signal, sys, threading, time
        from safepoint_vm.threads.vm import run
        from tests.impl.building import ENDLESS
        began = []
        def press():
            while not any(thread.name == "guest" for thread in threading.enumerate()):
                time.sleep(0.01)
            time.sleep(0.1)
            began.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=press, daemon=True).start()
        outcome = run(ENDLESS, sys.stdout)
        print(outcome.fault.kind, time.monotonic() - began[0] < 1)
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    """)
    command, environment = [sys.executable, "-c", script], {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (done.stdout.split(), done.stderr) == (["KeyboardInterrupt", "True", "True"], "")


def test_an_error_of_the_host_is_raised_where_it_waits() -> None:
    class Broken(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError("the reader has gone")

    with pytest.raises(BrokenPipeError, match="the reader has gone"):
        run(HELLO, Broken())


def test_no_guest_outlives_the_host() -> None:
    with Vm(ENDLESS, io.StringIO()) as vm:
        running = [vm.start() for _ in range(3)]
    assert all(r.done.is_set() and r.guest.ended for r in running)
