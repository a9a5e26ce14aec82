"""Superinstructions: sequences of opcodes that one handler executes, with one dispatch.

The first instruction of a sequence gets the number of the superinstruction.  The others stay as they are: a jump into the middle
finds them there, and so does a slow path of the first one, which dispatches the next.  The handler is made of the opcodes' own
handlers, each of which goes on in the next (`generate.compiler`); so all of them write what they write alone.

A back-edge's dispatch is its check with policy `folded`, so one that ends a sequence is checked when the sequence is dispatched: its entry
of the table is one more trigger word.  Poisoned, it holds the handler of the first opcode alone, behind which the back-edge is
dispatched, and that is poisoned, too (`generate.triggers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from safepoint.guest.code import BACK_EDGES, OPCODES, SMALL, Instruction

IDENTITY = ("IS", "IS_NOT")
COMPARISONS = ("LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL", *IDENTITY)
FORWARD = ("FALSE_JUMP", "TRUE_JUMP")
RARE = {
    ("IS_NOT", "FALSE_JUMP"),
    ("IS_NOT", "TRUE_JUMP"),
    ("GREATER", "TRUE_JUMP"),
    ("LOADK", "GREATER_EQUAL", "FALSE_JUMP"),
}
"""Comparisons and their jumps that no program executes often."""
CONSTANT = "LOADK"


@dataclass(frozen=True)
class Then:
    """The next opcode.  `reads`: its operands that must be a slot which an opcode before has written, and how many before."""

    op: str
    reads: tuple[tuple[str, int], ...] = ()

    @property
    def distances(self) -> str:
        """How many opcodes before what it reads was written, unless all of it was just before."""
        found = "".join(str(back) for _, back in self.reads)
        return f"_{found}" if found.strip("1") else ""

    def follows(self, before: Sequence[Instruction], after: Instruction) -> bool:
        """Is this the opcode of the instruction after these, and does it read what they have written, and not written again?"""
        if after.op != self.op:
            return False
        slots = dict(zip((operand.name for operand in OPCODES[self.op].operands), after.operands, strict=True))
        written = [each.operands[0] for each in before]
        return all(
            slots[name] == written[-back] and slots[name] not in written[len(written) - back + 1 :]
            for name, back in self.reads
        )


def then(op: str, **reads: int) -> Then:
    """`then("SUB", left=2, right=1)`: a SUB of what the last two opcodes have written."""
    return Then(op, tuple(reads.items()))


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
        """The name of its handler; an opcode that reads what was written earlier than just before it says so by the distances."""
        return "_and_".join((self.first, *(each.op + each.distances for each in self.then)))

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
        return all(
            each.follows(instructions[:number], instructions[number]) for number, each in enumerate(self.then, 1)
        )


SEQUENCES = (
    *(
        Fused(CONSTANT, (then(op, right=1), then("FALSE_JUMP", condition=1)))
        for op in COMPARISONS
        if (CONSTANT, op, "FALSE_JUMP") not in RARE
    ),
    *(Fused(op, (then(jump, condition=1),)) for op in COMPARISONS for jump in FORWARD if (op, jump) not in RARE),
    *(Fused("INDEX", (then(jump, condition=1),)) for jump in FORWARD),
    Fused(CONSTANT, (then("INDEX", index=1),)),
    Fused(CONSTANT, (then("STORE_INDEX", src=1),)),
    Fused("GLOBAL", (then("ADDI"), then("CALL"))),
    *(Fused("MUL", (then("MUL"), then(op, left=2, right=1))) for op in ("ADD", "SUB")),
    Fused("MUL", (then("MUL", left=1), then("ADD", left=1))),
    *(Fused("MUL", (then(op, left=1),)) for op in ("MUL", "ADD", "SUB")),
    *(Fused(op, (then("ADD", left=1),)) for op in ("ADD", "SUB")),
    Fused("CONSTANT", (then("MUL", left=1),)),
    Fused("CONSTANT", (then("LESS", right=1), then("TRUE_JUMP_BACK", condition=1))),
    Fused("ADD", (then("ADDI"), then("LESS_JUMP_BACK"))),
    Fused("ADD", (then("LESS_EQUAL", left=1), then("TRUE_JUMP_BACK", condition=1))),
    Fused("ADD", (then("FOR_RANGE"),)),
    Fused("ADDI", (then("LESS_JUMP_BACK", left=1),)),
    *(Fused(op, (then("TRUE_JUMP_BACK", condition=1),)) for op in COMPARISONS[:4]),
)
"""Those that are executed often (`python -m bench.pairs`), and pay (`docs/performance.md`)."""
FUSED = tuple(sorted(SEQUENCES, key=lambda each: -len(each.ops)))
"""The longest first: one that begins with another would never be found behind it."""
BEGINNING = {op: [each for each in FUSED if each.first == op] for op in {each.first for each in FUSED}}
"""Opcode, to those that begin with it."""
LONGEST = max(len(each.ops) for each in FUSED)


def fused_at(instructions: Sequence[Instruction], number: int) -> Fused | None:
    """The superinstruction that the instruction with this number begins, or None."""
    ahead = instructions[number : number + LONGEST]
    return next((each for each in BEGINNING.get(ahead[0].op, ()) if each.begins(ahead)), None)
