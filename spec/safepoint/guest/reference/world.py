"""Several guest threads on the reference machine: one instruction at a time, and always in the same order.

They share globals, heap, output and the protocol's world; each has its own frames, check sites and record.  A later thread may
be born in the record of one that has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from safepoint.graph.execute import Activation
from safepoint.guest.code import Program
from safepoint.guest.faults import Fault
from safepoint.guest.heap import ThreadObject
from safepoint.guest.lockstep import MAIN, QUANTUM, THREADS, Lockstep
from safepoint.guest.operations import threads
from safepoint.guest.operations.threads import POSTED
from safepoint.guest.reference.copying import changed
from safepoint.guest.reference.effects import born
from safepoint.guest.reference.heap import ReferenceHeap
from safepoint.guest.reference.machine import Machine
from safepoint.guest.reference.sites import Counts, Sites
from safepoint.guest.reference.state import same
from safepoint.guest.reference.words import Words
from safepoint.guest.values import Ref
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import INTERRUPT


class Uncaught(NamedTuple):
    """An exception that has ended a thread other than the first; machine: that thread, where it was raised."""

    thread: ThreadObject
    fault: Fault
    machine: Machine


class World(Lockstep):
    """machines: the threads, by the number of their records.  uncaught: to be printed, and cleared, by the caller."""

    def __init__(self, program: Program, stack: int, quantum: int = QUANTUM, policy: Policy = FOLDED) -> None:
        """stack: slots for each thread.  policy: where and how its threads check."""
        super().__init__(quantum)
        self.stack, self.policy = stack, policy
        sites = Sites(stack, policy=policy)
        self.sites = [sites]
        self.machines = [Machine(program, sites, self)]
        self.state = self.machines[MAIN].state  # of the thread that ran last
        self.refs: dict[int, Ref] = {}  # record -> the thread that lives there
        self.over: set[int] = set()  # records whose thread has ended
        self.early: dict[int, int] = {}  # record -> requests for its thread that come after birth, which drops all
        self.asked: dict[int, tuple[int, Activation]] = {}  # requester -> (target record, handshake)
        self.buried = Counts()  # of threads whose record has another one now
        self.uncaught: list[Uncaught] = []

    def fork(self) -> World:
        """A copy of the world; both run independently, and `watch` is not set in the copy."""
        other = changed(self, turns=changed(self.turns))
        other.refs, other.over, other.uncaught = dict(self.refs), set(self.over), list(self.uncaught)
        other.early, other.asked = dict(self.early), {by: (n, what.copy()) for by, (n, what) in self.asked.items()}
        other.sites = [self.sites[MAIN].copy()]
        other.sites += [sites.copy(other.sites[MAIN]) for sites in self.sites[1:]]
        pairs = zip(self.machines, other.sites, strict=True)
        other.machines = [machine.fork(sites, other) for machine, sites in pairs]
        return other

    def same_as(self, other: World) -> bool:
        """Whether the rest of both runs must be the same."""
        for name in ("turns", "clock", "refs", "over", "early", "asked"):
            if getattr(self, name) != getattr(other, name):
                return False
        pairs = zip(self.machines, other.machines, strict=True)
        if not self.words.same_as(other.words):  # which all threads share
            return False
        return all(a.same_as(b) for a, b in zip(self.sites, other.sites, strict=True)) and all(
            a.unborn == b.unborn and same(a.state, b.state) for a, b in pairs
        )

    @property
    def words(self) -> Words:
        return self.sites[MAIN].words

    @property
    def main(self) -> Machine:
        return self.machines[MAIN]

    @property
    def population(self) -> int:
        return len(self.machines)

    @property
    def ended(self) -> bool:
        return len(self.over) == len(self.machines)

    @property
    def output(self) -> str:
        return self.state.output

    @property
    def counts(self) -> Counts:
        """The sum of all threads, past ones included."""
        return sum((sites.counts for sites in self.sites), self.buried)

    @property
    def moves(self) -> int:
        return sum(sites.moves for sites in self.sites)

    def alarms(self) -> Iterable[float]:
        return [machine.state.until for machine in self.machines if machine.state.until is not None]

    def advance(self, number: int, most: int = 1) -> int:
        """Execute one instruction of a thread, if it can run."""
        machine, newest = self.machines[number], self.state
        if number in self.over:
            return 0
        if machine.state is not newest:
            machine.state = changed(machine.state, globals=newest.globals, things=newest.things, output=newest.output)
        if machine.blocks and machine.ready:
            self.sites[number].wake()
        went = machine.step()
        self.state = machine.state
        if not machine.unborn and (early := self.early.pop(number, 0)):
            self._post(number, early)
        if over := machine.ended and not machine.unborn:  # a thread whose target cannot be called ends at birth
            self._end(number)
        return int(went or over)

    def _end(self, number: int) -> None:
        self.over.add(number)
        self.early.pop(number, None)
        self.sites[number].here = ""
        self.sites[number].call("exit_thread")
        if number != MAIN:
            heap, ref, machine = ReferenceHeap(self.state.things), self.refs[number], self.machines[number]
            heap.ended(ref)
            self.state = changed(self.state, things=heap.things)
            if machine.fault:
                self.uncaught.append(Uncaught(heap.thread(ref), machine.fault, machine))

    # -- what a thread asks of the others

    def now(self) -> float:
        return self.clock

    def _free(self) -> int:
        """The first record whose thread has ended and for whose handshake no requester waits; else a new one."""
        wanted = {number for number, _ in self.asked.values()}
        return min(self.over - {MAIN} - wanted, default=len(self.machines))

    def room(self) -> bool:
        return self._free() < THREADS

    def start(self, ref: Ref, thread: ThreadObject) -> None:
        number = self._free()
        sites = Sites(self.stack, number, self.sites[MAIN], self.policy)
        machine = Machine(self.main.state.program, sites, self, born(self.state, thread), unborn=True)
        sites.here = machine.location()
        self.refs[number] = ref
        self.over.discard(number)
        self.buried = sum((old.counts for old in self.sites[number : number + 1]), self.buried)
        self.sites[number : number + 1] = [sites]
        self.machines[number : number + 1] = [machine]

    def post_to(self, ref: Ref, kind: int) -> None:
        """Post a request to a thread; no effect on one that has not been started, or has ended."""
        number = self._record(ref)
        if number is not None:
            self._post(number, kind)

    def _record(self, ref: Ref) -> int | None:
        """The record of a thread that has been started and has not ended; else None."""
        return next((n for n, lives in self.refs.items() if lives == ref and n not in self.over), None)

    def _post(self, number: int, kinds: int) -> None:
        """Post requests to a thread, once it is born."""
        if self.machines[number].unborn:
            self.early[number] = self.early.get(number, 0) | kinds
            return
        for kind in POSTED.values():
            if kinds & kind:
                self.sites[number].go_on(self.sites[number].begin("post", kind))

    def handshake(self, by: int, ref: Ref) -> bool:
        """Ask thread `ref` for an operation, or wait for it, as record `by`.  Returns whether it has run."""
        if by not in self.asked:
            number = self._record(ref)
            if number is None:
                return True
            self.asked[by] = number, self.sites[number].begin("handshake")
        number, operation = self.asked[by]
        if not self.sites[number].go_on(operation):
            return False
        del self.asked[by]
        return True

    # -- what the host asks

    def watch(self, callback: Callable[[], None] | None) -> None:
        """Have `callback` called before each shared access of any procedure."""
        for sites in self.sites:
            sites.watch = callback

    def interrupt(self) -> None:
        """Control-C: post INTERRUPT to the first thread; once that has ended, to all others."""
        wanted = [MAIN] if MAIN not in self.over else [n for n in range(len(self.machines)) if n not in self.over]
        for number in wanted:
            self._post(number, INTERRUPT)

    def waiting(self) -> list[str]:
        """The threads that have not ended, as "name at file:line", once none of them can go on."""
        heap = ReferenceHeap(self.state.things)
        found = []
        for number, machine in enumerate(self.machines):
            if number not in self.over:
                name = "MainThread" if number == MAIN else threads.name(heap.thread(self.refs[number]))
                file, line, _ = machine.state.place(machine.state.frame)
                found.append(f"{name} at {file}:{line}")
        return found
