"""A guest on a thread of its own: it stands still between steps, a hang ends, and what the adapter raises reaches the judge."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from safepoint.conform.claims import CLAIMS
from safepoint.conform.judge import hold
from safepoint.conform.runs import Runs
from safepoint.conform.target import GuestStuck
from safepoint.conform.threaded import Run, ThreadedTarget
from safepoint.protocol.policy import Bound


class Guest(ThreadedTarget):
    name, bound, patience = "guest", Bound(1, 1), 0.2

    def __init__(self, body: Callable[[Run], None]) -> None:
        self.body = body

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        pass

    def post(self, kind: str, thread: int = 0) -> None:
        pass

    def execute(self, run: Run) -> str:
        self.body(run)
        return ""


def counts(run: Run) -> None:
    for i in range(5):
        run.say(i)
        run.back_edge()
        run.pause()


def started(body: Callable[[Run], None]) -> Guest:
    guest = Guest(body)
    guest.start()
    return guest


def test_a_guest_stands_still_between_steps() -> None:
    guest = started(counts)
    assert not guest.observe().output
    assert guest.step()
    assert guest.observe().output == "0\n"
    assert guest.step(3)
    assert guest.observe().output == "0\n1\n2\n3\n"
    assert guest.observe().back_edges == 4
    assert not guest.step(100)
    assert not guest.step()
    assert guest.observe().ended


def test_a_dropped_guest_ends_and_prints_nothing_into_the_next() -> None:
    before = threading.active_count()
    guest = started(counts)
    guest.step(2)
    guest.start()
    assert not guest.observe().output
    guest.close()
    assert threading.active_count() == before


def test_a_guest_that_waits_is_stuck_and_can_be_woken() -> None:
    lock = threading.Lock()
    lock.acquire()
    guest = started(lambda run: counts(run) if lock.acquire() else None)
    for _ in range(2):
        with pytest.raises(GuestStuck, match=r"^the guest has not come back for 0\.2 seconds$"):
            guest.step()
    lock.release()
    assert guest.step()
    assert guest.observe().output == "0\n"


def test_a_guest_that_hangs_is_refuted_and_left_behind() -> None:
    def hangs(_run: Run) -> None:
        threading.Event().wait()

    guest = Guest(hangs)
    verdict = hold(CLAIMS["runs-as-python-does"], Runs(guest), "guest")
    assert verdict.verdict == "refuted"
    assert "seen      the guest has not come back for 0.2 seconds" in verdict.report


def test_what_the_adapter_raises_reaches_the_judge() -> None:
    guest = started(lambda run: run.say(1 // 0))
    with pytest.raises(ZeroDivisionError):
        guest.step()
    assert hold(CLAIMS["runs-as-python-does"], Runs(guest), "guest").verdict == "no verdict"
