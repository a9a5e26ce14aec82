"""A toy VM and its adapter: the least that the judge can be given, with every word of a real one.

The VM's instructions are CPython's, in generators: a step is what lies between two `yield`s.  Eight slots make a frame.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator, Iterator
from textwrap import indent
from typing import Any

from safepoint.conform.target import Observation, Seen, Target
from safepoint.protocol.policy import Bound


class Toy(Target):
    name = "toy"
    bound = Bound(frames=1, back_edges=1)

    # -- the adapter

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        self.source, self.most = ast.unparse(Rewrite().visit(ast.parse(source))), stack // 8

    def start(self) -> None:
        self.output, self.error, self.ended = "", "", False
        self.frames = self.back_edges = self.depth = self.slow_entries = 0
        self.seen: list[Seen] = []
        self.watcher: Callable[[], None] | None = None
        self.pending: set[str] = set()
        self.limit, self.entry = self.most, "jump"
        names: dict[str, Any] = {"vm": self, "print": self.say}
        exec(f"def module():\n{indent(self.source, '    ')}", names)
        self.guest: Generator[None, None, int] = names["module"]()

    def step(self, count: int = 1) -> bool:
        try:
            for _ in range(0 if self.ended else count):
                next(self.guest)
        except (RecursionError, KeyboardInterrupt, StopIteration) as end:
            self.ended = True
            self.error = "" if isinstance(end, StopIteration) else type(end).__name__
        return not self.ended

    def observe(self) -> Observation:
        return Observation(
            self.ended, self.output, self.error, (), self.frames, self.back_edges, tuple(self.seen), self.slow_entries
        )

    def watch(self, callback: Callable[[], None] | None) -> None:
        self.watcher = callback

    def access(self) -> None:
        if self.watcher:
            self.watcher()

    # -- the protocol

    def post(self, kind: str) -> None:
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
        bits, self.pending = self.pending, set()
        return bits

    def slow_path(self) -> None:
        self.slow_entries += 1
        self.restore()
        self.serve(self.take())

    def serve(self, bits: set[str]) -> None:
        site = f"toy:{self.frames + self.back_edges}"
        self.seen += [Seen(kind, site, self.frames, self.back_edges) for kind in sorted(bits, reverse=True)]
        if "INTERRUPT" in bits:
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

    def say(self, value: int) -> None:
        self.output += f"{value}\n"


class Rewrite(ast.NodeTransformer):
    """Guest code becomes generators, which yield before each statement, push frames, and look at back-edges."""

    def visit(self, node: ast.AST) -> Any:
        new = super().visit(node)
        return [ast.parse("yield").body[0], new] if isinstance(node, ast.stmt) else new

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body[:0] = ast.parse("vm.push()").body
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        return ast.Return(ast.Call(ast.parse("vm.pop", mode="eval").body, [node.value or ast.Constant(0)], []))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return node if ast.unparse(node.func) in {"print", "range"} else ast.YieldFrom(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.test = ast.BoolOp(ast.Or(), [ast.parse("vm.back_edge()", mode="eval").body, node.test])
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = ast.Call(ast.parse("vm.turns", mode="eval").body, [node.iter], [])
        return node
