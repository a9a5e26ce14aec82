"""Running a guest program: guest threads on OS threads of their own, the host waiting for them.

Guest code never runs on Python's main thread: that one waits, so that signal handlers run there as Python's always do.
Nothing in a plain engine calls Python: whatever needs the host leaves machine code first.  Guest threads end before the
host does.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Self, TextIO

from safepoint.guest.code import Program
from safepoint.guest.faults import Fault
from safepoint.guest.faults import Place as Line
from safepoint.protocol import INTERRUPT, NATIVE
from safepoint_vm.engine import PLAIN, Variant, engine
from safepoint_vm.heap import SIZE, Statistics
from safepoint_vm.image import Image
from safepoint_vm.machine import Exited
from safepoint_vm.thread import WAITS, GuestThread
from safepoint_vm.world import GuestWorld

STACK = 1 << 16  # slots
GLANCE = 0.05  # seconds between two looks of the waiting host: a signal need not wake the main thread


@dataclass(frozen=True)
class Outcome:
    """How a guest thread ended.  `traceback`: outermost call first; empty if it did not raise."""

    fault: Fault | None
    traceback: tuple[Line, ...]
    stats: Statistics


class Running:
    """A guest thread and the OS thread it runs on."""

    def __init__(self, guest: GuestThread, world: GuestWorld, output: TextIO) -> None:
        self.guest, self._world, self._output = guest, world, output
        self.error: BaseException | None = None  # of the host, on the guest's OS thread
        self.done = threading.Event()
        self._os_thread = threading.Thread(target=self._main, name="guest", daemon=True)
        self._os_thread.start()

    def _main(self) -> None:
        try:
            self._world.call("reenter", self.guest.address)
            self._run()
        except BaseException as error:  # noqa: BLE001  -- handed to whoever waits
            self.error = error
            self.guest.ended = True
        finally:
            self._world.call("leave", self.guest.address)
            self.done.set()

    def _run(self) -> None:
        handler = "begin"
        while not self.guest.ended:
            why, handler = self.guest.enter(handler), "begin"
            if self.guest.serve(why, self._make_room):
                continue
            if why is Exited.PRINT:
                self._print()
            else:
                procedure, handler = WAITS[why]
                self._world.call(procedure, self.guest.address, resume=self.guest.record.get("suspended"))

    def _make_room(self) -> bool:
        return self._world.make_room(self.guest)

    def _print(self) -> None:
        """A native region: a stop does not wait for a slow terminal, and may move what was printed."""
        text = self.guest.printed(self._make_room)
        if text is None:
            return
        self._world.call("leave", self.guest.address)
        self._output.write(text)
        self._world.call("reenter", self.guest.address)
        self.guest.skip()

    def outcome(self) -> Outcome:
        """Wait until it has ended.  Re-raises what the host raised on its OS thread."""
        while not self.done.wait(GLANCE):
            pass
        self._os_thread.join()
        if self.error is not None:
            raise self.error
        return Outcome(
            self.guest.fault, self.guest.traceback() if self.guest.fault else (), self._world.heap.statistics
        )


class Vm:
    """A program, loaded, whose guest threads the host starts: each runs the module.

    `with Vm(…) as vm` ends them.  Raises BadCode for a program that must not run.
    """

    def __init__(
        self,
        program: Program,
        output: TextIO,
        stack: int = STACK,
        variant: Variant = PLAIN,
        heap: int = SIZE,
        stress: bool = False,
    ) -> None:
        self._engine = engine(variant)
        self._image = Image(self._engine, program)
        self._variables = self._image.globals()
        self._output, self._stack = output, stack
        self.world = GuestWorld(self._engine, heap, stress)
        self.running: list[Running] = []

    def start(self) -> Running:
        """A guest thread that runs the module from its start, sharing its variables with the others."""
        guest = GuestThread(self._engine, self._image, self._variables, self.world.heap, self._stack)
        guest.record.set("state", NATIVE)  # until its OS thread enters guest code
        self.world.add(guest)
        self.running.append(Running(guest, self.world, self._output))
        return self.running[-1]

    def interrupt(self) -> None:
        """Control-C: every guest thread raises KeyboardInterrupt."""
        for running in self.running:
            self.world.post(running.guest, INTERRUPT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while not all(running.done.is_set() for running in self.running):
            self.interrupt()
            for running in self.running:
                running.done.wait(GLANCE)


def run(program: Program, output: TextIO, stack: int = STACK, heap: int = SIZE, stress: bool = False) -> Outcome:
    """Run a program to its end.  Control-C becomes the guest's KeyboardInterrupt, if this is Python's main thread.

    `stack`: slots; `heap`: bytes that objects may take.  `stress`: every allocation collects.
    """
    with Vm(program, output, stack, heap=heap, stress=stress) as vm, _control_c(vm):
        return vm.start().outcome()


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
