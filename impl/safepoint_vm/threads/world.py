"""The world: its words, its threads, and where callers of the protocol's procedures wait.

Protocol procedures never block: they return a status.  The caller waits here, without the GIL, until notified, and calls
again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Protocol

from safepoint.guest.faults import Fault
from safepoint.guest.heap import ThreadObject
from safepoint.guest.lockstep import THREADS
from safepoint.guest.operations.threads import NO_THREAD
from safepoint_vm.generate.engine import Engine
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.records import SEEN, World
from safepoint_vm.memory.heap import SIZE, GuestHeap
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.tier.install import begin_jumps

if TYPE_CHECKING:
    from safepoint_vm.threads.recording import Recording

SOON = 0.001  # seconds between two looks for what a thread does inside guest code, which sends no notification


class Watching(Protocol):
    """What is told of each thread of a world: of a new one, that it begins on this OS thread, that it has ended."""

    def attach(self, guest: GuestThread) -> None: ...
    def begins(self, guest: GuestThread) -> None: ...
    def detach(self, guest: GuestThread) -> None: ...


class GuestWorld:
    """The guest threads and the heap of one host.  `size`: bytes of its heap; `stress`: see `heap.GuestHeap`.

    `most`: threads at once, up to `records.ROOM`.
    """

    most: ClassVar[int] = THREADS

    def __init__(self, engine: Engine, size: int = SIZE, stress: bool = False) -> None:
        self.engine = engine
        self.record = Record(World)
        begin_jumps(self.record)
        self.heap = GuestHeap(engine, self.record, size, stress)
        self.recording = _recording(engine, self.record) if engine.variant.traced else None
        self.sampler: Watching | None = None
        self.threads: list[GuestThread] = []  # those that have not ended
        self._asked: list[GuestThread] = []  # targets of a handshake that has not finished
        self._records: list[Record] = []  # by number; never freed: the protocol's text finds threads by it
        self._changed = threading.Condition()
        self.changes = 0  # how often `notify` was called
        self.releases = 0  # how often for a contended lock
        self._registering = threading.RLock()  # of these lists; its holder never waits for another thread
        self._granted: list[GuestThread] = []  # have room, and have not come back to guest code to use it

    @property
    def address(self) -> int:
        return self.record.address

    def add(self, make: Callable[[Record | None], GuestThread]) -> GuestThread:
        """Add a thread, in the record of one that has ended if there is any.

        `make`: takes that record, or None.  The thread has no values yet, or its maker is in guest code: a collection that is
        under way does not look at its stack.  ValueError: `most` threads are alive.
        """
        with self._registering:
            if not self.room:
                raise ValueError(f"a world has room for {self.most} guest threads")
            reused = self._free()
            thread = make(reused)
            if reused is None:
                if self.recording:
                    self.recording.attach(thread.record, len(self._records))
                self.record.set("threads", thread.address, len(self._records))
                self._records.append(thread.record)
                self.record.set("population", len(self._records))
            if self.sampler:
                self.sampler.attach(thread)
            self.threads.append(thread)
            return thread

    def again(self, make: Callable[[Record | None], GuestThread]) -> GuestThread:
        """Add a main thread, in the record of the one before, which has ended; once that is no target of a handshake."""
        first = self._records[0]
        while True:
            with self._registering:
                if all(asked.record is not first for asked in self._asked):
                    self.threads.append(make(first))
                    return self.threads[-1]
            self.wait(self.changes, SOON)

    def stack(self, thread: GuestThread) -> list[int]:
        """The addresses of a thread's current instructions, innermost first, at most SEEN: by a handshake.  It is `kept` meanwhile.

        One at a time for each thread.
        """
        seen = Memory(1 + SEEN)
        thread.record.set("observer", seen.address)
        self.call("handshake", thread.address, most=SOON)
        return [seen[1 + number] for number in range(seen[0])]

    def registered(self) -> list[GuestThread]:
        """The threads that have not ended."""
        with self._registering:
            return list(self.threads)

    @property
    def room(self) -> bool:
        """Is there room for another thread?"""
        return len(self._records) < self.most or self._free() is not None

    def _free(self) -> Record | None:
        """The first record whose thread has ended and is not the target of a handshake; never the main thread's."""
        used = {thread.address for thread in (*self.threads, *self._asked)}
        return next((record for record in islice(self._records, 1, None) if record.address not in used), None)

    def number(self, thread: GuestThread) -> int:
        """The number of a thread's record."""
        return next(number for number, record in enumerate(self._records) if record.address == thread.address)

    def start_for(self, guest: GuestThread, go: Callable[[GuestThread, ThreadObject], None]) -> Fault | None:
        """Execute the START at which a thread left machine code, in guest code still.  Returns the fault if it raises.

        `go`: sets the new thread going; raises RuntimeError if the system cannot start another one.
        """
        with self._registering:
            if (fault := guest.refused()) is not None:
                return fault
            thread, target, args = guest.startable()
            try:
                born = self.add(lambda record: guest.child(record, thread.number, target, args))
            except (ValueError, OSError):
                return NO_THREAD
            guest.set_started(True)  # before the new thread can look
            try:
                go(born, thread)
            except RuntimeError:
                self.remove(born)
                guest.set_started(False)
                return NO_THREAD
            return None

    @contextmanager
    def keeping(self, find: Callable[[], GuestThread | None]) -> Iterator[GuestThread | None]:
        """Keep the record of the thread that `find` returns from being used again.  None: it has ended, or is not found."""
        with self._registering:
            kept = found if (found := find()) in self.threads else None
            if kept is not None:
                self._asked.append(kept)
        try:
            yield kept
        finally:
            with self._registering:
                if kept is not None:
                    self._asked.remove(kept)

    def remove(self, thread: GuestThread) -> None:
        """Remove a thread that is outside guest code for good and has retired its TLAB."""
        with self._registering:
            self.threads.remove(thread)
            if self.sampler:
                self.sampler.detach(thread)

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

    def post(self, thread: GuestThread, kind: int) -> bool:
        """Post a request of this kind, unless the thread has ended.  Returns whether it did.  A signal handler may call this."""
        if thread.ended:
            return False
        self.engine.procedure("post", thread.address, kind)
        self.notify()
        return True

    # -- in a stopped world

    def make_room(self, thread: GuestThread, collections: int) -> bool:
        """Grant a thread the bytes that it wants, after a collection unless there has been one since it asked.

        `collections`: how many there had been when it asked.  False: a collection did not help.
        """
        self._granted.append(thread)
        helped = collections not in (-1, self.heap.statistics.collections) and self.heap.grant(thread.record)
        return helped or self.collect(thread)

    def has_reentered(self, thread: GuestThread) -> None:
        """It uses what it was granted from here on; until then a collection by another thread grants it anew."""
        self._granted.remove(thread)

    def collect(self, thread: GuestThread) -> bool:
        """Collect, and grant a thread the bytes that it wants.  False: there is no room for them."""
        threads = self.registered()
        ranges = {other.variables.address: other.variables for other in threads}.values()
        roots = [root for other in threads for root in other.roots()]
        roots += [(variables.address, variables.address + 8 * variables.words) for variables in ranges]
        self.heap.collect([other.record for other in threads], roots)
        for other in threads:
            other.has_moved()
        room = self.heap.grant(thread.record)
        for other in self._granted:
            if other is not thread:
                self.heap.grant(other.record)
        return room

    def compile(self, thread: GuestThread) -> None:
        """Install the compiled code of the function in which a thread stands."""
        tier = thread.image.tier
        assert tier is not None
        with self._registering:  # no thread begins with the dispatch table as it was before
            tier.install(thread.record.get("pc"), self._records, self.record)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the world, from a host thread: no guest thread runs guest code inside."""
        self.call("stop_world", self.address)
        try:
            yield
        finally:
            self.call("start_world", self.address)


def _recording(engine: Engine, record: Record) -> Recording:
    from safepoint_vm.threads.recording import Recording  # noqa: PLC0415  -- the words of a trace: a traced run's alone

    return Recording(engine, record)
