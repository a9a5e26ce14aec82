"""The format of an instruction, and the assembler.

64-bit instructions of 16-bit fields, each loaded where it is used: opcode, a, b, c; or opcode, a and a 32-bit b.  A jump's
distance is stored in bytes from the jump itself: one addition, on the critical path of a short loop.
"""

from __future__ import annotations

from collections.abc import Sequence

from safepoint_vm.language import machine

SIZE = 8  # bytes of an instruction

WIDE = (machine.Small, machine.Constant, machine.Global, machine.Name, machine.FarJump)
UNSIGNED = (machine.Slot, machine.Count, machine.Builtin, machine.Kind)
TAGGED = (machine.Immediate, machine.Small)
JUMPS = (machine.Jump, machine.FarJump)


def operand_place(number: int, kind: type) -> tuple[int, int]:
    """The offset of operand `number` in the instruction, and its size, in bytes."""
    return (4, 4) if issubclass(kind, WIDE) else (2 + 2 * number, 2)


def stored(value: int, kind: type, small: dict[int, int]) -> int:
    """The encoding of an operand of the opcode table.  `small`: the tagged words of constants that are not ints."""
    if issubclass(kind, JUMPS):
        return (value + 1) * SIZE
    if kind is machine.Small and value in small:
        return small[value]
    return value * 2 if issubclass(kind, TAGGED) else value


def assemble(number: int, operands: Sequence[int], kinds: Sequence[type], small: dict[int, int]) -> bytes:
    """The bytes of one instruction.  OverflowError: an operand that the verifier should have rejected."""
    image = bytearray(SIZE)
    image[0:2] = number.to_bytes(2, "little")
    for position, (value, kind) in enumerate(zip(operands, kinds, strict=True)):
        at, count = operand_place(position, kind)
        signed = not issubclass(kind, UNSIGNED)
        image[at : at + count] = stored(value, kind, small).to_bytes(count, "little", signed=signed)
    return bytes(image)
