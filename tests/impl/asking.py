"""Requesters on OS threads of their own, which ask guest threads again and again, and wait until they are served."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from safepoint.protocol.words import MANAGED, SAMPLE
from safepoint_vm.language.records import SERVED
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm
from tests.impl.running import LONG
from tests.impl.waiting import LOOK, SOON, soon

POSTS = 150


def served(guest: GuestThread, kind: int) -> int:
    return guest.record.get("served", SERVED[kind])


def ask(vm: Vm, guest: GuestThread, failed: list[str], seconds: float) -> None:
    """Post SAMPLE, and wait until one has been served since, again and again."""
    for number in range(POSTS):
        before = served(guest, SAMPLE)
        vm.world.post(guest, SAMPLE)
        if not soon(lambda before=before: served(guest, SAMPLE) > before, seconds):  # type: ignore[misc]
            failed.append(f"post {number} is not served")
            return


def lost(make: Callable[[], Vm], *, stops: bool, seconds: float = SOON) -> list[str]:
    """Four requesters, and a coordinator if it is to stop the world, ask two threads of a program without an end, which then end by an interrupt.
    seconds: how long each waits.  Returns what was lost.
    """
    failed: list[str] = []
    with make() as vm:
        guests = [vm.start().guest for _ in range(2)]
        assert soon(lambda: all(guest.record.get("state") == MANAGED for guest in guests))
        asking = [threading.Thread(target=ask, args=(vm, guest, failed, seconds), daemon=True) for guest in guests * 2]
        for each in asking:
            each.start()
        until = time.monotonic() + LONG
        while not failed and any(each.is_alive() for each in asking) and time.monotonic() < until:
            if stops:
                with vm.world.stopped():
                    pass
            time.sleep(LOOK)
        for running in vm.running if not failed else ():
            running.interrupt()
            assert running.done.wait(LONG)
            assert str(running.outcome().fault) == "KeyboardInterrupt"
    return failed
