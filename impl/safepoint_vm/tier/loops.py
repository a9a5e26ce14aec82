"""Where the loops of a function are, and which of its instructions count until it is hot."""

from __future__ import annotations

from safepoint.guest.code import BACK_EDGES, Code, target_of


def loops_of(code: Code) -> list[int]:
    """The numbers of its back-edges."""
    return [number for number, each in enumerate(code.instructions) if each.op in BACK_EDGES]


def bodies_of(code: Code) -> set[int]:
    """The numbers of the instructions with which the bodies of its loops begin."""
    targets = [target_of(number, code.instructions[number]) for number in loops_of(code)]
    return {target for target in targets if target is not None}


def counting(code: Code) -> list[int]:
    """The numbers of the instructions that count; a back-edge does not, whose dispatch is its check."""
    return [number for number in {0, *bodies_of(code)} if code.instructions[number].op not in BACK_EDGES]
