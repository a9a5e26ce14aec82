"""A text as a transition system: each thread's moves, and states that are one packed integer.

What a thread can do depends only on the bits it can touch (its footprint), so its moves are worked out once for each value
of those bits, as xor deltas, by running the text with the readable `Activation`.  A choice is no step of its own: it is part
of the access that follows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from safepoint.model.compile import compile_graph
from safepoint.model.execute import Activation, Impossible
from safepoint.model.expressions import Instance
from safepoint.model.graph import SELF, WORLD, Cell, Graph, If, Let, Private, Step, atoms
from safepoint.model.scopes import Scope
from safepoint.model.text import Text

WIDTH = 2
"""Bits of a word, private word, local or ghost in the model: kinds of request, states and stack depths are below 4."""


@dataclass(frozen=True)
class Field:
    shift: int
    mask: int

    def get(self, state: int) -> int:
        return state >> self.shift & self.mask

    def put(self, state: int, value: int) -> int:
        if value & ~self.mask:
            raise OverflowError(f"{value} does not fit in the model's {self.mask.bit_length()} bits")
        return state & ~(self.mask << self.shift) | value << self.shift


@dataclass(frozen=True)
class Move:
    """One atomic step of one thread: who, what the step is called, which cases it chose, and where it stands in the text."""

    who: str
    name: str
    cases: str
    line: int
    source: str


@dataclass
class Edge:
    """What a move does to the bits of a footprint, and what there is to say of it."""

    delta: int
    move: Move
    claims: tuple[str, ...]  # claims of the text that it breaks


@dataclass
class Mover:
    """One thread of the model: its graph, whose words it calls its own, and where its bits are.  The memory of its steps."""

    model: Model
    graph: Graph
    me: int | str
    name: str
    pc: Field
    locals: dict[str, Field]
    privates: dict[str, Field]
    table: dict[int, tuple[int, ...]] = field(default_factory=dict)
    broken: dict[tuple[int, int], str] = field(default_factory=dict)  # (footprint bits, delta) -> claim
    visited: set[int] = field(default_factory=set)
    branches: set[tuple[str, bool]] = field(default_factory=set)
    footprint: int = 0
    state: int = 0  # while a step is worked out
    claims: list[str] = field(default_factory=list)

    # -- the memory and the listener of an Activation

    def load(self, cell: Cell) -> int:
        return self.model.cells[cell].get(self.state)

    def store(self, cell: Cell, value: int) -> bool:
        self.state = self.model.cells[cell].put(self.state, value)
        return True

    def locked(self, cell: Cell) -> bool:
        return True

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        owed = self.model.owed[owner]
        now = owed.get(self.state)
        self.state = owed.put(self.state, now | kind if op == "posted" else now & ~kind)

    def claim(self, name: str, holds: bool) -> None:
        if not holds:
            self.claims.append(name)

    def branch(self, place: str, taken: bool) -> None:
        self.branches.add((place, taken))

    # -- states

    def at(self, state: int) -> Step:
        return self.graph.steps[self.pc.get(state)]

    def unpack(self, state: int) -> Activation:
        env = {n: f.get(state) for n, f in self.locals.items()}
        privates = {n: f.get(state) for n, f in self.privates.items()}
        return Activation(self.graph, self.me, env, privates, self.model.reals, self.at(state))

    def pack(self, state: int, a: Activation) -> int:
        if a.at is None:
            raise ValueError(
                f"{self.graph.name}: a role of the model must not end (write instead: `return {self.graph.name}(…)`)"
            )
        for n, f in self.locals.items():
            state = f.put(state, a.env.get(n, 0))
        for n, f in self.privates.items():
            state = f.put(state, a.privates[n])
        return self.pc.put(state, a.at.number)

    def edges(self, state: int) -> Iterator[Edge]:
        """Every move that this thread can make, worked out by running the text."""
        yield from self._from(state, state, self.unpack(state), "", frozenset())

    def _from(self, start: int, state: int, a: Activation, cases: str, seen: frozenset[int]) -> Iterator[Edge]:
        step = a.at
        assert step is not None
        self.visited.add(step.number)
        if step.op == "choose" and step.number not in seen:
            for case, tree in zip(step.cases, step.then, strict=True):
                chosen = a.copy()
                self.state, self.claims = state, []
                try:
                    chosen.settle(tree, self)
                except Impossible:
                    continue
                told = f"{cases}, {case}" if cases else case
                if chosen.at is not None and chosen.at.number == self.unpack(start).at.number:  # type: ignore[union-attr]
                    yield self._edge(start, step, chosen, told)  # all local: it is where it was
                else:
                    yield from self._from(start, self.state, chosen, told, seen | {step.number})
            return
        self.state, self.claims = state, []
        try:
            if a.perform(self, self):
                yield self._edge(start, step, a, cases)
        except Impossible:
            return

    def _edge(self, start: int, step: Step, a: Activation, cases: str) -> Edge:
        after = self.pack(self.state, a)
        move = Move(self.name, step.name, cases, step.line, step.source)
        return Edge(after ^ start, move, tuple(self.claims))

    def moves(self, key: int) -> tuple[int, ...]:
        """One row of the table."""
        deltas: list[int] = []
        for edge in self.edges(key):
            deltas.append(edge.delta)
            if edge.claims:
                self.broken[key, edge.delta] = edge.claims[0]
        return tuple(deltas)


class Model:
    """A text, compiled for a scope and, if asked for, a mutant; with the layout of its states."""

    def __init__(self, text: Text, scope: Scope, mutant: str = "") -> None:
        self.text, self.scope, self.mutant, self.bits = text, scope, mutant, 0
        instance = Instance(scope.threads, mutant, scope.widths)
        self.reals = {"limit": scope.depth, **{word: 1 for word, _ in scope.widths}}
        mutator = compile_graph(text, "mutator", instance)
        others = [compile_graph(text, role, instance) for role in scope.roles]
        cells = {Cell(i if c.owner == SELF else c.owner, c.word) for c in mutator.cells() for i in range(scope.threads)}
        order = sorted(cells.union(*(g.cells() for g in others)), key=str)
        self.cells = {c: self._field(WIDTH) for c in order}
        self.owed: dict[int | str, Field] = {i: self._field(WIDTH) for i in range(scope.threads)}
        self.mutators = [self._mover(mutator, i, f"T{i}") for i in range(scope.threads)]
        self.requesters = [self._mover(g, WORLD, g.name) for g in others]
        self.movers = self.mutators + self.requesters
        self.initial = self._start()

    def _field(self, width: int) -> Field:
        self.bits += width
        return Field(self.bits - width, (1 << width) - 1)

    def _mover(self, graph: Graph, me: int | str, name: str) -> Mover:
        privates = sorted({a.word for e in graph.expressions() for a in atoms(e) if isinstance(a, Private)}
                          | {t.target.word for t in graph.trees() if isinstance(t, Let) and isinstance(t.target, Private)})  # fmt: skip
        alive = sorted({n for names in graph.live.values() for n in names})
        mover = Mover(
            self,
            graph,
            me,
            name,
            pc=self._field(max(1, (len(graph.steps) - 1).bit_length())),
            locals={n: self._field(WIDTH) for n in alive},
            privates={n: self._field(WIDTH) for n in privates},
        )
        touched = [mover.pc, *mover.locals.values(), *mover.privates.values()]
        touched += [self.cells[Cell(me, c.word) if c.owner == SELF else c] for c in graph.cells()]
        touched += [self.owed[c.owner if c.owner != SELF else me] for c in graph.cells() if c.word == "pending"]  # type: ignore[index]
        mover.footprint = sum({f.mask << f.shift for f in touched})
        return mover

    def _start(self) -> int:
        """Nobody has done anything: every trigger word is real, everything else 0."""
        state = 0
        for cell, where in self.cells.items():
            state = where.put(state, self.reals.get(cell.word.split("[")[0], 0))
        for mover in self.movers:
            activation = Activation(mover.graph, mover.me, {}, dict.fromkeys(mover.privates, 0), self.reals)
            activation.begin(mover)
            state = mover.pack(state, activation)
        return state

    def value(self, state: int, owner: int | str, word: str) -> int:
        return self.cells[Cell(owner, word)].get(state)

    def successors(self, state: int) -> Iterator[tuple[int, Mover, int]]:
        """Each state that one move leads to: who moves, and by what delta."""
        for mover in self.movers:
            key = state & mover.footprint
            deltas = mover.table.get(key)
            if deltas is None:
                deltas = mover.table[key] = mover.moves(key)
            for delta in deltas:
                yield state ^ delta, mover, delta

    def unreached(self) -> list[str]:
        """Steps and branches of the text that no state of the search came by: where every property holds vacuously."""
        missing = [
            f"{m.name}: {s.name} (line {s.line})"
            for m in self.movers
            for s in m.graph.steps
            if s.number not in m.visited
        ]
        for m in self.movers:
            for tree in m.graph.trees():
                if isinstance(tree, If):
                    missing += [
                        f"{m.name}: {tree.place} never {way}"
                        for way in (True, False)
                        if (tree.place, way) not in m.branches
                    ]
        return sorted(set(missing))
