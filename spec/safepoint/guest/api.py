"""What a guest program may import beside the standard library: requests, as the guest makes them and as it holds them off.

    with masked():     a critical section: an interrupt stays pending, and is raised at the section's end, whatever way it is
                       left, instead of what leaves it.  Of sections inside each other, that is the end of the outermost.

The guest's compiler knows these names and makes instructions of them; what stands here is what CPython executes, so that
a guest program is a Python program with the same meaning.  Control-C comes to CPython's main thread, and is kept back there.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread, current_thread, main_thread

_kept: dict[Thread, bool] = {}
"""The threads inside a critical section -> has an interrupt come for it?"""

_lock = Lock()


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
