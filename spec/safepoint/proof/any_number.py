"""Any number of threads, from one: when the words that threads touch allow it, and which statements forbid it.

A world of N threads, seen from one of them, is what that thread does, what requesters do to it, and noise.  It shows nothing
that a world with this thread alone does not show, if

1. a thread's own text names no other thread, and no thread writes a word that another thread reads, nor one of the world's
   that a requester reads: then each step of another thread changes nothing that is seen from here;
2. in a loop over threads, a turn hands nothing on to the next (`turns`): no local that one turn sets lives at the beginning of
   another, and a turn touches only its own thread;
3. a requester treats each thread for itself (`simulation`): leave out of its text what it does to the others, and what is
   left can do nothing that the requester of a world of one cannot.  (It may be late: it waited for another thread.)

All are computed from the compiled graphs.  The first compares footprints.  The third is a simulation between two graphs, in
which every value may be read from any word, so it does not depend on what the threads do.  It is computed for a thread that is
the first, the last and the middle one.  Three threads stand for any number because of the second: seen from the thread that
is watched, the turns of the threads before it are silent and all alike, however many they are, and so are those after it; and a
text that chooses a thread cannot name it by its number.
Under x86-TSO too: a delayed store to another thread's word is noise, and a locked access to one only makes the requester wait.

One thing is lost: a requester that is about to post to this thread may be busy with another one meanwhile, and the properties
excuse a thread from the first step of a post on.  So that step must change nothing for them; two threads, explored, show it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from safepoint.graph.ir import SELF, WORLD, Cell, Step
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.process import Process
from safepoint.model.system import Model
from safepoint.proof.simulation import simulates, view
from safepoint.proof.turns import for_any_number, loops, named

COVERS = (
    "for every number of threads: the always-properties that speak of one thread, and its bound; "
    "not no-deadlock and not what is eventual, which speak of all threads at once"
)


@dataclass(frozen=True)
class Argument:
    """`reasons`: why it does not hold, each with the word or local and the statements.  `covers`: what it decides if it holds."""

    holds: bool
    reasons: tuple[str, ...]
    covers: str = COVERS


def argument(model: Model) -> Argument:
    """Whether a world of one thread decides this scope for any number of them; the scope's own number does not matter."""
    if beyond := tuple(_beyond(model)):
        return Argument(False, beyond)
    one, two, three = (resized(model, n) for n in (1, 2, 3))
    reasons = [*interference(two), *repetition(one)]
    for watched, many in ((0, two), (1, two), (1, three)):
        reasons += [r for r in dependence(one, many, watched) if r not in reasons]
    return Argument(not reasons, tuple(reasons))


def _beyond(model: Model) -> Iterator[str]:
    """What the argument does not know: stale stores, a role that belongs to a thread, a thread that others suspend, one that is named."""
    if model.is_weak:
        yield f"what a thread may still read under {model.memory} is no part of its footprint"
    for m in model.requesters:
        if m.me != WORLD:
            does = "runs on" if m.is_handler else "belongs to"
            yield f"the {m.name} {does} one of the threads ({places(model.text, m.graph.steps)})"
    for word in model.text.declared("Suspension"):
        yield f"a thread is suspended by its {word}"
    for name, procedure in model.text.functions.items():
        if any(isinstance(node, ast.Is | ast.IsNot) for node in ast.walk(procedure.node)):
            yield f"{procedure.file}: {name}() compares threads"


def resized(model: Model, threads: int) -> Model:
    """The same text and scope with another number of threads."""
    return Model(model.text, replace(model.scope, threads=threads), model.mutant, model.policy, model.memory)


# ---------------------------------------------------------------------------------------------- who writes what others read


def interference(model: Model) -> Iterator[str]:
    """The words through which a thread of a world of two acts on the other or on a requester, or looks at the other."""
    thread, other, *requesters = model.processes
    noise: list[tuple[Process, Process, set[int | str]]] = [
        (thread, other, {thread.me, other.me, WORLD}),
        *((thread, requester, {other.me, WORLD}) for requester in requesters),  # its own words: see `dependence`
        *((writer, thread, {other.me}) for writer in (thread, *requesters)),
    ]
    for writer, reader, owners in noise:
        written, read = accesses(writer, reads=False), accesses(reader, reads=True)
        for cell in sorted(written.keys() & read.keys(), key=str):
            if cell.owner in owners:
                who = f"the {writer.name}" if writer in requesters else "a thread"
                to = f"the {reader.name}" if reader in requesters else "another thread"
                name = cell.word if isinstance(cell.owner, int) else str(cell)
                yield f"{name}: {who} writes it ({places(model.text, written[cell])}), {to} reads it ({places(model.text, read[cell])})"


def accesses(process: Process, reads: bool) -> dict[Cell, list[Step]]:
    """The words that it reads, or writes, and where; a locked access does both."""
    found: dict[Cell, list[Step]] = {}
    for step in process.graph.steps:
        if step.cell is not None and step.op != ("store" if reads else "load"):
            cell = Cell(process.me, step.cell.word) if step.cell.owner == SELF else step.cell
            found.setdefault(cell, []).append(step)
    return found


def places(text: Text, found: Sequence[Step | str]) -> str:
    """Statements, each once: file:line and source."""
    lines = {
        (s.file, s.line) if isinstance(s, Step) else (s.partition(":")[0], int(s.partition(":")[2])) for s in found
    }
    return ", ".join(
        f"{file}:{line} `{text.source(file, line).partition('#')[0].strip()}`" for file, line in sorted(lines)
    )


# ---------------------------------------------------------------------------------------------- what is done for each thread


def repetition(model: Model) -> Iterator[str]:
    """The statements that do something for each thread in turn, and of which three turns say nothing about a fourth."""
    for name in ("mutator", *dict.fromkeys(model.scope.roles)):
        try:
            graph = for_any_number(model, name)
        except ProtocolError as error:
            yield f"the {name} is not compiled for any number of threads: {error}"
            continue
        if name == "mutator":
            if found := named(graph):
                yield f"a thread's own text names other threads ({places(model.text, found)})"
            continue
        for loop in loops(graph):
            for local, where in loop.carried().items():
                yield (
                    f"{local}: a local that the {name} carries from one turn of a loop over threads "
                    f"to the next ({places(model.text, where)})"
                )
            for cell, steps in loop.foreign().items():
                yield f"{cell}: in a turn for one thread the {name} accesses what is not that thread's ({places(model.text, steps)})"


# ---------------------------------------------------------------------------------------------- requesters, thread by thread


def dependence(one: Model, many: Model, watched: int) -> Iterator[str]:
    """The requesters of `many` that do to the watched thread what those of a world of one cannot."""
    for alone, process in zip(one.requesters, many.requesters, strict=True):
        if not simulates(view(one, alone, 0), view(many, process, watched)):
            read = accesses(process, reads=True)
            steps = [s for cell in read for s in read[cell] if cell.owner not in (WORLD, watched)]
            yield f"the {process.name} treats a thread by what it finds in another ({places(many.text, steps)})"
