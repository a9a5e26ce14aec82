"""Any number of threads, from one: when the words that threads touch allow it, and which statements forbid it.

A world of N threads, seen from one of them, is what that thread does, what requesters do to it, and noise.  It shows nothing
that a world with this thread alone does not show, if

1. no thread writes a word that another thread reads, nor one of the world's that a requester reads: then each step of another
   thread changes nothing that is seen from here;
2. a requester treats each thread for itself: leave out of its text whatever it does to the others, and what is left can do
   nothing that the requester of a world of one cannot.  (It may be late: it waited for another thread.)

Both are computed from the compiled graphs.  The first compares footprints.  The second is a simulation between two graphs,
in which every value may be read from any word, so it does not depend on what the threads do.  It is computed for a thread that
is the first, the last and the middle one: a text treats threads in a loop or by a choice, and cannot name one by its number.
Under x86-TSO too: a delayed store to another thread's word is noise, and a locked access to one only makes the requester wait.

One thing is lost: a requester that is about to post to this thread may be busy with another one meanwhile, and the properties
excuse a thread from the first step of a post on.  So that step must change nothing for them; two threads, explored, show it.

`projection` then compares what was claimed with what was explored: seen from each thread, the states of N and of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from safepoint.graph.execute import Activation, Impossible
from safepoint.graph.ir import SELF, WORLD, Cell, Step
from safepoint.model.explore import Result
from safepoint.model.process import Mover
from safepoint.model.system import Model

COVERS = (
    "for every number of threads: the always-properties that speak of one thread, and its bound; "
    "not no-deadlock and not what is eventual, which speak of all threads at once"
)


@dataclass(frozen=True)
class Argument:
    """`reasons`: why it does not hold, each with the word and the statements.  `covers`: what it decides if it holds."""

    holds: bool
    reasons: tuple[str, ...]
    covers: str = COVERS


def argument(model: Model) -> Argument:
    """Does a world of one thread decide this scope for any number?  The scope's own number of threads does not matter."""
    one, two, three = (resized(model, n) for n in (1, 2, 3))
    reasons = [*interference(two)]
    for watched, many in ((0, two), (1, two), (1, three)):
        reasons += [r for r in dependence(one, many, watched) if r not in reasons]
    return Argument(not reasons, tuple(reasons))


def resized(model: Model, threads: int) -> Model:
    """The same text and scope with another number of threads."""
    return Model(model.text, replace(model.scope, threads=threads), model.mutant, model.policy, model.memory)


# ---------------------------------------------------------------------------------------------- who writes what others read


def interference(model: Model) -> Iterator[str]:
    """The words through which one thread of a world of two acts on the other, or on a requester."""
    writer, *others = model.movers
    written = _accesses(writer, reads=False)
    for cell in sorted(written, key=str):
        for reader in others:
            thread = isinstance(reader.me, int)
            if cell.owner == writer.me and not thread:
                continue  # what a requester makes of a thread's own words is the second condition's
            if found := _accesses(reader, reads=True).get(cell):
                who = "another thread" if thread else f"the {reader.name}"
                name = cell.word if isinstance(cell.owner, int) else str(cell)
                yield f"{name}: a thread writes it ({_places(model, written[cell])}), {who} reads it ({_places(model, found)})"


def _accesses(mover: Mover, reads: bool) -> dict[Cell, list[Step]]:
    """The words it reads, or writes, and where; a locked access does both."""
    found: dict[Cell, list[Step]] = {}
    for step in mover.graph.steps:
        if step.cell is not None and step.op != ("store" if reads else "load"):
            cell = Cell(mover.me, step.cell.word) if step.cell.owner == SELF else step.cell
            found.setdefault(cell, []).append(step)
    return found


def _places(model: Model, steps: list[Step]) -> str:
    """Statements, each once: file:line and source."""
    told = {f"{model.text.functions[s.where[-1]].file}:{s.line} `{s.source.partition('#')[0].strip()}`" for s in steps}
    return ", ".join(sorted(told))


# ---------------------------------------------------------------------------------------------- requesters, thread by thread

Label = tuple[object, ...]
SILENT: Label = ()
Node = tuple[int, tuple[tuple[str, int], ...]]
"""A step and the locals that are alive there."""


@dataclass
class Anything:
    """The memory and the listener of a requester in a world of which nothing is known: a read gives `given`."""

    watched: int
    given: int = 0
    seen: tuple[object, ...] = ()

    def load(self, cell: Cell) -> int:
        return self.given

    def store(self, cell: Cell, value: int) -> bool:
        if cell.owner in (WORLD, self.watched):
            self.seen += (value,)
        return True

    def locked(self, cell: Cell) -> bool:
        return True

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        if owner == self.watched:
            self.seen += (op, kind)

    def claim(self, name: str, holds: bool) -> None: ...
    def branch(self, place: str, taken: bool) -> None: ...


