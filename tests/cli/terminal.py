"""`safepoint repl`, or another command, at a real terminal: a pseudo-terminal whose keys are signals where they are."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
BEGIN = """
import fcntl, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the keys of this terminal are signals for this process
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what it begins in the background
sys.argv[:1] = ["safepoint"]
from safepoint.cli.entry import main
main()
"""
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][0-9A-B]|\x1b[=>78]|\r")
"""What moves the cursor, and the like."""
CONTROL_C, CONTROL_D, CONTROL_BACKSLASH, ENTER = "\x03", "\x04", "\x1c", "\r"
SECONDS = 60.0
"""For what is waited for, at most; it comes in milliseconds."""


class Terminal:
    """A session.  `said`: all that it has shown, without escape sequences, up to where `until` has read."""

    def __init__(self, *command: str, before: str = "") -> None:
        """command: by default `repl`.  before: Python statements that it begins with."""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", before + BEGIN, *(command or ("repl",))],
            cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._raw = b""
        self._at = self._marks = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def type(self, *lines: str) -> None:
        """Type lines at the prompt, which must be there: `until(">>>")`."""
        self.press("".join(line + ENTER for line in lines))

    def run(self, *lines: str) -> str:
        """Type an input that ends, and wait for the prompt behind it.  Returns what was shown, the lines included."""
        self._marks += 1
        self.type(*lines, f"'mark' + ' {self._marks}'")
        shown = self.until(f"'mark {self._marks}'\n")
        self.until(">>>")
        return shown

    def until(self, text: str) -> str:
        """Wait for a text.  Returns what was shown before it."""
        start = self._at
        if not self.shows(text, SECONDS):
            raise AssertionError(f"no {text!r} in {self._shown()[start:]!r}")
        return self._shown()[start : self._at - len(text)]

    def shows(self, text: str, seconds: float) -> bool:
        """Does a text come within n seconds?  Then what comes next is behind it."""
        end = time.monotonic() + seconds
        while (found := self._shown().find(text, self._at)) < 0:
            if not self._read(end - time.monotonic()):
                return False
        self._at = found + len(text)
        return True

    def ends(self) -> tuple[int, str]:
        """Wait for its end.  Returns its exit status, and what was not read."""
        end = time.monotonic() + SECONDS
        while self._read(end - time.monotonic()):
            pass
        return self.process.wait(timeout=SECONDS), self._shown()[self._at :]

    def _shown(self) -> str:
        return ESCAPES.sub(b"", self._raw).decode(errors="replace")

    def _read(self, seconds: float) -> bool:
        """Read what there is.  False: nothing came within n seconds, or it has ended."""
        if not select.select([self._ours], [], [], max(0.0, seconds))[0]:
            return False
        try:
            part = os.read(self._ours, 1 << 16)
        except OSError:  # Linux's way to say that the other side is closed
            return False
        self._raw += part
        return bool(part)


def stands_at(terminal: Terminal, line: str, function: str = "<module>") -> None:
    """Ask for the stacks until the main thread's innermost call stands at a line: the input runs, and is past what it has printed."""
    for _ in range(1000):
        os.kill(terminal.process.pid, signal.SIGQUIT)  # a key would be none while the prompt still reads
        if terminal.shows("MainThread (most recent call last):\n", 0.2):
            terminal.until(f", in {function}\n    ")
            if terminal.until("\n") == line:
                return
    raise AssertionError(f"it never stands at {line}")
