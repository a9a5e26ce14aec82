"""A toy VM and its adapter: the least that the judge can be given, with every word of a real one.

The VM's instructions are CPython's, in generators: a step is what lies between two `yield`s.  Eight slots make a frame.  It has
one thread; `threads_toy` has several.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from textwrap import indent
from types import CodeType
from typing import Any

from safepoint.conform.target import HANDSHAKE, INTERRUPT, STOP, Observation, Seen, Target
from safepoint.protocol.policy import Bound

Guest = Generator[str | None, None, object]


class Toy(Target):
    name = "toy"
    bound = Bound(frames=1, back_edges=1)
    offers = frozenset({STOP, INTERRUPT, HANDSHAKE, "stack", "exceptions", "masks", "watch"})

    guest: Guest = (None for _ in ())

    # -- the adapter

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        self.code, self.most = rewritten(source, file), stack // 8  # a generator that yields between two steps

    def start(self) -> None:
        self.guest.close()  # now, or its `finally` would print into the new guest's output
        self.output, self.error, self.ended = "", "", False
        self.frames = self.back_edges = self.depth = self.slow_entries = 0
        self.seen: list[Seen] = []
        self.watcher: Callable[[], None] | None = None
        self.pending: set[str] = set()
        self.masks = 0
        self.limit, self.entry = self.most, "jump"
        self.names: dict[str, Any] = {"vm": self, "print": self.say, "masked": self.masked}
        exec(self.code, self.names)
        self.guest = self.names["module"]()
        self.waits: str | None = None

    def step(self, count: int = 1) -> bool:
        try:
            for _ in range(0 if self.ended else count):
                self.waits = next(self.guest)
        except (RecursionError, KeyboardInterrupt, StopIteration) as end:
            self.ended, self.pending = True, set()
            self.error = "" if isinstance(end, StopIteration) else type(end).__name__
        return not self.ended

    def observe(self) -> Observation:
        seen, waiting = tuple(self.seen), len(self.pending - {INTERRUPT})
        made = self.frames, self.back_edges, seen, self.slow_entries
        return Observation(self.ended, self.output, self.error, (), *made, waiting=waiting)

    def watch(self, callback: Callable[[], None] | None) -> None:
        self.watcher = callback

    def access(self) -> None:
        if self.watcher:
            self.watcher()

    # -- the protocol

    def post(self, kind: str, thread: int = 0) -> None:
        if not self.ended:
            self.access()
            self.pending.add(kind)
            self.poison()

    def poison(self) -> None:
        self.access()
        self.limit = -1
        self.access()
        self.entry = "look"

    def restore(self) -> None:
        self.access()
        self.limit = self.most
        self.access()
        self.entry = "jump"

    def take(self) -> set[str]:
        self.access()
        bits = self.pending - ({INTERRUPT} if self.masks else set())
        self.pending = self.pending - bits
        return bits

    def slow_path(self) -> None:
        self.slow_entries += 1
        self.restore()
        self.serve(self.take())

    def serve(self, bits: set[str]) -> None:
        site = f"toy:{self.frames + self.back_edges}"
        self.seen += [Seen(kind, site, self.frames, self.back_edges) for kind in sorted(bits, reverse=True)]
        if INTERRUPT in bits:
            raise KeyboardInterrupt

    # -- what the rewritten guest calls

    def push(self) -> None:
        self.frames += 1
        if self.depth + 1 > self.limit:
            self.slow_path()
            if self.depth + 1 > self.most:
                raise RecursionError
        self.depth += 1

    def pop(self, result: int) -> int:
        self.depth -= 1
        return result

    def back_edge(self) -> None:
        self.back_edges += 1
        if self.entry == "look":
            self.slow_path()

    def turns(self, values: range) -> Iterator[int]:
        for value in values:
            self.back_edge()
            yield value
        self.back_edge()

    @contextmanager
    def masked(self) -> Iterator[None]:
        self.masks += 1
        try:
            yield
        finally:
            self.masks -= 1
            if INTERRUPT in self.pending:
                self.poison()

    def say(self, value: int) -> None:
        self.output += f"{value}\n"


@cache
def rewritten(source: str, file: str) -> CodeType:
    """A program as CPython's code: the same for each of the judge's many toys."""
    tree = ast.parse(source)
    shared = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    heading = f"def module():\n    global {', '.join(sorted(shared | {'vm'}))}\n"
    return compile(heading + indent(ast.unparse(Rewrite().visit(tree)), "    "), file, "exec")


PLAIN = {"print", "range", "masked", "Lock", "Thread"}
"""What guest code calls that is no generator."""


class Rewrite(ast.NodeTransformer):
    """Guest code becomes generators, which yield before each statement, push frames, and look at back-edges.

    A `finally` is one step, because a generator that is dropped must not yield.
    """

    def visit(self, node: ast.AST) -> Any:
        new = super().visit(node)
        return [ast.parse("yield").body[0], new] if isinstance(node, ast.stmt) else new

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return ast.Pass()

    def visit_Try(self, node: ast.Try) -> ast.AST:
        last, node.finalbody = node.finalbody, []
        self.generic_visit(node)
        node.finalbody = last
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        self.generic_visit(node)
        if isinstance(lock := node.items[0].context_expr, ast.Name):
            both = ast.parse(f"yield from {lock.id}.acquire()\ntry: pass\nfinally: {lock.id}.release()").body
            assert isinstance(both[1], ast.Try)
            both[1].body = node.body
            return ast.If(ast.Constant(value=True), both, [])
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body[:0] = ast.parse("vm.push()").body
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        return ast.Return(ast.Call(ast.parse("vm.pop", mode="eval").body, [node.value or ast.Constant(0)], []))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return node if ast.unparse(node.func) in PLAIN else ast.YieldFrom(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.test = ast.BoolOp(ast.Or(), [ast.parse("vm.back_edge()", mode="eval").body, node.test])
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = ast.Call(ast.parse("vm.turns", mode="eval").body, [node.iter], [])
        return node
