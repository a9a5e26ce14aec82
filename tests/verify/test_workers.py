"""Worker processes: one that dies is an error, and nothing hangs; a worker never hears Control-C."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children

import pytest

from safepoint.verify.workers import workers


def hears(number: int) -> bool:
    """Would the signal reach this process?"""
    return number not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_worker_never_hears_control_c() -> None:
    assert hears(signal.SIGINT)
    with workers() as pool:
        assert not pool.submit(hears, signal.SIGINT).result()
        assert hears(signal.SIGINT)


def test_a_worker_that_dies_is_an_error() -> None:
    with pytest.raises(BrokenProcessPool), workers() as pool:
        pool.submit(os._exit, 0).result()
    assert not active_children()


def press_while_they_sleep() -> None:
    with workers() as pool:
        pool.submit(time.sleep, 3600)
        signal.raise_signal(signal.SIGINT)


def test_control_c_ends_them_and_is_heard() -> None:
    """Before the hour is over, and by the handler that heard it before."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with pytest.raises(KeyboardInterrupt):
            press_while_they_sleep()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
    assert not active_children()
