"""The signals of the process that a guest program is handed while it runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def signals_handed_to(interrupt: Callable[[], None], show_stacks: Callable[[], None]) -> Iterator[None]:
    """SIGINT calls `interrupt`, SIGQUIT `show_stacks`, meanwhile; only on Python's main thread, where alone handlers can be set."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    does = {signal.SIGINT: interrupt, signal.SIGQUIT: show_stacks}

    def serve(number: int, _frame: FrameType | None) -> None:
        does[signal.Signals(number)]()

    before = {which: signal.signal(which, serve) for which in does}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
