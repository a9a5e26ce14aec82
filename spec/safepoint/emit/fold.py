"""A text with its choices made: one mutant, or none, and the features of one policy; and how its procedures call each other."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from safepoint.graph.scope import ends, is_call, is_docstring, plain
from safepoint.graph.text import Procedure, Text


class CannotEmit(Exception):
    """What is asked for has no C: says what, where, and what to write instead."""


Body = list[ast.stmt]
Bodies = Mapping[str, Body]
"""Procedure to its statements."""
Called = Mapping[str, Sequence[str]]
"""Procedure to those that it calls."""


@dataclass(frozen=True)
class Folded:
    """text: as it was read.  mutant: the one that is put in, "" for none.  variants: features that the C decides, by `#if`.
    features: those that the policy's text is written for; a `slice_on` of any other is false.  sites: where the policy checks.
    """

    text: Text
    mutant: str
    variants: tuple[str, ...]
    features: tuple[str, ...]
    sites: tuple[str, ...]

    def body(self, procedure: Procedure) -> Body:
        """Its statements, without its docstring, without `if mutant(…)`, and without what follows a return."""
        return list(self._fold(procedure.node.body, procedure.file))

    def _fold(self, body: Sequence[ast.stmt], file: str) -> Iterator[ast.stmt]:
        for node in map(plain, body):
            if is_docstring(node):
                continue
            if isinstance(node, ast.If) and (said := named(node.test, "mutant", "slice_on", "checks_at")):
                what, name = said
                if what != "slice_on" or name not in self.variants:
                    holds = name in {"mutant": (self.mutant,), "slice_on": self.features, "checks_at": self.sites}[what]
                    kept = list(self._fold(node.body if holds else node.orelse, file))
                    yield from kept
                    if kept and ends(kept[-1]):
                        return
                    continue
            match node:
                case ast.If(test=test, body=yes, orelse=no):
                    made = ast.If(test, list(self._fold(yes, file)), list(self._fold(no, file)))
                    yield ast.copy_location(made, node)
                case ast.For(target=target, iter=over, body=inner):
                    yield ast.copy_location(ast.For(target, over, list(self._fold(inner, file)), []), node)
                case _:
                    yield node
            if ends(node):
                return


def named(node: ast.expr, *functions: str) -> tuple[str, str] | None:
    """Of `mutant("name", …)`, `slice_on("name")` and `checks_at("name")`: the function and the name."""
    match node:
        case ast.Call(func=ast.Name(id=function), args=[ast.Constant(value=str(name))]) if function in functions:
            return function, name
    return None


def calls(body: Body, among: Mapping[str, object]) -> list[str]:
    """The procedures that a body calls, in its order, each once."""
    found = (n.func.id for s in body for n in ast.walk(s) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name))
    return [name for name in dict.fromkeys(found) if name in among]


def jump(node: ast.stmt, among: Mapping[str, object]) -> tuple[str, ast.Call] | None:
    """Of `return f(t)`: f, and the call."""
    match node:
        case ast.Return(value=ast.Call(func=ast.Name(id=name)) as call) if name in among:
            return name, call
    return None


def expression(body: Body) -> ast.expr | None:
    """What a helper of one `return` without a shared access returns; None: it is no such helper."""
    match body:
        case [ast.Return(value=ast.BinOp() as value)] if not any(
            isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) for n in ast.walk(value)
        ):
            return value
    return None


def reachable(roots: Sequence[str], bodies: Bodies) -> set[str]:
    """The procedures that these call, themselves included."""
    return _closure(roots, called(bodies))


def called(bodies: Bodies) -> Called:
    """What each procedure calls."""
    return {name: calls(body, bodies) for name, body in bodies.items()}


def _closure(roots: Sequence[str], called: Called) -> set[str]:
    found: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += called[name]
    return found


def loops(called: Called) -> dict[str, tuple[str, ...]]:
    """Procedures that jump to each other, each with the others of its circle, itself included; in the text's order.

    The text's `return f(t)` is a jump, which C has not: such a circle becomes one loop.
    """
    reach = {name: _closure(called[name], called) for name in called}
    return {
        name: tuple(other for other in called if other in reach[name] and name in reach[other])
        for name in called
        if name in reach[name]
    }


def head(circle: Sequence[str], called: Called, roots: Container[str] = ()) -> str:
    """The procedure of a circle that has the loop: the one that a VM calls, or else that most procedures outside of it call."""

    def callers(name: str) -> tuple[bool, int]:
        return name in roots, sum(name in each for caller, each in called.items() if caller not in circle)

    return max(circle, key=callers)


def only(body: Body, variant: str) -> Iterator[ast.stmt]:
    """The same with this variant, and without what stands in a `slice_on` of another."""
    for node in body:
        match node:
            case ast.If(test=test, body=yes, orelse=no) if said := named(test, "slice_on"):
                yield from only(yes if said[1] == variant else no, variant)
            case ast.If(test=test, body=yes, orelse=no):
                yield ast.If(test, list(only(yes, variant)), list(only(no, variant)))
            case _:
                yield node


def is_wait(node: ast.stmt) -> ast.expr | None:
    """The condition of a `wait`."""
    match node:
        case ast.Expr(value=ast.Call(args=[condition]) as call) if is_call(call, "wait"):
            return condition
    return None
