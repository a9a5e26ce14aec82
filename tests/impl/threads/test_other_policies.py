"""The interpreter with the checks of other VMs, on OS threads: requests from several requesters at once, none of which may be lost."""

from __future__ import annotations

import errno
import io

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import FOLDED, GUARD_PAGE, POLICIES, WASMTIME
from safepoint.protocol.policy import Policy
from safepoint_vm.generate import page_faults
from safepoint_vm.generate.engine import Variant
from safepoint_vm.handlers.shared.checks import MECHANISMS
from safepoint_vm.threads.os_thread import OsThread
from safepoint_vm.threads.vm import Vm
from tests.impl.asking import lost
from tests.impl.running import LONG
from tests.impl.waiting import NEVER, SOON

HERE = [p for p in POLICIES.values() if p is not FOLDED and p.trigger in MECHANISMS]
CALLS = "def f(n):\n    if n > 0:\n        return f(n - 1)\n    return n\nwhile True:\n    f(5)\n"
LOOPS = "while True:\n    pass\n"
WORKS = "a = [0] * 200000\nwhile True:\n    a == [0] * 200000\n"
"""Long instructions, whose polls are checks."""
NAMES = {CALLS: "calls", LOOPS: "loops", WORKS: "works"}
SITES = {CALLS: {"push", "return", "back-edge"}, LOOPS: {"back-edge"}, WORKS: {"back-edge"}}
"""The check sites that each executes again and again."""
CASES = [(p, source) for p in HERE for source in NAMES if SITES[source] & {*p.sites}]


def requested(policy: Policy, source: str, mutant: str = "") -> list[str]:
    """What is lost of requests for two threads of a program."""
    variant, program = Variant(policy=policy, mutant=mutant), compile_program(source, "guest.py")
    seconds = NEVER if mutant else SOON
    return lost(lambda: Vm(program, io.StringIO(), variant=variant), stops=not mutant, seconds=seconds)


@pytest.mark.parametrize(("policy", "source"), CASES, ids=lambda case: getattr(case, "name", NAMES.get(str(case))))
def test_no_request_is_lost(policy: Policy, source: str) -> None:
    assert requested(policy, source) == []


@pytest.mark.parametrize("policy", [WASMTIME, GUARD_PAGE], ids=lambda policy: policy.name)
def test_a_lost_request_is_noticed(policy: Policy) -> None:
    assert "post 0 is not served" in requested(policy, LOOPS, "word-forgotten")


STARTS = """
from threading import Thread
def nothing():
    pass
t = Thread(target=nothing)
try:
    t.start()
except RuntimeError as error:
    print(error)
"""


def test_without_memory_for_a_page_no_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the system has no further thread; the one that is there has its page."""
    output = io.StringIO()
    with Vm(compile_program(STARTS, "guest.py"), output, variant=Variant(policy=GUARD_PAGE)) as vm:
        first = vm.world.add(vm._thread)

        def no_memory() -> None:
            raise OSError(errno.ENOMEM, "mmap")

        monkeypatch.setattr(page_faults, "Page", no_memory)
        running = OsThread(first, vm)
        vm.running.append(running)
        running.go()
        assert running.done.wait(LONG)
        assert running.outcome().fault is None
    assert output.getvalue() == "can't start new thread\n"
