"""`repl`: a guest program typed input by input, at a terminal or through a pipe."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

import click

from safepoint.cli.console import fail
from safepoint.cli.given import HEAP, machine_of, stack_option
from safepoint.cli.status import NO_VERDICT, REFUTED

if TYPE_CHECKING:
    from safepoint.cli.screen import Screen


@click.command()
@stack_option("Size of each guest thread's stack in slots.")
@HEAP
def repl(*, stack: int, heap: int | None) -> int:
    r"""Type a guest program, input by input.

    An empty line ends a block. Control-C discards what is typed, or interrupts what runs; other threads go on. SIGQUIT
    (Control-\) prints the stack of each thread. Control-D ends, when all threads have ended.

    From a pipe the inputs are read without prompts. Exit status then: 0 all ended, 1 one raised, 2 one is outside the language,
    130 Control-C.
    """
    from safepoint.cli.screen import Screen

    made, screen = (
        machine_of("safepoint.sessions", "vm", "write the program to a file: safepoint run FILE --machine reference"),
        Screen(),
    )
    reader: Reader = Lines()
    if sys.stdin is None:
        fail("standard input: is closed (give the command a terminal, or a pipe)")
    if sys.stdin.isatty() and sys.stdout.isatty():
        try:
            from safepoint.cli.prompt import Prompt
        except ImportError as error:
            fail(
                f"a prompt needs prompt_toolkit: {error} (pip install prompt_toolkit, or give the inputs through a pipe)"
            )
        reader = Prompt(screen)
    options: dict[str, Any] = {"heap": heap} if heap else {}
    with made(screen.output, stack, errors=screen.errors, **options) as session:
        return Loop(session, reader, screen).run()


class Reader(Protocol):
    """Where inputs come from.  `shows`: it has a prompt."""

    shows: bool

    def read(self) -> str:
        """The next input.  EOFError: there is none.  KeyboardInterrupt: Control-C discards it."""

    def cancel(self) -> bool:
        """Control-C while `read` waits; a signal handler calls this.  False: it ends the command."""


class Lines:
    """Inputs from standard input, line by line."""

    shows = False

    def __init__(self) -> None:
        self._next = ""  # the line that begins the next input

    def read(self) -> str:
        from safepoint.guest.compiler.interactive import begins_another, is_complete

        text, self._next = self._next, ""
        lines = [text] if text else []
        while not lines or not is_complete("\n".join(lines)):
            try:
                line = sys.stdin.readline()
            except UnicodeDecodeError as error:
                byte = error.object[error.start]
                fail(f"standard input: byte 0x{byte:02x} is not {error.encoding.upper()} (write the inputs in it)")
            if not line:
                if not lines:
                    raise EOFError
                break
            line = line.rstrip("\n")
            if lines and begins_another("\n".join(lines), line):
                self._next = line
                break
            lines.append(line)
        return "\n".join(lines)

    def cancel(self) -> bool:
        return False


class Loop:
    """Reads, executes, prints; over and over."""

    def __init__(self, session: Any, reader: Reader, screen: Screen) -> None:
        self.session, self.reader, self.screen = session, reader, screen
        self.executing = False

    def run(self) -> int:
        """Returns the exit status: of inputs through a pipe, that of the worst."""
        status = 0
        with self._signals():
            while True:
                try:
                    text = self.reader.read()
                except EOFError:
                    break
                except KeyboardInterrupt:
                    self.screen.errors.write("KeyboardInterrupt\n")
                    continue
                if text.strip():
                    status = max(status, self._execute(text))
            self._finish()
        return 0 if self.reader.shows else status

    def _execute(self, text: str) -> int:
        from safepoint.guest.faults import GuestSyntaxError, format_syntax_error, format_traceback

        try:
            with self._guest_runs():
                outcome = self.session.execute(text)
        except GuestSyntaxError as error:
            self.screen.errors.write(format_syntax_error(error, text))
            return NO_VERDICT
        if outcome.fault is None:
            return 0
        self.screen.errors.write(format_traceback(outcome.fault, outcome.traceback, self.session.sources))
        return REFUTED

    def _finish(self) -> None:
        """Wait for all threads, as `run` does at its end."""
        with self._guest_runs():
            self.session.end_inputs()
            if self.reader.shows and (alive := self.session.alive()):
                self.screen.errors.write(f"waiting for {', '.join(alive)} (Control-C interrupts all)\n")
            self.session.finish()

    @contextmanager
    def _guest_runs(self) -> Iterator[None]:
        self.executing = True
        try:
            yield
        finally:
            self.executing = False

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Take SIGQUIT over meanwhile, and SIGINT unless it is ignored."""
        before = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGQUIT)}

        def pressed(number: int, frame: FrameType | None) -> None:
            handler = before[signal.SIGINT]
            if self.executing:
                self.session.interrupt()
            elif not self.reader.cancel() and callable(handler):
                handler(number, frame)

        def quit_(_number: int, _frame: FrameType | None) -> None:
            self.session.show_stacks()

        signal.signal(signal.SIGQUIT, quit_)
        if before[signal.SIGINT] is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, pressed)
        try:
            yield
        finally:
            for which, handler in before.items():
                signal.signal(which, handler)
