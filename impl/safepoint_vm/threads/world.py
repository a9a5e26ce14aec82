"""The world: its words, its threads, and what waits.

A procedure of the protocol's text never blocks: it comes back with a status.  Whoever called it waits here, without the
GIL, until somebody tells that something has changed, and calls it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

from safepoint.guest.faults import Fault
from safepoint.guest.heap import ThreadObject
from safepoint.guest.lockstep import THREADS
from safepoint.guest.operations.threads import NO_THREAD
from safepoint_vm.generate.engine import Engine
from safepoint_vm.language.layout import Record
from safepoint_vm.language.words import World
from safepoint_vm.memory.heap import SIZE, GuestHeap
from safepoint_vm.threads.thread import GuestThread

SOON = 0.001  # seconds between two looks for what a thread does inside guest code: nobody tells of that


class GuestWorld:
    """Of guest threads that one host starts.  `size`: bytes of its heap; `stress`: see `heap.GuestHeap`."""

    def __init__(self, engine: Engine, size: int = SIZE, stress: bool = False) -> None:
        self.engine = engine
        self.record = Record(World)
        self.heap = GuestHeap(engine, self.record, size, stress)
        self.threads: list[GuestThread] = []  # that have not ended
        self.asked: list[GuestThread] = []  # for an operation that is not yet run
        self._records: list[Record] = []  # of all, by number: they stay where the protocol's text finds them
        self._changed = threading.Condition()
        self.told = self.released = (
            0  # how often something has changed; and how often a lock that was waited for is free
        )
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
            if not self.room:
                raise ValueError(f"a world has room for {THREADS} guest threads")
            reused = self._free()
            thread = make(reused)
            if reused is None:
                self.record.set("threads", thread.address, len(self._records))
                self._records.append(thread.record)
                self.record.set("population", len(self._records))
            self.threads.append(thread)
            return thread

    @property
    def room(self) -> bool:
        """For another thread?"""
        return len(self._records) < THREADS or self._free() is not None

    def _free(self) -> Record | None:
        """The first record of a thread that has ended, and of which nobody wants anything; the main thread's stays its own."""
        used = {thread.address for thread in (*self.threads, *self.asked)}
        return next((record for record in islice(self._records, 1, None) if record.address not in used), None)

    def number(self, thread: GuestThread) -> int:
        """Of its record."""
        return next(number for number, record in enumerate(self._records) if record.address == thread.address)

    def start_for(self, guest: GuestThread, go: Callable[[GuestThread, ThreadObject], None]) -> Fault | None:
        """Do the START at which a thread has left guest code; or say why it raises.

        `go`: sets the new thread going.  It raises RuntimeError if the system has no room for another one.
        """
        with self.unstopped():
            if (fault := guest.refused()) is not None:
                return fault
            thread, target, args = guest.startable()
            try:
                born = self.add(lambda record: guest.child(record, thread.number, target, args))
            except ValueError:
                return NO_THREAD
            guest.set_started(True)  # before it can ask
            try:
                go(born, thread)
            except RuntimeError:
                self.remove(born)
                guest.set_started(False)
                return NO_THREAD
            return None

    def remove(self, thread: GuestThread) -> None:
        """It is outside guest code for good, and has given up its piece of the heap."""
        with self._coordinating:
            self.threads.remove(thread)

    def call(self, procedure: str, record: int, *arguments: int, most: float | None = None) -> None:
        """Run a procedure to its end; wherever it waits, until somebody tells, or for at most so many seconds."""
        told, status = self.told, self.attempt(procedure, record, *arguments)
        while status:
            self.wait(told, most)
            told, status = self.told, self.attempt(procedure, record, *arguments, resume=status)

    def attempt(self, procedure: str, record: int, *arguments: int, resume: int = 0) -> int:
        """Run a procedure as far as it goes, from the start or from where it waits.  0: it is through."""
        status = self.engine.procedure(procedure, record, *arguments, resume=resume)
        if status != resume or not status:
            self.tell()  # it has parked, perhaps: a stop may be waiting for that
        return status

    def wait(self, told: int, most: float | None = None) -> None:
        """Until somebody has told more than so often, or for at most so many seconds."""
        with self._changed:
            if self.told == told:
                self._changed.wait(most)

    def tell(self, released: bool = False) -> None:
        """Whoever waits is to look again.  `released`: who waits for a lock, at that."""
        with self._changed:
            self.told += 1
            self.released += released
            self._changed.notify_all()

    def post(self, thread: GuestThread, kind: int) -> None:
        """Ask a thread for something; one that has ended is asked for nothing.  A signal handler may call it."""
        if not thread.ended:
            self.engine.procedure("post", thread.address, kind)
            self.tell()

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
