"""What a guest program may import beside the standard library: requests, as the guest makes them and as it holds them off.

    interrupt(thread)  KeyboardInterrupt in a thread, as if it had been Control-C: at its next check site, or where it blocks.  One
                       that has not been started, or has ended, hears nothing of it.
    handshake(thread)  one (empty) operation on a thread, exactly once: by itself, at its next check site; or by the calling thread,
                       while it is outside guest code.  So when this returns, it has been at a check site or outside guest code
                       since.  One that has not been started, or has ended, is not waited for.
    collect()          a collection, for which the calling thread stops the world.
    with masked():     a critical section: an interrupt stays pending, and is raised at the section's end, whatever way it is
                       left, instead of what leaves it.  Of sections inside each other, that is the end of the outermost.

The guest's compiler knows these names and makes instructions of them; what stands here is what CPython executes, so that
a guest program is a Python program with the same meaning.  There an interrupt comes between any two bytecodes, but to a thread
that blocks only afterwards; a handshake has nothing to do, since who asks for it has the interpreter's lock, and so everybody
else is outside guest code; and Control-C comes to the main thread, and is kept back in its critical sections only.
"""

from __future__ import annotations

import ctypes
import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread, current_thread, main_thread

_kept: dict[Thread, bool] = {}
"""The threads inside a critical section -> has an interrupt come for it?"""

_lock = Lock()


def interrupt(thread: Thread) -> None:
    if not isinstance(thread, Thread):
        raise TypeError("interrupt() wants a thread")
    with _lock:
        if thread in _kept:
            _kept[thread] = True
        elif thread.is_alive():
            ident = ctypes.c_ulong(thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(KeyboardInterrupt))


def handshake(thread: Thread) -> None:
    if not isinstance(thread, Thread):
        raise TypeError("handshake() wants a thread")


def collect() -> None:
    gc.collect()


@contextmanager
def masked() -> Iterator[None]:
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
        _kept[me] = True  # without the lock: who holds it may be the code that the signal has stopped

    before = signal.signal(signal.SIGINT, keep)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
