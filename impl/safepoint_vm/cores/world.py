"""A program on OS threads as `threads.vm` runs it, with a tally for each record, and waits that no requester need end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import TextIO

from safepoint.guest.code import Program
from safepoint.guest.faults import KEYBOARD_INTERRUPT, TERMINATED, Fault
from safepoint_vm.cores.build import CoresEngine
from safepoint_vm.cores.tally import Tally, first_place
from safepoint_vm.generate.engine import Engine, Variant
from safepoint_vm.language.layout import Record
from safepoint_vm.language.records import ROOM
from safepoint_vm.threads.mutated import made
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm
from safepoint_vm.threads.world import GuestWorld

PATIENCE = 1 << 16
"""Turns for which a thread waits in machine code, before it leaves the wait to the host."""
HEAP, LARGE = 1 << 20, 1 << 25
"""LARGE: where allocations are checks.  A collection posts a stop to its own thread, too, and that heals a request that was lost: so the heap is
full later than `campaign.PATIENCE` gives one up.
"""
STACK = 1 << 12


class TalliedThread(GuestThread):
    """`raised`: what it has raised because it was asked to, of all threads of its world."""

    raised: Counter[str]

    def throw(self, fault: Fault, make_room: Callable[[], bool]) -> None:
        if fault in (KEYBOARD_INTERRUPT, TERMINATED):
            self.raised["INTERRUPT" if fault == KEYBOARD_INTERRUPT else "TERMINATE"] += 1  # it holds the GIL
        super().throw(fault, make_room)


class TalliedWorld(GuestWorld):
    """A world whose records have tallies.  `rng`: seeds of its threads' random numbers.

    `nap`: microseconds between two looks of a guest thread that waits in the host.  `period`: of its threads' tickers or budgets; 0: the policy's.
    """

    most = ROOM
    nap = 20

    def __init__(self, engine: CoresEngine, size: int, rng: random.Random, period: int = 0) -> None:
        super().__init__(engine, size)
        self._rng, self._period = rng, period
        self._nap = engine.loop("nap")
        self.tallies: list[Record] = []  # by number of the thread's record
        self.raised = Counter[str]()  # how many of each kind of request
        self.own = Record(Tally)
        self.record.set("hook", self.own.address)
        self.birth = first_place(
            engine.variant.mutant, "start_thread", engine.policy.trigger
        )  # each birth comes by there once

    def add(self, make: Callable[[Record | None], GuestThread]) -> GuestThread:
        def tallied(reused: Record | None) -> GuestThread:
            if reused is not None:
                tally = self.tallies[self._records.index(reused)]
                tally.set("begun", tally.get("begun") + 1)
            thread = make(reused)
            assert isinstance(thread, TalliedThread)
            thread.raised = self.raised
            if self._period:
                thread.record.set("ticker_real", self._period)
                thread.record.set("budget_real", self._period)
            if reused is None:
                thread.record.set("hook", self._new_tally().address)
            return thread

        return super().add(tallied)

    def _new_tally(self) -> Record:
        tally = Record(Tally)
        for name in ("begin", "after_push", "after_back_edge", "after_elsewhere", "after_unmask"):
            tally.set(name, self.engine.addresses[name])
        tally.set("patience", PATIENCE)
        tally.set("seed", self._rng.getrandbits(62))
        self.tallies.append(tally)
        return tally

    @property
    def records(self) -> list[Record]:
        """The records of all threads that ever lived, by number."""
        return self._records

    def wait(self, changes: int, most: float | None = None) -> None:
        """Look again soon: requesters in machine code notify no waiter."""
        self._nap(self.nap)

    def notify(self, released: bool = False) -> None:
        self.changes += 1
        self.releases += released


class CoresVm(Vm):
    """A loaded program in a tallied world.  What its threads print is dropped."""

    world: TalliedWorld
    guests = TalliedThread

    def __init__(
        self, engine: CoresEngine, program: Program, output: TextIO, rng: random.Random, period: int = 0
    ) -> None:
        self._made, self._rng, self._period = engine, rng, period
        heap = LARGE if engine.policy.elsewhere == "allocation" else HEAP
        super().__init__(program, output, STACK, heap=heap, errors=output)

    def _make_engine(self, variant: Variant) -> Engine:
        return self._made

    def _make_world(self, heap: int, stress: bool) -> GuestWorld:
        return made(TalliedWorld, self._made)(self._made, heap, self._rng, self._period)

    def set_variable(self, name: str, word: int) -> None:
        """Set a variable of the module to a tagged word."""
        self._variables[self._image.program.globals.index(name)] = word
