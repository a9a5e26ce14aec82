"""Twins of the toy VM, each with one mistake that real VMs made: what the judge must tell from the toy."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator

from tests.conform.toy import Toy


class Forgetful(Toy):
    """Forgets the back-edges when it posts."""

    def poison(self) -> None:
        self.limit = -1


class Hasty(Toy):
    """Takes before it restores: a post between the two is lost."""

    def slow_path(self) -> None:
        self.slow_entries += 1
        bits = self.take()
        self.restore()
        self.serve(bits)


class Repeating(Toy):
    """Reads what is pending, and never takes it."""

    def take(self) -> set[str]:
        return set(self.pending)


class Partial(Toy):
    """Serves one request, and drops what was taken with it."""

    def serve(self, bits: set[str]) -> None:
        super().serve(set(sorted(bits)[-1:]))


class Forward(Toy):
    """Loses the turn of the loop that it was stopped at."""

    def turns(self, values: range) -> Iterator[int]:
        for value in values:
            lost = self.entry == "look"
            self.back_edge()
            if not lost:
                yield value
        self.back_edge()


class Fearful(Toy):
    """Every failed push is an overflow to it, if nobody asked to interrupt."""

    def push(self) -> None:
        if self.limit < 0:
            self.frames += 1
            self.slow_path()
            raise RecursionError
        super().push()


class Generous(Toy):
    """Pushes the frame without a look at the real limit, once a request was served."""

    def push(self) -> None:
        if self.limit < 0:
            self.frames += 1
            self.slow_path()
            self.depth += 1
        else:
            super().push()


class Stuck(Toy):
    """Serves instead of going on: while there are posts, the guest does not move."""

    def step(self, count: int = 1) -> bool:
        if self.pending == {"STOP"}:
            bits, self.pending = self.pending, set()
            self.serve(bits)
            count -= 1
        return super().step(count)


class Undead(Toy):
    """Serves a thread that has ended."""

    def post(self, kind: str) -> None:
        if self.ended:
            self.serve({kind} - {"INTERRUPT"})
        super().post(kind)


class Dreaming(Toy):
    """Sees what nobody asked for."""

    def start(self) -> None:
        super().start()
        self.pending = {"STOP"}
        self.limit = -1


class Swallowing(Toy):
    """Notices an interrupt, and raises nothing."""

    def serve(self, bits: set[str]) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            super().serve(bits)


class Endless(Toy):
    """Goes round for ever once it is stopped."""

    def serve(self, bits: set[str]) -> None:
        super().serve(bits)
        self.guest = endless()


def endless() -> Generator[None, None, int]:
    while True:
        yield
