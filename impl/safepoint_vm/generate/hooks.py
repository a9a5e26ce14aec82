"""The hook of the protocol's code, in variants that watch it, and what it is told.

Hooked: `hook(record, what, address, a, b)` is called before each shared access: `what`: `at_step`; the word's address; the operands.
It is called, too, where the text says something beside its accesses: `what`: minus its number in `HEARD`; kinds of request.
Hosted: the hook makes the access itself, and returns what the access gives.
"""

from __future__ import annotations

from llvmlite import ir

from safepoint_vm.generate.instruction import I64, POINTER
from safepoint_vm.generate.procedures import PROCEDURES

HOOK = ir.FunctionType(I64, [POINTER, *[I64] * 4])
HEARD = ("", "posted", "given_back", "taken", "asked", "served", "ran")
"""Ghosts that a hook is told of, by their number; 0 is none."""
CHECK = "back_edge"  # handlers make its accesses; of a check that stores a hook is told too (`generate.counted`)
STEPPED = (*PROCEDURES, CHECK)
"""What makes accesses that a hook is told of, by number."""
STEP_BITS = 16


def at_step(procedure: str, number: int) -> int:
    """What a hook is told of the access that a step makes."""
    return STEPPED.index(procedure) << STEP_BITS | number


def step_of(what: int) -> tuple[str, int]:
    """The procedure, and the number of its step."""
    return STEPPED[what >> STEP_BITS], what & (1 << STEP_BITS) - 1
