"""A machine of views for a model: who reads and who writes each word of it.  Refuses what the machine has no rules for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from safepoint.graph.ir import SELF, Cell
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.fields import Field
from safepoint.model.memory.data import Data
from safepoint.model.memory.process import Shared, WeakProcess
from safepoint.model.memory.views import Machine
from safepoint.model.process import Process

WIDTH = 32
"""Bits of a memory's number: a search ends long before it has met as many."""


def refuse(text: Text, memory: str) -> None:
    """Raises ProtocolError for a text that is not explored under C11."""
    if text.is_custom:
        raise ProtocolError(
            f"{text.files[0].name}: a text with its own mutator is not explored under {memory} yet (write: --memory sc, or --memory tso)"
        )


def attach(
    processes: Sequence[Process],
    cells: Mapping[Cell, Field],
    initial: Mapping[Cell, int],
    number: Field,
    stale: int,
    *,
    is_exclusive: bool,
) -> Shared:
    """Give the processes a machine.  `initial`: the value of each word.  `stale`: how many stale stores of a word may be read.
    `is_exclusive`: is no operation run while the world is stopped?

    Raises ProtocolError for a step that the machine has no rules for.
    """
    order = list(cells)
    readers: list[set[int]] = [set() for _ in order]
    accessors: list[set[int]] = [set() for _ in order]
    threads = [_thread(n, process) for n, process in enumerate(processes)]
    for process, thread in zip(processes, threads, strict=True):
        for step in process.graph.steps:
            if step.op in ("fence_others", "atomic") or step.joined:
                raise ProtocolError(
                    f"{step.file}:{step.line}: {step.source}: not explored under C11 yet (choose another scope, or: --memory sc, or tso)"
                )
            if step.cell is not None:
                word = order.index(Cell(process.me, step.cell.word) if step.cell.owner == SELF else step.cell)
                accessors[word].add(thread)
                if step.op != "store":
                    readers[word].add(thread)
    data = Data(processes, threads, is_exclusive)
    machine = Machine([initial[c] for c in order], readers, accessors, len(processes), data=data.accessors, stale=stale)
    shared = Shared(machine, number, {c: n for n, c in enumerate(order)}, list(cells.values()))
    words = sum(where.mask << where.shift for where in cells.values())
    for process, thread, handing in zip(processes, threads, data.of, strict=True):
        assert isinstance(process, WeakProcess)
        process.shared, process.thread, process.handing = shared, thread, handing
        process.own = process.footprint & ~words
        process.footprint |= number.mask << number.shift
    return shared


def _thread(number: int, process: Process) -> int:
    """Whose views a process has: a handler runs on a thread."""
    return process.me if process.is_handler and isinstance(process.me, int) else number
