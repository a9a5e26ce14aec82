"""What each step of a model says of its thread, looked up in the protocol's table of activities."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.graph.ir import SELF, Const, Ghost, Graph, Step
from safepoint.model.process import Process
from safepoint.protocol.activities import ACTIVITIES, ASLEEP, AWAITING, OPERATING, POSTING, STOPPED

NO_THREAD = -1


@dataclass(frozen=True)
class Doing:
    """Which thread a step posts to, awaits or operates on (NO_THREAD: none); has it stopped the world; does it sleep?

    kinds: of the requests that it posts.
    """

    posting: int = NO_THREAD
    kinds: int = 0
    awaiting: int = NO_THREAD
    operating: int = NO_THREAD
    stopped: bool = False
    asleep: bool = False


def is_at(graph: Graph, step: Step, name: str) -> bool:
    """Is a thread that stands at this step of the graph doing what the activity of this name says?"""
    activity = ACTIVITIES[name]
    return (
        (not activity.op or step.op == activity.op)
        and (not activity.word or (step.cell is not None and step.cell.word == activity.word))
        and (not activity.waits or step.guard is not None)
        and (activity.stores is None or (step.op != "cas" and step.operands == (Const(activity.stores),)))
        and (not activity.within or bool(set(activity.within) & set(step.where)))
        and (not activity.ghost or any(g.op == activity.ghost for g in ghosts(graph, step)))
    )


def doing(process: Process, step: Step) -> Doing:
    owner = _owner(process, step)
    target = _target(process, step) if is_at(process.graph, step, POSTING) else NO_THREAD
    return Doing(
        posting=target,
        kinds=_kinds(process, step) if target != NO_THREAD else 0,
        awaiting=owner if is_at(process.graph, step, AWAITING) and owner != process.me else NO_THREAD,
        operating=owner if is_at(process.graph, step, OPERATING) else NO_THREAD,
        stopped=is_at(process.graph, step, STOPPED),
        asleep=is_at(process.graph, step, ASLEEP),
    )


def _kinds(process: Process, step: Step) -> int:
    """The kinds of request that the post which this step is part of makes pending: what its ghosts say."""
    graph, call, kinds = process.graph, _call(step), 0
    for other in graph.steps:
        if is_at(graph, other, POSTING) and _call(other) == call:
            for ghost in ghosts(graph, other):
                if ghost.op in ("posted", "given_back") and isinstance(ghost.kind, Const):
                    kinds |= ghost.kind.value
    return kinds


def _target(process: Process, step: Step) -> int:
    """Whom a step of a post is for: the thread whose word it accesses; if it is a word of all threads, that of the steps before it."""
    todo, seen = [step], {step.number}
    while todo:
        at = todo.pop()
        if (owner := _owner(process, at)) != NO_THREAD:
            return owner
        for before in process.graph.steps:
            if before.number not in seen and is_at(process.graph, before, POSTING) and _call(before) == _call(step):
                if any(after is at for tree in before.then for after in process.graph.next_steps(tree)):
                    seen.add(before.number)
                    todo.append(before)
    return NO_THREAD


def _call(step: Step) -> tuple[str, ...]:
    """The procedures around a step of a post, up to the one that posts."""
    depth = next(n for n, name in enumerate(step.where) if name in ACTIVITIES[POSTING].within)
    return step.where[: depth + 1]


def _owner(process: Process, step: Step) -> int:
    if step.cell is None:
        return NO_THREAD
    owner = process.me if step.cell.owner == SELF else step.cell.owner
    return owner if isinstance(owner, int) else NO_THREAD


def ghosts(graph: Graph, step: Step) -> tuple[Ghost, ...]:
    """The ghost statements of a step's local work, on each way to the next step."""
    if step.number not in graph.said:
        local = (node for tree in step.then for node in graph.local(tree))
        graph.said[step.number] = tuple(node for node in local if isinstance(node, Ghost))
    return graph.said[step.number]
