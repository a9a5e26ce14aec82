"""A file as Python parses it: the same tree for each text that reads it, since most texts share most of their files."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=64)
def parsed(source: str, file: str) -> ast.Module:
    """Not to be changed: `model.edits.copied` makes a tree that may be.  Raises as `ast.parse`."""
    return ast.parse(source, file)


@lru_cache(maxsize=4096)
def mutant_calls(function: ast.FunctionDef) -> tuple[ast.Call, ...]:
    """The calls `mutant(…)` of a function, which is told from others by its identity, and is not changed."""
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    return tuple(call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "mutant")
