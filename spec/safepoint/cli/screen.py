"""Where guest threads and the prompt write: standard output and standard error, one at a time.

While a prompt waits, what is written is held, and shown above it line by line; a thread that writes more than can be shown
waits.  Nothing is kept back otherwise: who reads our output through a pipe may wait for each line.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

MOST = 1000
"""Texts that are held, at most."""
GLANCE = 0.05  # seconds between two looks of a writer that waits


class Stream:
    """Standard output or standard error, by name."""

    def __init__(self, screen: Screen, name: str) -> None:
        self._screen, self._name = screen, name

    def write(self, text: str) -> int:
        self._screen.write(self._name, text)
        return len(text)


class Screen:
    """`output`, `errors`: what to write to."""

    def __init__(self) -> None:
        self.output, self.errors = Stream(self, "stdout"), Stream(self, "stderr")
        self._changed = threading.Condition()
        self._ask: Callable[[], None] | None = None  # has `show` called above the prompt
        self._held: list[tuple[str, str]] = []
        self._in_line = False  # the last thing written does not end a line

    def write(self, name: str, text: str) -> None:
        with self._changed:
            while self._ask and len(self._held) >= MOST:
                self._changed.wait(GLANCE)
            if self._ask is None:
                self._put(name, text)
            else:
                self._held.append((name, text))
                self._ask()

    def _put(self, name: str, text: str) -> None:
        stream = getattr(sys, name)
        encoding = stream.encoding or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
        if text:
            self._in_line = not text.endswith("\n")

    def show(self) -> None:
        """Write what is held, up to the end of its last whole line.  The prompt is not on display."""
        with self._changed:
            whole = max((n for n, (_, text) in enumerate(self._held, 1) if text.endswith("\n")), default=0)
            if len(self._held) >= MOST:
                whole = MOST
            for name, text in self._held[:whole]:
                self._put(name, text)
            del self._held[:whole]
            self._changed.notify_all()

    def begin_prompt(self) -> None:
        """A prompt begins a line."""
        with self._changed:
            if self._in_line:
                self._put("stdout", "\n")

    def hold(self, ask: Callable[[], None] | None) -> None:
        """Hold what is written from now on, and call `ask` for each; None: no more, and write what is held."""
        with self._changed:
            self._ask = ask
            if ask is None:
                for name, text in self._held:
                    self._put(name, text)
                self._held.clear()
                self._changed.notify_all()
