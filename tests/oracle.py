"""CPython as the third opinion on a guest program: what it prints, how it ends, and how many checks its *text* predicts.

The counts come from the source alone, which is instrumented at each `def` and each loop: a frame push is an entry of a
function, a back-edge is an evaluation of a `while` test or a `next` of a `for`'s range (n + 1 for n turns).  Nothing here
knows the guest's compiler, so that a check site that it forgets, or has twice, is seen.  The one liberty taken with Python
is the guest's own: the result of an operator that needs more than 63 bits is an OverflowError.
"""

from __future__ import annotations

import ast
import contextlib
import io
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

FILE = "<guest>"
FRAMES, TURNS, LESS, COUNTED, FIT = "__frame", "__turn", "__less", "__counted", "__fit"


@dataclass
class Counts:
    frames: int = 0
    back_edges: int = 0

    def frame(self) -> None:
        self.frames += 1

    def turn(self, test: object) -> object:
        """The test is an argument: one that raises is not counted."""
        self.back_edges += 1
        return test

    def less(self, left: Any, right: Any) -> object:
        """A bare `a < b` is one instruction with the jump: it is counted before it can raise."""
        self.back_edges += 1
        return left < right

    def counted(self, values: range) -> Iterator[int]:
        for value in values:
            self.back_edges += 1
            yield value
        self.back_edges += 1


def fit(result: object) -> object:
    if isinstance(result, int) and not -(2**62) <= result < 2**62:
        raise OverflowError("integer result does not fit in 63 bits")
    return result


class Instrument(ast.NodeTransformer):
    """Put a counter call where the guest has a check site.  Lines stay what they are."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(called(FRAMES)))
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        match node.test:
            case ast.Compare(left=left, ops=[ast.Lt()], comparators=[right]):
                node.test = ast.copy_location(called(LESS, left, right), node.test)
            case test:
                node.test = ast.copy_location(called(TURNS, test), test)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = ast.copy_location(called(COUNTED, node.iter), node.iter)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return ast.copy_location(called(FIT, node), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return ast.copy_location(called(FIT, node), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """As a plain assignment, also for the message of a TypeError: it says `+` in the guest."""
        assert isinstance(node.target, ast.Name)
        operation = ast.copy_location(ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value), node)
        self.generic_visit(operation)
        value = ast.copy_location(called(FIT, operation), node)
        return ast.copy_location(ast.Assign([node.target], value), node)


def called(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


@dataclass(frozen=True)
class Opinion:
    """`error`: the exception's name, or "".  `lines`: of its traceback, in the guest's text: (line, function)."""

    output: str
    error: str
    message: str
    lines: tuple[tuple[int, str], ...]
    frames: int
    back_edges: int


def run(source: str, depth: int = 3000) -> Opinion:
    """Run a program that ends.  `depth`: CPython's recursion limit meanwhile; a RecursionError makes the counts void."""
    counts, output = Counts(), io.StringIO()
    tree = ast.fix_missing_locations(Instrument().visit(ast.parse(source, FILE)))
    names: dict[str, Callable[..., object]] = {
        FRAMES: counts.frame, TURNS: counts.turn, LESS: counts.less, COUNTED: counts.counted, FIT: fit,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `1 is 1`: a matter of style, not of meaning
        code = compile(tree, FILE, "exec", dont_inherit=True)
    error, before = None, sys.getrecursionlimit()
    sys.setrecursionlimit(depth)
    try:
        with contextlib.redirect_stdout(output):
            exec(code, dict(names))
    except Exception as raised:  # noqa: BLE001 (whatever the guest raises is its opinion)
        error = raised
    finally:
        sys.setrecursionlimit(before)
    entries = traceback.extract_tb(error.__traceback__) if error else []
    lines = tuple((e.lineno or 0, e.name) for e in entries if e.filename == FILE)
    name = type(error).__name__ if error else ""
    return Opinion(output.getvalue(), name, str(error or ""), lines, counts.frames, counts.back_edges)
