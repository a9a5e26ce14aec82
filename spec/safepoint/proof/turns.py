"""Loops over threads, in a role that is compiled for any number of them: what one turn hands on to the next."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from functools import cached_property

from safepoint.graph.expressions import Instance, is_call
from safepoint.graph.ir import (
    Const,
    Done,
    Ghost,
    Goto,
    Graph,
    If,
    Let,
    Local,
    Op,
    Population,
    Private,
    Step,
    Tree,
    liveness,
)
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import Procedure, Record
from safepoint.model.system import Model

CHOSEN = Local("a chosen thread")
"""Numbers every thread that a role chooses.  No name of a text can be this one."""


class _Choices(ast.NodeTransformer):
    """`choose(threads())` chooses CHOSEN: which one of the threads that is, nothing in a text can tell."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if is_call(node, "choose") and [is_call(a, "threads") for a in node.args] == [True]:
            node.args = [ast.Tuple([ast.Name(CHOSEN.name, ast.Load())], ast.Load())]
        return node


def for_any_number(model: Model, role: str) -> Graph:
    """A role of the model, its loops over threads kept as loops.  Raises ProtocolError."""
    text = copy(model.text)
    text.constants = {**text.constants, CHOSEN.name: Record(CHOSEN, "Thread")}
    text.functions = {name: Procedure(_Choices().visit(deepcopy(p.node)), p.file) for name, p in text.functions.items()}
    widths = model.scope.widths or model.policy.widths
    return compile_graph(text, role, Instance(None, model.mutant, widths, model.policy.name, model.scope.slices))


@dataclass(frozen=True)
class Loop:
    """A loop over threads.  `head`: the label where each turn begins.  `number`: the local that numbers the threads."""

    graph: Graph
    head: int
    number: Local
    turn: Tree

    @cached_property
    def body(self) -> list[Tree]:
        """The nodes of a turn that can lead to the next turn; not those on a way out of the loop."""
        found: dict[int, Tree] = {}
        todo = [self.turn]
        while todo:
            tree = todo.pop()
            if id(tree) not in found and tree != Goto(self.head):
                found[id(tree)] = tree
                # a new loop over all threads is not the next turn of this one
                todo += [] if tree == Let(self.number, Const(0), Goto(self.head)) else following(self.graph, tree)
        lead_on = {i for i, tree in found.items() if isinstance(tree, Let) and self._is_next(tree)}
        while (
            more := {i for i, tree in found.items() if not lead_on.isdisjoint(map(id, following(self.graph, tree)))}
            - lead_on
        ):
            lead_on |= more
        return [tree for i, tree in found.items() if i in lead_on]

    def _is_next(self, tree: Let) -> bool:
        return tree.target == self.number and tree.then == Goto(self.head) and isinstance(tree.value, Op)

    def carried(self) -> dict[str, list[str]]:
        """Locals that a turn sets and that live where the next one begins, with the places that set them."""
        probe = Step(len(self.graph.steps), "pause", None, (), (), 0, "", then=[Goto(self.head)])
        live = liveness(replace(self.graph, steps=[*self.graph.steps, probe]))[probe.number]
        found: dict[str, list[str]] = {}
        for tree in self.body:
            match tree:
                case Let(Local(name), _, _, place) if name in live - {self.number.name}:
                    found.setdefault(name.rpartition(".")[2], []).append(place)
                case Let(Private(name), _, _, place):
                    found.setdefault(name, []).append(place)
        return found

    def abroad(self) -> dict[str, list[Step]]:
        """What a turn accesses that is not of its own thread: the words, with the steps."""
        found: dict[str, list[Step]] = {}
        for tree in self.body:
            if isinstance(tree, Step) and tree.cell and tree.cell.owner != self.number:
                found.setdefault(str(tree.cell), []).append(tree)
            if isinstance(tree, Ghost) and tree.owner != self.number:
                found.setdefault(tree.op, self.steps())
        return found

    def steps(self) -> list[Step]:
        return [tree for tree in self.body if isinstance(tree, Step)]


def loops(graph: Graph) -> Iterator[Loop]:
    """Every loop over threads of a graph that was compiled for any number of them."""
    for label, tree in graph.labels.items():
        match tree:
            case If(Op("<", (Local() as number, Population())), turn, _):
                yield Loop(graph, label, number, turn)


def named(graph: Graph) -> Sequence[Step | str]:
    """Where the text of a thread names others: steps, and places of local work."""
    bodies = [tree for loop in loops(graph) for tree in loop.body]
    chosen = [step for step in graph.steps if step.cell and isinstance(step.cell.owner, Local)]
    return [
        *chosen,
        *(t for t in bodies if isinstance(t, Step)),
        *(t.place for t in bodies if isinstance(t, Let) and t.place),
    ]


def following(graph: Graph, tree: Tree) -> list[Tree]:
    """The nodes that come next."""
    match tree:
        case Step(then=then):
            return then
        case If(_, yes, no):
            return [yes, no]
        case Goto(label):
            return [graph.labels[label]]
        case Done():
            return []
    return [tree.then]
