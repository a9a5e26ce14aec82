"""Who works: as many processes as there are cores, or a cluster's.  The processes are gone at once when Control-C is pressed, and silent about it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import active_children, get_context
from multiprocessing.context import SpawnProcess
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path
from types import FrameType
from typing import ParamSpec, TypeVar

from safepoint.verify.cluster import cluster
from safepoint.verify.kept import Jobs, Kept

P = ParamSpec("P")
T = TypeVar("T")
PR_SET_PDEATHSIG = 1
PATIENCE = 10  # seconds for a thread of the pool to end once its processes have been killed
LOCKING = ("concurrent.futures", "multiprocessing")
"""Packages whose locks an exception from a signal's handler could leave locked, between the acquisition and the block that releases.

In there nothing is raised: the processes are killed, and so what they were to make raises BrokenProcessPool where it is waited for.
"""


@contextmanager
def _control_c(how: int) -> Iterator[None]:
    """Block it, or let it through (SIG_BLOCK, SIG_UNBLOCK); a process that is started in here begins so."""
    before = signal.pthread_sigmask(how, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def unheard() -> AbstractContextManager[None]:
    """Control-C is heard afterwards.  A process that is started in here never hears it: the process that it works for does, and ends it.

    A thread of ours is started in here, too: the system gives a signal that the main thread blocks to a thread that does not block it, and
    Python then runs the handler in the main thread all the same.
    """
    return _control_c(signal.SIG_BLOCK)


def hearing_control_c() -> AbstractContextManager[None]:
    """In a worker, for a VM's adapter that raises the guest's KeyboardInterrupt by the signal, sent to its own process."""
    return _control_c(signal.SIG_UNBLOCK)


class _Pool(ProcessPoolExecutor):
    """As many processes as there are cores.  Half a pool, or half a submission, could not be ended: Control-C is not heard in them.

    Not forked: the parent may have threads, and a child must not inherit machine code half built.

    Once it was `pressed`, nothing is submitted: a thread of the pool counts the processes that are left, while a submission would add one.
    """

    def __init__(self, pressed: ControlC) -> None:
        self.pressed = pressed
        with unheard():
            super().__init__(os.cpu_count(), get_context("spawn"), initializer=end_with_parent)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Raises KeyboardInterrupt."""
        if self.pressed:
            raise KeyboardInterrupt
        with unheard():
            return super().submit(fn, *args, **kwargs)


class Worker(SpawnProcess):
    """A process that never hears Control-C, not even while it starts."""

    def start(self) -> None:
        ensure_running()
        with unheard():
            super().start()


def _is_in(frame: FrameType | None, packages: tuple[str, ...]) -> bool:
    """Does this frame, or one that it was called from, execute a module of these packages?"""
    while frame and not frame.f_globals.get("__name__", "").startswith(packages):
        frame = frame.f_back
    return frame is not None


def end_with_parent() -> None:
    """In a process that has been started: it is killed when the thread that has started it ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def workers(on: str = "", keep: Path | None = None) -> Iterator[Jobs]:
    """Worker processes, or those of the Dask cluster `on` an address; `keep`: the directory of results that need not be made again.

    Whatever ends their use early ends the processes; Control-C then does what it did before.  Raises NotUsable.
    """
    kept, pressed = Kept(keep) if keep else None, ControlC(lambda frame: not on and _is_in(frame, LOCKING))
    try:
        with pressed, cluster(on) if on else _processes(pressed) as pool:
            yield Jobs(pool, kept)
    except BaseException:
        if not pressed:
            raise
    pressed.pass_on()  # behind the exception, which would keep the pool's semaphores alive, and their loss be told


class ControlC:
    """In its block Control-C is a KeyboardInterrupt, so that processes can be ended; those of `multiprocessing` are.  Behind it, `pass_on` does what
    it did before.

    is_whole: may no exception be raised in this frame?
    """

    def __init__(self, is_whole: Callable[[FrameType | None], bool] = lambda _: False) -> None:
        self.is_whole, self.before, self.was_pressed = is_whole, signal.getsignal(signal.SIGINT), False

    def __bool__(self) -> bool:
        return self.was_pressed

    def __enter__(self) -> None:
        if self.before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._press)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self.before)

    def _press(self, _: int, frame: FrameType | None) -> None:
        self.was_pressed = True
        for child in active_children():
            child.kill()
        if not self.is_whole(frame):
            raise KeyboardInterrupt

    def pass_on(self) -> None:
        """If it was pressed, do what it did before; if that returns, KeyboardInterrupt."""
        if self.was_pressed:
            signal.signal(signal.SIGINT, self.before)  # which the exception may have kept from being done
            signal.raise_signal(signal.SIGINT)
            raise KeyboardInterrupt


@contextmanager
def control_c_raises() -> Iterator[None]:
    """A block as `ControlC` has it, and what comes behind it."""
    pressed = ControlC()
    try:
        with pressed:
            yield
    except BaseException:
        if not pressed:
            raise
    pressed.pass_on()


@contextmanager
def _processes(interrupted: ControlC) -> Iterator[Executor]:
    others = threading.enumerate()
    ensure_running()  # or the pool starts it, and that lets the signal through again
    pool = _Pool(interrupted)
    try:
        yield pool
        pressed = ControlC(
            lambda _: True
        )  # an exception while a thread is joined makes CPython 3.11 take the thread for ended
        with pressed:
            pool.shutdown()
        pressed.pass_on()
    except BaseException:
        _end(pool, others)
        raise


def _end(pool: Executor, others: list[threading.Thread]) -> None:
    """End the processes, and the threads that the pool has begun."""
    pool.shutdown(wait=False, cancel_futures=True)  # first: or Python 3.11's pool stumbles over what is cancelled
    for child in active_children():
        child.kill()
    for thread in threading.enumerate():
        if thread not in others:
            thread.join(PATIENCE)
