"""All the places at which one thread may stand, as one value: what an event leads to is worked out once, and then looked up.

Only writes are logged, and hidden steps only read; so where each thread may stand depends on the words alone, not on the others,
and a candidate is the words and one crowd a thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from safepoint.graph import ir
from safepoint.protocol.words import HANDSHAKE, STOP
from safepoint.trace.hidden import Hidden
from safepoint.trace.layout import PROCEDURES, ROLES, Layout
from safepoint.trace.observe import ANY, Said
from safepoint.trace.places import Place, Places

Key = tuple[Said, int | None, int]
NO_WORD = -1
NOT_MET = -2
"""No place has been met at which the event can be made."""
Footprint = tuple[int, int]
"""What is touched, and what is felt, as bits by the numbers of the words.

Touched are the words that are read or may be changed and, a whole memory higher, those that may be changed; felt are those that may be
changed and, higher, those that are read.  So one `&` says whether one changes what the other reads or changes: `touched & felt`, of
the one and of the other.  The acceptor asks that some ten times for each event.
"""


@dataclass(eq=False, slots=True)
class Told:
    """What is the same of all events of one actor that say the same.  actor: the number of who made it.

    otherwise: what else the text may call it: a thread that stops the world posts to itself as to any other.  word: the number of
    the word that it accesses; NO_WORD; or NOT_MET.
    """

    kind: str
    said: Said
    otherwise: Said | None
    actor: int
    word: int = NOT_MET


MOST_TOLD = 1 << 16
"""Different events that are remembered at once."""


@dataclass(eq=False)
class Crowd:
    """number: of the crowd.  numbers: of its places.  places: closed under steps that are no access.  reads: the words that a hidden step may read next.

    sees: of an actor: `reads`, as the numbers of its words.
    feet: of an open event, or of an actor that has none: the footprint from here on (`Crowds.footprint`).
    """

    number: int
    numbers: frozenset[int]
    places: tuple[Place, ...]
    reads: tuple[int, ...]
    is_idle: bool
    quick: dict[tuple[Told, object], tuple[int, Crowd]] = field(default_factory=dict)
    taken: dict[Key, tuple[tuple[int, Crowd], ...]] = field(default_factory=dict)
    advanced: dict[tuple[int, ...], Crowd] = field(default_factory=dict)
    begun: dict[Said, Crowd] = field(default_factory=dict)
    sees: dict[int, tuple[int, ...]] = field(default_factory=dict)
    feet: dict[Told | int, Footprint] = field(default_factory=dict)


class Crowds:
    """Every crowd that has been met, each once."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.width, self._own = len(layout.words), layout.threads * len(layout.words)
        self.memory = self._own + len(layout.world)
        self.looked_at: set[int] = set()  # the words that any hidden step may read
        self.places = Places(layout, layout.silent)
        self.hidden = Hidden(self.places)
        self.cell_of: dict[Said, int | None] = {}  # the word that such an event accesses; None: none
        self._crowds: dict[frozenset[int], Crowd] = {}
        self._told: dict[tuple[Said, Said | None, int], Told] = {}
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
            reads = tuple(sorted({p.cell for p in kept if p.cell is not None and self.hidden.hides(p)}))
            idle = any(p.is_idle for p in kept)
            crowd = self._crowds[key] = Crowd(len(self._crowds), key, kept, reads, idle)
            for cell in reads:
                self.looked_at.update(range(-1 - cell, self._own, self.width) if cell < 0 else (cell,))
        return crowd

    def has_begun(self, thread: int) -> bool:
        """Thread number `thread` has begun: from now on no stop passes it over.  True: what was worked out may be void."""
        if not self.places.has_begun(thread):
            return False
        self.hidden.clear()
        for crowd in self._crowds.values():
            crowd.feet.clear()
            if any(place.counts for place in crowd.places):
                for known in (crowd.quick, crowd.taken, crowd.advanced):
                    known.clear()
        return True

    def told(self, kind: str, said: Said, otherwise: Said | None, actor: int) -> Told:
        """The same object for the same event, as long as there are not too many."""
        if len(self._told) >= MOST_TOLD:
            self._told.clear()
            for crowd in self._crowds.values():
                crowd.feet.clear()
                crowd.quick.clear()
                crowd.sees.clear()
            self.hidden.clear()
        return self._told.setdefault((said, otherwise, actor), Told(kind, said, otherwise, actor))

    def sees(self, crowd: Crowd, actor: int) -> tuple[int, ...]:
        """The words that a hidden step may read next, by their numbers, in the order of `crowd.reads`."""
        found = crowd.sees.get(actor)
        if found is None:
            found = crowd.sees[actor] = tuple([self.layout.resolve(cell, actor) for cell in crowd.reads])
        return found

    def footprint(self, crowd: Crowd, told: Told | None, actor: int) -> Footprint:
        """The words that may matter until `told` has happened, and right after it, whatever the words hold now.

        Those are its own word, and what hidden steps before and after it read; of no event, what hidden steps read.  Events whose
        footprints do not meet may be made in any order.
        """
        which = actor if told is None else told
        found = crowd.feet.get(which)
        if found is None:
            reads = writes = 0
            if told is None:
                places = self.hidden.ways(crowd.places)
            else:
                places = self.hidden.ways(crowd.places)
                if any(place.is_idle for place in places):  # a hidden step may be the end of what it had begun before
                    begun = [place for s in (told.said, told.otherwise) if s for place in self.starts(s)]
                    places = self.hidden.ways([*crowd.places, *begun])
                after: list[Place] = []
                for place in places:
                    read, changed = self._makes(place, told, after)
                    reads, writes = reads | read, writes | changed
                places += self.hidden.ways(after)
            for place in places:
                if place.cell is not None and self.hidden.hides(place):
                    reads |= 1 << self.layout.resolve(place.cell, actor)
            found = crowd.feet[which] = reads | writes | writes << self.memory, writes | reads << self.memory
        return found

    def _makes(self, place: Place, told: Told, after: list[Place]) -> tuple[int, int]:
        """The words that the event reads and may change, if it is made there; and into `after`, where it leads."""
        reads = writes = 0
        for said in (told.said, told.otherwise):
            if said is None:
                continue
            if place.says == said:
                self.cell_of[said] = None
                told.word = NO_WORD
                after.append(self.places.after_local(place))
            elif place.cell is not None and self.cell_of.get(said, place.cell) == place.cell:
                changes, then = self.hidden.made(place, said)
                if then:
                    self.cell_of[said] = place.cell
                    word = self.layout.resolve(place.cell, told.actor)
                    told.word = word if said is told.said else told.word
                    reads |= 1 << word
                    writes |= changes << word
                    after += then
        return reads, writes

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
            begun = crowd.begun[event] = self.of([*crowd.places, *self.starts(event)])
        return begun

    def starts(self, event: Said) -> list[Place]:
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

    def only(self, crowd: Crowd, told: Told, value: int) -> tuple[int, Crowd] | None:
        """What the event leads to if its word holds `value`, if that is one thing only, and the word is known."""
        start = self.begin(crowd, told.said) if crowd.is_idle else crowd
        if told.word == NOT_MET or value == ANY or (start.reads and crowd.is_idle):
            return None
        found = self.take(start, told.said, self.cell_of[told.said], value)
        if len(found) != 1:
            return None
        crowd.quick[told, value] = found[0]
        return found[0]
