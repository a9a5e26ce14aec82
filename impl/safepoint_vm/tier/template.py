"""What a template of compiled code is: machine code with holes (`tier.templates` makes them, `tier.stitch` fills them)."""

from __future__ import annotations

import marshal
from typing import NamedTuple

from safepoint_vm.language import machine

HOLE, COLD, CONSTANTS = "hole.", "cold.", "constants"
"""Before the name of a hole, of cold code; and the name of what templates read."""
PLACE, NEXT, JUMPED = HOLE + "pc", HOLE + "next", HOLE + "jump"
DISTANCE, ABSOLUTE, LONG = "distance", "absolute", "long"
KINDS = {1: LONG, 2: DISTANCE, 4: DISTANCE, 10: ABSOLUTE, 11: ABSOLUTE}
"""Kinds of relocation of ELF for x86-64 that are holes: R_X86_64_64, R_X86_64_PC32, R_X86_64_PLT32, R_X86_64_32, R_X86_64_32S."""
BOUND = 1 << 30
"""What is put into a hole for an operand is less than this, and no less than the same below 0, or its instruction is not compiled."""
INDEXES = (machine.Slot, machine.Global, machine.Constant)
"""Operands that number words of a row: into a hole goes a number of bytes."""


class Hole(NamedTuple):
    """32 bits of a template, or 64 if it is long, at an offset.  kind: a distance from here to what is named, or its value, to which the
    addend is added.
    """

    at: int
    kind: str
    name: str
    addend: int


class Template(NamedTuple):
    """Code, and its holes."""

    code: bytes
    holes: tuple[Hole, ...]


class Templates(NamedTuple):
    """constants: what they read, at an address that is a multiple of 64.  of: by opcode or superinstruction."""

    constants: bytes
    of: dict[str, Template]


def template_name(op: str, builtin: int | None = None) -> str:
    """Under which name an opcode, or a superinstruction, has its template.  `builtin`: its operand of that kind."""
    return op if builtin is None else f"{op}.{builtin}"


def packed(made: Templates) -> bytes:
    """For a file, which only a Python of the same version reads."""
    of = {name: (code, [tuple(hole) for hole in holes]) for name, (code, holes) in made.of.items()}
    return marshal.dumps((made.constants, of))


def unpacked(content: bytes) -> Templates:
    """What was packed."""
    constants, of = marshal.loads(content)
    made = {name: Template(code, tuple(Hole(*each) for each in holes)) for name, (code, holes) in of.items()}
    return Templates(constants, made)
