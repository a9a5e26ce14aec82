"""Where a request of a custom text is pending: the word that the access which posted it wrote; and who takes it out.

A text need not say `taken`.  Then what clears the word of a request takes it: from there on the process that cleared it holds it, and what
is posted later is another one, which `served` does not answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from safepoint.graph import ir

Placed = tuple[int | str, ir.Graph]
"""A graph, and whose words are its own."""


@dataclass(frozen=True)
class Carrier:
    """The request of a kind to a thread is pending while the word has these bits; or, not `bits`, this value."""

    cell: ir.Cell
    thread: int | str
    kind: int
    bits: bool
    value: ir.Expr

    def holds(self, value: ir.Expr) -> ir.Expr:
        if self.bits:
            return ir.fold("!=", ir.fold("&", value, self.value), ir.Const(0))
        return ir.fold("==", value, self.value)


def carriers(graphs: Sequence[Placed]) -> set[Carrier]:
    """Those of every request that is posted by an access of a word, with a constant."""
    found: set[Carrier] = set()
    for me, graph in graphs:
        for step in graph.steps:
            if step.cell is None or step.op not in ("store", "swap", "cas", "fetch_or"):
                continue
            cell, value = _of(step.cell, me), step.operands[-1]
            for tree in graph.local(step.then[0]):
                match tree:
                    case ir.Ghost("posted", owner, ir.Const(kind)) if isinstance(value, ir.Const):
                        thread = _of(ir.Cell(owner, ""), me).owner
                        if not isinstance(thread, ir.Local):
                            found.add(Carrier(cell, thread, kind, step.op == "fetch_or", value))
    return found


def say_cleared(graphs: Sequence[Placed]) -> None:
    """Let every access that clears the word of a request say so, to whom it is owed."""
    known = sorted(carriers(graphs), key=repr)
    done: set[int] = set()
    for me, graph in graphs:
        if id(graph) in done:  # of all threads
            continue
        done.add(id(graph))
        for step in graph.steps:
            if step.cell is None or step.op not in ("store", "swap", "cas", "fetch_and"):
                continue
            for owner, kinds in _cleared(step, _of(step.cell, me), me, known):
                if kinds != ir.Const(0):
                    step.then[0] = ir.Ghost("cleared", owner, kinds, step.then[0])


def _cleared(
    step: ir.Step, cell: ir.Cell, me: int | str, known: Sequence[Carrier]
) -> Iterator[tuple[int | str, ir.Expr]]:
    """To whom, and which kinds as an expression over what the step gives; 0: none."""
    for carrier in known:
        if carrier.cell != cell:
            continue
        new = ir.fold("&", carrier.value, step.operands[0]) if step.op == "fetch_and" else step.operands[-1]
        gone = ir.fold("==", carrier.holds(new), ir.Const(0))
        if step.op == "cas":
            gone = ir.fold("&", gone, ir.RESULT)
        owner = (
            ir.SELF if step.cell is not None and step.cell.owner == ir.SELF and carrier.thread == me else carrier.thread
        )
        yield owner, ir.fold("&", ir.Const(carrier.kind), ir.fold("-", ir.Const(0), gone))


def _of(cell: ir.Cell, me: int | str) -> ir.Cell:
    return ir.Cell(me, cell.word) if cell.owner == ir.SELF else cell
