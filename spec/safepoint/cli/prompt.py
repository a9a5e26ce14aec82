"""The prompt of `repl` at a terminal: lines that can be edited, a history, and what other threads write above it."""

from __future__ import annotations

import signal
from asyncio import AbstractEventLoop

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from safepoint.cli.screen import Screen
from safepoint.guest.compiler.interactive import is_complete


class Prompt:
    """A `repl.Reader` with a prompt."""

    shows = True

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._loop: AbstractEventLoop | None = None  # of the prompt that waits
        self._asked = self._cancelled = False
        self._session: PromptSession[str] = PromptSession(
            multiline=True, key_bindings=self._bindings(), prompt_continuation="... ", enable_open_in_editor=False
        )

    @staticmethod
    def _bindings() -> KeyBindings:
        bindings = KeyBindings()

        @bindings.add("enter", filter=has_focus(DEFAULT_BUFFER))  # not of a search in the history
        def enter(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            lines = buffer.text.split("\n")
            if not lines[-1].strip():
                lines[-1] = ""
            if is_complete("\n".join(lines)):
                buffer.validate_and_handle()
            else:
                buffer.newline(copy_margin=False)

        @bindings.add("c-\\")
        def quit_(_event: KeyPressEvent) -> None:  # while a prompt waits, no key is a signal
            signal.raise_signal(signal.SIGQUIT)

        return bindings

    def read(self) -> str:
        """See `repl.Reader`."""
        self._screen.begin_prompt()
        try:
            return self._session.prompt(">>> ", handle_sigint=False, pre_run=self._begun)
        finally:
            self._loop, self._cancelled = None, False
            self._screen.hold(None)

    def cancel(self) -> bool:
        """See `repl.Reader`."""
        if self._loop is None:
            self._cancelled = True  # the next prompt
        else:
            self._loop.call_soon_threadsafe(self._session.app.key_processor.send_sigint)
        return True

    def _begun(self) -> None:
        """The prompt waits from now on."""
        self._loop = self._session.app.loop
        self._asked = False
        self._screen.hold(self._ask)
        if self._cancelled and self._loop:
            self._loop.call_soon(self._session.app.key_processor.send_sigint)

    def _ask(self) -> None:
        """Have what is held shown: another thread calls this.  A prompt that has ended meanwhile shows it when it returns."""
        if self._loop and not self._asked:
            self._asked = True
            try:
                self._loop.call_soon_threadsafe(self._show)
            except RuntimeError:  # its loop is closed
                self._asked = False

    def _show(self) -> None:
        self._asked = False
        run_in_terminal(self._screen.show)
