"""The toy VM with an adapter that does not come back, or dies, at its first STOP."""

from __future__ import annotations

import ctypes
import os
from threading import Event

from safepoint.conform.target import STOP
from tests.conform.toy import Toy


class Waiting(Toy):
    """Waits for what never happens."""

    name, longest_call = "waiting", 2.0

    def post(self, kind: str, thread: int = 0) -> None:
        super().post(kind, thread)
        if kind == STOP:
            self.lose()

    def lose(self) -> None:
        Event().wait()


class Looping(Waiting):
    """Goes round in C, and holds the GIL."""

    name = "looping"

    def lose(self) -> None:
        ctypes.PyDLL(None).sleep(3600)


class Dying(Waiting):
    """Takes its process with it."""

    name = "dying"

    def lose(self) -> None:
        os.abort()


class Leaving(Waiting):
    """Ends its process in good order."""

    name = "leaving"

    def lose(self) -> None:
        os._exit(3)
