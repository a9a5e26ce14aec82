"""A procedure of a protocol text with one statement changed: where statements and expressions stand, and copies with another in place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from safepoint.protocol import language

GHOSTS = {name for name, f in vars(language).items() if "object" in getattr(f, "__annotations__", {}).values()}
"""The statements that say something of a thread, which they take as an `object`, and do nothing."""

NEW = 0
"""The line of what does not stand in the text."""


@dataclass(frozen=True)
class Edit:
    """A procedure with one mistake in it.  before, after: the statement, without the statements that belong to it."""

    operator: str
    line: int
    before: str
    after: str
    function: ast.FunctionDef


@dataclass(frozen=True)
class Place:
    """Statement `at` of a block: attribute `block` of node number `parent` of the procedure, as `ast.walk` counts."""

    parent: int
    block: str
    at: int

    def of(self, function: ast.FunctionDef) -> list[ast.stmt]:
        """The block, in the procedure or a copy of it."""
        block: list[ast.stmt] = getattr(list(ast.walk(function))[self.parent], self.block)
        return block


def is_ghost(statement: ast.stmt) -> bool:
    """Does the statement say something about the protocol, and do nothing?  A mistake in it would not be one of the protocol."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name in GHOSTS
        case ast.If(body=body, orelse=orelse):
            return all(map(is_ghost, [*body, *orelse]))
    return False


def said(statement: ast.stmt) -> str:
    """The statement, without the statements that belong to it."""
    return ast.unparse(statement).splitlines()[0]


def statements(function: ast.FunctionDef) -> Iterator[tuple[Place, ast.stmt]]:
    """All that do something."""
    for number, node in enumerate(ast.walk(function)):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            for at, statement in enumerate(block if isinstance(block, list) else ()):
                if not is_ghost(statement) and not isinstance(statement, ast.Pass):
                    yield Place(number, name, at), statement


def expressions(statement: ast.stmt) -> list[ast.expr]:
    """Those of the statement, without those of the statements that belong to it."""
    match statement:
        case ast.If(test=test):
            return [test]
        case ast.For(iter=over):
            return [over]
    return [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.expr)]


# ---------------------------------------------------------------------------------------------- what is new


def parsed(source: str) -> list[ast.stmt]:
    """Statements that do not stand in the text."""
    module = ast.parse(source)
    for node in ast.walk(module):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno = NEW
    return module.body


def expression(source: str) -> ast.expr:
    """One that does not stand in the text."""
    (statement,) = parsed(source)
    assert isinstance(statement, ast.Expr)
    return statement.value


Tree = TypeVar("Tree", bound=ast.AST)


def copied(tree: Tree, old: ast.AST | None = None, new: ast.AST | None = None) -> Tree:
    """A copy of a syntax tree, with a node of it replaced.  As `copy.deepcopy`, in a tenth of the time."""
    made = type(tree).__new__(type(tree))
    for name, value in vars(tree).items():
        setattr(made, name, _copied(value, old, new))
    return made


def _copied(value: object, old: ast.AST | None, new: ast.AST | None) -> object:
    if isinstance(value, list):
        return [_copied(item, old, new) for item in value]
    if old is not None and value is old:
        return new
    return copied(value, old, new) if isinstance(value, ast.AST) else value


def replaced(statement: ast.stmt, old: ast.expr, new: ast.expr) -> ast.stmt:
    """A copy of the statement, with an expression of it replaced."""
    return copied(statement, old, new)


def edit(function: ast.FunctionDef, place: Place, operator: str, old: ast.stmt, new: Sequence[ast.stmt]) -> Edit:
    """The procedure with these statements in the place of one."""
    made = copied(function)
    block, placed = place.of(made), [_placed(s, old) for s in new]
    block[place.at : place.at + 1] = placed
    if not block and place.block == "body":
        block.append(ast.copy_location(ast.Pass(), old))
    return Edit(operator, old.lineno, said(old), "; ".join(map(said, placed)), made)


def _placed(new: ast.stmt, old: ast.stmt) -> ast.stmt:
    """A copy of a statement that stands in the place of another: what is new in it has the other's line."""
    made = copied(new)
    for node in ast.walk(made):
        if isinstance(node, ast.stmt | ast.expr) and getattr(node, "lineno", NEW) == NEW:
            ast.copy_location(node, old)
    return made


def swap(function: ast.FunctionDef, place: Place, other: int) -> Edit:
    """The procedure with two statements of a block in each other's place."""
    made = copied(function)
    block = place.of(made)
    one, two = block[place.at], block[other]
    block[place.at], block[other] = two, one
    return Edit("swap", one.lineno, f"{said(one)}; {said(two)}", f"{said(two)}; {said(one)}", made)
