"""Who works: as many processes as there are cores, or a cluster's.  The processes are gone at once when Control-C is pressed, and silent about it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path

from safepoint.verify.cluster import cluster
from safepoint.verify.kept import Jobs, Kept

PR_SET_PDEATHSIG = 1


class Worker(SpawnProcess):
    """Never hears Control-C, not even while it starts: the process that it works for does, and ends it."""

    def start(self) -> None:
        ensure_running()  # or it is started now, and lets the signal through again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Spawned(SpawnContext):
    """Not forked: the parent may have threads, and a child must not inherit machine code half built."""

    Process = Worker


def end_with_parent() -> None:
    """In a process that has been started: it is killed when the thread that has started it ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def workers(on: str = "", keep: Path | None = None) -> Iterator[Jobs]:
    """Worker processes, or those of the Dask cluster `on` an address; `keep`: the directory of results that need not be made again.

    Whatever ends their use early ends the processes; Control-C then does what it did before.  Raises NotUsable.
    """
    kept = Kept(keep) if keep else None
    with control_c_raises(), cluster(on) if on else _processes() as pool:
        yield Jobs(pool, kept)


@contextmanager
def control_c_raises() -> Iterator[None]:
    """In here it is a KeyboardInterrupt, so that processes can be ended; it then does what it did before."""
    is_pressed = False

    def press(*_: object) -> None:
        nonlocal is_pressed
        is_pressed = True
        raise KeyboardInterrupt

    with _on_control_c(press):
        try:
            yield
        except BaseException:
            if not is_pressed:
                raise
    if is_pressed:  # outside: an exception would keep the pool's semaphores alive, and their loss be told
        signal.raise_signal(signal.SIGINT)
        raise KeyboardInterrupt


@contextmanager
def _on_control_c(handler: Callable[..., None]) -> Iterator[None]:
    """Where it is ignored, it stays so."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _processes() -> Iterator[Executor]:
    others = threading.enumerate()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # half a pool could not be ended
    pool = ProcessPoolExecutor(os.cpu_count(), Spawned(), initializer=end_with_parent)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield pool
        with _control_c_kills_them():
            pool.shutdown()
    except BaseException:
        _end(pool, others)
        raise


@contextmanager
def _control_c_kills_them() -> Iterator[None]:
    """While a thread is joined: an exception in there makes CPython 3.11 take the thread for ended.  It is heard afterwards."""
    is_pressed = False

    def kill(*_: object) -> None:
        nonlocal is_pressed
        is_pressed = True
        for child in active_children():
            child.kill()

    with _on_control_c(kill):
        yield
    if is_pressed:
        signal.raise_signal(signal.SIGINT)


def _end(pool: Executor, others: list[threading.Thread]) -> None:
    """End the processes, and the threads that the pool has begun."""
    pool.shutdown(wait=False, cancel_futures=True)  # first: or Python 3.11's pool stumbles over what is cancelled
    for child in active_children():
        child.kill()
    for thread in threading.enumerate():
        if thread not in others:
            thread.join()


@contextmanager
def hearing_control_c() -> Iterator[None]:
    """In a worker, for a VM's adapter that raises the guest's KeyboardInterrupt by the signal, sent to its own process."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
