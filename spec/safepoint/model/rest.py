"""Where a thread or a role may stand for ever, and nothing is wrong: what it must always be able to come round to.

It rests at its first step; where it enters the loop that it never leaves, if that does anything; in a wait for the poison of
its own trigger word, which is an endless loop of guest code; in a `rest`; and in a wait that nothing in its world can end, if
that is so in the right text: what a mutant has taken away is missed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from safepoint.graph import ir
from safepoint.graph.execute import POISON, Activation
from safepoint.graph.flow import locals_of, reached
from safepoint.model.widths import Widths

Place = tuple[str, int]
"""File and line."""

WIDEST = 10
"""Bits of a word of which every value is tried."""


def places(graph: ir.Graph, widths: Widths, silent: Collection[Place]) -> frozenset[int]:
    """The numbers of these steps.  `silent`: where the right text waits for what never comes."""
    waits = {s.number for s in graph.steps if s.rests or place(s) in silent or _is_guest_loop(s, widths.reals)}
    return frozenset(waits | first(graph) | _last_loops(graph))


def place(step: ir.Step) -> Place:
    return step.file, step.line


def first(graph: ir.Graph) -> set[int]:
    return {step.number for step in after(graph, graph.start)}


def after(graph: ir.Graph, tree: ir.Tree) -> Iterator[ir.Step]:
    """The steps to which local work may lead."""
    for node in (tree, *graph.local(tree)):
        nexts = [node] if isinstance(node, ir.Step) else graph.following(node)
        yield from (step for step in nexts if isinstance(step, ir.Step))


def _last_loops(graph: ir.Graph) -> set[int]:
    """Where it comes into a part that it never leaves; not if this only looks: that is waiting, whatever for."""
    onward = {s.number: {t.number for tree in s.then for t in after(graph, tree)} for s in graph.steps}
    beyond = {s: reached(onward, s) for s in onward}
    last = {s for s in onward if all(s in beyond[t] for t in beyond[s])}
    acts = {s.number for s in graph.steps if s.op in (*ir.LOCKED, "store") or _says(graph, s)}
    return {t for s in onward if s not in last for t in onward[s] if t in last and acts & beyond[t]}


def _says(graph: ir.Graph, step: ir.Step) -> bool:
    return any(isinstance(node, ir.Claim | ir.Ghost) for tree in step.then for node in graph.local(tree))


def _is_guest_loop(step: ir.Step, reals: dict[str, int]) -> bool:
    """Does a thread wait for its own trigger word to be poisoned?"""
    if step.guard is None or step.op != "load" or step.cell is None or step.cell.owner != ir.SELF:
        return False
    real = reals.get(step.cell.word.split("[")[0])
    return real is not None and _passes(step, POISON, reals) is True and _passes(step, real, reals) is False


def unended(graph: ir.Graph, widths: Widths) -> list[ir.Step]:
    """Waits for what no access of this world ever writes."""
    return [s for s in graph.steps if s.guard is not None and s.op == "load" and not s.rests and _never(s, widths)]


def _never(step: ir.Step, widths: Widths) -> bool:
    assert step.cell is not None
    word = step.cell.word.split("[")[0]
    mask = widths.masks.get(word, 0)
    if not 0 <= mask < 1 << WIDEST or any(map(_is_computed, _writes(word, widths))):
        return False
    return all(_passes(step, value, widths.reals) is False for value in range(mask + 1) if not value & ~mask)


def _writes(word: str, widths: Widths) -> Iterator[ir.Step]:
    for graph in widths.graphs:
        for step in graph.steps:
            if step.cell is not None and step.op != "load" and step.cell.word.split("[")[0] == word:
                yield step


def _is_computed(step: ir.Step) -> bool:
    """Does it write more than constants, so that its mask does not say what the word may hold?"""
    constant = isinstance(step.operands[-1], ir.Const | ir.Fixed)
    return step.op not in ("store", "swap", "cas", "fetch_or", "fetch_and") or not constant


def _passes(step: ir.Step, value: int, reals: dict[str, int]) -> bool | None:
    """Does the wait end where the word has this value?  None: a local decides."""
    assert step.guard is not None
    if locals_of(step.guard) - {ir.RESULT.name} or any(isinstance(a, ir.Private) for a in ir.atoms(step.guard)):
        return None
    probe = Activation(ir.Graph("", ir.SELF, (), step, [], {}), 0, {ir.RESULT.name: value}, {}, reals)
    return bool(probe.value(step.guard))
