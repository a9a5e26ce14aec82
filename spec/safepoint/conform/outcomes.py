"""What Python does with a KeyboardInterrupt that is raised somewhere: CPython itself says it, for every place between two statements.

The judge does not know where in the source a VM's checks are.  So every place is allowed, and what follows from it is held
against the VM: which handlers and which `finally` run, what they print, and how the guest ends.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from itertools import count
from typing import Any

from safepoint.conform.programs import Program

PLACE = "_place"


class Instrument(ast.NodeTransformer):
    """Calls PLACE at the beginning and the end of each block, and between any two statements."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name, block in ast.iter_fields(node):
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                places = [ast.parse(f"{PLACE}()").body[0] for _ in range(len(block) + 1)]
                setattr(node, name, [one for pair in zip(places, block, strict=False) for one in pair] + places[-1:])
        return node


@lru_cache
def outcomes(program: Program, interrupts: int) -> frozenset[tuple[str, str]]:
    """Every (output, error) of the program with this many KeyboardInterrupts.  The number of runs grows as places ** interrupts."""
    tree = ast.fix_missing_locations(Instrument().visit(ast.parse(program.source)))
    code = compile(tree, program.name, "exec")
    found: dict[tuple[int, ...], tuple[str, str]] = {(): (program.output, program.error)}
    for _ in range(interrupts):
        before, found = found, {}
        for raised in before:
            for place in count(raised[-1] + 1 if raised else 0):
                output, error, executed = _run(code, (*raised, place))
                if executed <= place:
                    break
                found[*raised, place] = output, error
    return frozenset(found.values())


def _run(code: Any, raised: tuple[int, ...]) -> tuple[str, str, int]:
    """Run with an interrupt at each of these places, counted as they are executed: output, error, places executed."""
    output: list[str] = []
    executed, error = 0, ""

    def place() -> None:
        nonlocal executed
        executed += 1
        if executed - 1 in raised:
            raise KeyboardInterrupt

    try:
        exec(code, {PLACE: place, "print": lambda value: output.append(f"{value}\n")})
    except KeyboardInterrupt as end:
        error = type(end).__name__
    return "".join(output), error, executed
