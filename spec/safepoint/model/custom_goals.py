"""What must happen in the end in a custom text: every role comes round, what is owed is served, and what it calls `eventually`."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import partial

from safepoint.graph import ir
from safepoint.graph.text import Text
from safepoint.model.global_claims import GlobalClaims, eventual
from safepoint.model.goal import FAIR, Assumption, Goals, Named, stands
from safepoint.model.moves import Transition, statement
from safepoint.model.process import Process
from safepoint.model.rest import after
from safepoint.model.system import Model

POSTS = ("posted", "asked")
"""Ghosts by which a request is owed."""

ROUND, SERVED = "comes-round", "owed-is-served"

ALL = "the world"
"""Of whom a global claim speaks."""

EVENTUALLY: dict[str, str] = {
    ROUND: "Every thread and every role can always come round to its first step, or to where it may stand for ever.",
    SERVED: "Every request that was posted to a thread is served in the end, even if it is not posted again.",
}


def goals(model: Model) -> Iterator[Goals]:
    """All goals, by assumption."""
    resting = list(zip(model.processes, model.rests, strict=True))
    threads = len(model.mutators)
    wanted: list[Named] = [
        (ROUND, process.name, partial(stands, process, rest))
        for process, rest in resting[threads:] + resting[:threads]  # who waits for an answer says more than who owes it
    ]
    wanted += [
        (name, process.name, partial(_happens, process, name))
        for process in model.processes
        for name in eventual(process.graph)
    ]
    claims = GlobalClaims(model)
    wanted += [(name, ALL, partial(claims.happens, name)) for name in claims.eventual]
    yield Goals(FAIR, tuple(wanted))
    for thread in range(threads):
        for kind in posted_to(model, thread):
            name = f"{kind_name(model.text, kind)}, posted to T{thread},"
            yield Goals(_not_again(model, thread, kind), ((SERVED, name, partial(_is_served, model, thread, kind)),))


def _happens(process: Process, name: str, state: int) -> bool:
    return state & process.footprint in process.happening.get(name, ())


def _is_served(model: Model, thread: int, kind: int, state: int) -> bool:
    return not (model.owed[thread].get(state) | model.held[thread].get(state)) & kind


def _ghosts(process: Process, tree: ir.Tree) -> Iterator[tuple[int | str, int]]:
    """To which thread local work posts, and which kinds: any, if that is not known beforehand."""
    for node in process.graph.local(tree):
        if isinstance(node, ir.Ghost) and node.op in POSTS:
            owner = process.me if node.owner == ir.SELF else node.owner
            kinds = node.kind.value if isinstance(node.kind, ir.Const) else process.layout.widths.kinds
            if not isinstance(owner, ir.Local):
                yield owner, kinds


def posted_to(model: Model, thread: int) -> list[int]:
    """The kinds that any thread or role posts to the thread."""
    kinds = 0
    for process in model.processes:
        for step in process.graph.steps:
            for tree in step.then:
                kinds |= sum({k for owner, k in _ghosts(process, tree) if owner == thread})
    return [1 << bit for bit in range(kinds.bit_length()) if kinds >> bit & 1]


def _not_again(model: Model, thread: int, kind: int) -> Assumption:
    """That none that has the choice posts this once more: a role at its first step, a thread or role at its `choose()`."""
    rests = {process.name: rest for process, rest in zip(model.processes, model.rests, strict=True)}
    bound = {process.name: _bound_to_post(process, rests[process.name], thread, kind) for process in model.processes}

    def leaves(process: Process, state: int, edge: Transition) -> bool:
        at = process.at(state)
        free = at.op == "choose" or (process in model.requesters and at.number in rests[process.name])
        return free and edge.step in bound[process.name]

    return Assumption(f"if {kind_name(model.text, kind)} is not posted to T{thread} again", leaves=leaves)


def _bound_to_post(process: Process, rest: Collection[int], thread: int, kind: int) -> Collection[int]:
    """The steps from which it may come to such a post before it comes round, whatever it chooses."""
    graph = process.graph
    bound: set[int] = set()

    def leads(tree: ir.Tree) -> bool:
        if any(owner == thread and kinds & kind for owner, kinds in _ghosts(process, tree)):
            return True
        return any(step.number in bound and step.number not in rest for step in after(graph, tree))

    while more := {
        step.number
        for step in graph.steps
        if step.number not in bound and (all if step.op == "choose" else any)(map(leads, step.then))
    }:
        bound |= more
    return bound


def kind_name(text: Text, kind: int) -> str:
    """The constant by which the text posts it; its number, if it has none."""
    return next((name for name in _names(text) if text.constants.get(name) == ir.Const(kind)), str(kind))


def _names(text: Text) -> list[str]:
    """The names by which it posts a request."""
    calls = [node for p in text.functions.values() for node in ast.walk(p.node) if isinstance(node, ast.Call)]
    posts = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in POSTS]
    return [kind.id for call in posts for kind in call.args[1:] if isinstance(kind, ast.Name)]


def never(model: Model, broken: str, whom: str, beyond: Collection[int], trap: int) -> str:
    """What it means that a goal cannot be reached any more from the trap; `beyond`: the states that can follow it."""
    if broken == SERVED:
        return f"{whom} is never served"
    if broken != ROUND:
        return f'"{broken}" is never true again' if whom == ALL else f'{whom} never comes to "{broken}" again'
    who = [
        f"{process.name} ({_place(process, trap)})"
        for process, rest in zip(model.processes, model.rests, strict=True)
        if not any(process.pc.get(state) in rest for state in beyond)
    ]
    return f"{_listed(who)} never {'come' if len(who) > 1 else 'comes'} round again"


def stuck(model: Model, detail: str, state: int) -> str:
    """Where no process can move: which waits for what."""
    who = [
        f"{process.name} ({_place(process, state)})"
        for process, rest in zip(model.processes, model.rests, strict=True)
        if process.pc.get(state) not in rest
    ]
    return f"{detail}: {_listed(who)} {'wait' if len(who) > 1 else 'waits'} for ever"


def _listed(who: list[str]) -> str:
    *others, last = who
    return f"{', '.join(others)} and {last}" if others else last


def _place(process: Process, state: int) -> str:
    step = process.at(state)
    return f"at {step.file.removesuffix('.py')}:{step.line}: {statement(step.source)}"
