"""The normal form of a graph: two graphs with one digest do the same, whatever they look like.

Local work becomes a tree of decisions whose leaves assign all at once, so that the order of statements without an access, dead
locals and labels do not show.  Steps that no sequence of accesses tells apart are one (a partition refined until it is stable).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safepoint.graph import ir


@dataclass(frozen=True)
class Leaf:
    """The end of local work: the step that comes next (None: the graph ends), and what has been assigned on the way."""

    step: ir.Step | None
    assigned: str


@dataclass(frozen=True)
class Fork:
    test: str
    yes: Node
    no: Node


@dataclass(frozen=True)
class Said:
    """A ghost, a claim or a condition on the way."""

    what: str
    then: Node


Node = Leaf | Fork | Said
Env = Mapping[ir.Local | ir.Private, ir.Expr]


def digest(graph: ir.Graph, says: Callable[[ir.Step], object]) -> bytes:
    """Equal for graphs that do the same.  `says`: what else of a step counts."""
    work = _Work(graph)
    start = work.node(graph.start, {})
    nodes = {}
    todo = [start]
    while todo:
        for step in _next(todo.pop()):
            if step not in nodes:
                nodes[step] = [work.node(tree, {}) for tree in step.then]
                todo += nodes[step]
    fixed = {
        step: repr(
            (step.op, step.order, str(step.cell), step.operands, step.guard, step.cases, step.joined, says(step))
        )
        for step in nodes
    }
    classes = {step: _hash(said) for step, said in fixed.items()}
    rounds = 0
    while True:
        refined = {step: _hash(fixed[step] + "|".join(_said(n, classes) for n in nodes[step])) for step in nodes}
        rounds += 1
        if len(set(refined.values())) == len(set(classes.values())):
            break
        classes = refined
    # the number of rounds and all classes: only so does one digest mean that both together are stable
    return _hash(
        f"{rounds} {_said(start, refined)} {sorted(set(classes.values()))} {sorted(set(refined.values()))}"
    ).encode()


def _hash(said: str) -> str:
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()


def _next(node: Node) -> list[ir.Step]:
    match node:
        case Leaf(step):
            return [step] if step else []
        case Fork(_, yes, no):
            return _next(yes) + _next(no)
        case Said(_, then):
            return _next(then)


def _said(node: Node, classes: Mapping[ir.Step, str]) -> str:
    match node:
        case Leaf(step, assigned):
            return f"{assigned}>{classes[step] if step else ''}"
        case Said(what, then):
            return f"{what};{_said(then, classes)}"
        case Fork(test, yes, no):
            one, other = _said(yes, classes), _said(no, classes)
            return one if one == other else f"{test}?({one})({other})"


class _Work:
    """The local work of a graph, run with expressions for values."""

    def __init__(self, graph: ir.Graph) -> None:
        self.graph = graph

    def node(self, tree: ir.Tree, env: Env) -> Node:
        match tree:
            case ir.Step():
                return Leaf(tree, _assigned(env, self.graph.live[tree.number]))
            case ir.Goto(label):
                return self.node(self.graph.labels[label], env)
            case ir.Let(target, value, then):
                return self.node(then, {**env, target: _put(value, env)})
            case ir.If(test, yes, no):
                test = _put(test, env)
                if isinstance(test, ir.Const):
                    return self.node(yes if test.value else no, env)
                one, other = self.node(yes, env), self.node(no, env)
                return one if one == other else Fork(repr(test), one, other)
            case ir.Ghost(op, owner, kind, then):
                return Said(f"{op} {owner} {_put(kind, env)}", self.node(then, env))
            case ir.Claim(name, test, then, always):
                return Said(f"{'claim' if always else 'eventually'} {name} {_put(test, env)}", self.node(then, env))
            case ir.When(test, then):
                return Said(f"when {_put(test, env)}", self.node(then, env))
            case ir.Done(value):
                return Leaf(None, f"{value and _put(value, env)} {_assigned(env, frozenset())}")


def _assigned(env: Env, live: frozenset[str]) -> str:
    """What is assigned and can still be read."""
    kept = [
        (str(name), value)
        for name, value in env.items()
        if name != value and (isinstance(name, ir.Private) or name.name in live)
    ]
    return repr(sorted(kept, key=lambda pair: pair[0]))


def _put(e: ir.Expr, env: Env) -> ir.Expr:
    """The expression over what the names were before."""
    match e:
        case ir.Local() | ir.Private():
            return env.get(e, e)
        case ir.Op(name, args):
            return ir.fold(name, *(_put(a, env) for a in args))
    return e
