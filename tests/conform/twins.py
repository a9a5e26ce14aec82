"""Twins of the toy VM, each with one mistake that real VMs made: what the judge must tell from the toy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from safepoint.conform.target import HANDSHAKE, INTERRUPT, STOP, Observation
from safepoint.protocol.policy import Bound
from tests.conform.threads_toy import ThreadsToy
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
        bits = super().take()
        self.pending |= bits
        return bits


class Sluggish(Toy):
    """Its first slow path only installs the handler, if one request alone has led to it."""

    def slow_path(self) -> None:
        if len(self.pending) > 1 or self.seen or self.slow_entries:
            super().slow_path()
        else:
            self.slow_entries += 1


class Uncounted(Toy):
    """Forgets the back-edges altogether: it does not look there, and does not count."""

    def back_edge(self) -> None:
        pass


class Unbounded(Toy):
    """Declares a bound on a kind of check that it never counts, and on no other."""

    bound = Bound(None, None)
    further: ClassVar = {"poll": 1}


class Partial(Toy):
    """Serves one request, and drops what was taken with it."""

    def serve(self, bits: set[str]) -> None:
        super().serve(set(sorted(bits)[-1:]))


class Shadowing(Toy):
    """Takes a stop for an answer to the handshake, too."""

    def serve(self, bits: set[str]) -> None:
        super().serve(bits - {HANDSHAKE} if STOP in bits else bits)


class OneShot(Toy):
    """The second request of a kind is never looked at."""

    def start(self) -> None:
        super().start()
        self.asked: set[str] = set()

    def post(self, kind: str, thread: int = 0) -> None:
        if kind not in self.asked or self.pending:
            self.asked.add(kind)
            super().post(kind)


class Deaf(Toy):
    """Drops what is posted in the first steps after a stop."""

    def start(self) -> None:
        super().start()
        self.deaf = 0

    def post(self, kind: str, thread: int = 0) -> None:
        if not self.deaf:
            super().post(kind)

    def step(self, count: int = 1) -> bool:
        before = len(self.seen)
        more = super().step(count)
        self.deaf = 3 if len(self.seen) > before else max(0, self.deaf - count)
        return more


class Unfair(Toy):
    """Puts the interrupt off while others come, once there have been many of them."""

    def take(self) -> set[str]:
        bits = super().take()
        if STOP in bits and len(self.seen) > 5 and INTERRUPT in bits:
            self.pending.add(INTERRUPT)
            self.poison()
        return bits - self.pending


class Forward(Toy):
    """Loses the turn of the loop that it was stopped at."""

    def turns(self, values: range) -> Iterator[int]:
        for value in values:
            lost = self.entry == "look"
            self.back_edge()
            if not lost:
                yield value
        self.back_edge()


class Recounting(Toy):
    """Executes the back-edge again at which it was stopped."""

    def back_edge(self) -> None:
        before = self.slow_entries
        super().back_edge()
        self.back_edges += self.slow_entries > before


class Fearful(Toy):
    """Every failed push is an overflow to it, if no requester asked to interrupt."""

    def push(self) -> None:
        if self.limit < 0:
            self.frames += 1
            self.slow_path()
            raise RecursionError
        super().push()


class Generous(Toy):
    """Pushes the frame without a look at the real limit, after its first slow path."""

    def push(self) -> None:
        if self.limit < 0 and not self.slow_entries:
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

    def post(self, kind: str, thread: int = 0) -> None:
        if self.ended:
            self.serve({kind} - {"INTERRUPT"})
        super().post(kind)


class Dreaming(Toy):
    """Sees what no requester asked for."""

    def start(self) -> None:
        super().start()
        self.pending = {"STOP"}
        self.limit = -1


class Swallowing(Toy):
    """Notices an interrupt, and raises nothing."""

    def serve(self, bits: set[str]) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            super().serve(bits)


class Shallow(Toy):
    """The same, where the stack is deep."""

    def serve(self, bits: set[str]) -> None:
        with contextlib.suppress(KeyboardInterrupt if self.depth > 2 else MemoryError):
            super().serve(bits)


class Untidy(Toy):
    """Leaves a block by an interrupt without its `finally`."""

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        never = "    except ZeroDivisionError:\n        pass\n    if True:\n"
        super().load(source.replace("    finally:\n", never), file, stack)


class Maskless(Toy):
    """Takes also what is masked."""

    def take(self) -> set[str]:
        masks, self.masks = self.masks, 0
        bits = super().take()
        self.masks = masks
        return bits


class Leaky(Toy):
    """Drops what was masked, when the section ends."""

    @contextlib.contextmanager
    def masked(self) -> Iterator[None]:
        with super().masked():
            yield
        self.pending -= {INTERRUPT}


class Restless(Toy):
    """Never makes its back-edges real again: after the first request every one takes the slow path."""

    def restore(self) -> None:
        super().restore()
        self.entry = "look"


class Unanswered(Toy):
    """Tells no requester that it has ended."""

    def observe(self) -> Observation:
        now = super().observe()
        owed = self.posted - {seen.kind for seen in now.seen} - {INTERRUPT}
        return replace(now, waiting=len(owed)) if now.ended else now

    def start(self) -> None:
        super().start()
        self.posted: set[str] = set()

    def post(self, kind: str, thread: int = 0) -> None:
        if not self.ended:
            self.posted.add(kind)
        super().post(kind)


class Sleeper(ThreadsToy):
    """Looks at nothing while it waits."""

    def wait_for(self, free: Callable[[], bool]) -> Generator[str | None, None, None]:
        while not free():
            yield "waits"


class Polite(ThreadsToy):
    """Waits for a blocked thread as for one that runs."""

    def post_to(self, kind: str, number: int) -> None:
        if self.waits and len(self.records) == 1 and kind != INTERRUPT:
            self.pending.add(kind)
        else:
            super().post_to(kind, number)


class Astray(ThreadsToy):
    """Interrupts the first thread, whichever was meant."""

    def post_to(self, kind: str, number: int) -> None:
        super().post_to(kind, 0 if kind == INTERRUPT else number)


class Stale(ThreadsToy):
    """Keeps what is posted to a thread that has ended, for the next one in its record."""

    def post(self, kind: str, thread: int = 0) -> None:
        if thread in self.living or thread not in self.records:
            super().post(kind, thread)
        else:
            self.records[thread] |= {"pending": {kind}, "entry": "look"}

    def clean(self, before: dict[str, Any]) -> dict[str, Any]:
        return super().clean(before) | {name: before[name] for name in ("pending", "entry") if name in before}


class Endless(Toy):
    """Goes round for ever once it is stopped."""

    def serve(self, bits: set[str]) -> None:
        super().serve(bits)
        self.guest = endless()


def endless() -> Generator[None, None, int]:
    while True:
        yield
