"""One process (guest thread or requester) of a model: its bit fields in the packed state, and its moves, computed by running the
graph with the readable `Activation`.

What a thread can do depends only on the bits it can touch (its footprint), so its moves are worked out once for each value
of those bits, as xor deltas.  A choice is no step of its own: it is part of the access that follows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from safepoint.graph.execute import Activation, Impossible
from safepoint.graph.ir import Cell, Graph, Step
from safepoint.model.fields import Field
from safepoint.model.layout import Layout
from safepoint.model.moves import Begun, Move, Transition
from safepoint.model.widths import BELOW
from safepoint.protocol.words import INTERRUPT, TERMINATE

BUFFER = 5
"""Stores that a thread may have on their way under TSO; a further one waits.  A search that never met a full buffer would
find the same states with a longer one; one that did has no verdict but a counterexample."""


RAISING = INTERRUPT | TERMINATE
"""The kinds of request that a site raises."""


@dataclass
class Process:
    """One thread of the model: its graph, whose words it calls its own, and where its bits are.  The memory of its steps."""

    layout: Layout
    graph: Graph
    me: int | str
    name: str
    pc: Field
    locals: dict[str, Field]
    privates: dict[str, Field]
    waits_for: Field | None = None  # its part of the layout's `waiting`
    fill: Field | None = None  # TSO: how many stores are on their way
    buffer: list[tuple[Field, Field]] = field(default_factory=list)  # which word, what value; the oldest first
    stored: list[Cell] = field(default_factory=list)  # the words it stores to: `which` is a number of this list
    table: dict[int, tuple[int, ...]] = field(default_factory=dict)
    broken: dict[tuple[int, int], str] = field(default_factory=dict)  # (footprint bits, delta) -> claim
    chosen: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)  # the same -> cases, of each such move
    happening: dict[str, set[int]] = field(default_factory=dict)  # `eventually` -> footprint bits where it can
    visited: set[int] = field(default_factory=set)
    branches: set[tuple[str, bool]] = field(default_factory=set)
    handlers: list[Process] = field(default_factory=list)  # that run on this thread; of a handler, the others
    is_handler: bool = False
    rest: int = 0  # the number of its first step: there a handler does not run
    brakes: tuple[Field, ...] = ()  # words that make it stand still, while they are not 0
    fences: tuple[Field, ...] = ()  # of a thread that calls fence_others(), under TSO: `fill` of every thread
    footprint: int = 0
    state: int = 0  # while a step is worked out
    claims: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    is_locked: bool = False
    making: Step | None = None

    # -- the memory and the listener of an Activation

    def load(self, cell: Cell) -> int:
        """The newest store of its own, or memory."""
        for which, value in reversed(self.buffer[: self.in_flight(self.state)]):
            if self.stored[which.get(self.state)] == cell:
                return value.get(self.state)
        return self.layout.cells[cell].get(self.state)

    def store(self, cell: Cell, value: int) -> bool:
        if self.fill is None or self.is_locked:
            self.state = self._put(self.state, self.layout.cells[cell], cell.word, value)
            return True
        n = self.fill.get(self.state)
        if n == len(self.buffer):
            where = f"{self.making.file}:{self.making.line}: {self.making.source}" if self.making else ""
            self.layout.buffer_was_full = self.layout.buffer_was_full or f"{self.name} at {where}"
            return False
        which, what = self.buffer[n]
        self.state = which.put(
            self._put(self.fill.put(self.state, n + 1), what, cell.word, value), self.stored.index(cell)
        )
        return True

    def locked(self, cell: Cell) -> bool:
        """A locked operation waits until its thread's stores have reached memory, and goes to memory itself."""
        self.is_locked = True
        return not self.in_flight(self.state)

    def in_flight(self, state: int) -> int:
        return self.fill.get(state) if self.fill else 0

    def drain(self, state: int) -> int:
        """The oldest store reaches memory."""
        assert self.fill is not None
        which, what = self.buffer[0]
        state = self.layout.cells[self.stored[which.get(state)]].put(state, what.get(state))
        for (which, what), (next_which, next_what) in zip(self.buffer, self.buffer[1:], strict=False):
            state = which.put(what.put(state, next_what.get(state)), next_which.get(state))
        which, what = self.buffer[-1]
        return which.put(what.put(self.fill.put(state, self.fill.get(state) - 1), 0), 0)

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        """What the text says of requests: a table of effects on what the thread is owed, holds and must raise."""
        ghosts = self.layout.ghosts[owner]
        owed, held, due = (f.get(self.state) for f in ghosts)
        match op:
            case "posted":
                owed |= kind & ~self.layout.hint
            case "asked":
                self.claim("served-once", not owed & kind)
                owed |= kind
                self._wait_for(owner)
            case "taken":
                hint = self.layout.hint
                self.claim("pending-was-posted", owed & kind == kind & ~hint | owed & kind & hint)
                owed, held = owed & ~kind | owed & hint, held | kind & ~hint
            case "given_back":
                self.claim("served-once", held & kind == kind)
                owed, held = owed | kind, held & ~kind
            case "cleared":
                owed, held = owed & ~kind, held | owed & kind
            case "served" if not self.layout.takes:
                owed, held = owed & ~(kind & ~held), held & ~kind
            case "served":
                self.claim("served-once", held & kind == kind)
                held, due = held & ~kind, due | kind & RAISING
            case "ran":
                self.claim("served-once", owed & kind == kind)
                owed &= ~kind
                self._has_run(owner)
            case "dropped":
                owed, held = owed & ~kind, held if self.layout.takes else held & ~kind
            case "finished" if self.waits_for is not None:
                self.claim("done-was-run", self.waits_for.get(self.state) == self.layout.has_run)
                self.state = self.waits_for.put(self.state, 0)
            case "raises":
                self.claim("raises-what-is-due", due == kind)
                due = 0
        for field_, value in zip(ghosts, (owed, held, due), strict=True):
            self.state = field_.put(self.state, value)

    def _wait_for(self, owner: int | str) -> None:
        if self.waits_for is not None and isinstance(owner, int):
            # it must have said that one is finished before it asks for the next
            self.claim("done-was-run", not self.waits_for.get(self.state))
            self.state = self.waits_for.put(self.state, owner + 1)

    def _has_run(self, owner: int | str) -> None:
        """What waits for the operation on this thread waits no more."""
        for waits in self.layout.waiting:
            if isinstance(owner, int) and waits.get(self.state) == owner + 1:
                self.state = waits.put(self.state, self.layout.has_run)

    def claim(self, name: str, holds: bool) -> None:
        if not holds:
            self.claims.append(name)

    def happens(self, name: str) -> None:
        self.happened.append(name)

    def branch(self, place: str, taken: bool) -> None:
        self.branches.add((place, taken))

    # -- states

    def at(self, state: int) -> Step:
        return self.graph.steps[self.pc.get(state)]

    def unpack(self, state: int) -> Activation:
        env = {n: f.get(state) for n, f in self.locals.items()}
        privates = {n: f.get(state) for n, f in self.privates.items()}
        return Activation(self.graph, self.me, env, privates, self.layout.reals, self.at(state))

    def pack(self, state: int, a: Activation) -> int:
        if a.at is None:
            raise self.layout.widths.text.must_not_end(self.graph.name)
        for n, f in self.locals.items():
            state = self._put(state, f, n, a.env.get(n, 0))
        for n, f in self.privates.items():
            state = self._put(state, f, n, a.privates[n])
        return self.pc.put(state, a.at.number)

    def _put(self, state: int, where: Field, name: str, value: int) -> int:
        if value < 0 and self.layout.widths.text.is_custom:
            self.claim(BELOW, False)
            value = 0
        if value & ~where.mask:
            raise self.layout.widths.too_narrow(name, value)
        return where.put(state, value)

    def edges(self, state: int) -> Iterator[Transition]:
        """Every move that this thread can make, worked out by running the text."""
        if self.in_flight(state) and not self.is_handler:
            where = self.stored[self.buffer[0][0].get(state)]
            told = Move(
                self.name, f"{self.name}:reaches memory {where}", "", 0, f"(its store to {where} reaches memory)"
            )
            yield Transition(self.drain(state) ^ state, told, ())
        if any(handler.pc.get(state) != handler.rest for handler in self.handlers):
            return  # a handler runs
        if any(brake.get(state) for brake in self.brakes):
            return
        yield from self._from(state, state, self.unpack(state), Begun())

    def _from(self, start: int, state: int, a: Activation, begun: Begun) -> Iterator[Transition]:
        """A choice goes on to the access after it, an atomic block to its end."""
        step = a.at
        assert step is not None
        self.visited.add(step.number)
        self.making, self.is_locked = step, step.joined
        if step.op == "choose" and step.number not in begun.choices:
            choices = begun.choices | {step.number}
            for case, tree in zip(step.cases, step.then, strict=True):
                chosen = a.copy()
                self._begin(state, begun)
                try:
                    chosen.settle(tree, self)
                except Impossible:
                    continue
                cases = f"{begun.cases}, {case}" if begun.cases else case
                after = Begun(begun.step, cases, choices, tuple(self.claims), tuple(self.happened))
                at = chosen.at
                if at is not None and (at.number in choices or at.rests or (step.joined and not at.joined)):
                    yield self._edge(
                        start, chosen, step, after
                    )  # all local: at a choice that it has just made, or at rest
                else:
                    yield from self._from(start, self.state, chosen, after)
            return
        yield from self._access(start, state, a, step, begun)

    def _access(self, start: int, state: int, a: Activation, step: Step, begun: Begun) -> Iterator[Transition]:
        if step.op == "fence_others" and any(fill.get(state) for fill in self.fences):
            return
        if step.op in ("fence", "atomic") and self.in_flight(state):
            return
        self._begin(state, begun)
        try:
            if not a.perform(self, self):
                return
        except Impossible:
            return
        after = Begun(begun.step or step, begun.cases, begun.choices, tuple(self.claims), tuple(self.happened))
        if a.at is not None and a.at.joined:
            yield from self._from(start, self.state, a, after)
        else:
            yield self._edge(start, a, step, after)

    def _begin(self, state: int, begun: Begun) -> None:
        """A step begins, after what has been said before it in the same move."""
        self.state, self.claims, self.happened = state, [*begun.claims], [*begun.happened]

    def _edge(self, start: int, a: Activation, last: Step, begun: Begun) -> Transition:
        step, after = begun.step or last, self.pack(self.state, a)  # which may break a claim, too
        move = Move(self.name, step.name, begun.cases, step.line, step.source, step.file)
        return Transition(after ^ start, move, tuple(self.claims), step.number, begun.happened)

    def moves(self, key: int) -> tuple[int, ...]:
        """One row of the table."""
        deltas: list[int] = []
        chosen: dict[tuple[int, int], tuple[str, ...]] = {}
        for edge in self.edges(key):
            at = key, edge.delta
            deltas.append(edge.delta)
            if edge.claims:
                self.broken[at] = edge.claims[0]
            for name in edge.happens:
                self.happening.setdefault(name, set()).add(key)
            if edge.move.cases:
                chosen[at] = (*chosen.get(at, ()), edge.move.cases)
        self.chosen |= chosen
        return tuple(deltas)

    def row(self, state: int) -> tuple[int, ...]:
        """The moves from a state, as deltas; worked out once for each value of the footprint."""
        key = state & self.footprint
        row = self.table.get(key)
        if row is None:
            row = self.table[key] = self.moves(key)
        return row
