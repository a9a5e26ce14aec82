"""When a request of a custom text is posted in full, so that the checks until it is seen can be counted."""

from __future__ import annotations

from collections.abc import Callable

from safepoint.graph import ir
from safepoint.graph.execute import POISON
from safepoint.model.custom_goals import kind_name, posted_to
from safepoint.model.process import Process
from safepoint.model.rest import after
from safepoint.model.system import Model
from safepoint.protocol.activities import CHECKS


def has_checks(model: Model) -> bool:
    """Does a thread choose a case that is a check, and does any thread or role post?"""
    cases = {case for step in model.mutators[0].graph.steps for case in step.cases}
    return bool(cases & set(CHECKS)) and any(requests(model, thread) for thread in range(len(model.mutators)))


def requests(model: Model, thread: int) -> dict[int, str]:
    """The kinds of request that are posted to the thread, and their names."""
    return {kind: kind_name(model.text, kind) for kind in posted_to(model, thread)}


def inside(model: Model, thread: int, request: int) -> Callable[[int], bool]:
    """Is the request owed, and its post complete: is every trigger word of the thread poisoned, or no poster about to poison it?"""
    owed = model.owed[thread]
    others = [(p, rest) for p, rest in zip(model.processes, model.rests, strict=True) if p.me != thread or p.is_handler]
    fills = [process.fill for process, _ in others if process.fill]
    asking = [(process.pc, _asking(process, rest, thread, model.reals)) for process, rest in others]
    triggers = [where for cell, where in model.cells.items() if _is_trigger(cell, thread, model.reals)]

    def is_inside(state: int) -> bool:
        if not owed.get(state) & request or any(fill.get(state) for fill in fills):
            return False
        poisoned = triggers and all(where.get(state) == POISON for where in triggers)
        return bool(poisoned) or not any(pc.get(state) in steps for pc, steps in asking)

    return is_inside


def _is_trigger(cell: ir.Cell, thread: int, reals: dict[str, int]) -> bool:
    return cell.owner == thread and cell.word.split("[", maxsplit=1)[0] in reals


def _asking(process: Process, rest: frozenset[int], thread: int, reals: dict[str, int]) -> set[int]:
    """The steps of a round, from which it may still write to a trigger word of the thread before it comes round."""
    asks = {s.number for s in process.graph.steps if s.cell and s.op != "load" and _is_trigger(s.cell, thread, reals)}
    while more := {
        s.number
        for s in process.graph.steps
        if s.number not in asks and any(t.number in asks - rest for tree in s.then for t in after(process.graph, tree))
    }:
        asks |= more
    return asks - rest
