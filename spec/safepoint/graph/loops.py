"""Loops and atomic blocks of a protocol text: unrolled, or closed by a jump to a label."""

from __future__ import annotations

import ast
from abc import abstractmethod
from dataclasses import dataclass, field, replace

from safepoint.graph import ir
from safepoint.graph.expressions import Expressions
from safepoint.graph.scope import Next, Scope, branch, is_call, place_of
from safepoint.graph.text import Record, Value

STATEMENTS = (
    "=, +=, if, while, break, continue, return, a call, match choose(), with atomic(), for over triggers or threads"
)
LEAVES = ast.Return | ast.Break | ast.Continue


@dataclass
class Loops(Expressions):
    """What lowers a block is another's: `lower` has it."""

    labels: dict[int, ir.Tree] = field(default_factory=dict)
    again: list[tuple[ir.Goto, ast.AST, str]] = field(default_factory=list)  # jumps to what has been entered; where

    @abstractmethod
    def _block(self, body: list[ast.stmt], scope: Scope, then: Next) -> ir.Tree: ...

    def _label(self, build: Next) -> ir.Goto:
        number = len(self.labels)
        self.labels[number] = ir.Done(None)  # reserved: `build` may come back to it
        self.labels[number] = build()
        return ir.Goto(number)

    def _join(self, build: Next) -> Next:
        """The same continuation from several places: built once, reached by a label."""
        made: list[ir.Goto] = []

        def once() -> ir.Tree:
            if not made:
                made.append(self._label(build))
            return made[0]

        return once

    def _loop(self, name: str, over: ast.expr, body: list[ast.stmt], scope: Scope, then: Next) -> ir.Tree:
        if is_call(over, "threads") and self._ask("threads") is None:
            return self._loop_at_run_time(name, body, scope, then)
        values = self._static(over, scope)
        if any(isinstance(n, ast.Break | ast.Continue) for statement in body for n in ast.walk(statement)):
            return self._unroll(name, values, body, replace(scope, loop=(self._join(then), then)), then)
        return self._unroll(name, values, body, replace(scope, loop=None), then)

    def _unroll(self, name: str, values: tuple[Value, ...], body: list[ast.stmt], scope: Scope, then: Next) -> ir.Tree:
        """`scope.loop`: None if the loop is never left, nor a turn."""
        if not values:
            return scope.loop[0]() if scope.loop else then()
        turn = scope.binding(name, values[0])

        def following() -> ir.Tree:
            return self._unroll(name, values[1:], body, scope, then)

        if scope.loop:
            following = self._join(following)
            turn = replace(turn, loop=(scope.loop[0], following))
        return self._block(body, turn, following)

    def _loop_at_run_time(self, name: str, body: list[ast.stmt], scope: Scope, then: Next) -> ir.Tree:
        """A loop over however many threads there are: its variable is a local that numbers them."""
        number = ir.Local(f"{scope.path[-1]}.{name}")
        inner = replace(scope.binding(name, Record(number, "Thread")), loop=None)
        again = len(self.labels)

        def head() -> ir.Tree:
            turn = self._block(body, inner, lambda: ir.Let(number, ir.fold("+", number, ir.Const(1)), ir.Goto(again)))
            return ir.If(ir.Op("<", (number, ir.Population())), turn, then())

        return ir.Let(number, ir.Const(0), self._label(head))

    def _control(self, node: ast.stmt, scope: Scope, then: Next) -> ir.Tree:
        match node:
            case ast.While(orelse=[]):
                return self._while(node, scope, then)
            case ast.Break() | ast.Continue() if scope.loop:
                leave, following = scope.loop
                return leave() if isinstance(node, ast.Break) else following()
            case ast.Break() | ast.Continue():
                self.text.error(node, scope.file, "it stands in no loop", "return, or a loop around it")
            case ast.With(items=[ast.withitem(ast.Call(ast.Name("atomic"), [], []), None)], body=body):
                return self._atomic(node, body, scope, then)
            case ast.While() | ast.For(target=ast.Name()):
                self.text.error(node, scope.file, "a loop has no else", "a local that is set before break")
            case ast.Assign(targets=[ast.Tuple() | ast.List()]) | ast.Assign(targets=[_, _, *_]):
                self.text.error(node, scope.file, "one statement sets one name", "a = 1, and b = 2 on the next line")
            case ast.Expr():
                self.text.error(node, scope.file, "an expression alone does nothing", "wait(…), if …:, or x = …")
        said = type(node).__name__.lower()
        self.text.error(node, scope.file, f"no {said} in the protocol language", STATEMENTS)

    def _while(self, node: ast.While, scope: Scope, then: Next) -> ir.Tree:
        if scope.atomic:
            self.text.error(node, scope.file, "an atomic block goes round", "a loop over threads, or no block")
        after, again = self._join(then), ir.Goto(len(self.labels))

        def turn() -> ir.Tree:
            self.again.append((again, node, scope.file))
            return again

        inner = replace(scope, loop=(after, turn))
        return self._label(
            lambda: self._evaluate(
                node.test,
                scope,
                lambda v: branch(v, lambda: self._block(node.body, inner, turn), after, place_of(node, scope)),
            )
        )

    def _atomic(self, node: ast.With, body: list[ast.stmt], scope: Scope, then: Next) -> ir.Tree:
        """One move: a step begins it, and those that are joined to it belong to it."""
        for leaves in (n for statement in body for n in ast.walk(statement) if isinstance(n, LEAVES)):
            self.text.error(
                leaves, scope.file, "it leaves an atomic block in the middle", "a local, and an if behind it"
            )
        made = self._step(node, "atomic", scope)
        made.then = [self._block(body, replace(scope, atomic=True), then)]
        return made
