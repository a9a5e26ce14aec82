"""OsThread a guest program: guest threads on OS threads of their own, the host waiting for them.

Guest code never runs on Python's main thread: that one waits, so that signal handlers run there as Python's always do.
Nothing in a plain engine calls Python: whatever needs the host leaves machine code first.  Guest threads end before the
host does.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self, TextIO

from safepoint.guest.code import Program
from safepoint.guest.faults import Fault
from safepoint.guest.heap import ThreadObject
from safepoint.guest.operations import threads
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.language.layout import Record
from safepoint_vm.memory.heap import SIZE
from safepoint_vm.memory.image import Image
from safepoint_vm.threads.os_thread import GLANCE, OsThread, Outcome
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import SOON, GuestWorld

STACK = 1 << 16  # slots
GRACE = 1.0  # seconds that guest threads have to end, once they are interrupted for good


class Vm:
    """A program, loaded, whose first guest threads the host starts: each runs the module, and may start others.

    `with Vm(…) as vm` ends them all.  `errors`: where a thread that another one has started says what ended it.
    Raises BadCode for a program that must not run.
    """

    def __init__(
        self,
        program: Program,
        output: TextIO,
        stack: int = STACK,
        variant: Variant = PLAIN,
        heap: int = SIZE,
        stress: bool = False,
        errors: TextIO | None = None,
    ) -> None:
        self._engine = engine(variant)
        self._image = Image(self._engine, program)
        self._variables = self._image.globals()
        self._output, self._errors, self._stack = output, errors or sys.stderr, stack
        self._writing = threading.Lock()
        self.world = GuestWorld(self._engine, heap, stress)
        self.running: list[OsThread] = []  # that the host has started
        self._started: dict[int, OsThread] = {}  # by the guest: the number of a thread that has not ended
        self._ending = False  # from then on nobody is born
        self._failures: list[BaseException] = []  # of the host, on their OS threads

    def start(self) -> OsThread:
        """A guest thread that runs the module from its start, sharing its variables with the others."""
        with self.world.unstopped():
            self.running.append(OsThread(self.world.add(self._thread), self))
        self.running[-1].go()
        return self.running[-1]

    def _thread(self, record: Record | None) -> GuestThread:
        return GuestThread(self._engine, self._image, self._variables, self.world.heap, self._stack, record)

    # -- what guest threads ask for

    def start_for(self, guest: GuestThread) -> Fault | None:
        """Do the START at which this thread has left guest code; or say why it raises."""

        def go(born: GuestThread, thread: ThreadObject) -> None:
            if self._ending:
                raise RuntimeError("nobody is born any more")
            running = self._started[thread.number] = OsThread(born, self, thread)
            try:
                running.go()
            except RuntimeError:
                del self._started[thread.number]
                raise

        return self.world.start_for(guest, go)

    def interrupt_thread(self, number: int) -> None:
        """One that has not been started, or has ended, hears nothing of it; nor does one that is born in its record."""
        with self.world.unstopped():
            if running := self._started.get(number):
                running.interrupt()

    def handshake(self, number: int) -> None:
        """Run one operation on a thread, exactly once."""
        with self.world.unstopped():
            if running := self._started.get(number):
                self.world.call("handshake", running.guest.address, most=SOON)

    def ended(self, number: int) -> bool:
        """Of a thread that the guest has started."""
        return number not in self._started

    def write(self, text: str) -> None:
        with self._writing:
            self._output.write(text)

    def has_ended(self, running: OsThread) -> None:
        """It is outside guest code for good.  What ended it is said before anybody who joins it goes on."""
        guest, thread = running.guest, running.thread
        self.world.remove(guest)
        if thread is None:
            return
        if running.error is not None:
            self._failures.append(running.error)
        elif guest.fault is not None:
            text = threads.uncaught_text(thread, guest.fault, guest.traceback(), self._image.program.source)
            with self._writing:
                self._errors.write(text)
        self._started.pop(thread.number)
        self.world.tell()

    # -- what the host asks for

    def interrupt(self) -> None:
        """Control-C: the main thread raises KeyboardInterrupt; if it has ended, what still runs does."""
        for running in [running for running in self.running if not running.done.is_set()] or self._living():
            running.interrupt()

    def _living(self) -> list[OsThread]:
        return [running for running in (*self.running, *list(self._started.values())) if not running.done.is_set()]

    def finish(self) -> None:
        """Wait for all threads, as Python does at its end.  Re-raises what the host raised on an OS thread of theirs."""
        if any(running.interrupted for running in self.running):  # and it has not heard of it
            self._end()
        while living := self._living():
            living[0].done.wait(GLANCE)
            self.check()
        self.check()

    def check(self) -> None:
        """Re-raise what the host raised for a thread that the guest has started: others may wait for it for ever."""
        if self._failures:
            raise self._failures[0]

    def _end(self) -> None:
        """Interrupt all; who does not end by that is stopped where it stands; who then still prints is left to itself."""
        self._ending = True
        began = time.monotonic()
        while (living := self._living()) and (took := time.monotonic() - began) < 2 * GRACE:
            for running in living:
                running.interrupt() if took < GRACE else running.stop()
            living[0].done.wait(GLANCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()


def run(
    program: Program,
    output: TextIO,
    stack: int = STACK,
    heap: int = SIZE,
    stress: bool = False,
    errors: TextIO | None = None,
) -> Outcome:
    """Run a program to its end, which is that of all its threads; how the main thread ended.

    Control-C becomes the guest's KeyboardInterrupt, if this is Python's main thread.  `stack`: slots of each thread's;
    `heap`: bytes that objects may take.  `stress`: every allocation collects.  `errors`: as `Vm`.
    """
    with Vm(program, output, stack, heap=heap, stress=stress, errors=errors) as vm, _control_c(vm):
        outcome = vm.start().outcome()
        vm.finish()
        return outcome


@contextmanager
def _control_c(vm: Vm) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        vm.interrupt()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
