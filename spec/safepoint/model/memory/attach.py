"""A machine of views for a model: who reads and who writes each word of it.  Refuses what the machine has no rules for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from safepoint.graph.ir import SELF, Cell
from safepoint.graph.orders import acquires, releases
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.fields import Field
from safepoint.model.memory.data import Data
from safepoint.model.memory.names import STALE, target_of
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
    memory: str,
    *,
    is_exclusive: bool,
) -> Shared:
    """Give the processes a machine.  `initial`: the value of each word.  `memory`: by its name; it is one of `names.STALE`.
    `is_exclusive`: is no operation run while the world is stopped?

    Raises ProtocolError for a step that the machine has no rules for.
    """
    order = list(cells)
    readers: list[set[int]] = [set() for _ in order]
    accessors: list[set[int]] = [set() for _ in order]
    threads = [_thread(n, process) for n, process in enumerate(processes)]
    for process, thread in zip(processes, threads, strict=True):
        for step in process.graph.steps:
            if step.op == "atomic" or step.joined:
                raise ProtocolError(
                    f"{step.file}:{step.line}: {step.source}: not explored under {memory} yet (choose another scope, or: --memory sc, or tso)"
                )
            if step.cell is not None:
                word = order.index(Cell(process.me, step.cell.word) if step.cell.owner == SELF else step.cell)
                accessors[word].add(thread)
                if step.op != "store":
                    readers[word].add(thread)
    data = Data(processes, threads, is_exclusive)
    target = target_of(memory)
    shared = Shared(target, number, {c: n for n, c in enumerate(order)}, list(cells.values()))
    words = sum(where.mask << where.shift for where in cells.values())
    for process, thread, handing in zip(processes, threads, data.of, strict=True):
        assert isinstance(process, WeakProcess)
        process.shared, process.thread, process.handing = shared, thread, handing
        process.own = process.footprint & ~words
        process.same_thread = [
            p
            for p, t in zip(processes, threads, strict=True)
            if t == thread and p is not process and isinstance(p, WeakProcess)
        ]
        process.footprint |= number.mask << number.shift
    shared.machine = Machine(
        [initial[c] for c in order],
        readers,
        accessors,
        len(processes),
        data=data.accessors,
        stale=STALE[memory],
        fenced=_is_fenced(processes),
        appends=target is not None and target.appends,
        publishes=target is not None,
    )
    return shared


def _is_fenced(processes: Sequence[Process]) -> bool:
    """Are there both fences and relaxed accesses, so that what a fence makes of these counts?"""
    fences = relaxed = False
    for process in processes:
        assert isinstance(process, WeakProcess)
        for step in process.graph.steps:
            fences |= step.op in ("fence", "fence_others")
            for effect in process.compiled.get(step.number, ()):
                fences |= effect.before or effect.behind
                relaxed |= step.op != "store" and not acquires(effect.order)
                relaxed |= step.op != "load" and not releases(effect.order)
    return fences and relaxed


def _thread(number: int, process: Process) -> int:
    """Whose views a process has: a handler runs on a thread."""
    return process.me if process.is_handler and isinstance(process.me, int) else number
