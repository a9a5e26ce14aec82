"""CPython as the third opinion on a guest program: what it prints, how it ends, and how many checks its *text* predicts.

The counts come from the source alone, which is instrumented at each `def` and each loop: a frame push is an entry of a
function, a back-edge is an evaluation of a `while` test or a `next` of a `for`'s range (n + 1 for n turns).  Nothing here
knows the guest's compiler, so that a check site that it forgets, or has twice, is seen.  The liberties taken with Python
are the guest's own: a result that needs more than 63 bits is an OverflowError, there are no complex numbers, and no
formatting with %.  Threads are CPython's; the counts are for programs that have only one.
"""

from __future__ import annotations

import ast
import io
import operator
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from time import sleep
from typing import Any

from safepoint.guest.faults import Fault, format_traceback

FILE = "<guest>"
FRAMES, TURNS, LESS, COUNTED, FIT = "__frame", "__turn", "__less", "__counted", "__fit"
AUGMENTED, REST = "__augmented", "__rest"
LIST, INDEX = "__list", "__index"
IN_PLACE: dict[str, Callable[[Any, Any], object]] = {
    "Add": operator.iadd, "Sub": operator.isub, "Mult": operator.imul, "FloorDiv": operator.ifloordiv, "Div": operator.itruediv,
    "Pow": operator.ipow, "Mod": operator.imod, "BitAnd": operator.iand, "BitOr": operator.ior, "BitXor": operator.ixor,
    "LShift": operator.ilshift, "RShift": operator.irshift,
}  # fmt: skip
REPHRASED = {f"{name}() iterable argument is empty": f"{name}() arg is an empty sequence" for name in ("min", "max")}
"""What CPython says since 3.12 -> what it said before, and what the guest language says on any Python."""
MAY_BE_LARGE = ("int", "abs", "sum")
PATIENCE = 60.0
"""Seconds until a thread is said to hang."""


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

    def counted(self, values: Iterable[object]) -> Iterator[object]:
        for value in values:
            self.back_edges += 1
            yield value
        self.back_edges += 1


def fit(result: object) -> object:
    if isinstance(result, int) and not -(2**62) <= result < 2**62:
        raise OverflowError("integer result does not fit in 63 bits")
    if isinstance(result, complex):
        raise ValueError("a negative number cannot be raised to a fractional power")
    return result


def augmented(op: str, left: object, right: object) -> object:
    if op == "Mod":
        no_formatting("%=", left, right)
    return fit(IN_PLACE[op](left, right))


def rest(left: Any, right: Any) -> object:
    no_formatting("%", left, right)
    return fit(left % right)


def no_formatting(op: str, left: object, right: object) -> None:
    """What the guest's language says of `str % x`: see `guest.values`."""
    if isinstance(left, str):
        raise TypeError(f"unsupported operand type(s) for {op}: 'str' and '{type(right).__name__}'")


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
        made = called(REST, node.left, node.right) if isinstance(node.op, ast.Mod) else called(FIT, node)
        return ast.copy_location(made, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return ast.copy_location(called(FIT, node), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in MAY_BE_LARGE:
            return ast.copy_location(called(FIT, node), node)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.AST]:
        """As an assignment of what the operator gives; the list and index of a subscript are computed first, once."""
        self.generic_visit(node)
        target, first = node.target, []
        if isinstance(target, ast.Subscript):
            names = ast.Tuple([ast.Name(LIST, ast.Store()), ast.Name(INDEX, ast.Store())], ast.Store())
            first = [ast.copy_location(ast.Assign([names], ast.Tuple([target.value, target.slice], ast.Load())), node)]
            target = ast.Subscript(ast.Name(LIST, ast.Load()), ast.Name(INDEX, ast.Load()), ast.Store())
            old: ast.expr = ast.Subscript(ast.Name(LIST, ast.Load()), ast.Name(INDEX, ast.Load()), ast.Load())
        else:
            assert isinstance(target, ast.Name)
            old = ast.Name(target.id, ast.Load())
        value = called(AUGMENTED, ast.Constant(type(node.op).__name__), old, node.value)
        return [*first, ast.copy_location(ast.Assign([target], ast.copy_location(value, node)), node)]


def called(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


@dataclass(frozen=True)
class Opinion:
    """`error`: the exception's name, or "".  `lines`: of its traceback, in the guest's text: (line, function).

    `uncaught`: the texts about what has ended other threads than the first.
    """

    output: str
    error: str
    message: str
    lines: tuple[tuple[int, str], ...]
    frames: int
    back_edges: int
    uncaught: tuple[str, ...] = ()


def message_of(error: BaseException | None) -> str:
    """What an exception says, in the words that the guest language has for it."""
    return REPHRASED.get(str(error), str(error)) if error else ""


def lines_of(error: BaseException | None) -> tuple[tuple[int, str], ...]:
    entries = traceback.extract_tb(error.__traceback__) if error else []
    return tuple((e.lineno or 0, e.name) for e in entries if e.filename == FILE)


@contextmanager
def threads_of(source: str) -> Iterator[list[str]]:
    """Wait for the threads that are started inside; the texts about what has ended them, as the guest words them."""
    texts: list[str] = []

    def note(args: threading.ExceptHookArgs) -> None:
        assert args.thread is not None
        fault = Fault(args.exc_type.__name__, message_of(args.exc_value))
        places = [(FILE, *line) for line in lines_of(args.exc_value)]
        texts.append(f"Exception in thread {args.thread.name}:\n" + format_traceback(fault, places, source))

    before, hook = set(threading.enumerate()), threading.excepthook
    threading.excepthook = note
    try:
        yield texts
        while more := [t for t in threading.enumerate() if t not in before]:  # they may start others meanwhile
            if more[0].ident is None:  # it is being started
                sleep(0.001)
                continue
            more[0].join(PATIENCE)
            assert not more[0].is_alive(), "a thread does not end"
    finally:
        threading.excepthook = hook


def run(source: str, depth: int = 3000) -> Opinion:
    """Run a program that ends.  `depth`: CPython's recursion limit meanwhile; a RecursionError makes the counts void."""
    counts, output = Counts(), io.StringIO()
    tree = ast.fix_missing_locations(Instrument().visit(ast.parse(source, FILE)))
    names: dict[str, Callable[..., object]] = {
        FRAMES: counts.frame, TURNS: counts.turn, LESS: counts.less, COUNTED: counts.counted, FIT: fit,
        AUGMENTED: augmented, REST: rest,
    }  # fmt: skip
    error, before = None, sys.getrecursionlimit()
    sys.setrecursionlimit(depth)
    try:
        with redirect_stdout(output), threads_of(source) as uncaught, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `1 is 1`, `~True`: a matter of style, not of meaning
            code = compile(tree, FILE, "exec", dont_inherit=True)
            try:
                exec(code, dict(names))
            except Exception as raised:  # noqa: BLE001 (whatever the guest raises is its opinion)
                error = raised
    finally:
        sys.setrecursionlimit(before)
    told = (output.getvalue(), type(error).__name__ if error else "", message_of(error), lines_of(error))
    return Opinion(*told, counts.frames, counts.back_edges, tuple(uncaught))
