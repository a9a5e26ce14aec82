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


class Interrupting(Waiting):
    """Lets an interrupt out, prints, and says of itself what cannot be printed."""

    name, longest_call = "interrupting", float("inf")

    def lose(self) -> None:
        print("the VM speaks")
        raise KeyboardInterrupt("odd \x1b[2J")


class Odd(BaseException):
    def __str__(self) -> str:
        raise ValueError


class Exceptional(Waiting):
    """Raises what is no Exception."""

    name = "exceptional"

    def lose(self) -> None:
        raise Odd


class Number(int):
    """It cannot be found again by its name."""

    __qualname__ = "nowhere"

    def __sub__(self, other: int) -> Number:
        return Number(int(self) - int(other))


class Unreadable(Toy):
    """Its counts cannot be sent to another process."""

    name = "unreadable"

    def start(self) -> None:
        super().start()
        self.back_edges = Number(0)

    def back_edge(self) -> None:
        self.back_edges = Number(self.back_edges + 1)
        if self.entry == "look":
            self.slow_path()
