"""What a guest program may import besides the standard library: functions that make requests, and sections that defer or end what they raise.

    interrupt(thread)  Raise KeyboardInterrupt in a thread, as Control-C does: at its next check site, or where it blocks.  A
                       thread that has not been started, or has ended, is not affected.
    terminate(thread)  End a thread from its next check site on, or where it blocks: every `finally` around that place runs, and
                       no `except`; a `return`, a `break` or another exception in a `finally` does not keep the thread from its
                       end.  A critical section does not defer it.  An interrupt that comes meanwhile is raised in a `finally`,
                       at its first check site, or not at all; another terminate waits until the thread has unwound, and
                       finds it ended.  A thread that terminates itself runs on to its next check site.  To other threads it
                       has ended with an exception: `join` returns, and its traceback ends in Terminated.  A thread that has
                       not been started, or has ended, is not affected; the first thread has no Thread object, so that only
                       the host can end it: exit status 1.
    with terminable(): A TERMINATE that is raised inside ends at the end of the innermost such section: the thread goes on there.
                       One that came meanwhile is raised there; so is an interrupt.
    handshake(thread)  Run one (empty) operation on a thread, exactly once: the thread runs it at its next check site, or the
                       caller runs it while the thread is outside guest code.  So when this returns, the thread has been at a
                       check site or outside guest code since the call.  Does not wait for one not started, or ended.
    collect()          Stop the world, collect garbage, and start the world.
    with masked():     A critical section: an interrupt stays pending until the section ends, however it ends, and is raised
                       there in place of any other exception but a TERMINATE.  If sections are nested, that is the end of the outermost.

The guest's compiler knows these names and emits instructions for them; CPython executes this module instead, so that a guest
program is a Python program with the same meaning.  Under CPython an interrupt is raised between two bytecodes, and in a thread
that blocks only afterwards; a handshake has nothing to do, since its caller holds the GIL and so every other thread is outside
guest code; Control-C is raised in the main thread, and is deferred in that thread's critical sections only.  Nothing terminates a
thread there, since every Python exception can be caught: `terminate` of a thread that runs is a NotImplementedError.
"""

from __future__ import annotations

import ctypes
import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread, current_thread, main_thread

_kept: dict[Thread, bool] = {}
"""The threads inside a critical section -> whether an interrupt is pending."""

_lock = Lock()


def interrupt(thread: Thread) -> None:
    """Raise KeyboardInterrupt in a thread.  Raises TypeError unless it is a Thread."""
    if not isinstance(thread, Thread):
        raise TypeError("interrupt() wants a thread")
    with _lock:
        if thread in _kept:
            _kept[thread] = True
        elif thread.is_alive():
            ident = ctypes.c_ulong(thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(KeyboardInterrupt))


def terminate(thread: Thread) -> None:
    """End a thread.  Raises TypeError unless it is a Thread, NotImplementedError if it runs."""
    if not isinstance(thread, Thread):
        raise TypeError("terminate() wants a thread")
    if thread.is_alive():
        raise NotImplementedError("CPython cannot terminate a thread (run the program with safepoint run)")


def handshake(thread: Thread) -> None:
    """Run one empty operation on a thread.  Raises TypeError unless it is a Thread."""
    if not isinstance(thread, Thread):
        raise TypeError("handshake() wants a thread")


def collect() -> None:
    """Collect garbage, with the world stopped."""
    gc.collect()


@contextmanager
def terminable() -> Iterator[None]:
    """A section that a TERMINATE would end; here there is none."""
    yield


@contextmanager
def masked() -> Iterator[None]:
    """Defer interrupts to the end of the outermost section, where KeyboardInterrupt is raised."""
    me = current_thread()
    if me in _kept:
        yield
        return
    try:
        with _lock:
            _kept[me] = False
        with _control_c_kept(me):
            yield
    finally:
        with _lock:
            came = _kept.pop(me, False)
        if came:
            raise KeyboardInterrupt


@contextmanager
def _control_c_kept(me: Thread) -> Iterator[None]:
    if me is not main_thread():
        yield
        return

    def keep(*_: object) -> None:
        _kept[me] = True  # without the lock: the code that the signal interrupted may hold it

    before = signal.signal(signal.SIGINT, keep)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
