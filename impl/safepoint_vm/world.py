"""The world: its words, its threads, and what waits.

A procedure of the protocol's text never blocks: it comes back with a status.  Whoever called it waits here, without the
GIL, and calls it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from safepoint.guest.threads import THREADS
from safepoint_vm.engine import Engine
from safepoint_vm.heap import SIZE, GuestHeap
from safepoint_vm.layout import Record
from safepoint_vm.thread import GuestThread
from safepoint_vm.words import World

PATIENCE = 0.001  # seconds until a wait looks again by itself: machine code changes words and tells nobody


class GuestWorld:
    """Of guest threads that one host starts.  `size`: bytes of its heap; `stress`: see `heap.GuestHeap`."""

    def __init__(self, engine: Engine, size: int = SIZE, stress: bool = False) -> None:
        self.engine = engine
        self.record = Record(World)
        self.heap = GuestHeap(engine, self.record, size, stress)
        self.threads: list[GuestThread] = []  # that have not ended
        self._free: list[Record] = []  # of those that have: they stay where the protocol's text finds them
        self._changed = threading.Condition()
        self._coordinating = threading.RLock()

    @property
    def address(self) -> int:
        return self.record.address

    @contextmanager
    def unstopped(self) -> Iterator[None]:
        """Nobody stops the world inside, and so nothing moves.  Whoever comes here must be outside guest code."""
        with self._coordinating:
            yield

    def add(self, make: Callable[[Record | None], GuestThread]) -> GuestThread:
        """A thread made in the record of one that has ended, if there is any.  Nobody is born during a stop.

        ValueError: there is no room.
        """
        with self._coordinating:
            if len(self.threads) == THREADS:
                raise ValueError(f"a world has room for {THREADS} guest threads")
            reused = self._free.pop() if self._free else None
            thread = make(reused)
            if reused is None:
                population = self.record.get("population")
                self.record.set("threads", thread.address, population)
                self.record.set("population", population + 1)
            self.threads.append(thread)
            return thread

    def remove(self, thread: GuestThread) -> None:
        """It is outside guest code for good, and has given up its piece of the heap."""
        with self._coordinating:
            self.threads.remove(thread)
            self._free.append(thread.record)

    def call(self, procedure: str, record: int, *arguments: int, resume: int = 0) -> None:
        """Run a procedure to its end, from the start or from where it waits."""
        status = resume or self.engine.procedure(procedure, record, *arguments)
        if status:
            self.tell()  # it has parked, perhaps: a stop may be waiting for that
        while status:
            self.wait()
            status = self.engine.procedure(procedure, record, *arguments, resume=status)
        self.tell()

    def wait(self) -> None:
        """Until somebody tells, or for a while."""
        with self._changed:
            self._changed.wait(PATIENCE)

    def tell(self) -> None:
        """Whoever waits is to look again."""
        with self._changed:
            self._changed.notify_all()

    def post(self, thread: GuestThread, kind: int) -> None:
        """Ask a thread for something; one that has ended is asked for nothing.  Never waits: a signal handler may call it."""
        if not thread.ended:
            self.engine.procedure("post", thread.address, kind)

    def make_room(self, thread: GuestThread) -> bool:
        """For the bytes that a thread wants that is outside machine code.  False: a collection did not help."""
        before = self.heap.statistics.collections
        with self._stopped_from(thread):
            helped = self.heap.statistics.collections != before and self.heap.grant(thread.record)
            return helped or self.collect(thread)  # another one's collection has helped, or its own does

    def collect_for(self, thread: GuestThread) -> None:
        """Because a thread has asked for it that is outside machine code."""
        thread.record.set("wanted", 0)
        with self._stopped_from(thread):
            self.collect(thread)

    @contextmanager
    def _stopped_from(self, thread: GuestThread) -> Iterator[None]:
        """As `stopped`, by a guest thread: nobody waits for it, also while it waits for its turn."""
        self.call("leave", thread.address)
        began = time.perf_counter()
        with self._coordinating:  # until it is back: nobody else's collection may take away what it was granted
            try:
                self.call("stop_world_from", thread.address)
                self.heap.statistics.stopped(time.perf_counter() - began)
                try:
                    yield
                finally:
                    self.call("start_world", self.address)
            finally:
                self.call("reenter", thread.address)

    def collect(self, thread: GuestThread) -> bool:
        """In a stopped world.  As `make_room`."""
        ranges = {other.variables.address: other.variables for other in self.threads}.values()
        roots = [other.roots() for other in self.threads]
        roots += [(variables.address, variables.address + 8 * variables.words) for variables in ranges]
        self.heap.collect([other.record for other in self.threads], roots)
        return self.heap.grant(thread.record)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """No guest thread runs guest code inside."""
        with self._coordinating:
            self.call("stop_world", self.address)
            try:
                yield
            finally:
                self.call("start_world", self.address)
