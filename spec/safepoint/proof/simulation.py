"""What a requester does, seen from one thread, and whether the requester of a world of one can do the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from safepoint.graph.execute import Activation, Impossible
from safepoint.graph.ir import WORLD, Cell, Graph, Step
from safepoint.model.process import Process
from safepoint.model.system import Model

Label = tuple[object, ...]
SILENT: Label = ()
Node = tuple[int, tuple[tuple[str, int], ...]]
"""A step and the locals that are alive there."""


@dataclass
class Anything:
    """The memory and the listener of a requester in a world of which nothing is known: a read gives `given`.

    `seen`: what the watched thread can see of the move so far.  A claim about another thread is for the view from there.
    """

    watched: int
    given: int = 0
    seen: Label = ()
    foreign: bool = False  # the move began with an access to another thread's word

    def load(self, cell: Cell) -> int:
        return self.given

    def store(self, cell: Cell, value: int) -> bool:
        if cell.owner in (WORLD, self.watched):
            self.seen += (value,)
        return True

    def locked(self, cell: Cell) -> bool:
        return True

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        if owner == self.watched:
            self.seen += (op, kind)

    def claim(self, name: str, holds: bool) -> None:
        if not (holds or self.foreign):
            self.seen += ("broken", name)

    def happens(self, name: str) -> None: ...

    def branch(self, place: str, taken: bool) -> None: ...


@dataclass(eq=False)
class RequesterView:
    """What a requester can do, seen from thread `watched`: what it does to other threads is silent.

    `values`: how many values there are of each word that it reads.  `locals`, `reals`: as a model has them.
    """

    graph: Graph
    watched: int
    values: Mapping[Cell, int]
    locals: tuple[str, ...]
    reals: dict[str, int]
    known: dict[tuple[Node, Label], set[Node]] = field(default_factory=dict)

    @cached_property
    def start(self) -> Node:
        a = Activation(self.graph, WORLD, {}, {}, self.reals)
        a.begin(Anything(self.watched))
        return _node(a)

    @cached_property
    def moves(self) -> dict[Node, set[tuple[Label, Node]]]:
        """Every node that it can reach, with what the watched thread sees of each step from there."""
        found: dict[Node, set[tuple[Label, Node]]] = {}
        todo = [self.start]
        while todo:
            node = todo.pop()
            if node not in found:
                found[node] = set(self._from(node))
                todo += [new for _, new in found[node]]
        return found

    def _from(self, node: Node) -> Iterator[tuple[Label, Node]]:
        here = Activation(self.graph, WORLD, self._locals(node), {}, self.reals, self._step(node))
        for a, heard, is_over in here.alternatives(Anything(self.watched), replace):
            if is_over:
                yield heard.seen, _node(a)
            else:
                yield from self._perform(a, heard)

    def _locals(self, node: Node) -> dict[str, int]:
        """As a model keeps them: what has not been set is 0."""
        return {**dict.fromkeys(self.locals, 0), **dict(node[1])}

    def _perform(self, a: Activation, heard: Anything) -> Iterator[tuple[Label, Node]]:
        step = a.at
        assert step is not None
        named = self.named(step)
        for value in range(self.values[step.cell] if _reads(step) and step.cell else 1):
            made, more = a.copy(), replace(heard, given=value, foreign=step.cell is not None and named is None)
            try:
                if made.perform(more, more):
                    yield ((step.op, str(named), value) if named else ()) + more.seen, _node(made)
            except Impossible:
                continue

    def ways(self, node: Node, label: Label) -> set[Node]:
        """Where it can be after what looks like `label`, with silent steps before and after."""
        if (node, label) not in self.known:
            before = self._silently({node})
            seen = {new for at in before for other, new in self.moves[at] if other == label}
            self.known[node, label] = before if label == SILENT else self._silently(seen)
        return self.known[node, label]

    def _silently(self, found: set[Node]) -> set[Node]:
        todo = list(found)
        while todo:
            fresh = {new for label, new in self.moves[todo.pop()] if label == SILENT} - found
            found = found | fresh
            todo += fresh
        return found

    def named(self, step: Step) -> Cell | None:
        """The word it accesses, if that can be seen from here; the watched thread is number 0 everywhere."""
        if step.cell is None or step.cell.owner not in (WORLD, self.watched):
            return None
        return Cell(0, step.cell.word) if step.cell.owner == self.watched else step.cell

    def stands(self, node: Node) -> Label:
        """What a property can see of where it stands; nothing, if it is busy with another thread."""
        step = self._step(node)
        if step.cell is not None and self.named(step) is None:
            return SILENT
        return (step.where, step.op, self.named(step))

    def _step(self, node: Node) -> Step:
        return self.graph.steps[node[0]]


def _node(a: Activation) -> Node:
    if a.at is None:
        raise ValueError(
            f"{a.graph.name}: a role of the model must not end (write instead: `return {a.graph.name}(…)`)"
        )
    return a.at.number, tuple(sorted(a.env.items()))


def _reads(step: Step) -> bool:
    return step.cell is not None and step.op != "store"


def view(model: Model, process: Process, watched: int) -> RequesterView:
    """Of a requester of a model.  Models that differ in nothing that it comes by have the same one: most scopes do."""
    words = dict.fromkeys(step.cell for step in process.graph.steps if step.cell and _reads(step))
    values = tuple((cell, model.cells[cell].mask + 1) for cell in words)
    return _view(process.graph, watched, values, tuple(process.locals), tuple(model.reals.items()))


@lru_cache(maxsize=64)
def _view(
    graph: Graph,
    watched: int,
    values: tuple[tuple[Cell, int], ...],
    locals_: tuple[str, ...],
    reals: tuple[tuple[str, int], ...],
) -> RequesterView:
    return RequesterView(graph, watched, dict(values), locals_, dict(reals))


@lru_cache(maxsize=64)
def simulates(small: RequesterView, large: RequesterView) -> bool:
    """Whether `small` can follow `large` step by step, with silent steps of its own between.

    Computes the largest relation of nodes: begins with every pair that looks alike and that the two can reach together,
    and takes out the pairs that cannot follow.
    """
    answers = {(p, q): _answers(small, large, p, q) for p, q in [(large.start, small.start)]}
    todo = list(answers)
    while todo:
        for choices in answers[todo.pop()]:
            for pair in choices - answers.keys():
                answers[pair] = _answers(small, large, *pair)
                todo.append(pair)
    related = set(answers)
    while wrong := {pair for pair in related if any(choices.isdisjoint(related) for choices in answers[pair])}:
        related -= wrong
    return (large.start, small.start) in related


def _answers(small: RequesterView, large: RequesterView, p: Node, q: Node) -> set[frozenset[tuple[Node, Node]]]:
    """For each move of `large` from p: the pairs, alike, in which `small` can have answered it from q."""
    return {
        frozenset((after, end) for end in small.ways(q, label) if large.stands(after) in (SILENT, small.stands(end)))
        for label, after in large.moves[p]
    }
