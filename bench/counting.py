"""What `bench.pairs` counts: each instruction of a guest program, as the threads take turns, and the superinstruction that it belongs to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from safepoint.guest.code import Program
from safepoint.guest.lockstep import QUANTUM
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.handlers.fused import LONGEST, fused_at
from safepoint_vm.language.machine import Exited
from safepoint_vm.memory.image import CodeAddress, Image
from safepoint_vm.threads.lockstep import RESTARTS, LockstepWorld
from safepoint_vm.threads.thread import GuestThread

UNFUSED = Variant(fused=False)
"""An engine on which each opcode is a step."""
STACK = 4096
Ops = tuple[str, ...]


@dataclass
class Way:
    """The last instructions that a thread has executed, each behind the one before in the code.

    inside: for each, is it in the superinstruction of the one before?  due: opcodes of the superinstruction that are to come.
    """

    ops: list[str] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    next: CodeAddress | None = None
    due: int = 0


@dataclass
class Counted:
    """What a program has executed.  runs: sequences of two opcodes or more, as long as superinstructions may be.

    fused: those of the runs that lie in one superinstruction.  dispatched: superinstructions, by name.
    """

    instructions: int = 0
    runs: Counter[Ops] = field(default_factory=Counter)
    fused: Counter[Ops] = field(default_factory=Counter)
    dispatched: Counter[str] = field(default_factory=Counter)

    def add(self, way: Way, at: CodeAddress) -> None:
        """The thread on this way executes the instruction at this address."""
        self.instructions += 1
        if at != way.next:  # it came by a jump, a call, a return or an exception
            way.ops, way.inside, way.due = [], [], 0
        inside = way.due > 0
        if inside:
            way.due -= 1
        elif found := fused_at(at.code.instructions, at.number):
            self.dispatched[found.name] += 1
            way.due = len(found.then)
        way.ops = [*way.ops, at.instruction.op][-LONGEST:]
        way.inside = [*way.inside, inside][-LONGEST:]
        way.next = CodeAddress(at.code, at.number + 1, at.start)
        for length in range(2, len(way.ops) + 1):
            run = tuple(way.ops[-length:])
            self.runs[run] += 1
            self.fused[run] += all(way.inside[1 - length :])


class Watched(LockstepWorld):
    """A world in which each instruction is counted before it is executed."""

    def __init__(self, program: Program) -> None:
        built = engine(UNFUSED)
        super().__init__(built, Image(built, program), STACK, stress=False, quantum=QUANTUM, hook=0)
        self.counted = Counted()
        self._ways: dict[int, Way] = {}

    def enter(self, guest: GuestThread, entry: str, budget: int | None) -> Exited:
        """Count one instruction; not the rest of one, nor one that begins again."""
        at = guest.code_address()
        why = super().enter(guest, entry, budget)
        if entry == "begin" and why not in RESTARTS:
            self.counted.add(self._ways.setdefault(guest.address, Way()), at)
        return why


def count(program: Program, most: int) -> Counted:
    """Its first instructions: at most `most`, or until all its threads have ended or wait for ever."""
    world = Watched(program)
    while world.counted.instructions < most and world.step(1):
        pass
    return world.counted
