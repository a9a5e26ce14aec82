"""Where the machine code of a function goes, read from memory as a processor reads it: not what `tier.stitch` meant to write.

Nothing is executed.  Each template is found again by its bytes.  Of what it does between two instructions only its holes tell, for it has
no other way out that is a jump to a place that it knows; the rest is followed byte by byte: direct jumps, jumps through the thread's dispatch table, padding, and
stubs, which set pc and go on in a handler.  So the code is walked twice, before and after a request: a way that leads to another place then is a check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from safepoint.guest.code import target_of
from safepoint_vm.generate.assembler import SIZE
from safepoint_vm.generate.engine import Engine
from safepoint_vm.generate.triggers import ALONE, COMPILED, FUSED_NUMBERS, NAMES
from safepoint_vm.handlers.fused import FUSED, fused_at
from safepoint_vm.language.layout import Record
from safepoint_vm.language.records import FIRST_LOOP, TABLE_WORDS
from safepoint_vm.tier.install import NUMBER_MASK, Loaded
from safepoint_vm.tier.memory import CodeMemory
from safepoint_vm.tier.stitch import FORMATS, INT32
from safepoint_vm.tier.template import COLD, JUMPED, NEXT, Hole, Template, Templates, template_name
from safepoint_vm.tier.template import PLACE as OWN

MOST_JUMPS = 16
"""From the end of a template to where an instruction is executed, or a handler begins."""
LONGEST = 16
"""Bytes of what is looked at in one place."""
JUMP, THROUGH_TABLE, PLACE = b"\xe9", b"\x41\xff\xa7", b"\x4c\x8d\x25"
"""How instructions of x86-64 begin, a distance behind each: jmp; jmp *distance(%r15), the table's register; lea distance(%rip), %r12, pc's.

Not those that `tier.stitch` writes: what it wrote otherwise would be read otherwise.
"""
CONDITIONAL = 0x80
"""The second byte of a conditional jump, in its upper half; the first is 0x0f."""
LOOPING = {FUSED_NUMBERS[each.name] for each in FUSED if each.loops}
"""The numbers of the superinstructions that end in a back-edge."""
BEGIN, SLOW = "begin", "slow_back_edge"
FALLS, DIRECT, TABLE, INTERPRETED = (
    "falls through",
    "a direct jump",
    "through its entry of the dispatch table",
    "by the interpreter",
)


class Unread(Exception):
    """Code that is none of these; in words."""


class Place(NamedTuple):
    """Where control comes to.  number: of the instruction that it stands at.  handler: the interpreter's; "": the instruction is executed."""

    number: int
    handler: str = ""


class Way(NamedTuple):
    """From the instruction `number` to a place; how it leads there.  of: "next", "jump", or the handler of cold code."""

    number: int
    of: str
    place: Place
    how: str


class Unit(NamedTuple):
    """A template that has been found in memory.  name: it is called; length: instructions; end: behind it, if control can come there."""

    name: str
    length: int
    template: Template
    end: int | None


