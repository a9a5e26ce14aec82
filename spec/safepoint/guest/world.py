"""Several guest threads on the reference machine: one instruction at a time, and always in the same order.

They share globals, heap and output, and the words of one world of the protocol; each has its frames, its check sites and its
record, in which a later thread may be born.  Time is virtual: an instruction takes a microsecond, and when everybody sleeps
or waits, the clock is put forward to the end of the first sleep.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from safepoint.guest import threads
from safepoint.guest.code import Program
from safepoint.guest.faults import Fault
from safepoint.guest.heap import ThreadObject
from safepoint.guest.machine import Machine
from safepoint.guest.objects import Objects
from safepoint.guest.semantics import born
from safepoint.guest.sites import Sites
from safepoint.guest.threads import MAIN, QUANTUM, THREADS, Turns
from safepoint.guest.values import Ref
from safepoint.model.execute import Activation
from safepoint.protocol import INTERRUPT


class Uncaught(NamedTuple):
    """An exception that has ended a thread other than the first, which stands where it was raised."""

    thread: ThreadObject
    fault: Fault
    machine: Machine


class World:
    """`machines`: the threads, by the number of their records.  `uncaught`: for whoever prints it, and takes it out."""

    def __init__(self, program: Program, stack: int, quantum: int = QUANTUM) -> None:
        """stack: slots of each thread's."""
        self.stack, self.turns = stack, Turns(quantum)
        self.clock = 0.0  # microseconds
        sites = Sites(stack)
        self.sites = [sites]
        self.machines = [Machine(program, sites, self)]
        self.state = self.machines[MAIN].state  # the newest: of whoever went last
        self.refs: dict[int, Ref] = {}  # record -> the thread that lives there
        self.over: set[int] = set()  # records whose thread has ended
        self.early: set[int] = (
            set()
        )  # … and whose thread is to be interrupted once it is born: birth drops all requests
        self.asked: dict[int, tuple[Sites, Activation]] = {}  # thread -> the operation that it waits for
        self.uncaught: list[Uncaught] = []

    @property
    def main(self) -> Machine:
        return self.machines[MAIN]

    @property
    def output(self) -> str:
        return self.state.output

    def step(self) -> bool:
        """Execute an instruction of whose turn it is.  False: nobody can; all have ended, or they wait for each other."""
        while True:
            before = self._stores()
            for number in self.turns.order(len(self.machines)):
                if self._advance(number):
                    self.turns.went(number)
                    self.clock += 1
                    return True
            if self._stores() != before:
                continue  # somebody got further in a procedure, and another one may wait for just that
            sleeps = [m.state.until for m in self.machines if m.state.until is not None and m.state.until > self.clock]
            if not sleeps:
                return False
            self.clock = min(sleeps)

    def _stores(self) -> int:
        return sum(sites.stores for sites in self.sites)

    def _advance(self, number: int) -> bool:
        """One instruction of a thread, if it can."""
        machine, newest = self.machines[number], self.state
        if number in self.over:
            return False
        machine.state = replace(machine.state, globals=newest.globals, things=newest.things, output=newest.output)
        if machine.blocks and machine.ready:
            self.sites[number].wake()
        went = machine.step()
        self.state = machine.state
        if number in self.early and not machine.unborn:
            self._interrupt(number)
        if machine.ended:
            self._end(number)
        return went or machine.ended

    def _end(self, number: int) -> None:
        self.over.add(number)
        self.early.discard(number)
        self.sites[number].call("exit_thread")
        if number != MAIN:
            heap, ref, machine = Objects(self.state.things), self.refs[number], self.machines[number]
            heap.ended(ref)
            self.state = replace(self.state, things=heap.things)
            if machine.fault:
                self.uncaught.append(Uncaught(heap.thread(ref), machine.fault, machine))

    # -- what a thread asks of the others

    def now(self) -> float:
        return self.clock

    def start(self, ref: Ref, thread: ThreadObject) -> bool:
        """In the first record whose thread has ended, and of which nobody wants anything, or in a new one."""
        free = self.over - {MAIN} - {sites.number for sites, _ in self.asked.values()}
        number = min(free, default=len(self.machines))
        if number == THREADS:
            return False
        sites = Sites(self.stack, number, self.sites[MAIN].words)
        machine = Machine(self.main.state.program, sites, self, born(self.state, thread))
        self.refs[number] = ref
        self.over.discard(number)
        self.sites[number : number + 1] = [sites]
        self.machines[number : number + 1] = [machine]
        return True

    def interrupt_thread(self, ref: Ref) -> None:
        """One that has not been started, or has ended, hears nothing of it."""
        number = self._record(ref)
        if number is not None:
            self._interrupt(number)

    def _record(self, ref: Ref) -> int | None:
        """The record where a thread lives, once it has been started and until it has ended."""
        return next((n for n, lives in self.refs.items() if lives == ref and n not in self.over), None)

    def handshake(self, by: int, ref: Ref) -> bool:
        """Birth drops all requests: with a thread that is to be born one waits for that first."""
        if by not in self.asked:
            number = self._record(ref)
            if number is None:
                return True
            if self.machines[number].unborn:
                return False
            self.asked[by] = self.sites[number], self.sites[number].begin("handshake")
        sites, operation = self.asked[by]
        if not sites.go_on(operation):
            return False
        del self.asked[by]
        return True

    def _interrupt(self, number: int) -> None:
        if self.machines[number].unborn:
            self.early.add(number)
        else:
            self.early.discard(number)
            self.sites[number].go_on(self.sites[number].begin("post", INTERRUPT))

    # -- what the host asks

    def interrupt(self) -> None:
        """Control-C: for the first thread; once that has ended, for all others."""
        wanted = [MAIN] if MAIN not in self.over else [n for n in range(len(self.machines)) if n not in self.over]
        for number in wanted:
            self._interrupt(number)

    def waiting(self) -> list[str]:
        """Who has not ended and cannot go on, and where."""
        heap = Objects(self.state.things)
        found = []
        for number, machine in enumerate(self.machines):
            if number not in self.over:
                name = "MainThread" if number == MAIN else threads.name(heap.thread(self.refs[number]))
                file, line, _ = machine.state.place(machine.state.frame)
                found.append(f"{name} at {file}:{line}")
        return found
