"""Where a local of the text is declared in C: at its first assignment, or above the block that has it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from safepoint.emit.fold import Body, named


def early_locals(body: Body) -> list[str]:
    """Locals that are assigned in a block, and used outside of it."""
    nodes = [n for s in body for n in ast.walk(s)]
    assigned = (n.targets[0].id for n in nodes if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name))
    return [name for name in dict.fromkeys(assigned) if not _has_home(body, name, _uses(body, name))]


def _uses(body: Sequence[ast.stmt], name: str) -> int:
    return sum(isinstance(n, ast.Name) and n.id == name for s in body for n in ast.walk(s))


def _has_home(body: Sequence[ast.stmt], name: str, uses: int) -> bool:
    """Is there a block that has all uses of a local, and whose first one is an assignment to it?"""
    if _uses(body, name) < uses:
        return False
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=target)]) if target == name:
                return True
            case ast.If(test=test, body=yes, orelse=no):
                if (
                    named(test, "slice_on") and not no and _has_home(yes, name, _uses(yes, name))
                ):  # an `#if` is no block
                    return True
                if _uses([node], name):
                    return _has_home(yes, name, uses) or _has_home(no, name, uses)
    return False