class Walk:
    """One function, as it is in memory.  loaded: it, where it is to be executed.  record: of a thread.

    bodies: instruction -> where its machine code begins, of those that have some.
    """

    def __init__(
        self, engine: Engine, templates: Templates, memory: CodeMemory, loaded: Loaded, record: Record
    ) -> None:
        self.code, self.text, self.record = loaded.code, loaded.text, record
        self.beside, self._memory = memory.beside(loaded.text), memory
        self._templates, self._kinds = templates, engine.kinds
        self._handlers: dict[int, str] = {}
        for name, address in engine.addresses.items():
            self._handlers.setdefault(address, name)
        self._addresses: Mapping[str, int] = engine.addresses
        self.bodies: dict[int, int] = {}
        for number in range(len(self.code.instructions)):
            entry = self.entry(number)
            if entry == COMPILED:
                self.bodies[number] = self.beside[number]
            elif entry >= FIRST_LOOP:
                self.bodies[number] = record.get("base", entry)
        self._at: dict[int, list[int]] = {}
        for number, address in self.bodies.items():
            self._at.setdefault(address, []).append(number)

    def entry(self, number: int) -> int:
        """Under which number the interpreter dispatches an instruction."""
        return self.text[number] & NUMBER_MASK

    # -- a template

    def unit(self, number: int) -> Unit:
        """The template at the beginning of an instruction's machine code.  Unread: none is there."""
        fused = fused_at(self.code.instructions, number)
        expected = [(self._name(number), 1)]
        if fused and not fused.loops:
            expected.insert(0, (fused.name, len(fused.ops)))
        for name, length in expected:
            template = self._templates.of[name]
            last = jump_at_end(template)
            size = len(template.code) - (len(JUMP) + 4 if last else 0)
            if self._is_at(self.bodies[number], template, size):
                return Unit(name, length, template, self.bodies[number] + size if last else None)
        raise Unread(f"no template of {expected[-1][0]} is there")

    def _is_empty(self, number: int) -> bool:
        return self.unit(number).end == self.bodies[number]

    def _name(self, number: int) -> str:
        instruction = self.code.instructions[number]
        kinds = [kind.__name__ for kind in self._kinds[instruction.op]]
        builtin = instruction.operands[kinds.index("Builtin")] if "Builtin" in kinds else None
        return template_name(instruction.op, builtin)

    def _is_at(self, address: int, template: Template, size: int) -> bool:
        """Do its first bytes lie there, whatever is in the holes?"""
        found, expected = bytearray(self._read(address, size)), bytearray(template.code[:size])
        for hole in template.holes:
            filled = slice(hole.at, min(size, hole.at + FORMATS[hole.kind].size))
            found[filled] = expected[filled]
        return found == expected

    def _is_named(self, number: int, hole: Hole) -> bool:
        """Does a hole hold where its instruction is, or where a routine is, if it should?"""
        at = self.bodies[number] + hole.at
        to = self.text.address + SIZE * number if hole.name == OWN else self._addresses.get(hole.name)
        return to is None or INT32.unpack(self._read(at, 4))[0] == to + hole.addend - at

    # -- the ways out of it

    def ways(self, number: int) -> Iterator[Way]:
        """Out of the template at an instruction.  Unread: its bytes, or where they lead, are nothing that is installed."""
        unit, address = self.unit(number), self.bodies[number]
        last = number + unit.length - 1
        yield from (Way(each, "next", Place(each + 1), "in one template") for each in range(number, last))
        expected = {NEXT: last + 1, JUMPED: target_of(last, self.code.instructions[last])}
        for hole in unit.template.holes:
            if unit.end is not None and address + hole.at >= unit.end:
                place, how = self.follow(unit.end, expected[hole.name], FALLS, behind=number)
            elif is_jump(unit.template, hole):
                to = address + hole.at + 4 + INT32.unpack(self._read(address + hole.at, 4))[0]
                place, how = self.follow(to, expected.get(hole.name), DIRECT)
            elif self._is_named(number, hole):
                continue
            else:
                raise Unread(f"{hole.name} of {unit.name} leads elsewhere")
            if hole.name in expected:
                yield Way(last, hole.name.partition(".")[2], place, how)
            elif hole.name == f"{COLD}{place.number - number}.{place.handler}":
                yield Way(place.number, place.handler, place, how)
            else:
                raise Unread(
                    f"{hole.name} of {unit.name} leads to {place.handler or 'an instruction'} at instruction {place.number}"
                )

    def follow(
        self, address: int, expected: int | None, how: str, pc: int | None = None, behind: int | None = None
    ) -> tuple[Place, str]:
        """Where control that comes to an address goes on, and how.  pc: as it has been set; None: it has not.

        An instruction whose template is a jump that falls away has no bytes, and begins where the next one does.  expected: the instruction
        that it is to be, where several begin; behind: the one whose end this is.
        """
        for _ in range(MOST_JUMPS):
            here = [each for each in self._at.get(address, ()) if each != behind]
            if expected is not None and expected in here:
                return Place(expected), how
            if full := [each for each in here if not self._is_empty(each)]:
                return Place(full[0]), how
            behind = None
            if address in self._handlers:
                return self._in_handler(self._handlers[address], pc), how
            code = self._read(address)
            if code.startswith(JUMP):
                address, how = address + 5 + INT32.unpack_from(code, 1)[0], DIRECT if how == FALLS else how
            elif code.startswith(THROUGH_TABLE):
                address, how = self._table(INT32.unpack_from(code, len(THROUGH_TABLE))[0]), TABLE
            elif code.startswith(PLACE):
                address += len(PLACE) + 4
                pc = address + INT32.unpack_from(code, len(PLACE))[0]
            elif length := padding(code):
                address += length
            else:
                raise Unread(f"it leads to code that is not known, {code.hex()}")
        raise Unread("it leads nowhere: jump after jump")

    def _read(self, address: int, size: int | None = None) -> bytes:
        """Bytes of compiled code; without a size, as many as what is looked at in one place may have."""
        try:
            least = min(LONGEST, self._memory.next - address) if size is None else size
            return self._memory.read(address, max(0, least))
        except ValueError as error:
            raise Unread(f"it leads out of compiled code: {error}") from None

    def _table(self, displacement: int) -> int:
        if displacement % 8 or not 0 <= displacement < 8 * TABLE_WORDS:
            raise Unread("it goes through a word that is not of the dispatch table")
        return self.record.get("table", displacement // 8)

    def _in_handler(self, name: str, pc: int | None) -> Place:
        if pc is None:
            raise Unread(f"it goes on in {name} without saying where it stands")
        number, rest = divmod(pc - self.text.address, SIZE)
        if rest or not 0 <= number < len(self.code.instructions):
            raise Unread(f"it goes on in {name}, and says that it stands in no instruction of its function")
        return self.dispatched(number)[0] if name == BEGIN else Place(number, name)

    # -- from the interpreter

    def dispatched(self, number: int) -> tuple[Place, str]:
        """Where an instruction is gone on with that is dispatched."""
        entry = self.entry(number)
        if entry == COMPILED:
            return self.entered(number)
        address = self.record.get("table", entry)
        if entry < len(NAMES) and address == self._addresses[NAMES[entry]]:
            return Place(number), INTERPRETED
        return self.follow(address, number, INTERPRETED, self.text.address + SIZE * number)

    def entered(self, number: int) -> tuple[Place, str]:
        """… that is returned to, or called, by compiled code, which finds it beside the bytecode."""
        address = self.beside[number]
        if address == self._addresses[BEGIN] and self.entry(number) == COMPILED:
            raise Unread("it is dispatched for ever")
        return self.follow(address, number, INTERPRETED, self.text.address + SIZE * number)

    def is_fused_with_loop(self, number: int) -> bool:
        """Does the interpreter execute a superinstruction here that ends in a back-edge, which is checked when that is dispatched?"""
        return self.entry(number) in LOOPING

    def is_alone(self, number: int) -> bool:
        """Does it leave the back-edge of such a superinstruction to another dispatch now?"""
        entry = self.entry(number)
        return self.record.get("table", entry) == self._addresses[NAMES[ALONE[entry]]]


def padding(code: bytes) -> int:
    """The length of the instruction that code begins with, if it does nothing; else 0.  (nop, and nop of a place in memory, which may be prefixed.)"""
    prefixes = len(code) - len(code.lstrip(b"\x66"))
    rest = code[prefixes:]
    if rest.startswith(b"\x90"):
        return prefixes + 1
    if not rest.startswith(b"\x0f\x1f") or len(rest) < 3:
        return 0
    mode, base = rest[2] >> 6, rest[2] & 7
    scaled = mode < 3 and base == 4  # one byte more says how the place is made
    absolute = mode == 0 and base == 5
    return prefixes + 3 + scaled + (4 if absolute else (0, 1, 4, 0)[mode])


def jump_at_end(template: Template) -> Hole | None:
    """The jump that ends a template, if it is one to another instruction: what `tier.stitch` may leave out."""
    *_, hole = template.holes or (None,)
    if hole and hole.name in (NEXT, JUMPED) and hole.at + 4 == len(template.code) and is_jump(template, hole):
        return hole
    return None


def is_jump(template: Template, hole: Hole) -> bool:
    """Is it where a jump leads to?"""
    before = template.code[max(0, hole.at - 2) : hole.at]
    conditional = len(before) == 2 and before[0] == 0x0F and before[1] & 0xF0 == CONDITIONAL
    jumps = before[-1:] == JUMP or conditional
    if hole.name.startswith((NEXT, JUMPED, COLD)) and not jumps:
        raise Unread(f"{hole.name} is no jump")
    return jumps
