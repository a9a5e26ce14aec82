"""The acceptor: is there an order of the events, each somewhere between its stamps, that is a run of the protocol?

An access is settled when its interval has closed: then it must have happened in each candidate that is kept, maybe after some of
those whose intervals are open meanwhile (`orders`).  A check, and what is no access, is settled at once where that is the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush

from safepoint.graph import ir
from safepoint.trace.bounds import BOUNDED, CHECKS, Bounds, Late
from safepoint.trace.candidate import Candidate, Happening, first
from safepoint.trace.crowd import Crowds
from safepoint.trace.events import EVENTS, Event, ToThread
from safepoint.trace.layout import Layout, UnknownTrace
from safepoint.trace.observe import LOCAL, WORLD_EVENTS, Said
from safepoint.trace.orders import MOST_CANDIDATES, Undecided, orders
from safepoint.trace.refusal import Refusal, late, refuse

MOST_ACTORS = 1 << 14
"""Names of threads and requesters in one trace."""
MOST_KNOWN = 1 << 16
KINDS = {cls: kind for kind, cls in EVENTS.items()}
PLAIN = frozenset(cls for cls in KINDS if cls.target is Event.target and cls.detail is Event.detail)
"""Events that say nothing but their kind."""
AT_ONCE = frozenset(("pushed", "looped", *LOCAL))


@dataclass(slots=True)
class Told:
    """What is the same of all events of one actor that say the same.  count: of these events."""

    kind: str
    said: Said
    otherwise: Said | None
    actor: int
    at_once: bool
    is_check: bool
    is_bounded: bool
    count: int = 0


class Acceptor:
    """Takes the events of a trace one by one.  most: candidates that there were at once."""

    def __init__(self, layout: Layout, like: Acceptor | None = None) -> None:
        """like: another acceptor with the same layout: what it has worked out is not worked out again.  Raises UnknownTrace."""
        self.layout = layout
        self.rules: Crowds = like.rules if like else Crowds(layout)
        self.beginning: Candidate = like.beginning if like else first(layout, self.rules)
        self.candidates = [self.beginning.copy()]
        self.names = [*layout.names]
        self._counts: Counter[str] = Counter()
        self.most = 1
        self.refusal: Refusal | None = None
        self.bounds = Bounds(layout)
        self._actors = dict(layout.names)
        self._open: list[tuple[int, int, Happening]] = []
        self._known: dict[tuple[object, ...], Told] = {}

    @property
    def requesters(self) -> int:
        """How many have asked for something that are no guest threads."""
        return len(self.names) - self.layout.threads

    def take(self, event: Event, line: int) -> bool:
        """The next event of the file; False: no run explains what has been taken so far, and `refusal` says why.

        Raises UnknownTrace for a name that the header does not have, and Undecided.
        """
        opened = self._open
        while opened and opened[0][0] < event.before:
            if not self._close(heappop(opened)[2]):
                return False
        cls, by = event.__class__, event.by
        key = (cls, by) if cls in PLAIN else (cls, by, event.target(), event.detail())
        told = self._known.get(key)
        if told is None:
            told = self._told(event, key)
        told.count += 1
        if not (told.at_once and self._at_once(told)):
            happening = Happening(event, told.kind, told.said, told.actor, line, told.otherwise)
            heappush(opened, (event.after, line, happening))
        if told.kind == "spawned":
            self.rules.has_begun(told.actor)
        if told.actor in self.bounds.waiting if told.is_check else told.is_bounded:
            return self._in_bounds(told, event, line)
        return True

    def finish(self) -> bool:
        """The trace is over: settle what is still open."""
        while self._open:
            if not self._close(heappop(self._open)[2]):
                return False
        return True

    def counts(self) -> Counter[str]:
        """Events of each kind."""
        for told in self._known.values():
            self._counts[told.kind] += told.count
            told.count = 0
        return self._counts

    def _in_bounds(self, told: Told, event: Event, line: int) -> bool:
        try:
            self.bounds.take(told.kind, told.actor, told.said, event)
        except Late as error:
            if self.finish():  # else it is refused for a better reason
                happening = Happening(event, told.kind, told.said, told.actor, line)
                self.refusal = late(self.layout, happening, error)
            return False
        return True

    def _told(self, event: Event, key: tuple[object, ...]) -> Told:
        kind, detail = KINDS[type(event)], event.detail()
        if kind in self.layout.silent:
            raise UnknownTrace(f"the header says that no {kind} is logged (take it out of `silent`)")
        actor = self._actors.get(event.by)
        if actor is None:
            actor = self._requester(event.by)
        owner: int | str = ir.SELF
        otherwise = None
        if kind in WORLD_EVENTS:
            owner = ir.WORLD
        elif isinstance(event, ToThread):
            number = self.layout.names.get(event.to)
            if number is None:
                known = ", ".join([*self.layout.names][:8])
                raise UnknownTrace(f"it speaks of thread {event.to!r} (the header's threads are: {known})")
            if number == actor:
                otherwise = kind, number, detail
            else:
                owner = number
        told = Told(kind, (kind, owner, detail), otherwise, actor, kind in AT_ONCE, kind in CHECKS, kind in BOUNDED)
        if len(self._known) > MOST_KNOWN:
            self.counts()
            self._known.clear()
        self._known[key] = told
        return told

    def _requester(self, name: str) -> int:
        if len(self.names) >= MOST_ACTORS:
            raise Undecided(f"there are more than {MOST_ACTORS} names of requesters (use a name again)")
        self._actors[name] = number = len(self.names)
        self.names.append(name)
        for candidate in self.candidates:
            candidate.crowds.append(self.rules.idle)
        return number

    def _at_once(self, told: Told) -> bool:
        """Settle it now, if that is the same as later: it can happen, changes no word, and no hidden step comes before it."""
        said, actor = told.said, told.actor
        if len(self.candidates) == 1:
            return self.candidates[0].quickly(said, actor, writes=False)
        copies = [candidate.copy() for candidate in self.candidates]
        if all(copy.quickly(said, actor, writes=False) for copy in copies):
            self.candidates = copies
            return True
        return False

    def _close(self, happening: Happening) -> bool:
        """Keep the candidates in which it has happened."""
        if len(self.candidates) == 1 and not self._open and not self.candidates[0].done:
            if self.candidates[0].quickly(happening.said, happening.actor, writes=True):
                return True
        after: list[Candidate] = []
        for candidate in self.candidates:
            after += [candidate] if happening in candidate.done else orders(candidate, happening, self._open)
        if not after:
            self.refusal = refuse(self.candidates[0], self.names, happening)
            return False
        for candidate in after:
            candidate.done.discard(happening)
        if len(after) > 1:
            after = [*{candidate.key(): candidate for candidate in after}.values()]
            self.most = max(self.most, len(after))
            if len(after) > MOST_CANDIDATES:
                raise Undecided(
                    f"more than {MOST_CANDIDATES} orders of what overlaps are possible (take stamps closer)"
                )
        self.candidates = after
        return True
