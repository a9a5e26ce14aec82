"""What is known of a graph from its steps alone: which locals survive a wait, and where it waits without a guard."""

from __future__ import annotations

from functools import cache

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
    live: dict[int, frozenset[str]] = {s.number: frozenset() for s in graph.steps}
    at: dict[int, frozenset[str]] = {n: frozenset() for n in graph.labels}

    def need(tree: ir.Tree) -> frozenset[str]:
        match tree:
            case ir.Step():
                return live[tree.number]
            case ir.Let(target, value, then):
                gone = {target.name} if isinstance(target, ir.Local) else set()
                return (need(then) - gone) | locals_of(value)
            case ir.If(test, yes, no):
                return locals_of(test) | need(yes) | need(no)
            case ir.Ghost(_, owner, kind, then):
                return owner_local(owner) | locals_of(kind) | need(then)
            case ir.Claim(_, test, then) | ir.When(test, then):
                return locals_of(test) | need(then)
            case ir.Goto(label):
                return at[label]
            case ir.Done(value):
                return locals_of(value)

    changed = True
    while changed:
        before = dict(live), dict(at)
        for s in reversed(graph.steps):  # what is alive flows backwards
            after = frozenset[str]().union(locals_of(s.guard), *(need(t) for t in s.then))
            used = owner_local(s.cell.owner) if s.cell else frozenset()
            live[s.number] = (after - {ir.RESULT.name}) | used.union(*(locals_of(o) for o in s.operands))
        for n, tree in reversed(graph.labels.items()):
            at[n] = need(tree)
        changed = before != (live, at)
    return live, need(graph.start)


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
