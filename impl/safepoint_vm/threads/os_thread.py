"""A guest thread on an OS thread of its own: from its birth to its end, and where it sleeps."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safepoint.guest.faults import Fault
from safepoint.guest.faults import Location as Line
from safepoint.guest.heap import ThreadObject
from safepoint.protocol.words import ENDED, INTERRUPT
from safepoint_vm.memory.heap import Statistics
from safepoint_vm.threads.life import Mutator, Waits
from safepoint_vm.threads.thread import WAITS, GuestThread

if TYPE_CHECKING:
    from safepoint_vm.threads.vm import Vm

GLANCE = 0.05  # seconds between two looks of whoever waits: a signal need not wake the main thread


@dataclass(frozen=True)
class Outcome:
    """How a guest thread ended.  `traceback`: outermost call first; empty if it did not raise."""

    fault: Fault | None
    traceback: tuple[Line, ...]
    stats: Statistics


class Running:
    """A guest thread that its world knows.  `go` starts the OS thread.  `thread`: what the guest has started; None: the host."""

    def __init__(self, guest: GuestThread, vm: Vm, thread: ThreadObject | None = None) -> None:
        self.guest, self.thread, self._vm, self._world = guest, thread, vm, vm.world
        self.error: BaseException | None = None  # of the host, on the guest's OS thread
        self.done = threading.Event()
        self._begun = self._unheard = False
        self._interrupts: deque[int] = deque()  # that came before its birth, at which all requests are dropped
        guest.record.set("state", ENDED)  # until it enters guest code nobody waits for it
        self._mutator, self._before = Mutator(guest, self), 0
        self._os_thread = threading.Thread(target=self._main, name="guest", daemon=True)

    def go(self) -> None:
        """RuntimeError: the system has no room for another thread."""
        self._os_thread.start()

    def outcome(self) -> Outcome:
        """Wait until it has ended.  Re-raises what the host raised on its OS thread, or on that of one that it has started."""
        while not self.done.wait(GLANCE):
            self._vm.check()
        self._os_thread.join()
        if self.error is not None:
            raise self.error
        return Outcome(
            self.guest.fault, self.guest.traceback() if self.guest.fault else (), self._world.heap.statistics
        )

    # -- what others ask for

    def interrupt(self) -> None:
        """It raises KeyboardInterrupt.  Never waits: a signal handler may call it."""
        self._interrupts.append(INTERRUPT)
        if self._begun:
            self._post()

    def _post(self) -> None:
        """Each interrupt is posted once, by whoever comes first: the signal handler, or the thread that is born."""
        while self._interrupts and not self.guest.ended:
            try:
                kind = self._interrupts.popleft()
            except IndexError:
                return
            self._world.post(self.guest, kind)

    @property
    def interrupted(self) -> bool:
        """Has it ended, and there is an interrupt that it has not raised?"""
        return bool(self._interrupts) or self._unheard

    def stop(self) -> None:
        """It executes no further instruction, and ends without raising anything."""
        self._mutator.stopped = True
        self.guest.stop()
        self._world.tell()

    # -- its life

    def _main(self) -> None:
        try:
            self._through(self._mutator.born(), self._world.told)
            self._begun = True
            self._post()
            while not (self.guest.ended or self._mutator.stopped):
                told, self._before = self._world.told, self._world.released
                why = self.guest.enter(self._mutator.entry)
                if why in WAITS:
                    self._world.tell()  # it has parked, perhaps: a stop may be waiting for that
                self._through(self._mutator.serve(why), told)
        except BaseException as error:  # noqa: BLE001  -- handed to whoever waits
            self.error = error
        finally:
            self._end()

    def _end(self) -> None:
        """Still in guest code, as it were: nobody collects before it has left."""
        self.guest.ended = True
        self._world.heap.engine.routine("retire", self.guest.address)
        self._world.call("exit_thread", self.guest.address)
        self._unheard = self.guest.record.get("pending") & INTERRUPT != 0
        try:
            self._vm.has_ended(self)
        finally:
            self.done.set()

    def _through(self, waits: Waits, told: int) -> None:
        """To the end of what it does outside machine code: asleep wherever it waits, until somebody tells more than `told`."""
        for blocked in waits:
            if blocked and (self._mutator.stopped or blocked.ready()):
                self.guest.record.set("wake", 1)
            else:
                left = (blocked.until - self.now()) / 10**6 if blocked else threading.TIMEOUT_MAX
                self._world.wait(told, max(0.0, min(threading.TIMEOUT_MAX, left)))
            told = self._world.told

    # -- what a Mutator needs

    def call(self, procedure: str, resume: int = 0) -> int:
        return self._world.attempt(procedure, self.guest.address, resume=resume)

    def make_room(self) -> bool:
        return self._world.make_room(self.guest)

    def write(self, text: str) -> None:
        self._vm.write(text)

    def room(self) -> bool:
        return self._world.room

    def start(self) -> Fault | None:
        return self._vm.start_for(self.guest)

    def ended(self, number: int) -> bool:
        return self._vm.ended(number)

    def interrupt_thread(self, number: int) -> None:
        self._vm.interrupt_thread(number)

    def handshake(self, number: int) -> Waits:
        self._vm.handshake(number)
        yield from ()

    def collect(self) -> Waits:
        self._world.collect_for(self.guest)
        yield from ()

    def free(self) -> Callable[[], bool]:
        """Has any lock that was waited for been released since the thread entered machine code?"""
        before = self._before
        return lambda: self._world.released != before

    def released(self) -> None:
        self._world.tell(released=True)

    def now(self) -> float:
        return time.monotonic() * 10**6
