"""All the places at which one thread may stand, as one value: what an event leads to is worked out once, and then looked up.

Only writes are logged, and hidden steps only read; so where each thread may stand depends on the words alone, not on the others,
and a candidate is the words and one crowd a thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from safepoint.graph import ir
from safepoint.protocol.words import EVERYTHING, HANDSHAKE, STOP
from safepoint.trace.layout import PROCEDURES, ROLES, Layout
from safepoint.trace.observe import ANY, PASSED, SLOW, Said
from safepoint.trace.places import Outcome, Place, Places

Key = tuple[Said, int | None, int]


@dataclass(eq=False)
class Crowd:
    """number: of the crowd.  places: closed under steps that are no access.  reads: the words that a hidden step may read next.

    cells: all that any of its places may access next.
    """

    number: int
    places: tuple[Place, ...]
    reads: tuple[int, ...]
    cells: tuple[int, ...]
    is_idle: bool
    quick: dict[tuple[Said, int], tuple[int, Crowd]] = field(default_factory=dict)
    taken: dict[Key, tuple[tuple[int, Crowd], ...]] = field(default_factory=dict)
    advanced: dict[tuple[int, ...], Crowd] = field(default_factory=dict)
    begun: dict[Said, Crowd] = field(default_factory=dict)
    looks: dict[int, frozenset[int]] = field(default_factory=dict)


class Crowds:
    """Every crowd that has been met, each once."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.width = len(layout.words)
        self.places = Places(layout, layout.silent)
        self.cell_of: dict[Said, int | None] = {}  # the word that such an event accesses; None: none
        self._crowds: dict[frozenset[int], Crowd] = {}
        self.idle = self.of([self.places.idle])

    def of(self, places: Iterable[Place]) -> Crowd:
        """The crowd of these places, and of all to which they may go on without an access."""
        found: dict[int, Place] = {}
        todo = list(places)
        while todo:
            place = self.places.know(todo.pop())
            if place.number not in found:
                found[place.number] = place
                todo += place.silent
        key = frozenset(n for n, p in found.items() if not p.silent)
        crowd = self._crowds.get(key)
        if crowd is None:
            kept = tuple(found[n] for n in sorted(key))
            cells = tuple(sorted({p.cell for p in kept if p.cell is not None}))
            reads = tuple(sorted({p.cell for p in kept if p.cell is not None and self._hides(p)}))
            idle = any(p.is_idle for p in kept)
            crowd = self._crowds[key] = Crowd(len(self._crowds), kept, reads, cells, idle)
        return crowd

    def has_begun(self, thread: int) -> None:
        """Thread number `thread` has begun: from now on no stop passes it over."""
        if self.places.has_begun(thread):
            for crowd in self._crowds.values():
                crowd.looks.clear()
                if not any(place.counts for place in crowd.places):
                    continue
                for known in (crowd.quick, crowd.taken, crowd.advanced):
                    known.clear()

    def _hides(self, place: Place) -> bool:
        """May its access be no event?"""
        return any(outcome.event is None for outcome in self._any(place))

    def _any(self, place: Place) -> list[Outcome]:
        """The outcomes of its access that may be hidden, whatever the word holds."""
        step = place.activation.at
        assert step is not None
        passed = PASSED.get(step.where[-1], "")
        if passed and SLOW not in step.where and not {passed, "entered"} & self.layout.silent:
            return []  # a check, each way
        assert place.cell is not None
        domain = self.layout.domain(self.layout.word(place.cell))
        values = domain if len(domain) <= EVERYTHING + 2 else (domain[0], domain[1], domain[-1])
        return [outcome for value in values if (outcome := self.places.outcome(place, value)) is not None]

    def looks(self, crowd: Crowd, actor: int) -> frozenset[int]:
        """The words, by their own numbers, that hidden steps may read from here on, one after the other, whatever they find."""
        found = crowd.looks.get(actor)
        if found is None:
            seen: dict[int, Place] = {}
            todo = [*crowd.places]
            while todo:
                place = self.places.know(todo.pop())
                if place.number not in seen:
                    seen[place.number] = place
                    todo += place.silent
                    if place.cell is not None:
                        todo += [p for o in self._any(place) if o.event is None for p in o.then]
            cells = {p.cell for p in seen.values() if p.cell is not None and self._hides(p)}
            found = crowd.looks[actor] = frozenset(self.layout.resolve(cell, actor) for cell in cells)
        return found

    def advance(self, crowd: Crowd, values: tuple[int, ...]) -> Crowd:
        """Hidden steps on words that hold these values, in the order of `crowd.reads`; a thread may also not have made them yet."""
        after = crowd.advanced.get(values)
        if after is None:
            now, held = crowd, dict(zip(crowd.reads, values, strict=True))
            while True:
                more = [p for place in now.places if place.cell in held for p in self._hidden(place, held)]
                grown = self.of([*now.places, *more])
                if grown is now or any(cell not in held for cell in grown.reads):
                    now = grown
                    break
                now = grown
            after = crowd.advanced[values] = now
        return after

    def _hidden(self, place: Place, held: dict[int, int]) -> Iterable[Place]:
        assert place.cell is not None
        for value in self._values(place.cell, held[place.cell]):
            outcome = self.places.outcome(place, value)
            if outcome is not None and outcome.event is None:
                yield from outcome.then

    def _values(self, cell: int, value: int) -> Iterable[int]:
        return self.layout.domain(self.layout.word(cell)) if value == ANY else (value,)

    def begin(self, crowd: Crowd, event: Said) -> Crowd:
        """Of a requester that has nothing under way: with what begins by this event."""
        begun = crowd.begun.get(event)
        if begun is None:
            begun = crowd.begun[event] = self.of([*crowd.places, *self._starts(event)])
        return begun

    def _starts(self, event: Said) -> list[Place]:
        kind, owner, detail = event
        graphs = self.layout.graphs
        if kind == "locked":
            return [self.places.begin(graphs[role], ir.WORLD, {}) for role in ROLES]
        if kind not in PROCEDURES or not isinstance(owner, int):
            return []
        graph = graphs[PROCEDURES[kind]]
        if kind == "posted" and detail in (0, STOP, HANDSHAKE):
            return []  # a stop and a handshake post these themselves
        values = [detail] if graph.params and isinstance(detail, int) else []
        return [self.places.begin(graph, owner, dict(zip(graph.params, values, strict=True)))]

    def cell(self, crowd: Crowd, event: Said, memory: list[int], thread: int) -> int | bool | None:
        """The word that the event accesses, as `Layout.code` has it; None: no word; False: none is known yet, for it cannot come now."""
        try:
            return self.cell_of[event]
        except KeyError:
            if any(place.says == event for place in crowd.places):
                self.cell_of[event] = None
                return None
            for cell in crowd.cells:
                if self.take(crowd, event, cell, memory[self.layout.resolve(cell, thread)]):
                    self.cell_of[event] = cell
                    return cell
            return False

    def take(self, crowd: Crowd, event: Said, cell: int | None, value: int) -> tuple[tuple[int, Crowd], ...]:
        """What the event may lead to if the word holds `value`: what it holds then, and the crowd; nothing: it is impossible."""
        key = event, cell, value
        found = crowd.taken.get(key)
        if found is None:
            after: dict[int, list[Place]] = {}
            for place in crowd.places:
                if cell is None:
                    if place.says == event:
                        after.setdefault(0, []).append(self.places.after_local(place))
                elif place.cell == cell:
                    for held in self._values(cell, value):
                        outcome = self.places.outcome(place, held)
                        if outcome is not None and outcome.event == event:
                            after.setdefault(ANY if value == ANY else outcome.new, []).extend(outcome.then)
            found = crowd.taken[key] = tuple((new, self.of(places)) for new, places in after.items())
        return found
