"""Loops over threads, in a role that is compiled for any number of them: what one turn hands on to the next."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from safepoint.graph import ir
from safepoint.graph.flow import liveness
from safepoint.graph.lower import compile_graph
from safepoint.graph.scope import is_call
from safepoint.graph.text import Procedure, Record, Text
from safepoint.model.scopes import instance_of
from safepoint.model.system import Model

CHOSEN = ir.Local("a chosen thread")
"""Numbers every thread that a role chooses.  No name of a text can be this one."""


class _Choices(ast.NodeTransformer):
    """`choose(threads())` chooses CHOSEN: which one of the threads that is, nothing in a text can tell."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if is_call(node, "choose") and [is_call(a, "threads") for a in node.args] == [True]:
            node.args = [ast.Tuple([ast.Name(CHOSEN.name, ast.Load())], ast.Load())]
        return node


@lru_cache(maxsize=8)
def _unnumbered(text: Text) -> Text:
    """The text with CHOSEN in place of each thread that is chosen."""
    made = copy(text)
    made.constants = {**text.constants, CHOSEN.name: Record(CHOSEN, "Thread")}
    made.functions = {name: Procedure(_Choices().visit(deepcopy(p.node)), p.file) for name, p in text.functions.items()}
    return made


def for_any_number(model: Model, role: str) -> ir.Graph:
    """A role of the model, its loops over threads kept as loops.  Raises ProtocolError."""
    instance = replace(instance_of(model.scope, model.policy, model.mutant), threads=None)
    return compile_graph(_unnumbered(model.text), role, instance)


@dataclass(frozen=True)
class Loop:
    """A loop over threads.  `head`: the label where each turn begins.  `number`: the local that numbers the threads."""

    graph: ir.Graph
    head: int
    number: ir.Local
    turn: ir.Tree

    @cached_property
    def body(self) -> list[ir.Tree]:
        """The nodes of a turn that can lead to the next turn; not those on a way out of the loop."""
        another_loop = ir.Let(self.number, ir.Const(0), ir.Goto(self.head))
        found: dict[int, list[ir.Tree]] = {}
        trees = [self.turn]
        for tree in trees:
            if id(tree) not in found and tree != ir.Goto(self.head):
                found[id(tree)] = [] if tree == another_loop else self.graph.following(tree)
                trees += found[id(tree)]
        lead_on = {id(tree) for tree in trees if isinstance(tree, ir.Let) and self._is_next(tree)}
        before: set[int] = set()
        while before != lead_on:
            before = lead_on
            lead_on = before | {i for i, nexts in found.items() if not before.isdisjoint(map(id, nexts))}
        return list({id(tree): tree for tree in trees if id(tree) in lead_on}.values())

    def _is_next(self, tree: ir.Let) -> bool:
        return tree.target == self.number and tree.then == ir.Goto(self.head) and isinstance(tree.value, ir.Op)

    def carried(self) -> dict[str, list[str]]:
        """Locals that a turn sets and that live where the next one begins, with the places that set them."""
        probe = ir.Step(len(self.graph.steps), "pause", None, (), (), 0, "", then=[ir.Goto(self.head)])
        live = liveness(replace(self.graph, steps=[*self.graph.steps, probe]))[0][probe.number]
        found: dict[str, list[str]] = {}
        for tree in self.body:
            match tree:
                case ir.Let(ir.Local(name), _, _, place) if name in live - {self.number.name}:
                    found.setdefault(name.rpartition(".")[2], []).append(place)
                case ir.Let(ir.Private(name), _, _, place):
                    found.setdefault(name, []).append(place)
        return found

    def foreign(self) -> dict[str, list[ir.Step]]:
        """What a turn accesses that is not of its own thread: the words, with the steps."""
        found: dict[str, list[ir.Step]] = {}
        for tree in self.body:
            if isinstance(tree, ir.Step) and tree.cell and tree.cell.owner != self.number:
                found.setdefault(str(tree.cell), []).append(tree)
            if isinstance(tree, ir.Ghost) and tree.owner != self.number:
                found.setdefault(tree.op, self.steps())
        return found

    def steps(self) -> list[ir.Step]:
        return [tree for tree in self.body if isinstance(tree, ir.Step)]


def loops(graph: ir.Graph) -> Iterator[Loop]:
    """Every loop over threads of a graph that was compiled for any number of them."""
    for label, tree in graph.labels.items():
        match tree:
            case ir.If(ir.Op("<", (ir.Local() as number, ir.Population())), turn, _):
                yield Loop(graph, label, number, turn)


def named(graph: ir.Graph) -> Sequence[ir.Step | str]:
    """Where the text of a thread names others: steps, also those that a ghost follows, and places of local work."""
    found: list[ir.Step | str] = [s for s in graph.steps if any(isinstance(o, ir.Local) for o in _owners(graph, s))]
    for tree in (tree for loop in loops(graph) for tree in loop.body):
        if isinstance(tree, ir.Step):
            found.append(tree)
        elif isinstance(tree, ir.Let) and tree.place:
            found.append(tree.place)
    return found


def _owners(graph: ir.Graph, step: ir.Step) -> Iterator[int | str | ir.Local]:
    """The owners of what a step accesses and of the ghosts up to the next step."""
    if step.cell:
        yield step.cell.owner
    for then in step.then:
        yield from (tree.owner for tree in graph.local(then) if isinstance(tree, ir.Ghost))