@dataclass
class View:
    """What a requester can do, seen from thread `watched`: what it does to other threads is silent."""

    model: Model
    mover: Mover
    watched: int
    known: dict[tuple[Node, Label], set[Node]] = field(default_factory=dict)

    @cached_property
    def start(self) -> Node:
        a = Activation(self.mover.graph, WORLD, {}, {}, self.model.reals)
        a.begin(Anything(self.watched))
        return _node(a)

    @cached_property
    def moves(self) -> dict[Node, set[tuple[Label, Node]]]:
        """Every node that it can come to, with what can be seen of each step from there."""
        found: dict[Node, set[tuple[Label, Node]]] = {}
        todo = [self.start]
        while todo:
            node = todo.pop()
            if node not in found:
                a = Activation(self.mover.graph, WORLD, dict(node[1]), {}, self.model.reals, self._step(node))
                found[node] = set(self._from(self._step(node), a, Anything(self.watched)))
                todo += [new for _, new in found[node]]
        return found

    def _from(self, start: Step, a: Activation, heard: Anything) -> Iterator[tuple[Label, Node]]:
        step = a.at
        assert step is not None
        if step.op != "choose":
            yield from self._perform(step, a, heard)
            return
        for tree in step.then:
            chosen, more = a.copy(), replace(heard)
            try:
                chosen.settle(tree, more)
            except Impossible:
                continue
            if chosen.at is start:
                yield more.seen, _node(chosen)
            else:
                yield from self._from(start, chosen, more)

    def _perform(self, step: Step, a: Activation, heard: Anything) -> Iterator[tuple[Label, Node]]:
        reads = step.cell is not None and step.op != "store"
        for value in range(self.model.cells[step.cell].mask + 1 if reads and step.cell else 1):
            made, more = a.copy(), replace(heard, given=value)
            if made.perform(more, more):
                seen = (step.op, str(self.named(step)), value) if self.named(step) else ()
                yield (*seen, *more.seen), _node(made)

    def ways(self, node: Node, label: Label) -> set[Node]:
        """Where it can be after what looks like `label`, with silent steps before and after."""
        if (node, label) not in self.known:
            before = self._silently({node})
            seen = {new for at in before for told, new in self.moves[at] if told == label}
            self.known[node, label] = before if label == SILENT else self._silently(seen)
        return self.known[node, label]

    def _silently(self, found: set[Node]) -> set[Node]:
        todo = list(found)
        while todo:
            fresh = {new for label, new in self.moves[todo.pop()] if label == SILENT} - found
            found = found | fresh
            todo += fresh
        return found

    def named(self, step: Step) -> Cell | None:
        """The word it accesses, if that can be seen from here; the watched thread is number 0 everywhere."""
        if step.cell is None or step.cell.owner not in (WORLD, self.watched):
            return None
        return Cell(0, step.cell.word) if step.cell.owner == self.watched else step.cell

    def stands(self, node: Node) -> Label:
        """What a property can see of where it stands; nothing, if it is busy with another thread."""
        step = self._step(node)
        if step.cell is not None and self.named(step) is None:
            return SILENT
        return (step.where, step.op, self.named(step))

    def _step(self, node: Node) -> Step:
        return self.mover.graph.steps[node[0]]


def _node(a: Activation) -> Node:
    assert a.at is not None
    return a.at.number, tuple(sorted(a.env.items()))


def dependence(one: Model, many: Model, watched: int) -> Iterator[str]:
    """The requesters of `many` that do to the watched thread what those of a world of one cannot."""
    for alone, mover in zip(one.requesters, many.requesters, strict=True):
        small, large = View(one, alone, 0), View(many, mover, watched)
        if not simulates(small, large):
            reads = [
                s for s in mover.graph.steps if s.cell and s.op != "store" and s.cell.owner not in (WORLD, watched)
            ]
            yield f"the {mover.name} treats a thread by what it finds in another ({_places(many, reads)})"


def simulates(small: View, large: View) -> bool:
    """Can `small` follow whatever `large` does, step by step, with silent steps of its own between?

    The largest relation of nodes is looked for: begin with every pair that looks alike and that the two could come to
    together, and take out what cannot follow.
    """
    answers = {(p, q): _answers(small, large, p, q) for p, q in [(large.start, small.start)]}
    todo = list(answers)
    while todo:
        for choices in answers[todo.pop()]:
            for pair in choices - answers.keys():
                answers[pair] = _answers(small, large, *pair)
                todo.append(pair)
    related = set(answers)
    while wrong := {pair for pair in related if any(choices.isdisjoint(related) for choices in answers[pair])}:
        related -= wrong
    return (large.start, small.start) in related


def _answers(small: View, large: View, p: Node, q: Node) -> set[frozenset[tuple[Node, Node]]]:
    """For each move of `large` from p: the pairs, alike, in which `small` can have answered it from q."""
    return {
        frozenset((after, end) for end in small.ways(q, label) if large.stands(after) in (SILENT, small.stands(end)))
        for label, after in large.moves[p]
    }


# ---------------------------------------------------------------------------------------------- the check by projection


@dataclass(frozen=True)
class Projection:
    """Seen from one thread: `common` states, and how many only one of the two worlds shows."""

    thread: int
    common: int
    only_many: int
    only_one: int

    @property
    def equal(self) -> bool:
        return not self.only_many and not self.only_one


def projection(many: Result, one: Result) -> tuple[Projection, ...]:
    """What each thread of `many` sees, its own bits and the words that it touches, against the same of the only one of `one`."""
    alone = _seen(one, one.model.mutators[0])
    seen = [_seen(many, m) for m in many.model.mutators]
    return tuple(Projection(i, len(s & alone), len(s - alone), len(alone - s)) for i, s in enumerate(seen))


def _seen(result: Result, mover: Mover) -> set[str]:
    """The distinct values of its footprint, its bits put together: in a model of any size they lie in the same order."""
    shifts = [n for n in range(mover.footprint.bit_length()) if mover.footprint >> n & 1]
    return {"".join(str(key >> n & 1) for n in shifts) for key in {state & mover.footprint for state in result.reached}}
