"""Make the machine code of a function: copy the template of each instruction, and fill its holes.

Templates lie behind each other in the order of the instructions, so that most go on by falling through.  A template's cold code (see
`tier.templates`) lies behind all of them.  A back-edge is reached through the thread's dispatch table alone: the jump to it goes through
an entry of its own, which holds the address of its template or, poisoned, that of its stub; there is no instruction for that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from safepoint.guest.code import BACK_EDGES, OPCODES, Code, Instruction, target_of
from safepoint.guest.verifier import successors
from safepoint_vm.generate.assembler import SIZE, stored
from safepoint_vm.generate.engine import SMALL_WORDS, Engine
from safepoint_vm.handlers.fused import fused_at
from safepoint_vm.language import machine
from safepoint_vm.tier.loops import bodies_of
from safepoint_vm.tier.made import templates_of
from safepoint_vm.tier.memory import CodeMemory
from safepoint_vm.tier.template import (
    ABSOLUTE,
    BOUND,
    DISTANCE,
    INDEXES,
    JUMPED,
    LONG,
    NEXT,
    Hole,
    Template,
    Templates,
    template_name,
)

INT32, INT64 = struct.Struct("<i"), struct.Struct("<q")
FORMATS = {DISTANCE: INT32, ABSOLUTE: INT32, LONG: INT64}
JUMP = b"\xe9"  # jmp distance
PLACE = b"\x4c\x8d\x25"  # lea distance(%rip), %r12: the register of pc
JUMP_OVER = (
    JUMP + INT32.pack(3) + b"\x0f\x1f\x00"
)  # to what comes behind this word; what it jumps over makes it no small number, as a claim is
THROUGH_TABLE = b"\x41\xff\xa7"  # jmp *displacement(%r15): the register of the dispatch table
LOOP_ALIGNMENT = 16
NOPS = ["", "90", "6690", "0f1f00", "0f1f4000", "0f1f440000", "660f1f440000", "0f1f8000000000", "0f1f840000000000"]
"""One instruction that does nothing, by its length in bytes."""


@dataclass(frozen=True)
class Context:
    """What compiled code refers to.  symbols: of the interpreter, to their addresses.  constants: the address of what templates read.

    kinds: the types of each opcode's operands.  small: as `assembler.stored` takes it.
    stepped: as `install.Tier`.  patches: as `Variant`.
    """

    templates: Templates
    symbols: Mapping[str, int]
    constants: int
    kinds: Mapping[str, tuple[type, ...]]
    small: dict[int, int]
    stepped: bool
    patches: bool


@dataclass(frozen=True)
class Unit:
    """The instructions that one template executes.  `number`: of the first; `next`: of what comes after; `jump`: where the last one jumps to."""

    number: int
    instructions: tuple[Instruction, ...]
    template: Template

    @property
    def next(self) -> int:
        return self.number + len(self.instructions)

    @property
    def jump(self) -> int | None:
        return target_of(self.next - 1, self.instructions[-1])

    @property
    def last(self) -> Hole | None:
        """The jump at its end, if it is one to another instruction."""
        *_, hole = self.template.holes or (None,)
        code = self.template.code
        if hole and hole.name in (NEXT, JUMPED) and hole.at + 4 == len(code) and code[hole.at - 1 : hole.at] == JUMP:
            return hole
        return None

    def leads_to(self, hole: str) -> int:
        """The number of the instruction that a hole goes on in."""
        found = self.next if hole == NEXT else self.jump
        assert found is not None
        return found


class Stitched(NamedTuple):
    """Machine code for an address.  entries: instruction -> where its template begins, of those that have one; back-edges among them.

    jumps: back-edge -> the word of code that is the jump to it, where these are patched.
    """

    code: bytes
    entries: dict[int, int]
    jumps: dict[int, int]


class Stitcher:
    """Makes the machine code of one function.

    text: the address of its bytecode.  loops: its back-edges that may be compiled, to the numbers of their entries in a dispatch table;
    and whatever else is to be come to through an entry.
    """

    def __init__(self, context: Context, code: Code, text: int, loops: Mapping[int, int]) -> None:
        self.context, self.code, self.text, self.loops = context, code, text, loops
        self.units = {unit.number: unit for unit in sorted(self._units(), key=lambda unit: unit.number)}
        self.following = dict(pairwise(self.units))

    def _units(self) -> Iterator[Unit]:
        """Of all instructions that can be come to, but for back-edges that may not be compiled."""
        todo, seen = [0, *(handler.target for handler in self.code.handlers)], set[int]()
        while todo:
            number = todo.pop()
            if number in seen:
                continue
            seen.add(number)
            instruction = self.code.instructions[number]
            last = number
            if self.fits(instruction) and (instruction.op not in BACK_EDGES or number in self.loops):
                unit = self._unit(number)
                last = unit.next - 1
                yield unit
            todo += successors(self.code, last)

    def _unit(self, number: int) -> Unit:
        instructions, fused = self.code.instructions, fused_at(self.code.instructions, number)
        if fused and not self.context.stepped and self._runs_through(number, len(fused.ops)):
            return Unit(number, instructions[number : number + len(fused.ops)], self.context.templates.of[fused.name])
        return Unit(
            number, instructions[number : number + 1], self.context.templates.of[self._template(instructions[number])]
        )

    def _runs_through(self, number: int, count: int) -> bool:
        """Are these instructions come to one after the other, none but the first through an entry?"""
        behind = range(number + 1, number + count)
        return not any(each in self.loops or self.code.instructions[each].op in BACK_EDGES for each in behind)

    def _template(self, instruction: Instruction) -> str:
        kinds = self.context.kinds[instruction.op]
        builtin = instruction.operands[kinds.index(machine.Builtin)] if machine.Builtin in kinds else None
        return template_name(instruction.op, builtin)

    def at(self, address: int) -> Stitched:
        """The machine code of the function at an address, a multiple of LOOP_ALIGNMENT."""
        self.out, self.address = bytearray(), address
        self.stubs: dict[
            tuple[str, int], int
        ] = {}  # what it goes on in, and the number of an instruction -> where it lies
        entries, bodies, holes = {}, bodies_of(self.code), []
        self.jumps: dict[int, int] = {}
        for number, unit in self.units.items():
            if number in bodies or (self.context.patches and number in self.loops):
                self._align()
            if self.context.patches and number in self.loops:
                self.jumps[number] = self._end
                self.out += JUMP_OVER
            entries[number] = address + len(self.out)
            holes += [(entries[number], unit, hole) for hole in self._copy(unit)]
        self._align()
        self.entries = entries
        for at, unit, hole in holes:
            self._fill(at - address + hole.at, hole, unit)
        return Stitched(bytes(self.out), entries, self.jumps)

    def _align(self) -> None:
        rest = -len(self.out) % LOOP_ALIGNMENT
        while rest:
            step = min(rest, len(NOPS) - 1)
            self.out += bytes.fromhex(NOPS[step])
            rest -= step

    def _copy(self, unit: Unit) -> Sequence[Hole]:
        """Append its template, but for a jump at its end to what follows.  Returns the holes that are left to fill."""
        last = unit.last
        target = unit.leads_to(last.name) if last else None
        if last is None or target is None or self.context.stepped:
            self.out += unit.template.code
            return unit.template.holes
        if target in self.loops and not self.context.patches:
            self.out += unit.template.code[: -len(JUMP) - 4] + self._through_table(target)
        elif target == self.following.get(unit.number):
            self.out += unit.template.code[: -len(JUMP) - 4]
        else:
            self.out += unit.template.code
            return unit.template.holes
        return unit.template.holes[:-1]

    def _through_table(self, loop: int) -> bytes:
        """A jump to a back-edge, through its entry of the dispatch table."""
        return THROUGH_TABLE + INT32.pack(8 * self.loops[loop])

    # -- holes

    def _fill(self, at: int, hole: Hole, unit: Unit) -> None:
        value = self._named(hole.name, unit) + hole.addend
        if hole.kind == DISTANCE:
            value -= self.address + at
        FORMATS[hole.kind].pack_into(self.out, at, value)

    def _named(self, name: str, unit: Unit) -> int:
        """What a hole names: an address, or the value of an operand."""
        match name.split("."):
            case ["hole", "next" | "jump"]:
                return self._exit(unit.leads_to(name))
            case ["hole", "pc"]:
                return self._pc(unit.number)
            case ["hole", number, operand]:
                return self._operand(unit.instructions[int(number)], operand)
            case ["cold", number, handler]:
                return self._stub(handler, unit.number + int(number))
            case ["constants"]:
                return self.context.constants
        return self.context.symbols[name]

    def _pc(self, number: int) -> int:
        return self.text + SIZE * number

    def _operand(self, instruction: Instruction, name: str) -> int:
        names = [operand.name for operand in OPCODES[instruction.op].operands]
        return self._operands(instruction)[names.index(name)]

    def _operands(self, instruction: Instruction) -> list[int]:
        """What goes into the holes for operands."""
        return [
            8 * value if issubclass(kind, INDEXES) else stored(value, kind, self.context.small)
            for value, kind in zip(instruction.operands, self.context.kinds[instruction.op], strict=True)
        ]

    def fits(self, instruction: Instruction) -> bool:
        """Do its operands fit into their holes?"""
        return all(-BOUND <= value < BOUND for value in self._operands(instruction))

    def _exit(self, number: int) -> int:
        """Where an instruction is gone on with."""
        if self.context.stepped or number not in self.units:
            return self._stub("begin", number)
        if number in self.jumps:
            return self.jumps[number]
        if number in self.loops:
            return self._placed(("", number), self._through_table(number))
        return self.entries[number]

    def _stub(self, handler: str, number: int) -> int:
        """Code that sets pc to that of an instruction, and goes on in a handler of the interpreter."""
        return self._placed((handler, number), stub(self._pc(number), self.context.symbols[handler], self._end))

    @property
    def _end(self) -> int:
        return self.address + len(self.out)

    def _placed(self, what: tuple[str, int], code: bytes) -> int:
        """The address of cold code, which is appended if it is not there yet."""
        if what not in self.stubs:
            self.stubs[what] = self._end
            self.out += code
        return self.stubs[what]


def jump(at: int, to: int) -> int:
    """The word of code at an address that jumps to another one."""
    return int.from_bytes(JUMP + INT32.pack(to - (at + len(JUMP) + 4)), "little")


def stub(pc: int, handler: int, at: int) -> bytes:
    """Code for an address: set pc, and go on in a handler."""
    place = PLACE + INT32.pack(pc - (at + len(PLACE) + 4))
    return place + JUMP + INT32.pack(handler - (at + len(place) + len(JUMP) + 4))


def context(engine: Engine, memory: CodeMemory, *, stepped: bool) -> Context:
    """What the compiled code of an engine refers to.  Errors: where templates are made, as `tier.templates`."""
    templates = templates_of(engine.variant, stepped=stepped)
    constants = memory.write(templates.constants)
    return Context(templates, engine.addresses, constants, engine.kinds, SMALL_WORDS, stepped, engine.variant.patches)
