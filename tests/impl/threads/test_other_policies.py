"""The interpreter with the checks of other VMs, on OS threads: requests from several requesters at once, none of which may be lost."""

from __future__ import annotations

import errno
import io
import threading
import time

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import FOLDED, GUARD_PAGE, POLICIES, WASMTIME
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import MANAGED, SAMPLE
from safepoint_vm.generate import page_faults
from safepoint_vm.generate.engine import Variant
from safepoint_vm.handlers.shared.checks import MECHANISMS
from safepoint_vm.language.words import SERVED
from safepoint_vm.threads.os_thread import OsThread
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm
from tests.impl.running import LONG
from tests.impl.waiting import soon

HERE = [p for p in POLICIES.values() if p is not FOLDED and p.trigger in MECHANISMS]
CALLS = "def f(n):\n    if n > 0:\n        return f(n - 1)\n    return n\nwhile True:\n    f(5)\n"
LOOPS = "while True:\n    pass\n"
WORKS = "a = [0] * 200000\nwhile True:\n    a == [0] * 200000\n"
"""Long instructions, whose polls are checks."""
NAMES = {CALLS: "calls", LOOPS: "loops", WORKS: "works"}
SITES = {CALLS: {"push", "return", "back-edge"}, LOOPS: {"back-edge"}, WORKS: {"back-edge"}}
"""The check sites that each executes again and again."""
CASES = [(p, source) for p in HERE for source in NAMES if SITES[source] & {*p.sites}]
POSTS = 150


def served(guest: GuestThread, kind: int) -> int:
    return guest.record.get("served", SERVED[kind])


def ask(vm: Vm, guest: GuestThread, failed: list[str]) -> None:
    """Post SAMPLE, and wait until one has been served since, again and again."""
    for number in range(POSTS):
        before = served(guest, SAMPLE)
        vm.world.post(guest, SAMPLE)
        if not soon(lambda before=before: served(guest, SAMPLE) > before):  # type: ignore[misc]
            failed.append(f"post {number} is not served")
            return


def requested(policy: Policy, source: str, mutant: str = "") -> list[str]:
    """Four requesters and a coordinator ask two threads, which then end by an interrupt.  Returns what was lost."""
    failed: list[str] = []
    variant = Variant(policy=policy, mutant=mutant)
    with Vm(compile_program(source, "guest.py"), io.StringIO(), variant=variant) as vm:
        guests = [vm.start().guest for _ in range(2)]
        assert soon(lambda: all(guest.record.get("state") == MANAGED for guest in guests))
        asking = [threading.Thread(target=ask, args=(vm, guest, failed), daemon=True) for guest in guests * 2]
        for each in asking:
            each.start()
        until = time.monotonic() + LONG
        while not failed and any(each.is_alive() for each in asking) and time.monotonic() < until:
            if not mutant:
                with vm.world.stopped():
                    pass
            time.sleep(0.001)
        for running in vm.running if not failed else ():
            running.interrupt()
            assert running.done.wait(LONG)
            assert str(running.outcome().fault) == "KeyboardInterrupt"
    return failed


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
