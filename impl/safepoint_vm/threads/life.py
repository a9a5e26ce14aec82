"""What a guest thread does outside machine code: procedures of the protocol, and what the host does for it.

A generator that yields wherever the thread blocks.  `os_thread` lets its OS thread sleep there; `lockstep` runs another
guest thread.  A thread blocks in a native region: a stop does not wait for it, and requests posted meanwhile are served
before it goes on.  No pointer into the heap is kept across a wait.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol

from safepoint.guest.faults import Fault
from safepoint.guest.heap import Poll
from safepoint.guest.operations.threads import NO_THREAD, POSTED, seconds
from safepoint.protocol.words import GO
from safepoint_vm.generate.triggers import POLL
from safepoint_vm.handlers.shared.checks import DISPATCHED
from safepoint_vm.language.machine import Exited
from safepoint_vm.threads.thread import OUTCOMES, WAITS, GuestThread
from safepoint_vm.threads.world import GuestWorld


@dataclass(frozen=True)
class Blocked:
    """The thread sleeps until a request is posted or `ready()`, whereupon its driver sets `wake`.

    `until`: microseconds of `Host.now` at which `ready` comes true by itself.  `polls`: no notification comes when it does.
    """

    ready: Callable[[], bool]
    until: float = math.inf
    polls: bool = False


TRIES = 8
"""How often machine code begins an instruction again that it has given up for a request, before the host does it: the host is
slow, but keeps what it has done across a poll, so that it comes to an end also under a storm of requests."""

SERVES = Blocked(lambda: False, polls=True)
"""A requester waits for what another thread does in guest code."""

Waits = Generator[Blocked | None, None, None]
"""Yields why the thread sleeps; None: a procedure of the protocol waits for another thread."""


class Services(Protocol):
    """What a driver offers its guest thread, and a VM its drivers."""

    def write(self, text: str) -> None:
        """Write the output of a PRINT, whole."""

    def ended(self, number: int) -> bool:
        """Has the started guest thread of this number ended?"""

    def post_to(self, number: int, kind: int) -> None:
        """Post a request of this kind to a started guest thread, once it is born; a no-op if it has ended."""


class Host(Services, Protocol):
    """What a guest thread needs of its driver, an `OsThread` or a `LockstepThread`."""

    @property
    def guests(self) -> GuestWorld:
        """The thread's world."""

    def call(self, procedure: str, record: int = 0, resume: int = 0) -> int:
        """Run a procedure on the thread's own record, or another; from the start, or from where it waits.

        0: it has returned; else its status.
        """

    def make_room(self) -> bool:
        """Collect.  Is there room now for the bytes that the thread wants?"""

    def room(self) -> bool:
        """Is there room for another guest thread?"""

    def start(self) -> Fault | None:
        """Execute the START at which the thread left machine code.  Returns the fault if it raises."""

    def living(self, number: int) -> GuestThread | None:
        """The started guest thread of this number, if it has not ended."""

    def retry(self) -> Callable[[], bool]:
        """The condition under which to retry the ACQUIRE at which the thread left machine code."""

    def released(self) -> None:
        """Make threads blocked on a lock retry: one was released."""

    def now(self) -> float:
        """Microseconds, on a clock that never goes back."""


