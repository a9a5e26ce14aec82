"""Superinstructions: sequences of opcodes that one handler executes, with one dispatch.

The first instruction of a sequence gets the number of the superinstruction.  The others stay as they are: a jump into the middle
finds them there, and so does a slow path of the first one, which dispatches the next.  The handler is made of the opcodes' own
handlers, each of which goes on in the next (`generate.compiler`); so all of them write what they write alone.

A back-edge's dispatch is its check with policy `folded`, so one that ends a sequence is checked when the sequence is dispatched: its entry
of the table is one more trigger word.  Poisoned, it holds the handler of the first opcode alone, behind which the back-edge is
dispatched, and that is poisoned, too (`generate.triggers`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from safepoint.guest.code import BACK_EDGES, OPCODES, SMALL, Instruction

IDENTITY = ("IS", "IS_NOT")
COMPARISONS = ("LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL", *IDENTITY)
FORWARD = ("FALSE_JUMP", "TRUE_JUMP")
CONSTANT = "LOADK"


@dataclass(frozen=True)
class Then:
    """The next opcode, and which of its operands must be the slot that the one before has written; "": none."""

    op: str
    reads: str = ""

    def follows(self, before: Instruction, after: Instruction) -> bool:
        """Does this opcode come after that instruction, and read what it has written?"""
        names = [operand.name for operand in OPCODES[self.op].operands]
        return after.op == self.op and (
            self.reads == "" or after.operands[names.index(self.reads)] == before.operands[0]
        )


@dataclass(frozen=True)
class Fused:
    """A superinstruction.  The slot that an opcode writes is its first operand."""

    first: str
    then: tuple[Then, ...]

    @property
    def ops(self) -> tuple[str, ...]:
        return (self.first, *(each.op for each in self.then))

    @property
    def name(self) -> str:
        """The name of its handler."""
        return "_and_".join(self.ops)

    @property
    def loops(self) -> bool:
        """Does it end in a back-edge?"""
        return self.ops[-1] in BACK_EDGES

    @property
    def of_int(self) -> bool:
        """Must the constant that it begins with be an int?  Then the handler does not ask."""
        return self.first == CONSTANT and self.then[0].op in (*COMPARISONS, "INDEX") and self.then[0].op not in IDENTITY

    def begins(self, instructions: Sequence[Instruction]) -> bool:
        """Do these instructions begin with the sequence?"""
        if instructions[0].op != self.first or len(instructions) < len(self.ops):
            return False
        if self.of_int and instructions[0].operands[1] in SMALL:
            return False
        return all(each.follows(*pair) for each, pair in zip(self.then, itertools.pairwise(instructions), strict=False))


SEQUENCES = (
    *(Fused(CONSTANT, (Then(op, "right"), Then("FALSE_JUMP", "condition"))) for op in COMPARISONS),
    *(Fused(op, (Then(jump, "condition"),)) for op in COMPARISONS for jump in FORWARD),
    *(Fused("INDEX", (Then(jump, "condition"),)) for jump in FORWARD),
    Fused(CONSTANT, (Then("INDEX", "index"),)),
    Fused("GLOBAL", (Then("ADDI"), Then("CALL"))),
    Fused("MUL", (Then("MUL"), Then("ADD"))),
    Fused("MUL", (Then("MUL"),)),
    Fused("MUL", (Then("ADD"),)),
    Fused("ADD", (Then("ADD"),)),
    Fused("CONSTANT", (Then("MUL"),)),
    Fused("CONSTANT", (Then("LESS", "right"),)),
    Fused("LOADK", (Then("STORE_INDEX", "src"),)),
    Fused("CONSTANT", (Then("LESS", "right"), Then("TRUE_JUMP_BACK", "condition"))),
    Fused("ADD", (Then("ADDI"), Then("LESS_JUMP_BACK"))),
    Fused("ADD", (Then("LESS_EQUAL"), Then("TRUE_JUMP_BACK", "condition"))),
    Fused("ADD", (Then("FOR_RANGE"),)),
    Fused("ADDI", (Then("LESS_JUMP_BACK"),)),
    *(Fused(op, (Then("TRUE_JUMP_BACK", "condition"),)) for op in COMPARISONS[:4]),
)
"""Those that are executed often (`python -m bench.pairs`), and pay (`docs/performance.md`)."""
FUSED = tuple(sorted(SEQUENCES, key=lambda each: -len(each.ops)))
"""The longest first: one that begins with another would never be found behind it."""


LONGEST = max(len(each.ops) for each in FUSED)


def fused_at(instructions: Sequence[Instruction], number: int, loops: bool = True) -> Fused | None:
    """The superinstruction that the instruction with this number begins, or None.  `loops`: may it end in a back-edge?"""
    ahead = instructions[number : number + LONGEST]
    return next((each for each in FUSED if (loops or not each.loops) and each.begins(ahead)), None)
