"""A guest thread on an OS thread of its own: from its birth to its end, and where it waits outside guest code.

What blocks is a native region: a stop does not wait for it, and an interrupt that comes meanwhile is seen there.  Nothing
that points into the heap is kept across one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safepoint.guest.faults import Fault
from safepoint.guest.faults import Place as Line
from safepoint.guest.heap import ThreadObject
from safepoint.guest.threads import seconds
from safepoint.protocol import INTERRUPT, NATIVE, RAISE_INTERRUPT, STOP
from safepoint_vm.heap import Statistics
from safepoint_vm.machine import Exited
from safepoint_vm.thread import RAISED, WAITS, GuestThread

if TYPE_CHECKING:
    from safepoint_vm.vm import Vm

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
        self._begun = self._stopped = self._unheard = False
        self._interrupts: deque[int] = deque()  # that came before its birth, at which all requests are dropped
        guest.record.set("state", NATIVE)  # until its OS thread enters guest code
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
    def born(self) -> bool:
        return self._begun or self.done.is_set()

    @property
    def interrupted(self) -> bool:
        """Has it ended, and there is an interrupt that it has not raised?"""
        return bool(self._interrupts) or self._unheard

    def stop(self) -> None:
        """It executes no further instruction, and ends without raising anything."""
        self._stopped = True
        self.guest.stop()

    # -- its life

    def _main(self) -> None:
        try:
            self._world.call("start_thread", self.guest.address)
            self._begun = True
            self._post()
            self._run()
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

    def _run(self) -> None:
        handler = "begin"
        while not (self.guest.ended or self._stopped):
            why, handler = self.guest.enter(handler), "begin"
            if not self.guest.serve(why, self._make_room):
                handler = self._serve(why)

    def _serve(self, why: Exited) -> str:
        """What concerns the world; where to enter machine code afterwards."""
        match why:
            case Exited.PRINT:
                self._print()
            case Exited.THREADING:
                self._threading()
            case Exited.COLLECTS:
                self._world.collect_for(self.guest)
                self.guest.skip()
            case Exited.ASKS:
                self._ask()
            case Exited.LOCKED:
                with self._native():
                    self._world.wait()
                self._look()
            case Exited.RELEASED:
                self._world.tell()
                self.guest.skip()
            case _ if why in WAITS:
                procedure, after = WAITS[why]
                self._world.call(procedure, self.guest.address, resume=self.guest.record.get("suspended"))
                return after
        return "begin"

    def _make_room(self) -> bool:
        return self._world.make_room(self.guest)

    # -- outside guest code

    @contextmanager
    def _native(self) -> Iterator[None]:
        self._world.call("leave", self.guest.address)
        try:
            yield
        finally:
            self._world.call("reenter", self.guest.address)

    def _print(self) -> None:
        """A stop does not wait for a slow terminal, and may move what was printed."""
        text = self.guest.printed(self._make_room)
        if text is None:
            return
        with self._native():
            self._vm.write(text)
        self.guest.skip()

    def _threading(self) -> None:
        """START, JOIN, SLEEP; an ACQUIRE comes here only to be refused."""
        op = self.guest.place().instruction.op
        fault = self._start() if op == "START" else self.guest.refused()
        if fault is not None:
            self.guest.throw(fault, self._make_room)
        elif op == "JOIN":
            self._join()
        elif op == "SLEEP":
            self._sleep()
        else:
            self.guest.skip()

    def _ask(self) -> None:
        """INTERRUPT, HANDSHAKE: outside guest code, so that two threads can ask each other."""
        if (fault := self.guest.refused()) is not None:
            self.guest.throw(fault, self._make_room)
            return
        number, op = self.guest.joined(), self.guest.place().instruction.op
        with self._native():
            asked = self._vm.interrupt_thread if op == "INTERRUPT" else self._vm.handshake
            asked(number)
        self.guest.skip()

    def _start(self) -> Fault | None:
        with self._native():
            return self._vm.start_for(self.guest)

    def _join(self) -> None:
        other = self._vm.alive(self.guest.joined())
        if other is None:
            self.guest.skip()
        else:
            self._block(other.done.wait)

    def _sleep(self) -> None:
        until = time.monotonic() + seconds(self.guest.operand())

        def slept(most: float) -> bool:
            time.sleep(max(0.0, min(most, until - time.monotonic())))
            return time.monotonic() >= until

        self._block(slept)

    def _block(self, over: Callable[[float], bool]) -> None:
        """Until it is over, and then on to the next instruction; or until the thread raises.  `over` waits so many seconds."""
        through = False
        while not (through or self._stopped):
            with self._native():
                while not (through := over(GLANCE) or self._stopped) and not self.guest.asked(but=STOP):
                    pass
            if self._look():
                return
        self.guest.skip()

    def _look(self) -> bool:
        """Serve what was asked for meanwhile.  Has it raised?"""
        if not self.guest.asked():
            return False
        self._world.call("slow_path", self.guest.address)
        if self.guest.record.get("result") != RAISE_INTERRUPT:
            return False
        self.guest.throw(RAISED[Exited.INTERRUPTED], self._make_room)
        return True
