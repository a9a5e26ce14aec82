"""A file as Python parses it: the same tree for each text that reads it, since most texts share most of their files."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=64)
def parsed(source: str, file: str) -> ast.Module:
    """Not to be changed: `model.edits.copied` makes a tree that may be.  Raises as `ast.parse`."""
    return ast.parse(source, file)
