"""What is known of a graph from its steps alone: which locals survive a wait, and where it waits without a guard."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from safepoint.graph import ir


def looks(graph: ir.Graph) -> frozenset[int]:
    """The steps to which a procedure comes back having only loaded, without a guard: nothing but another thread ends that."""
    onward = {s.number: {t.number for t in graph.next_steps(s.then[0])} for s in graph.steps if is_look(s)}
    again = {(a, b) for a, after in onward.items() for b in after if b in onward and b <= a}
    return frozenset(b for a, b in again if a in reached(onward, b))


def is_look(step: ir.Step) -> bool:
    return step.op == "load" and step.guard is None


def reached(onward: dict[int, set[int]], start: int) -> set[int]:
    """The numbers reached from `start`, itself included, through those that `onward` has."""
    found, todo = {start}, [start]
    while todo:
        new = onward.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


def liveness(graph: ir.Graph) -> tuple[dict[int, frozenset[str]], frozenset[str]]:
    """For each step the locals that must survive until it begins: all that a reader keeps when it stops there; and those that
    must be set before the graph begins.
    """
    ways = {_label(n): Way(set(), []) for n in graph.labels} | {s.number: Way(set(), []) for s in graph.steps}
    for n, tree in graph.labels.items():
        _follow(tree, frozenset(), ways[_label(n)])
    for s in graph.steps:
        gone, way = frozenset({ir.RESULT.name}), ways[s.number]
        way.reads.update(
            locals_of(s.guard) - gone, owner_local(s.cell.owner) if s.cell else (), *map(locals_of, s.operands)
        )
        for tree in s.then:
            _follow(tree, gone, way)
    before: dict[int, list[int]] = {at: [] for at in ways}
    for at, way in ways.items():
        for end, _ in way.ends:
            before[end].append(at)
    live = dict.fromkeys(ways, frozenset[str]())
    todo = list(ways)
    while todo:  # what is alive flows backwards
        at = todo.pop()
        if (needs := ways[at].needs(live)) != live[at]:
            live[at] = needs
            todo += before[at]
    start = Way(set(), [])
    _follow(graph.start, frozenset(), start)
    return {s.number: live[s.number] for s in graph.steps}, start.needs(live)


class Way(NamedTuple):
    """Local work up to the next steps and labels: the locals that it reads, but for those that it has set before; and where it
    ends, with the locals that it has set by then.
    """

    reads: set[str]
    ends: list[tuple[int, frozenset[str]]]

    def needs(self, live: Mapping[int, frozenset[str]]) -> frozenset[str]:
        return frozenset(self.reads).union(*(live[end] - gone for end, gone in self.ends))


def _label(number: int) -> int:
    """A label, among the numbers of steps."""
    return -1 - number


def _follow(tree: ir.Tree, gone: frozenset[str], way: Way) -> None:
    """Add to a way the local work from here on.  `gone`: the locals that have been set before."""
    match tree:
        case ir.Step():
            way.ends.append((tree.number, gone))
        case ir.Goto(label):
            way.ends.append((_label(label), gone))
        case ir.Let(target, value, then):
            way.reads.update(locals_of(value) - gone)
            _follow(then, gone | {target.name} if isinstance(target, ir.Local) else gone, way)
        case ir.If(test, yes, no):
            way.reads.update(locals_of(test) - gone)
            _follow(yes, gone, way)
            _follow(no, gone, way)
        case ir.Ghost(_, owner, kind, then):
            way.reads.update(owner_local(owner) - gone, locals_of(kind) - gone)
            _follow(then, gone, way)
        case ir.Claim(_, test, then) | ir.When(test, then):
            way.reads.update(locals_of(test) - gone)
            _follow(then, gone, way)
        case ir.Done(value):
            way.reads.update(locals_of(value) - gone)


def follows_a_swap(graph: ir.Graph, step: ir.Step) -> bool:
    """Does every way to a step go through a wait for a compare-and-swap, by which one thread at a time comes there?"""
    onward = {
        s.number: {after.number for after in graph.next_steps(s.then[0])}
        for s in graph.steps
        if not (s.op == "cas" and s.guard is not None)
    }
    return all(step.number not in reached(onward, first.number) for first in graph.next_steps(graph.start))


@cache
def locals_of(e: ir.Expr | None) -> frozenset[str]:
    """The locals that an expression reads."""
    owners = (a.cell.owner for a in ir.atoms(e) if isinstance(a, ir.Fixed))
    return frozenset(a.name for a in ir.atoms(e) if isinstance(a, ir.Local)) | owner_local(*owners)


def owner_local(*owners: int | str | ir.Local) -> frozenset[str]:
    return frozenset(o.name for o in owners if isinstance(o, ir.Local))
