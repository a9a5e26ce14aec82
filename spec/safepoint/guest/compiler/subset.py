"""What the guest's subset of Python leaves out, and what to write instead."""

from __future__ import annotations

import ast
import builtins

from safepoint.guest.operations.builtins import BUILTINS

PYTHONS = frozenset(dir(builtins)) - {"_"}
"""Names that Python defines.  A guest's global cannot have one: before its assignment, its meaning would differ."""

CALLED = frozenset({"len", *BUILTINS})
"""Built-in functions that a guest program can call, and cannot use as values."""

NOT_MADE = ("UnicodeEncodeError",)
"""Exception classes that need more arguments than the guest's exceptions have."""

IMPORTS = {
    "threading": ("Thread", "Lock"),
    "time": ("sleep",),
    "safepoint.guest.api": ("masked", "terminable", "interrupt", "terminate", "handshake", "collect"),
}
"""Module -> the names that a program may import from it, at its top; it can call them, and not use them as values."""

_A_DEF = "a def at the top level of the module"
_A_LOOP = "a for or while loop"
_VALUES = "ints, floats, strings, lists, bools, None and functions only"
_AN_IF = "if and elif"

NODES: dict[type[ast.AST], tuple[str, str]] = {
    # statements
    ast.FunctionDef: ("a def inside another statement", "a def at the top level of the module"),
    ast.AsyncFunctionDef: ("async def", "def"),
    ast.ClassDef: ("a class", "functions and global variables"),
    ast.AnnAssign: ("an annotated assignment", "x = value"),
    ast.AsyncFor: ("async for", _A_LOOP),
    ast.AsyncWith: ("async with", "try and finally"),
    ast.Match: ("match", _AN_IF),
    ast.TryStar: ("try with except*", "except"),
    ast.Import: ("import", "from threading import Thread, Lock, or all of the program in one file"),
    ast.ImportFrom: ("import behind other statements", "imports at the top of the program"),
    ast.Nonlocal: ("nonlocal", "global, with the variable at module level"),
    # expressions
    ast.NamedExpr: ("an assignment inside an expression", "an assignment statement before it"),
    ast.Lambda: ("lambda", _A_DEF),
    ast.Dict: ("a dict", _VALUES),
    ast.Set: ("a set", _VALUES),
    ast.Tuple: ("a tuple", "a list, or one variable for each value"),
    ast.ListComp: ("a list comprehension", _A_LOOP),
    ast.SetComp: ("a set comprehension", _A_LOOP),
    ast.DictComp: ("a dict comprehension", _A_LOOP),
    ast.GeneratorExp: ("a generator expression", _A_LOOP),
    ast.Await: ("await", "a plain call"),
    ast.Yield: ("yield", "print or return"),
    ast.YieldFrom: ("yield from", "print or return"),
    ast.Attribute: ("an attribute", "a plain name; methods can be called"),
    ast.Starred: ("a starred expression", "the values one by one"),
    # operators
    ast.MatMult: ("the operator @", "*"),
}

CONSTANTS: dict[type, tuple[str, str]] = {
    bytes: ("a bytes literal", _VALUES),
    complex: ("a complex number", "ints and floats"),
    type(...): ("...", "pass or None"),
}


def outside(node: ast.AST) -> tuple[str, str]:
    """The message about a construct outside the subset, and what to write instead."""
    kind = type(node.value) if isinstance(node, ast.Constant) else type(node)
    what, instead = {**NODES, **CONSTANTS}.get(kind, (kind.__name__, "something simpler"))
    return f"{what} is outside the guest's language", instead
