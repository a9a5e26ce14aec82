"""Where a statement of a protocol text stands: its names, and where it leads; and what its syntax shows."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from safepoint.graph.ir import Cell, Const, Expr, If, Tree
from safepoint.graph.text import Record, Text, Value
from safepoint.protocol.policy import SITES

OPERATORS: dict[type[ast.AST], str] = {
    ast.BitAnd: "&", ast.BitOr: "|", ast.Add: "+", ast.Sub: "-", ast.Eq: "==", ast.NotEq: "!=",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Invert: "~",
}  # fmt: skip

Return = Callable[[Expr | None], Tree]
Next = Callable[[], Tree]


DEEPEST = 5_000
"""Python's frames while a text is read: what follows a statement is read inside it, some six frames deeper."""


@contextmanager
def deeply() -> Iterator[None]:
    """Let a long text be read to its end."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


@dataclass
class Scope:
    """Names of one inlined procedure, the way back, the path of procedures, and the file it stands in.

    `atomic`: is it part of an atomic block?  `loop`: where `break` and `continue` lead.
    """

    names: dict[str, Value]
    ret: Return
    path: tuple[str, ...]
    file: str
    atomic: bool = False
    loop: tuple[Next, Next] | None = None

    def left(self) -> Scope:
        """The caller's place, for a jump: the procedure that jumps is over."""
        return replace(self, path=self.path[:-1])

    def binding(self, name: str, value: Value) -> Scope:
        return replace(self, names={**self.names, name: value})


def operates(node: ast.expr) -> bool:
    """Is it an operator of the language, applied to something?"""
    match node:
        case ast.BinOp(op=op) | ast.UnaryOp(op=op):
            return type(op) in OPERATORS or isinstance(op, ast.Not)
        case ast.Compare(ops=ops):
            return all(type(op) in OPERATORS or (len(ops) == 1 and isinstance(op, ast.Is | ast.IsNot)) for op in ops)
    return isinstance(node, ast.BoolOp)


def plain(node: ast.stmt) -> ast.stmt:
    """`x += 1` and `x: int = 1`, as assignments."""
    match node:
        case ast.AugAssign(target=target, op=op, value=value):
            node = ast.copy_location(ast.Assign([target], ast.copy_location(ast.BinOp(target, op, value), node)), node)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            node = ast.copy_location(ast.Assign([target], value), node)
    return node


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_call(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def fixed(text: Text, node: ast.expr, file: str, asked: tuple[str, object], has: bool) -> Const:
    """What the scope or the policy decides: `has` it that of which `slice_on` or `checks_at` asks?"""
    function, name = asked
    if text.is_custom:
        what = "scope of a text of its own has features" if function == "slice_on" else "text of its own has a policy"
        text.error(node, file, f"no {what}, so this is never true", "def scopes(), with other roles; or mutant(…)")
    if function == "checks_at" and name not in SITES:
        text.error(node, file, f"no check site {name!r}", ", ".join(SITES))
    return Const(int(has))


def say(value: Value) -> str:
    """Names a static value to people."""
    match value:
        case Record(owner=int(owner)):
            return f"T{owner}"
        case Cell(word=word):
            return word
    return str(value)


def branch(test: Expr | None, yes: Next, no: Next, place: str) -> Tree:
    if isinstance(test, Const):
        return yes() if test.value else no()
    assert test is not None
    return If(test, yes(), no(), place)


def place_of(node: ast.AST, scope: Scope) -> str:
    return f"{scope.file}:{getattr(node, 'lineno', 0)}"


def ends(node: ast.stmt) -> bool:
    """Does nothing that follows it in its block come after it?"""
    match node:
        case ast.Return() | ast.Break() | ast.Continue():
            return True
        case ast.While(test=ast.Constant(value=value)) if value:
            return not any(isinstance(each, ast.Break) for each in ast.walk(node))
    return False