class ThreadLife:
    """`entry`: the handler at which machine code is entered next.  `stopped`: block no more, the thread is to end.

    `polling`: why machine code was left for the instruction that stands at a poll, in lockstep.
    """

    def __init__(self, guest: GuestThread, host: Host) -> None:
        self.guest = guest
        self.host = host
        self.entry = "begin"
        self.stopped = False
        self.polling: Exited | None = None
        self._tries = 0  # of machine code, at an instruction that it has given up

    def born(self) -> Waits:
        """Enter guest code for the first time."""
        yield from self._call("start_thread")

    def serve(self, why: Exited) -> Waits:
        """Do what machine code was left for, at most up to a poll in the middle of it (see `go_on`)."""
        self.entry = "begin"
        try:
            yield from self._serve(why)
        except Poll:
            self.polling = why
        else:
            self.guest.polls = 0

    def go_on(self) -> Waits:
        """Visit the check site of the poll at which the instruction stands; then do it from its start, past that poll."""
        why, self.polling = self.polling, None
        assert why is not None
        outcome = yield from self.poll()
        if outcome == GO:
            self.guest.polls += 1
            yield from self.serve(why)
        else:
            self.guest.polls = 0
            self.guest.serve(OUTCOMES[outcome], self.host.make_room)

    def poll(self) -> Generator[Blocked | None, None, int]:
        """The check site of a POLL.  Returns its outcome."""
        record = self.guest.record
        record.set("back_edges", record.get("back_edges") + 1)
        passed, recording = not self._poll_fails(), self.host.guests.recording
        if recording:
            recording.checked(record, passed=passed)
        if passed:
            return GO
        record.set("slow_entries", record.get("slow_entries") + 1)
        yield from self._call("slow_path")
        return record.get("result")

    def _poll_fails(self) -> bool:
        if self.guest.engine.policy.trigger in DISPATCHED:
            return POLL.is_poisoned(self.guest.record)
        return self.guest.engine.routine("poll_fails", self.guest.address) != 0

    def _starts_again(self) -> bool:
        """Has machine code given an instruction up, and may it try again?  Each time it loses what it has done."""
        given_up = self.guest.record.get("given_up")
        self.guest.record.set("given_up", 0)
        self._tries = self._tries + 1 if given_up and self._tries < TRIES else 0
        return self._tries > 0

    def _serve(self, why: Exited) -> Waits:
        if why is Exited.HOSTED and self._starts_again():
            if (outcome := (yield from self.poll())) != GO:
                self.guest.serve(OUTCOMES[outcome], self.host.make_room)
            return
        if self.guest.serve(why, self.host.make_room):
            return
        match why:
            case Exited.PRINT:
                yield from self._print()
            case Exited.THREADING | Exited.SLEEPS:
                yield from self._threading()
            case Exited.LOCKED:
                yield from self._block(Blocked(self.host.retry()))
            case Exited.RELEASED:
                self.host.released()
                self.guest.skip()
            case Exited.COLLECTS:
                yield from self.collect()
                self.guest.skip()
            case Exited.HOT:
                yield from self._compile()
            case Exited.ASKS:
                yield from self._ask()
            case _ if why in WAITS:
                procedure, self.entry = WAITS[why]
                yield from self._call(procedure, status=self.guest.record.get("suspended"))

    def _call(self, procedure: str, why: Blocked | None = None, status: int = 0, record: int = 0) -> Waits:
        """Run a procedure to its end.  `status`: not 0 if it waits already."""
        status = status or self.host.call(procedure, record)
        while status:
            yield why
            status = self.host.call(procedure, record, status)

    def collect(self, wanted: int = 0) -> Generator[Blocked | None, None, bool]:
        """Stop the world, collect, start it.  Returns whether there is room now for `wanted` bytes.

        The only way in which a guest thread stops the world, for COLLECT and for want of room.
        """
        guests, began = self.host.guests, time.perf_counter()
        collections = guests.heap.statistics.collections
        self.guest.record.set("wanted", wanted)
        yield from self._call("stop_world_from")
        guests.heap.statistics.stopped(time.perf_counter() - began)
        try:
            return guests.make_room(self.guest, collections if wanted else -1)
        finally:
            yield from self._call("start_world_from")
            guests.has_reentered(self.guest)

    def _compile(self) -> Waits:
        """Stop the world, install the compiled code of this function, start it; then go on at the instruction.

        What that needs is made before, in a native region: where it is not kept, it takes seconds.
        """
        yield from self._call("leave")
        self.guest.make_templates()
        yield from self._call("reenter")
        yield from self._call("stop_world_from")
        try:
            self.host.guests.compile(self.guest)
        finally:
            yield from self._call("start_world_from")

    def _print(self) -> Waits:
        """Print in a native region: a stop does not wait for a slow terminal."""
        text = self.guest.printed(self.host.make_room)
        if text is None:
            return
        yield from self._call("leave")
        self.host.write(text)
        yield from self._call("reenter")
        self.guest.skip()

    def _threading(self) -> Waits:
        """Execute START, JOIN or SLEEP; an ACQUIRE comes here only to raise."""
        op, fault = self.guest.code_address().instruction.op, self.guest.refused()
        if fault is not None:
            self.guest.throw(fault, self.host.make_room)
        elif op == "START":
            yield from self._start()
        else:
            blocked = self._joining() if op == "JOIN" else self._sleeping()
            raised = yield from self._block(blocked)
            if not raised:
                self.guest.skip()

    def _start(self) -> Waits:
        """Execute START: in guest code, so that no collection moves what the new thread is given; then at a check site."""
        fault = self.host.start() if self.host.room() else NO_THREAD
        if fault is not None:
            self.guest.throw(fault, self.host.make_room)
            return
        yield from self._call("leave")
        yield from self._call("reenter")
        self.guest.skip()

    def _ask(self) -> Waits:
        """Execute INTERRUPT, TERMINATE or HANDSHAKE in a native region, so that two threads can make requests of each other."""
        if (fault := self.guest.refused()) is not None:
            self.guest.throw(fault, self.host.make_room)
            return
        number, op = self.guest.joined(), self.guest.code_address().instruction.op
        yield from self._call("leave")
        if op in POSTED:
            self.host.post_to(number, POSTED[op])
        else:
            with self.host.guests.keeping(lambda: self.host.living(number)) as target:
                if target is not None:
                    yield from self._call("handshake", SERVES, record=target.address)
        yield from self._call("reenter")
        self.guest.skip()

    def _joining(self) -> Blocked:
        number = self.guest.joined()
        return Blocked(lambda: self.host.ended(number))

    def _sleeping(self) -> Blocked:
        until = self.host.now() + seconds(self.guest.operand()) * 10**6
        return Blocked(lambda: self.host.now() >= until, until)

    def _block(self, blocked: Blocked) -> Generator[Blocked | None, None, bool]:
        """Sleep until `blocked.ready()`, serving requests on the way.  Returns whether one of them raised."""
        while not (self.stopped or blocked.ready()):
            yield from self._call("block", blocked)
            yield from self._call("look_again", blocked)
            if (outcome := self.guest.record.get("result")) != GO:
                self.guest.serve(OUTCOMES[outcome], self.host.make_room)
                return True
        return False
