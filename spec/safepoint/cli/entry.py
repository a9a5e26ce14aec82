"""Where the command begins: Control-C exits 130 from here on, before anything else is imported, and in whatever is under way.

An exception in its place could be lost in a callback, or come out of an import as a traceback.  Two take the signal over:
a guest that runs, and a command that has worker processes to end first.
"""

from __future__ import annotations

import atexit
import os
import signal

from safepoint.cli.status import INTERRUPTED

SHOW_CURSOR = b"\x1b[?25h\n"
"""What a terminal needs whose progress lines were on display."""


def main() -> None:
    """The entry point."""
    if (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):  # else it is ignored, as in a background job: so it stays
        signal.signal(signal.SIGINT, _interrupted)
        # after all else: when Python has taken the handler away, Control-C would kill a command that has said its verdict
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    from safepoint.cli.console import watch_output
    from safepoint.cli.main import cli

    watch_output()
    cli(prog_name="safepoint")


def _interrupted(*_: object) -> None:
    if os.isatty(2):
        os.write(2, SHOW_CURSOR)
    os._exit(INTERRUPTED)
