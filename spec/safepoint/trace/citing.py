"""Which rule a step of the text obeys: the comments of the lines on the way to it, procedure by procedure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache

from safepoint.graph import ir
from safepoint.graph.text import Text
from safepoint.protocol.rules import RULES


def cited_on(text: Text, graph: ir.Graph, step: ir.Step, levels: Iterable[int]) -> str | None:
    """The first rule on these lines: of procedure `where[level]` that on which it calls the next; the last is the step's own."""
    for level in levels:
        for procedure, line in _way(text, graph, step, level):
            if rules := _cited(text, procedure, line):
                return rules[0]
    return None


def cited_before(text: Text, graph: ir.Graph, step: ir.Step) -> str | None:
    """The rule of the look that decides that this step comes next."""
    looks = (before for before in _before(graph, step) if before.op == "load")
    cited = (rule for look in looks for rule in _cited(text, look.where[-1], look.line))
    return next(cited, None)


def cited_near(text: Text, step: ir.Step, levels: Iterable[int]) -> str | None:
    """The rule that is cited nearest before such a line in its procedure; else the next one behind it."""
    for level in levels:
        name = step.where[level]
        node = text.functions[name].node
        inner = step.where[level + 1] if level + 1 < len(step.where) else None
        for line in _lines(node, inner, step.line):
            for near in (*range(line, node.lineno, -1), *range(line, (node.end_lineno or line) + 1)):
                if rules := _cited(text, name, near):
                    return rules[0]
    return None


def _way(text: Text, graph: ir.Graph, step: ir.Step, level: int) -> Iterator[tuple[str, int]]:
    """Procedures and lines; also of one that the way has left, by `return f(t)`: the steps before it show which one it was."""
    name = step.where[level]
    inner = step.where[level + 1] if level + 1 < len(step.where) else None
    lines = _lines(text.functions[name].node, inner, step.line)
    yield from ((name, line) for line in lines)
    if inner is None:
        return
    before = {
        s.where[level + 1]
        for s in _before(graph, step)
        if s.where[:level] == step.where[:level] and len(s.where) > level + 1
    }
    left = [f for f in sorted(before) if inner in _jumps(text, f)]
    if not left and not lines:
        left = [f for f in _calls(text, name) if inner in _jumps(text, f)]
    for f in left:
        yield from ((f, line) for line in _lines(text.functions[f].node, inner, step.line))


def _before(graph: ir.Graph, step: ir.Step) -> list[ir.Step]:
    return [s for s in graph.steps if any(after is step for tree in s.then for after in graph.next_steps(tree))]


def _jumps(text: Text, name: str) -> set[str]:
    """The procedures that one ends by: `return f(t)`."""
    returned = (n.value for n in ast.walk(text.functions[name].node) if isinstance(n, ast.Return))
    return {v.func.id for v in returned if isinstance(v, ast.Call) and isinstance(v.func, ast.Name)}


def _calls(text: Text, name: str) -> list[str]:
    """The procedures that one calls, in the order of its lines."""
    calls = (n for n in ast.walk(text.functions[name].node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name))
    return [
        n.func.id
        for n in sorted(calls, key=lambda n: n.lineno)
        if isinstance(n.func, ast.Name) and n.func.id in text.functions
    ]


@cache
def _lines(node: ast.FunctionDef, calls: str | None, line: int) -> tuple[int, ...]:
    """The lines on which `node` calls a procedure, or the line itself; each followed by the ifs around it, the innermost first."""
    found: list[int] = []

    def visit(inner: ast.AST, around: tuple[int, ...]) -> None:
        if isinstance(inner, ast.stmt) and not isinstance(inner, ast.If | ast.For | ast.Match | ast.FunctionDef):
            called = {n.func.id for n in ast.walk(inner) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
            if (calls in called) if calls else inner.lineno <= line <= (inner.end_lineno or line):
                found.extend((inner.lineno, *reversed(around)))
        elif isinstance(inner, ast.If) and calls is None and inner.test.lineno == line:
            found.extend((line, *reversed(around)))
        deeper = (*around, inner.lineno) if isinstance(inner, ast.If) else around
        for child in ast.iter_child_nodes(inner):
            visit(child, deeper)

    visit(node, ())
    return tuple(found)


def _cited(text: Text, procedure: str, line: int) -> list[str]:
    comment = text.source(text.functions[procedure].file, line).partition("#")[2]
    return [rule for rule in re.findall(r"[A-Z]+(?:-[A-Z]+)+", comment) if rule in RULES]
