"""A guest thread on an OS thread of its own: from its birth to its end, and where it sleeps."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from safepoint.guest.faults import Fault
from safepoint.guest.faults import Location as Line
from safepoint.guest.heap import ThreadObject
from safepoint.protocol.words import GO, INTERRUPT, RAISE_TERMINATE
from safepoint_vm.generate.page_faults import unblock
from safepoint_vm.memory.heap import Statistics
from safepoint_vm.memory.references import PollRaised
from safepoint_vm.threads.life import Blocked, Services, ThreadLife
from safepoint_vm.threads.mutated import made
from safepoint_vm.threads.thread import WAITS, GuestThread
from safepoint_vm.threads.world import SOON, GuestWorld

T = TypeVar("T")
GLANCE = 0.05  # seconds between two looks of a waiting host thread: a signal need not wake the main thread


@dataclass(frozen=True)
class Outcome:
    """How a guest thread ended.  `traceback`: outermost call first; empty if it did not raise."""

    fault: Fault | None
    traceback: tuple[Line, ...]
    stats: Statistics


class Supervisor(Services, Protocol):
    """What an OS thread needs of the VM that started it (not its *owner*: in the protocol, a thread owns itself)."""

    @property
    def world(self) -> GuestWorld: ...

    def check(self) -> None:
        """Re-raise an error of the host on the OS thread of any guest thread that the guest has started."""

    def start_for(self, guest: GuestThread) -> Fault | None:
        """Execute the START at which `guest` left machine code.  Returns the fault if it raises."""

    def living(self, number: int) -> GuestThread | None:
        """The started guest thread of this number, if it has not ended."""

    def has_ended(self, thread: OsThread) -> None:
        """Remove a thread that is outside guest code for good, and report the fault that ended it."""


class OsThread:
    """A guest thread and its OS thread, which `go` starts.  `thread`: its THREAD object; None: the host started it."""

    def __init__(self, guest: GuestThread, supervisor: Supervisor, thread: ThreadObject | None = None) -> None:
        self.guest = guest
        self.thread = thread
        self._supervisor, self._world = supervisor, supervisor.world
        self.error: BaseException | None = None  # an error of the host on this OS thread
        self.done = threading.Event()
        self._begun = False
        self._unserved = False  # it ended with an INTERRUPT pending
        self._requests: deque[int] = deque()  # made before its birth, which drops all that are pending
        self._life = made(ThreadLife, guest.engine)(guest, self)
        self._releases = 0  # of the world's locks, when it last entered machine code
        guest.waits_in(self)
        self._os_thread = threading.Thread(target=self._main, name="guest", daemon=True)

    def go(self) -> None:
        """Start the OS thread.  RuntimeError: the system cannot start another one."""
        self._os_thread.start()

    def outcome(self) -> Outcome:
        """Wait for the end of the guest thread.  Re-raises an error of the host, here or on a thread that it started."""
        while not self.done.wait(GLANCE):
            self._supervisor.check()
        self._os_thread.join()
        if self.error is not None:
            raise self.error
        traceback = self.guest.traceback() if self.guest.fault else ()
        return Outcome(self.guest.fault, traceback, self._world.heap.statistics)

    # -- what other threads request

    def interrupt(self) -> None:
        """Make it raise KeyboardInterrupt.  Never waits: a signal handler may call this."""
        self.ask(INTERRUPT)

    def ask(self, kind: int) -> None:
        """Post a request of this kind, once it is born.  Never waits."""
        self._requests.append(kind)
        if self._begun:
            self._post()

    def _post(self) -> None:
        """Post each request once: the signal handler and the thread being born may both be here."""
        while self._requests and not self.guest.ended:
            try:
                kind = self._requests.popleft()
            except IndexError:
                return
            if not self._world.post(self.guest, kind):
                self._requests.append(kind)  # it has ended since: `interrupted` says so

    @property
    def interrupted(self) -> bool:
        """Did it end without raising an interrupt that was requested?"""
        return INTERRUPT in self._requests or self._unserved

    def stop(self) -> None:
        """End it without raising: it executes no further instruction."""
        self._life.stopped = True
        self.guest.stop()
        self._world.notify()

    # -- from birth to end

    def _main(self) -> None:
        try:
            if "page" in self.guest.engine.policy.words:
                unblock()
            if self._world.sampler:
                self._world.sampler.begins(self.guest)
            self._finish(self._life.born(), self._world.changes)
            self._begun = True
            self._post()
            while not (self.guest.ended or self._life.stopped):
                changes, self._releases = self._world.changes, self._world.releases
                why = self.guest.enter(self._life.entry)
                if why in WAITS:
                    self._world.notify()  # it may have parked, and a coordinator may be waiting for that
                self._finish(self._life.serve(why), changes)
        except BaseException as error:  # noqa: BLE001  -- re-raised by the host thread that waits in `outcome`
            self.error = error
        finally:
            self._end()

    def _end(self) -> None:
        """Leave guest code for good.  Until `exit_thread` the thread is MANAGED, so no collection starts."""
        self.guest.ended = True
        self._world.heap.engine.routine("retire", self.guest.address)
        deferred = self.guest.record.get("deferred")  # which `exit_thread` clears
        self._world.call("exit_thread", self.guest.address)
        self._unserved = (deferred | self.guest.pending) & INTERRUPT != 0
        try:
            self._supervisor.has_ended(self)
        finally:
            self.done.set()

    def _finish(self, work: Generator[Blocked | None, None, T], changes: int) -> T:
        """Finish the work outside machine code, asleep wherever it waits, until the world's `changes` has moved on."""
        awakened = False
        while True:
            try:
                blocked = next(work)
            except StopIteration as end:
                result: T = end.value
                return result
            if blocked and not awakened and (self._life.stopped or blocked.ready()):
                self._world.try_call("awaken", self.guest.address)
                awakened = True
            else:
                self._world.wait(changes, self._longest(blocked, awakened))
                awakened = False
            changes = self._world.changes

    def _longest(self, blocked: Blocked | None, awakened: bool) -> float | None:
        """Seconds for which it may sleep if nothing notifies it.  `awakened`: it waits for the world to start, in which it awakes."""
        if not blocked:
            return None
        if awakened:
            return SOON if self._life.stopped else None
        left = max(0.0, (blocked.until - self.now()) / 10**6)
        return min(SOON if blocked.polls else threading.TIMEOUT_MAX, left)

    # -- life.Host

    @property
    def guests(self) -> GuestWorld:
        return self._world

    def call(self, procedure: str, record: int = 0, resume: int = 0) -> int:
        return self._world.try_call(procedure, record or self.guest.address, resume=resume)

    def make_room(self) -> bool:
        return self._finish(self._life.collect(self.guest.record.get("wanted")), self._world.changes)

    def write(self, text: str) -> None:
        self._supervisor.write(text)

    def look(self) -> None:
        outcome = self._finish(self._life.poll(), self._world.changes)
        if self._life.stopped:
            raise PollRaised(RAISE_TERMINATE)
        if outcome != GO:
            raise PollRaised(outcome)

    def room(self) -> bool:
        return self._world.room

    def start(self) -> Fault | None:
        return self._supervisor.start_for(self.guest)

    def ended(self, number: int) -> bool:
        return self._supervisor.ended(number)

    def post_to(self, number: int, kind: int) -> None:
        self._supervisor.post_to(number, kind)

    def living(self, number: int) -> GuestThread | None:
        return self._supervisor.living(number)

    def retry(self) -> Callable[[], bool]:
        """Has a contended lock been released since the thread entered machine code?"""
        before = self._releases
        return lambda: self._world.releases != before

    def released(self) -> None:
        self._world.notify(released=True)

    def now(self) -> float:
        return time.monotonic() * 10**6
