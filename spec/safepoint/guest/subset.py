"""What of Python is outside the guest's subset, and what to write instead."""

from __future__ import annotations

import ast
import builtins

BUILTINS = frozenset(dir(builtins)) - {"_"}
"""Names that Python defines.  A guest's global cannot bear one: unassigned, it would mean something else than in Python."""

_NUMBERS = "ints; // and % divide them"
_A_DEF = "a def at the top level of the module"
_A_LOOP = "a for or while loop"
_LATER = "ints, bools, None and functions only"
_AN_IF = "if and elif"
_NO_CATCH = "a test with if before the operation"

NODES: dict[type[ast.AST], tuple[str, str]] = {
    # statements
    ast.FunctionDef: ("a def inside another statement", "a def at the top level of the module"),
    ast.AsyncFunctionDef: ("async def", "def"),
    ast.ClassDef: ("a class", "functions and global variables"),
    ast.Delete: ("del", "x = None"),
    ast.AnnAssign: ("an annotated assignment", "x = value"),
    ast.AsyncFor: ("async for", _A_LOOP),
    ast.With: ("with", "the statements of its body"),
    ast.AsyncWith: ("async with", "the statements of its body"),
    ast.Match: ("match", _AN_IF),
    ast.Raise: ("raise", "return with a value that says so"),
    ast.Try: ("try", _NO_CATCH),
    ast.TryStar: ("try with except*", _NO_CATCH),
    ast.Assert: ("assert", "an if that prints and returns"),
    ast.Import: ("import", "all of the program in one file"),
    ast.ImportFrom: ("import", "all of the program in one file"),
    ast.Nonlocal: ("nonlocal", "global, with the variable at module level"),
    # expressions
    ast.NamedExpr: ("an assignment inside an expression", "an assignment statement before it"),
    ast.Lambda: ("lambda", _A_DEF),
    ast.Dict: ("a dict", _LATER),
    ast.Set: ("a set", _LATER),
    ast.List: ("a list", _LATER),
    ast.Tuple: ("a tuple", "one variable for each value"),
    ast.ListComp: ("a list comprehension", _A_LOOP),
    ast.SetComp: ("a set comprehension", _A_LOOP),
    ast.DictComp: ("a dict comprehension", _A_LOOP),
    ast.GeneratorExp: ("a generator expression", _A_LOOP),
    ast.Await: ("await", "a plain call"),
    ast.Yield: ("yield", "print or return"),
    ast.YieldFrom: ("yield from", "print or return"),
    ast.JoinedStr: ("an f-string", "print with several arguments"),
    ast.Attribute: ("an attribute", "a plain name"),
    ast.Subscript: ("a subscript", _LATER),
    ast.Starred: ("a starred expression", "the arguments one by one"),
    ast.Slice: ("a slice", _LATER),
    # operators
    ast.Div: ("the operator /, which makes a float", "//"),
    ast.Pow: ("the operator **", "a loop that multiplies"),
    ast.MatMult: ("the operator @", "*"),
    ast.In: ("the operator in", "comparisons joined with or"),
    ast.NotIn: ("the operator not in", "comparisons joined with and"),
}

CONSTANTS: dict[type, tuple[str, str]] = {
    str: ("a string", _LATER),
    bytes: ("a bytes literal", _LATER),
    float: ("a float", _NUMBERS),
    complex: ("a complex number", _NUMBERS),
    type(...): ("...", "pass or None"),
}


def outside(node: ast.AST) -> tuple[str, str]:
    """What the construct is called, and what to write instead."""
    kind = type(node.value) if isinstance(node, ast.Constant) else type(node)
    what, instead = {**NODES, **CONSTANTS}.get(kind, (kind.__name__, "something simpler"))
    return f"{what} is outside the guest's language", instead
