"""A program that grows input by input, as a prompt gets it, while the threads of earlier inputs go on.

Each input is a guest thread that begins where the main thread of the one before has ended, in the same record: while the
prompt waits, a stop finds no main thread that it would have to wait for.  An input is loaded while the world is stopped: the
tables of a program move when they grow, and no thread may be looking at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from safepoint.guest.code import FunctionConstant
from safepoint.guest.compiler.interactive import Inputs
from safepoint.guest.faults import KEYBOARD_INTERRUPT
from safepoint.guest.operations import threads
from safepoint_vm.generate.engine import PLAIN
from safepoint_vm.memory.heap import SIZE
from safepoint_vm.threads.mutated_drivers import driver
from safepoint_vm.threads.os_thread import OsThread, Outcome
from safepoint_vm.threads.vm import STACK, Vm, Writer
from safepoint_vm.tier.install import compiling
from safepoint_vm.tier.memory import MOST


class Session(Vm):
    """`output`, `stack`, `heap`, `errors`: as `Vm`."""

    def __init__(self, output: Writer, stack: int = STACK, heap: int = SIZE, errors: Writer | None = None) -> None:
        self._inputs = Inputs(MOST)
        self._begun = False  # there has been a main thread
        self._executing = self._early = False  # an input; it is to be interrupted as soon as it runs
        self._ended = False
        super().__init__(self._inputs.program, output, stack, compiling(PLAIN), heap, errors=errors)

    @property
    def sources(self) -> Mapping[str, str]:
        """The text of each input, by the name of its file."""
        return self._image.sources

    def execute(self, text: str) -> Outcome:
        """Compile an input, load it, and run it to its end.  Returns how that was.  GuestSyntaxError: nothing has run.

        An `interrupt` that came too late to be raised is a KeyboardInterrupt without a traceback.
        """
        self._executing = True
        try:
            self._load(text)
            thread = self._main()
            self.running = [thread]
            if self._early:
                thread.interrupt()
            thread.go()
            outcome = thread.outcome()
        finally:
            self._executing = self._early = False
            self.running = []
        late = outcome.fault is None and thread.interrupted
        return replace(outcome, fault=KEYBOARD_INTERRUPT) if late else outcome

    def _load(self, text: str) -> None:
        program = self._inputs.add(text)
        with self.world.stopped():
            self._image.grow(program)
            self._variables = self._image.globals(self._variables)
            for thread in self.world.registered():
                thread.use(self._variables)

    def _main(self) -> OsThread:
        """A main thread before the newest input."""
        guest = self.world.again(self._thread) if self._begun else self.world.add(self._thread)
        self._begun = True
        guest.begin_with(self._image.word(FunctionConstant(len(self._image.program.codes) - 1)), ())
        return driver(self._engine)(guest, self)

    def interrupt(self) -> None:
        """Control-C: the input that is being executed raises KeyboardInterrupt; behind the last one, all threads do that still run."""
        if self._ended:
            super().interrupt()
        elif self.running:  # it may have ended: no other thread is meant
            self.running[0].interrupt()
        elif self._executing:
            self._early = True

    def end_inputs(self) -> None:
        """There is no further input: from here on an `interrupt` reaches all threads."""
        self._ended = True

    def alive(self) -> list[str]:
        """The names of the threads that inputs have started and that have not ended."""
        return [threads.name(thread.thread) for thread in list(self._started.values()) if thread.thread]
