"""The world: its words, its threads, and where callers of the protocol's procedures wait.

Protocol procedures never block: they return a status.  The caller waits here, without the GIL, until notified, and calls
again.
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

SOON = 0.001  # seconds between two looks for what a thread does inside guest code, which notifies nobody


class GuestWorld:
    """The guest threads and the heap of one host.  `size`: bytes of its heap; `stress`: see `heap.GuestHeap`."""

    def __init__(self, engine: Engine, size: int = SIZE, stress: bool = False) -> None:
        self.engine = engine
        self.record = Record(World)
        self.heap = GuestHeap(engine, self.record, size, stress)
        self.threads: list[GuestThread] = []  # those that have not ended
        self.asked: list[GuestThread] = []  # targets of a handshake that has not finished
        self._records: list[Record] = []  # by number; never freed: the protocol's text finds threads by it
        self._changed = threading.Condition()
        self.changes = 0  # how often `notify` was called
        self.releases = 0  # how often for a contended lock
        self._coordinating = threading.RLock()

    @property
    def address(self) -> int:
        return self.record.address

    @contextmanager
    def without_stops(self) -> Iterator[None]:
        """Keep coordinators out, so that nothing moves.  The caller must be outside guest code."""
        with self._coordinating:
            yield

    def add(self, make: Callable[[Record | None], GuestThread]) -> GuestThread:
        """Add a thread, in the record of one that has ended if there is any; not while the world is stopped.

        `make`: takes that record, or None.  ValueError: THREADS threads are alive.
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
        """Is there room for another thread?"""
        return len(self._records) < THREADS or self._free() is not None

    def _free(self) -> Record | None:
        """The first record whose thread has ended and is not the target of a handshake; never the main thread's."""
        used = {thread.address for thread in (*self.threads, *self.asked)}
        return next((record for record in islice(self._records, 1, None) if record.address not in used), None)

    def number(self, thread: GuestThread) -> int:
        """The number of a thread's record."""
        return next(number for number, record in enumerate(self._records) if record.address == thread.address)

    def start_for(self, guest: GuestThread, go: Callable[[GuestThread, ThreadObject], None]) -> Fault | None:
        """Execute the START at which a thread left machine code.  Returns the fault if it raises.

        `go`: sets the new thread going; raises RuntimeError if the system cannot start another one.
        """
        with self.without_stops():
            if (fault := guest.refused()) is not None:
                return fault
            thread, target, args = guest.startable()
            try:
                born = self.add(lambda record: guest.child(record, thread.number, target, args))
            except ValueError:
                return NO_THREAD
            guest.set_started(True)  # before the new thread can look
            try:
                go(born, thread)
            except RuntimeError:
                self.remove(born)
                guest.set_started(False)
                return NO_THREAD
            return None

    def remove(self, thread: GuestThread) -> None:
        """Remove a thread that is outside guest code for good and has retired its TLAB."""
        with self._coordinating:
            self.threads.remove(thread)

    def call(self, procedure: str, record: int, *arguments: int, most: float | None = None) -> None:
        """Run a procedure to its end.  Where it waits, sleep until notified, or for at most `most` seconds."""
        changes, status = self.changes, self.try_call(procedure, record, *arguments)
        while status:
            self.wait(changes, most)
            changes, status = self.changes, self.try_call(procedure, record, *arguments, resume=status)

    def try_call(self, procedure: str, record: int, *arguments: int, resume: int = 0) -> int:
        """Run a procedure as far as it goes, from the start or from where it waits.  0: it has returned."""
        status = self.engine.procedure(procedure, record, *arguments, resume=resume)
        if status != resume or not status:
            self.notify()  # it may have parked, and a coordinator may be waiting for that
        return status

    def wait(self, changes: int, most: float | None = None) -> None:
        """Sleep until `self.changes` differs from `changes`, for at most `most` seconds."""
        with self._changed:
            if self.changes == changes:
                self._changed.wait(most)

    def notify(self, released: bool = False) -> None:
        """Make every waiter look again.  `released`: threads blocked on a lock, too."""
        with self._changed:
            self.changes += 1
            self.releases += released
            self._changed.notify_all()

    def post(self, thread: GuestThread, kind: int) -> None:
        """Post a request of this kind, unless the thread has ended.  A signal handler may call this."""
        if not thread.ended:
            self.engine.procedure("post", thread.address, kind)
            self.notify()

    def make_room(self, thread: GuestThread) -> bool:
        """Make room for the bytes that a thread, outside machine code, wants.  False: a collection did not help."""
        before = self.heap.statistics.collections
        with self._stopped_from(thread):
            helped = self.heap.statistics.collections != before and self.heap.grant(thread.record)
            return helped or self.collect(thread)  # another thread's collection has helped, or its own does

    def collect_for(self, thread: GuestThread) -> None:
        """Execute COLLECT for a thread outside machine code."""
        thread.record.set("wanted", 0)
        with self._stopped_from(thread):
            self.collect(thread)

    @contextmanager
    def _stopped_from(self, thread: GuestThread) -> Iterator[None]:
        """Stop the world from a guest thread, which is native meanwhile: no other coordinator waits for it."""
        self.call("leave", thread.address)
        began = time.perf_counter()
        with self._coordinating:  # until it has re-entered: no other collection may take away what it was granted
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
        """Collect, in a stopped world, and grant a thread the bytes that it wants.  False: there is no room for them."""
        ranges = {other.variables.address: other.variables for other in self.threads}.values()
        roots = [other.roots() for other in self.threads]
        roots += [(variables.address, variables.address + 8 * variables.words) for variables in ranges]
        self.heap.collect([other.record for other in self.threads], roots)
        return self.heap.grant(thread.record)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the world, from a host thread: no guest thread runs guest code inside."""
        with self._coordinating:
            self.call("stop_world", self.address)
            try:
                yield
            finally:
                self.call("start_world", self.address)
