"""What a guest thread does where machine code is left: procedures of the protocol, and what a host does for it.

A generator that yields wherever the thread waits.  On real cores its OS thread sleeps there (`running`), in lockstep another
guest thread goes on (`target`): both drive the same life.  What blocks is a native region: a stop does not wait for it, and
what is asked for meanwhile is answered before the thread goes on.  Nothing that points into the heap is kept across one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol

from safepoint.guest.faults import Fault
from safepoint.guest.operations.threads import NO_THREAD, seconds
from safepoint.protocol.words import RAISE_INTERRUPT
from safepoint_vm.language.machine import Exited
from safepoint_vm.threads.thread import RAISED, WAITS, GuestThread


@dataclass(frozen=True)
class Blocked:
    """It sleeps until somebody posts, or until it is `ready`: then whoever drives it wakes it.  `until`: see `Host.now`."""

    ready: Callable[[], bool]
    until: float = math.inf


Waits = Generator[Blocked | None, None, None]
"""What is yielded: why the thread sleeps; None: it waits for a word of the protocol."""


class Host(Protocol):
    """What a guest thread needs of whoever drives it."""

    def call(self, procedure: str, resume: int = 0) -> int:
        """Run a procedure of the thread's, from the start or from where it waits.  0: it is through; else it waits there."""
        ...

    def make_room(self) -> bool:
        """Collect; is there room now for the bytes that the thread wants?"""
        ...

    def write(self, text: str) -> None: ...

    def room(self) -> bool:
        """For another guest thread?"""
        ...

    def start(self) -> Fault | None:
        """Do the START at which the thread has left guest code; or say why it raises."""
        ...

    def ended(self, number: int) -> bool:
        """Has the thread of this number ended, which the guest has started?"""
        ...

    def interrupt_thread(self, number: int) -> None:
        """One that has not been started, or has ended, hears nothing of it."""
        ...

    def handshake(self, number: int) -> Waits:
        """Until an operation has been run on a thread, once."""
        ...

    def collect(self) -> Waits:
        """Stop the world from inside guest code, collect, start it, and come back."""
        ...

    def free(self) -> Callable[[], bool]:
        """Of the ACQUIRE at which the thread has left machine code: is it worth while to try again?"""
        ...

    def released(self) -> None:
        """A lock that others wait for is free."""
        ...

    def now(self) -> float:
        """Microseconds."""
        ...


class ThreadLife:
    """`entry`: the handler at which machine code is entered next.  `stopped`: it is to wait for nothing any more, and end."""

    def __init__(self, guest: GuestThread, host: Host) -> None:
        self.guest, self.host = guest, host
        self.entry, self.stopped = "begin", False

    def born(self) -> Waits:
        """Before its first instruction."""
        yield from self._call("start_thread")

    def serve(self, why: Exited) -> Waits:
        """Do what machine code was left for."""
        self.entry = "begin"
        if self.guest.serve(why, self.host.make_room):
            return
        match why:
            case Exited.PRINT:
                yield from self._print()
            case Exited.THREADING:
                yield from self._threading()
            case Exited.LOCKED:
                yield from self._block(Blocked(self.host.free()))
            case Exited.RELEASED:
                self.host.released()
                self.guest.skip()
            case Exited.COLLECTS:
                yield from self.host.collect()
                self.guest.skip()
            case Exited.ASKS:
                yield from self._ask()
            case _ if why in WAITS:
                procedure, self.entry = WAITS[why]
                yield from self._call(procedure, status=self.guest.record.get("suspended"))

    def _call(self, procedure: str, why: Blocked | None = None, status: int = 0) -> Waits:
        """status: where it waits already."""
        status = status or self.host.call(procedure)
        while status:
            yield why
            status = self.host.call(procedure, status)

    def _print(self) -> Waits:
        """A stop does not wait for a slow terminal, and may move what was printed."""
        text = self.guest.printed(self.host.make_room)
        if text is None:
            return
        yield from self._call("leave")
        self.host.write(text)
        yield from self._call("reenter")
        self.guest.skip()

    def _threading(self) -> Waits:
        """START, JOIN, SLEEP; an ACQUIRE comes here only to be refused."""
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
        if not self.host.room():
            self.guest.throw(NO_THREAD, self.host.make_room)
            return
        yield from self._call("leave")
        fault = self.host.start()
        yield from self._call("reenter")
        if fault is None:
            self.guest.skip()
        else:
            self.guest.throw(fault, self.host.make_room)

    def _ask(self) -> Waits:
        """INTERRUPT, HANDSHAKE: outside guest code, so that two threads can ask each other."""
        if (fault := self.guest.refused()) is not None:
            self.guest.throw(fault, self.host.make_room)
            return
        number, op = self.guest.joined(), self.guest.code_address().instruction.op
        yield from self._call("leave")
        if op == "INTERRUPT":
            self.host.interrupt_thread(number)
        else:
            yield from self.host.handshake(number)
        yield from self._call("reenter")
        self.guest.skip()

    def _joining(self) -> Blocked:
        number = self.guest.joined()
        return Blocked(lambda: self.host.ended(number))

    def _sleeping(self) -> Blocked:
        until = self.host.now() + seconds(self.guest.operand()) * 10**6
        return Blocked(lambda: self.host.now() >= until, until)

    def _block(self, blocked: Blocked) -> Generator[Blocked | None, None, bool]:
        """Sleep until it can be done.  What comes meanwhile is answered first; has that raised?"""
        while not (self.stopped or blocked.ready()):
            yield from self._call("block", blocked)
            if self.guest.asked():
                yield from self._call("slow_path", blocked)
                if self.guest.record.get("result") == RAISE_INTERRUPT:
                    self.guest.throw(RAISED[Exited.INTERRUPTED], self.host.make_room)
                    return True
        return False
